//! One person cannot ride the metro and a bicycle at once: of acts that exclude each other in
//! time, the one that was counted first stays.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::reduction::{DayCredit, stretches};
use crate::store::{StoreResult, Tx};

use super::scene::SceneView;

/// From an act's start to its end.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// The stretches of time that accounts have already been credited for.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    taken: HashMap<Uuid, Vec<Span>>,
}

impl Timeline {
    /// Reads what is stored behind these credits, where any of it can exclude others.
    pub(super) fn load(
        tx: &mut Tx<'_>,
        scene: &SceneView,
        credits: &[DayCredit],
    ) -> StoreResult<Timeline> {
        let mut timeline = Timeline::default();
        for credit in credits {
            for stretch in stretches(tx, credit)? {
                if stretch.stands && scene.excludes_in_time(stretch.methodology_id) {
                    timeline.add(stretch.account, stretch.from, stretch.to);
                }
            }
        }
        Ok(timeline)
    }

    /// Takes the stretch if none of it is taken. Stretches that only touch do not overlap.
    pub(super) fn take(&mut self, account: Uuid, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let taken = self.taken.get(&account).map_or(&[][..], Vec::as_slice);
        let free = taken
            .iter()
            .all(|(start, end)| to <= *start || *end <= from);
        if free {
            self.add(account, from, to);
        }
        free
    }

    fn add(&mut self, account: Uuid, from: DateTime<Utc>, to: DateTime<Utc>) {
        self.taken.entry(account).or_default().push((from, to));
    }
}
