//! One person cannot ride the metro and a bicycle at once: of acts that exclude each other in
//! time, the one that was counted first stays.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::reduction::ReductionId;
use crate::store::reduction::{DayCredit, stretches};
use crate::store::{StoreResult, Tx};

use super::scene::SceneView;

/// From an act's start to its end, and the reduction that it gave before this batch.
type Stretch = (DateTime<Utc>, DateTime<Utc>, Option<ReductionId>);

/// The stretches of time that accounts have already been credited for.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    taken: HashMap<Uuid, Vec<Stretch>>,
}

impl Timeline {
    /// Reads what is stored behind these credits, where any of it can exclude others.
    pub(super) fn load(
        tx: &mut Tx<'_>,
        scene: &SceneView,
        credits: &[DayCredit],
    ) -> StoreResult<Timeline> {
        let mut timeline = Timeline::default();
        if credits.is_empty() {
            return Ok(timeline);
        }
        for stretch in stretches(tx, credits)? {
            if stretch.stands && scene.excludes_in_time(stretch.methodology_id) {
                let of = timeline.taken.entry(stretch.account).or_default();
                of.push((stretch.from, stretch.to, Some(stretch.reduction)));
            }
        }
        Ok(timeline)
    }

    /// Takes the stretch if none of it is taken. Stretches that only touch do not overlap.
    pub(super) fn take(&mut self, account: Uuid, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        self.take_instead(account, from, to, None)
    }

    /// Takes the stretch in the place of a reduction that goes with it.
    pub(super) fn take_instead(
        &mut self,
        account: Uuid,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        replaced: Option<ReductionId>,
    ) -> bool {
        let taken = self.taken.entry(account).or_default();
        let goes = |of: &Option<ReductionId>| replaced.is_some() && *of == replaced;
        let free = taken
            .iter()
            .all(|(start, end, of)| goes(of) || to <= *start || *end <= from);
        if free {
            taken.retain(|(_, _, of)| !goes(of));
            taken.push((from, to, None));
        }
        free
    }
}
