//! The public log as a stranger fetches it. Nothing here is believed: what comes back is checked
//! with the functions of `domain::log`.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;

use super::partner_client::{ClientError, address, bounded, http_client, success};
use crate::config::Clock;
use crate::domain::log::Hash;
use crate::domain::log::note::NOTE_BYTES_MAX;
use crate::domain::log::tile::Tile;
use crate::domain::reduction::ReductionId;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest leaf or proof read: a proof has at most 64 hashes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Reads one platform's log; cheap to clone.
#[derive(Debug, Clone)]
pub struct LogClient {
    http: Client,
    base: String,
    clock: Clock,
}

/// The claim that a leaf is in the tree of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionClaim {
    pub index: u64,
    pub size: u64,
    pub leaf_hash: Hash,
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

#[derive(Deserialize)]
struct InclusionBody {
    index: u64,
    size: u64,
    leaf_hash: String,
    proof: Vec<String>,
    checkpoint: String,
}

#[derive(Deserialize)]
struct ConsistencyBody {
    proof: Vec<String>,
}

impl LogClient {
    /// # Errors
    /// [`ClientError::Address`] if `base_url` is no HTTP address.
    pub fn new(base_url: &str, clock: Clock) -> Result<LogClient, ClientError> {
        Ok(LogClient {
            http: http_client(&address(base_url, "")?)?,
            base: base_url.trim_end_matches('/').to_owned(),
            clock,
        })
    }

    /// The newest checkpoint as published.
    ///
    /// # Errors
    /// [`ClientError`]; so for all that follow.
    pub async fn checkpoint(&self) -> Result<String, ClientError> {
        text(self.get("/log/checkpoint", NOTE_BYTES_MAX).await?)
    }

    /// The verifier key that the server names: `name+hash+base64`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn key(&self) -> Result<String, ClientError> {
        let key = text(self.get("/log/key", ANSWER_BYTES_MAX).await?)?;
        Ok(key.trim().to_owned())
    }

    /// The claim that a reduction is in the log.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn inclusion(&self, id: ReductionId) -> Result<InclusionClaim, ClientError> {
        let path = format!("/log/proofs/inclusion/{id}");
        let body: InclusionBody = json(&self.get(&path, NOTE_BYTES_MAX + ANSWER_BYTES_MAX).await?)?;
        Ok(InclusionClaim {
            index: body.index,
            size: body.size,
            leaf_hash: hash(&body.leaf_hash)?,
            proof: hashes(&body.proof)?,
            checkpoint: body.checkpoint,
        })
    }

    /// The bytes of a reduction's leaf.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn leaf(&self, id: ReductionId) -> Result<Vec<u8>, ClientError> {
        self.get(&format!("/log/leaves/{id}"), ANSWER_BYTES_MAX)
            .await
    }

    /// The proof that the log of `new` leaves begins with the log of `old` leaves.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ClientError> {
        let path = format!("/log/proofs/consistency?old={old}&new={new}");
        let body: ConsistencyBody = json(&self.get(&path, ANSWER_BYTES_MAX).await?)?;
        hashes(&body.proof)
    }

    /// The hashes of a tile.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tile(&self, tile: Tile) -> Result<Vec<Hash>, ClientError> {
        let path = format!("/log/{}", tile.path());
        let bytes = self.get(&path, tile.bytes()).await?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        if bytes.len() != tile.bytes() || !rest.is_empty() {
            return Err(ClientError::Unexpected(format!("{path} has another size")));
        }
        Ok(hashes.to_vec())
    }

    async fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, ClientError> {
        let request = self.http.get(address(&self.base, path)?).timeout(TIMEOUT);
        let response = request.send().await.map_err(ClientError::NoAnswer)?;
        bounded(success(response, &self.clock).await?, bytes_max).await
    }
}

fn text(bytes: Vec<u8>) -> Result<String, ClientError> {
    String::from_utf8(bytes).map_err(|error| ClientError::Unexpected(error.to_string()))
}

fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|error| ClientError::Unexpected(error.to_string()))
}

fn hashes(texts: &[String]) -> Result<Vec<Hash>, ClientError> {
    texts.iter().map(|text| hash(text)).collect()
}

fn hash(text: &str) -> Result<Hash, ClientError> {
    let mut bytes = Hash::default();
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| ClientError::Unexpected(format!("`{text}` is not a hash in hex")))?;
    Ok(bytes)
}
