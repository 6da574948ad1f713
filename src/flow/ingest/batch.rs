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
    /// Set for a record that is counted when its period closes.
    pub reading: Option<Reading>,
    /// The source's id of the record that this one replaces or cancels.
    pub revises: Option<String>,
    /// It cancels, and nothing stands in its place.
    pub cancels: bool,
    /// When the source stated it: of two statements under one id the later counts.
    pub stated_at: Option<String>,
}

/// Where a record stands among those of its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The first day it covers, and the first that is out.
    pub days: (Day, Day),
    /// First and out day of every period it belongs to.
    pub periods: Vec<(Day, Day)>,
    /// How many days after a period its result is still looked back at.
    pub reach: u32,
    /// It is activity.
    pub acts: bool,
    /// It says something that other periods read as of a day: the first day on which one of them
    /// can begin.
    pub told: Option<Day>,
}

/// One submission, every record accounted for: quantified, refused or held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    pub items: Vec<Item>,
    /// Records that replace or cancel others; decided after the items, in their order.
    pub revisions: Vec<Item>,
    /// Place in the submission, source id where it could be read, and the reason.
    pub refused: Vec<(usize, String, Problem)>,
    /// Rows that the adapter holds.
    pub held: Vec<(usize, Code)>,
    /// SHA-256 of the bytes as they arrived.
    pub body_digest: [u8; 32],
}

impl Prepared {
    pub fn records(&self) -> usize {
        self.items.len() + self.revisions.len() + self.refused.len() + self.held.len()
    }
}
