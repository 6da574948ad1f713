//! The public log: wait until it has placed everything, then check its proofs as a stranger would,
//! from nothing but its answers and its key.

use serde_json::Value;

use crate::cli::demo::problem::{DemoResult, wrong};
use crate::domain::log::Hash;
use crate::domain::log::checkpoint::Checkpoint;
use crate::domain::log::hash::leaf_hash;
use crate::domain::log::note::NoteVerifier;
use crate::domain::log::proof::{verify_consistency, verify_inclusion};
use crate::domain::problem::Code;

use super::{Tally, Walk, wait_for};

/// A head of the log whose signature was checked.
#[derive(Debug, Clone)]
pub struct Head {
    pub size: u64,
    pub root: Hash,
}

impl Walk<'_> {
    /// Waits until the log has so many leaves and opens its checkpoint.
    pub(super) async fn log_of(&self, leaves: i64) -> DemoResult<Head> {
        let wanted = u64::try_from(leaves).map_err(|_| wrong("fewer than no leaves"))?;
        let stage = self.screen.stage("公开日志 · the public log", 1);
        let verifier = NoteVerifier::parse(self.courier.text("/log/key").await?.trim())?;
        let verifier = &verifier;
        let head = wait_for("the log", || async move {
            let Ok(note) = self.courier.text("/log/checkpoint").await else {
                return Ok(None);
            };
            let head = Checkpoint::open(&note, verifier)?;
            Ok((head.size >= wanted).then_some(head))
        })
        .await?;
        if head.size != wanted {
            let detail = format!("{} leaves for {wanted} reductions", head.size);
            return Err(wrong(detail));
        }
        stage.step();
        stage.done(format!(
            "{} 片叶，已签名 · {} leaves, signed",
            head.size, head.size
        ));
        Ok(Head {
            size: head.size,
            root: head.root,
        })
    }

    /// Checks inclusion of sample reductions, and that the log only grew.
    pub(super) async fn prove(&self, tally: &Tally, early: &Head, late: &Head) -> DemoResult<()> {
        let stage = self
            .screen
            .stage("默克尔证明 · Merkle proofs", tally.samples.len() + 1);
        for id in &tally.samples {
            self.prove_inclusion(id, late).await?;
            stage.step();
        }
        let (old, new) = (early.size, late.size);
        let path = format!("/log/proofs/consistency?old={old}&new={new}");
        let proof = hashes(&self.courier.look(&path).await?["proof"])?;
        verify_consistency(old, new, &early.root, &late.root, &proof)?;
        let bent = verify_consistency(old, new, &late.root, &late.root, &proof);
        if bent.err().map(|problem| problem.code) != Some(Code::LogProofInvalid) {
            return Err(wrong("a wrong root passed"));
        }
        stage.step();
        stage.done(format!(
            "{} 条包含证明，{old}→{new} 一致 · {} inclusions, consistent from {old} to {new}",
            tally.samples.len(),
            tally.samples.len()
        ));
        Ok(())
    }

    async fn prove_inclusion(&self, id: &str, head: &Head) -> DemoResult<()> {
        let leaf = self.courier.text(&format!("/log/leaves/{id}")).await?;
        let told = self
            .courier
            .look(&format!("/log/proofs/inclusion/{id}"))
            .await?;
        let number = |name: &str| told[name].as_u64().ok_or_else(|| wrong(name.to_owned()));
        let (index, size) = (number("index")?, number("size")?);
        if size != head.size {
            return Err(wrong("the proof is of another head"));
        }
        let proof = hashes(&told["proof"])?;
        Ok(verify_inclusion(
            &leaf_hash(leaf.as_bytes()),
            index,
            size,
            &proof,
            &head.root,
        )?)
    }
}

fn hashes(list: &Value) -> DemoResult<Vec<Hash>> {
    let list = list.as_array().ok_or_else(|| wrong("no proof"))?;
    let hash = |text: &Value| {
        let bytes = hex::decode(text.as_str().unwrap_or_default()).ok()?;
        Hash::try_from(bytes).ok()
    };
    list.iter()
        .map(|text| hash(text).ok_or_else(|| wrong("a proof's hash cannot be read")))
        .collect()
}
