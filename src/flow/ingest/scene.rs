//! A scene with everything that a batch needs of it, read once and shared.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::methodology::Compiled;
use crate::domain::wallet::{Day, ExchangeRule};

/// One scene, its methodology's live versions and its exchange rule.
#[derive(Debug)]
pub struct SceneView {
    pub id: i32,
    pub code: String,
    pub partner: Uuid,
    pub zone: Tz,
    /// Live versions of the scene's methodology; the one that came into force last first.
    pub pinned: Vec<Pinned>,
    pub rule_id: i32,
    pub rule: ExchangeRule,
    /// Ids of all methodology versions, of any scene, whose acts exclude each other in time.
    pub exclusive: Vec<i32>,
}

/// One methodology version as the ledger names it.
#[derive(Debug)]
pub struct Pinned {
    pub id: i32,
    /// `code@version`.
    pub name: String,
    pub hash: [u8; 32],
    /// Acts of one person under it exclude each other in time.
    pub exclusive_time: bool,
    /// The compiled document; absent where only the ledger's side is needed.
    pub compiled: Option<Arc<Compiled>>,
}

impl Pinned {
    /// Whether several people may share what a subject earns under it.
    pub fn is_shareable(&self) -> bool {
        self.compiled.as_deref().is_some_and(Compiled::is_shareable)
    }
}

impl SceneView {
    /// Whether several people may share what a subject earns under any version.
    pub fn is_shareable(&self) -> bool {
        self.pinned.iter().any(Pinned::is_shareable)
    }

    /// The version that applies to an act of this time, and its place in `pinned`.
    pub fn in_force(&self, at: DateTime<Utc>) -> Option<(usize, &Compiled)> {
        self.pinned.iter().enumerate().find_map(|(place, pinned)| {
            let compiled = pinned.compiled.as_deref()?;
            compiled.window().contains(at).then_some((place, compiled))
        })
    }

    /// The day of an instant in the scene's zone.
    pub fn day(&self, at: DateTime<Utc>) -> Day {
        at.with_timezone(&self.zone).date_naive().to_epoch_days()
    }

    pub(super) fn excludes_in_time(&self, methodology_id: i32) -> bool {
        self.exclusive.contains(&methodology_id)
    }
}
