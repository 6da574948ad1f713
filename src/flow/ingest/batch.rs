//! A batch between its two halves: quantified, not yet decided.

use chrono::{DateTime, Utc};

use crate::domain::behaviour::{Canonical, ClaimKey, SubjectHash};
use crate::domain::problem::{Code, Problem};
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;

/// One sound record with its reduction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place in the submission.
    pub index: usize,
    pub source_id: String,
    pub subject: SubjectHash,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// The day of `from` in the scene's zone.
    pub day: Day,
    pub canonical: Canonical,
    /// The key every record takes; `None` for a held record that is being released, which took
    /// its keys when it was first seen.
    pub source_key: Option<ClaimKey>,
    /// The keys that the methodology declares.
    pub declared_keys: Vec<ClaimKey>,
    pub mg: i64,
    /// Place of the methodology version in the scene's list.
    pub pinned: usize,
    /// The behaviour's own row, where it was stored before.
    pub origin: Option<ReductionId>,
}

/// One submission, every record accounted for: quantified, refused or held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    pub items: Vec<Item>,
    /// Place in the submission, source id where it could be read, and the reason.
    pub refused: Vec<(usize, String, Problem)>,
    /// Rows that the adapter holds.
    pub held: Vec<(usize, Code)>,
    /// SHA-256 of the bytes as they arrived.
    pub body_digest: [u8; 32],
}

impl Prepared {
    pub fn records(&self) -> usize {
        self.items.len() + self.refused.len() + self.held.len()
    }
}
