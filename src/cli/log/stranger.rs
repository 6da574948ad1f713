//! Somebody who believes nothing of the log but its key.

use std::collections::HashMap;
use std::future::Future;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::memory::{Kept, Memory};
use super::{LogError, Verdict};
use crate::domain::log::Hash;
use crate::domain::log::checkpoint::Checkpoint;
use crate::domain::log::hash::leaf_hash;
use crate::domain::log::note::NoteVerifier;
use crate::domain::log::proof::{root_of, verify_consistency, verify_inclusion};
use crate::domain::log::tile::{Tile, node_from_tiles};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::reduction::ReductionId;
use crate::gateway::log_client::LogClient;
use crate::gateway::partner_client::ClientError;

/// A check of one log.
pub(super) struct Stranger {
    client: LogClient,
    runtime: Runtime,
    verifier: NoteVerifier,
    /// Whether the key came from the caller or an earlier run, and not from this very server.
    pinned: bool,
    memory: Option<Memory>,
    tiles: HashMap<Tile, Vec<Hash>>,
}

/// A checkpoint whose signature held, with the text that was signed.
struct Head {
    checkpoint: Checkpoint,
    signed: String,
}

impl Stranger {
    /// The key is the caller's, else the remembered one, else the server's own: trusted at first
    /// use, and held to from then on if there is a memory.
    ///
    /// # Errors
    /// The key cannot be read, fetched, or is another than the remembered one.
    pub(super) fn new(
        client: LogClient,
        key: Option<&str>,
        memory: Option<Memory>,
    ) -> Result<Stranger, LogError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(LogError::Runtime)?;
        let kept = memory.as_ref().and_then(|memory| memory.kept.as_ref());
        let kept = kept.map(|kept| kept.key.clone());
        if let (Some(given), Some(kept)) = (key, &kept)
            && given != kept
        {
            let what = detail!(
                "状态文件中记住的是 {kept}",
                "the state file remembers {kept}"
            );
            return Err(Problem::at(Code::CheckpointUntrusted, "key", what).into());
        }
        let known = key.map(str::to_owned).or(kept);
        let pinned = known.is_some();
        let key = match known {
            Some(key) => key,
            None => runtime.block_on(client.key())?,
        };
        Ok(Stranger {
            verifier: NoteVerifier::parse(&key)?,
            client,
            runtime,
            pinned,
            memory,
            tiles: HashMap::new(),
        })
    }

    pub(super) fn key_is_pinned(&self) -> bool {
        self.pinned
    }

    /// The newest head is signed, and does not contradict the remembered one.
    pub(super) fn checkpoint(&mut self) -> Result<Verdict, LogError> {
        let head = self.newest()?;
        self.remember(&head)?;
        let mut facts = facts_of(&head.checkpoint);
        facts.push(("key", self.verifier.to_string().into()));
        Ok(Verdict {
            zh: "检查点由日志密钥签名",
            en: "the checkpoint is signed by the log's key",
            facts,
        })
    }

    /// A reduction's leaf, hashed here, is in the tree of a signed head.
    pub(super) fn inclusion(&mut self, id: ReductionId) -> Result<Verdict, LogError> {
        let claim = self.fetch(|client| async move { client.inclusion(id).await })?;
        let leaf = self.fetch(|client| async move { client.leaf(id).await })?;
        let head = self.open(claim.checkpoint)?;
        let broken = |what| Problem::at(Code::LogProofInvalid, "leaf", what);
        if head.checkpoint.size != claim.size {
            let what = detail!(
                "证明所对应的大小与检查点不同",
                "the proof is for another size than the checkpoint"
            );
            return Err(broken(what).into());
        }
        let hash = leaf_hash(&leaf);
        if hash != claim.leaf_hash {
            let what = detail!("叶子内容的哈希不同", "the leaf's bytes have another hash");
            return Err(broken(what).into());
        }
        let said: Value = serde_json::from_slice(&leaf).map_err(|_| {
            broken(detail!(
                "叶子内容不是 JSON 对象",
                "the leaf's bytes are no JSON object"
            ))
        })?;
        if said.get("reduction").and_then(Value::as_str) != Some(&id.to_string()) {
            let what = detail!(
                "叶子所记的是另一笔减排量",
                "the leaf names another reduction"
            );
            return Err(broken(what).into());
        }
        let (index, size, root) = (claim.index, claim.size, &head.checkpoint.root);
        verify_inclusion(&hash, index, size, &claim.proof, root)?;
        self.remember(&head)?;
        let mut facts = vec![
            ("reduction", id.to_string().into()),
            ("index", index.into()),
            ("leaf", said),
            ("leaf_hash", hex::encode(hash).into()),
        ];
        facts.extend(facts_of(&head.checkpoint));
        Ok(Verdict {
            zh: "该减排量在公开日志中",
            en: "the reduction is in the public log",
            facts,
        })
    }

    /// The log of `new` leaves begins with the log of `old` leaves, and is itself the beginning of
    /// the newest signed head.
    pub(super) fn consistency(
        &mut self,
        old: u64,
        new: Option<u64>,
        old_root: Option<Hash>,
    ) -> Result<Verdict, LogError> {
        let known = self.remembered()?.map(|head| head.checkpoint);
        let head = self.newest()?;
        self.remember(&head)?;
        let size = head.checkpoint.size;
        let new = new.unwrap_or(size);
        if old > new || new > size {
            let what = detail!(
                "所求为 {old} 至 {new}，日志大小为 {size}",
                "asked for {old} to {new}, and the log has {size}"
            );
            return Err(Problem::at(Code::LogSizeInvalid, "size", what).into());
        }
        let new_root = match new == size {
            true => head.checkpoint.root,
            false => self.root_by_tiles(new)?,
        };
        let (old_root, from) = match old_root {
            Some(root) => (root, "given"),
            None => match known.filter(|known| known.size == old) {
                Some(known) => (known.root, "remembered"),
                None => (self.root_by_tiles(old)?, "tiles"),
            },
        };
        self.grew((old, &old_root), (new, &new_root))?;
        self.grew((new, &new_root), (size, &head.checkpoint.root))?;
        let mut facts = vec![
            ("old", old.into()),
            ("old_root", hex::encode(old_root).into()),
            ("old_root_from", from.into()),
            ("new", new.into()),
            ("new_root", hex::encode(new_root).into()),
        ];
        facts.extend(facts_of(&head.checkpoint));
        Ok(Verdict {
            zh: "日志只增不改",
            en: "the log only grew",
            facts,
        })
    }

    /// The newest head continues the remembered one; it is remembered in its stead.
    pub(super) fn watch(&mut self) -> Result<Verdict, LogError> {
        let before = self.remembered()?.map(|head| head.checkpoint.size);
        let head = self.newest()?;
        self.remember(&head)?;
        let mut facts = facts_of(&head.checkpoint);
        facts.push(("remembered_size", before.into()));
        let (zh, en) = match before {
            Some(_) => ("日志只增不改", "the log only grew"),
            None => (
                "首次查看，已记住密钥与检查点",
                "seen for the first time; key and checkpoint are remembered",
            ),
        };
        Ok(Verdict { zh, en, facts })
    }

    fn newest(&mut self) -> Result<Head, LogError> {
        let signed = self.fetch(|client| async move { client.checkpoint().await })?;
        self.open(signed)
    }

    fn open(&self, signed: String) -> Result<Head, LogError> {
        match Checkpoint::open(&signed, &self.verifier) {
            Ok(checkpoint) => Ok(Head { checkpoint, signed }),
            Err(what) => Err(LogError::Broken {
                what,
                evidence: vec![signed],
            }),
        }
    }

    fn remembered(&self) -> Result<Option<Head>, LogError> {
        let kept = self.memory.as_ref().and_then(|memory| memory.kept.clone());
        let signed = kept.and_then(|kept| kept.checkpoint);
        signed.map(|signed| self.open(signed)).transpose()
    }

    /// Holds `head` against the remembered one, either of which may be the newer, and remembers
    /// the newer. Two heads that do not fit are shown as they were signed.
    fn remember(&mut self, head: &Head) -> Result<(), LogError> {
        if self.memory.is_none() {
            return Ok(());
        }
        let before = self.remembered()?;
        let newer = match &before {
            Some(before) => {
                let order = before.checkpoint.size <= head.checkpoint.size;
                let (old, new) = if order {
                    (before, head)
                } else {
                    (head, before)
                };
                let at = |head: &Head| (head.checkpoint.size, head.checkpoint.root);
                let (old_at, new_at) = (at(old), at(new));
                let fits = self.grew((old_at.0, &old_at.1), (new_at.0, &new_at.1));
                fits.map_err(|error| shown(error, old, new))?;
                new
            }
            None => head,
        };
        let kept = Kept {
            key: self.verifier.to_string(),
            checkpoint: Some(newer.signed.clone()),
        };
        match &mut self.memory {
            Some(memory) => memory.keep(kept),
            None => Ok(()),
        }
    }

    fn grew(&mut self, old: (u64, &Hash), new: (u64, &Hash)) -> Result<(), LogError> {
        // Equal sizes and the empty log need no proof of the server's.
        let proof = match old.0 == 0 || old.0 == new.0 {
            true => Vec::new(),
            false => self.fetch(|client| async move { client.consistency(old.0, new.0).await })?,
        };
        Ok(verify_consistency(old.0, new.0, old.1, new.1, &proof)?)
    }

    /// The root that the published tiles give.
    fn root_by_tiles(&mut self, size: u64) -> Result<Hash, LogError> {
        root_of(size, |level, index| {
            // What the network did cannot pass through the reader's own kind of error.
            let mut unreachable = None;
            let node = node_from_tiles(level, index, size, |tile| {
                self.tile(tile).map_err(|error| {
                    unreachable = Some(error);
                    Problem::from(Code::Unavailable)
                })
            });
            match unreachable {
                Some(error) => Err(LogError::from(error)),
                None => Ok(node?),
            }
        })
    }

    fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, ClientError> {
        if let Some(hashes) = self.tiles.get(&tile) {
            return Ok(hashes.clone());
        }
        let hashes = self.runtime.block_on(self.client.tile(tile))?;
        self.tiles.insert(tile, hashes.clone());
        Ok(hashes)
    }

    fn fetch<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        ask: impl FnOnce(LogClient) -> F,
    ) -> Result<T, LogError> {
        Ok(self.runtime.block_on(ask(self.client.clone()))?)
    }
}

/// Two signed heads of which one is not the beginning of the other: proof that the log was changed.
/// A log that names a head beyond its present end, and cannot prove it, has been cut.
fn shown(error: LogError, old: &Head, new: &Head) -> LogError {
    let what = match error {
        LogError::Broken { what, .. } => what,
        LogError::Unreachable(ClientError::Refused { status, .. }) if status.is_client_error() => {
            let what = detail!(
                "日志已不能证明它签过的检查点",
                "the log no longer proves a head that it signed"
            );
            Problem::at(Code::LogProofInvalid, "consistency", what)
        }
        other => return other,
    };
    LogError::Broken {
        what,
        evidence: vec![old.signed.clone(), new.signed.clone()],
    }
}

fn facts_of(checkpoint: &Checkpoint) -> Vec<(&'static str, Value)> {
    vec![
        ("origin", checkpoint.origin.clone().into()),
        ("size", checkpoint.size.into()),
        ("root", hex::encode(checkpoint.root).into()),
    ]
}
