//! A scene with everything that a batch needs of it, read once and shared.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::methodology::{Compiled, start_of_day};
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

    /// The version that applies to a period that begins on this day, as each version's document
    /// tells days, and its place in `pinned`.
    pub fn in_force_on(&self, day: Day) -> Option<(usize, &Compiled)> {
        let date = NaiveDate::from_epoch_days(day)?;
        self.pinned.iter().enumerate().find_map(|(place, pinned)| {
            let compiled = pinned.compiled.as_deref()?;
            let window = compiled.window();
            let at = start_of_day(date, window.zone)?;
            window.contains(at).then_some((place, compiled))
        })
    }

    /// Whether a period of this document, which begins on its first day, is one of the version in
    /// force then. A month that began before any version, or under one of days, is not.
    pub fn begins_under(&self, compiled: &Compiled, first: Day) -> bool {
        self.in_force_on(first)
            .is_some_and(|(_, other)| other.gathers() && other.has_periods_of(compiled))
    }

    /// Whether a version with other periods comes into force before the period's last day ends.
    pub fn is_cut(&self, compiled: &Compiled, out: Day) -> bool {
        self.in_force_on(out - 1)
            .is_some_and(|(_, other)| !other.gathers() || !other.has_periods_of(compiled))
    }

    /// How far back any version looks, in days.
    pub fn reach_days(&self) -> u32 {
        let compiled = self
            .pinned
            .iter()
            .filter_map(|pinned| pinned.compiled.as_deref());
        compiled.map(Compiled::reach_days).max().unwrap_or(0)
    }

    /// The day of an instant in the scene's zone.
    pub fn day(&self, at: DateTime<Utc>) -> Day {
        at.with_timezone(&self.zone).date_naive().to_epoch_days()
    }

    pub(super) fn excludes_in_time(&self, methodology_id: i32) -> bool {
        self.exclusive.contains(&methodology_id)
    }
}
