//! One officer's act, and how its hash binds everything before it.

use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use crate::domain::context::Actor;

/// What the first act of a chain names as its predecessor.
pub const CHAIN_START: [u8; 32] = [0; 32];

/// One step of a state machine, or another act that somebody answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub actor: Actor,
    /// Verb and noun: `cer.issue`.
    pub action: String,
    /// What it was done to: `period 0193…`.
    pub subject: String,
    /// The reason given, or the rule applied.
    pub basis: String,
    pub before: Option<[u8; 32]>,
    pub after: Option<[u8; 32]>,
}

impl Act {
    /// SHA-256 over the previous act's hash and this act's fields, each preceded by its length so
    /// that no two acts share their bytes.
    pub fn hash(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let seq = self.seq.to_be_bytes();
        let fields: [&[u8]; 10] = [
            previous,
            &seq,
            at.as_bytes(),
            self.actor.role.as_bytes(),
            self.actor.id.as_bytes(),
            self.action.as_bytes(),
            self.subject.as_bytes(),
            self.basis.as_bytes(),
            self.before.as_ref().map_or(&[], |hash| hash.as_slice()),
            self.after.as_ref().map_or(&[], |hash| hash.as_slice()),
        ];
        for field in fields {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        hasher.finalize().into()
    }
}
