//! Revisions (更正): a record that replaces or cancels an earlier one. The earlier record stays;
//! what it gave is taken back by a counter-entry, and what the later one gives stands beside it.
//!
//! A cancellation that comes before its record is kept and holds that record's claim: the record,
//! when it comes, earns nothing. What a cancelled record had claimed passes to whoever needs it.
//!
//! Revisions are decided in waves. Those of one wave do not depend on each other, so that
//! everything that a wave needs is read at once and everything it does is written at once; one
//! that depends on another waits for the next wave.

mod chain;
mod decide;
mod shares;
mod wave;
mod write;

pub(super) use chain::has_ended;

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::behaviour::{ClaimKey, Record, source_key};
use crate::domain::context::Ctx;
use crate::flow::FlowResult;
use crate::store::Tx;
use crate::store::behaviour::BehaviourRow;

use super::adjust::derived_id;
use super::answer::Answer;
use super::batch::Item;
use super::commit::LogSettings;
use super::scene::SceneView;

use wave::Wave;

/// Decides and writes in the caller's transaction what replaces, cancels or states anew, and what
/// needs a key that a cancelled record had; each answer with its place in the submission. A later
/// one of `items` finds what an earlier one did.
pub(super) fn revise(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    batch: Uuid,
    scene: &SceneView,
    log: &LogSettings,
    items: &[&Item],
) -> FlowResult<Vec<(usize, Answer)>> {
    let mut waiting: Vec<(usize, &Item)> = items.iter().copied().enumerate().collect();
    let mut answers = Vec::with_capacity(items.len());
    let mut number = 0_u64;
    while !waiting.is_empty() {
        let (now, mut later) = independent(scene, waiting);
        let wave = Wave {
            ctx,
            batch: derived_id(batch, &number.to_be_bytes()),
            scene,
            log,
        };
        let done = wave.run(tx, &now)?;
        let answered = done.answers.into_iter();
        answers.extend(answered.map(|(item, answer)| (item.index, answer)));
        later.extend(done.deferred);
        later.sort_unstable_by_key(|(at, _)| *at);
        waiting = later;
        number += 1;
    }
    Ok(answers)
}

type Numbered<'i> = Vec<(usize, &'i Item)>;

/// Of records that name the same record, or each other, only the first is decided now.
fn independent<'i>(scene: &SceneView, items: Numbered<'i>) -> (Numbered<'i>, Numbered<'i>) {
    let mut named: HashSet<ClaimKey> = HashSet::with_capacity(items.len() * 2);
    items.into_iter().partition(|(_, item)| {
        let keys = Names::of(scene, item).all();
        let free = keys.iter().all(|key| !named.contains(key));
        // Also those of one that waits: who names it waits after it.
        named.extend(keys);
        free
    })
}

/// The claims by which a record is known.
struct Names {
    /// Its own id.
    source: Option<ClaimKey>,
    /// The id of the record that it revises.
    revised: Option<ClaimKey>,
    /// Its id as of when it was stated: the own key of what states a known id anew.
    stated: Option<ClaimKey>,
}

impl Names {
    fn of(scene: &SceneView, item: &Item) -> Names {
        let key = |id: &str| source_key(scene.partner, id);
        let stated = item.stated_at.as_ref().filter(|_| item.revises.is_none());
        Names {
            source: item.source_key,
            revised: item.revises.as_deref().map(key),
            stated: stated.map(|at| key(&format!("{}@{at}", item.source_id))),
        }
    }

    fn all(&self) -> Vec<ClaimKey> {
        let keys = [self.source, self.revised, self.stated];
        keys.into_iter().flatten().collect()
    }
}

fn record_of(stored: &BehaviourRow) -> Option<Record> {
    Record::from_stored(
        &stored.source_id,
        stored.from_at.0,
        stored.to_at.0,
        &stored.content,
    )
}

/// Whether this record is a cancellation: nothing else is without quantities.
fn cancels(stored: &BehaviourRow) -> bool {
    record_of(stored).is_some_and(|record| record.quantities.is_empty())
}
