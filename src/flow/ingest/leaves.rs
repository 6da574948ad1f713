//! The log leaves of one batch, in the order of its reductions.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::log::leaf::{Leaf, SaltKey};
use crate::domain::unit::MgCo2e;
use crate::store::reduction::ReductionRow;

use super::commit::LogSettings;
use super::scene::{Pinned, SceneView};

/// Hashes one after the other, as the batch's blob holds them.
#[derive(Debug)]
pub(super) struct Leaves<'s> {
    scene: &'s str,
    salt: &'s SaltKey,
    hashes: Vec<u8>,
    buffer: Vec<u8>,
}

impl<'s> Leaves<'s> {
    pub fn new(scene: &'s SceneView, log: &'s LogSettings, count: usize) -> Leaves<'s> {
        Leaves {
            scene: &scene.code,
            salt: &log.salt,
            hashes: Vec::with_capacity(count * 32),
            buffer: Vec::with_capacity(512),
        }
    }

    /// The next leaf: the reduction, by which version it was computed, whose it is and from which
    /// behaviour.
    pub fn push(&mut self, row: &ReductionRow, by: &Pinned, account: Uuid, behaviour: [u8; 32]) {
        let opening = self.salt.opening(row.id(), *account.as_bytes(), behaviour);
        let leaf = Leaf {
            reduction: row.id(),
            methodology: &by.name,
            methodology_hash: by.hash,
            scene: self.scene,
            day: NaiveDate::from_epoch_days(row.day).unwrap_or(NaiveDate::MIN),
            amount: MgCo2e(row.mg),
            commitment: opening.commitment(),
        };
        self.hashes.extend_from_slice(&leaf.hash(&mut self.buffer));
    }

    pub fn hashes(&self) -> &[u8] {
        &self.hashes
    }
}
