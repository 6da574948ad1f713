//! What the ledger knows of a person: a hash of what the partner calls them.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Leads the bytes that are hashed; the partner's id (16) and the name follow.
const DOMAIN: &[u8] = b"tanpuhui/subject/v1\0";

/// SHA-256 over the partner and the partner's name for the person.
pub type SubjectHash = [u8; 32];

/// The subject of a record, as it is looked up and stored.
pub fn subject_hash(partner: Uuid, subject: &str) -> SubjectHash {
    Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(partner.as_bytes())
        .chain_update(subject)
        .finalize()
        .into()
}
