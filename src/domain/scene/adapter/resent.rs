//! What was sent before. Senders repeat what was not acknowledged, often minutes later; the latest
//! ids are remembered, and what is older, or in another file, is found by the ledger under the
//! same source id.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use crate::domain::problem::{Code, Problem, detail};

/// Ids that are remembered: about 12 MB.
pub(super) const REMEMBERED_MAX: usize = 262_144;

#[derive(Default)]
pub(super) struct Resent {
    /// Hash of an id → hash of what was said under it.
    said: HashMap<u64, u64, BuildHasherDefault<Hashed>>,
    order: VecDeque<u64>,
}

impl Resent {
    /// Takes note of an id and what is said under it.
    ///
    /// # Errors
    /// At `id`: `duplicate_reading` for the same again, `record_conflict` for the same id with
    /// other content.
    pub(super) fn check(&mut self, id: &impl Hash, said: &impl Hash) -> Result<(), Problem> {
        let (id, said) = (hashed(id), hashed(said));
        match self.said.entry(id) {
            Entry::Vacant(new) => new.insert(said),
            Entry::Occupied(before) if *before.get() == said => {
                return Err(Problem::at(
                    Code::DuplicateReading,
                    "id",
                    detail!("与先前的记录重复", "the same again"),
                ));
            }
            Entry::Occupied(_) => {
                let detail = detail!(
                    "与先前的记录同号，内容却不同",
                    "the same again, with other content"
                );
                return Err(Problem::at(Code::RecordConflict, "id", detail));
            }
        };
        self.order.push_back(id);
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.said.remove(&oldest);
        }
        Ok(())
    }
}

/// A key that is a hash itself needs no other.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

fn hashed(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_from_another_under_its_id() {
        let mut resent = Resent::default();
        assert_eq!(resent.check(&"a", &1), Ok(()));
        let mut code = |id, said| resent.check(&id, &said).expect_err("known").code;
        assert_eq!(code("a", 1), Code::DuplicateReading);
        assert_eq!(code("a", 2), Code::RecordConflict);
        assert_eq!(code("a", 1), Code::DuplicateReading);
    }

    #[test]
    fn only_the_latest_are_remembered() {
        let mut resent = Resent::default();
        for id in 0..=REMEMBERED_MAX {
            assert_eq!(resent.check(&id, &0), Ok(()));
        }
        assert_eq!(resent.check(&0, &0), Ok(()), "the oldest is forgotten");
        assert!(
            resent.check(&REMEMBERED_MAX, &0).is_err(),
            "the latest is not"
        );
        assert_eq!(resent.said.len(), REMEMBERED_MAX);
        assert_eq!(resent.order.len(), REMEMBERED_MAX);
    }
}
