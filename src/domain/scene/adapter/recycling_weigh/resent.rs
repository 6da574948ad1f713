//! Rows that were sent before. Scales re-send what was not acknowledged, often minutes later; the
//! latest rows are remembered, and what is older is found by the ledger, under the same source id.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::row::Row;
use crate::domain::problem::{Code, Problem};

/// Rows that are remembered: about 12 MB.
pub(super) const REMEMBERED_MAX: usize = 262_144;

#[derive(Default)]
pub(super) struct Resent {
    /// A row's id → what it said.
    said: HashMap<u64, u64>,
    order: VecDeque<u64>,
}

impl Resent {
    /// # Errors
    /// `duplicate_reading`: the same row again; `record_conflict`: its id with other content.
    pub(super) fn check(&mut self, row: &Row<'_>) -> Result<(), Problem> {
        let id = hashed(&row.source_id());
        let said = hashed(&(row.user, row.bin, row.material, row.weight, row.at));
        match self.said.insert(id, said) {
            None => {}
            Some(before) if before == said => {
                return Err(Problem::at(
                    Code::DuplicateReading,
                    "id",
                    "the same row again",
                ));
            }
            Some(before) => {
                self.said.insert(id, before);
                let detail = "the same drop, with other content";
                return Err(Problem::at(Code::RecordConflict, "id", detail));
            }
        }
        self.order.push_back(id);
        if self.order.len() > REMEMBERED_MAX {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.said.remove(&oldest));
        }
        Ok(())
    }
}

fn hashed(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
