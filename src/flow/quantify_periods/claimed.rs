//! Which periods have the keys that a period needs, and whether they still need them.

use uuid::Uuid;

use crate::domain::behaviour::{ClaimKey, Record, SubjectHash, declared_key};
use crate::domain::methodology::Compiled;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;
use crate::flow::FlowResult;
use crate::store::Tx;
use crate::store::behaviour::claim;
use crate::store::correction::correction_against;
use crate::store::period::{QueuedRow, queue_periods, results_of};

use super::Run;

/// Whether what this record gave was taken back and nothing stands in its place: then its keys
/// pass to whoever needs them.
pub(super) fn given_up(tx: &mut Tx<'_>, holder: ReductionId) -> FlowResult<bool> {
    let mut standing = holder;
    while let Some(tie) = correction_against(tx, standing)? {
        match tie.replaced() {
            Some(next) => standing = next,
            None => return Ok(true),
        }
    }
    Ok(false)
}

impl Run<'_> {
    pub(super) fn stand_aside(&mut self, subject: &SubjectHash, (day, out): (Day, Day)) {
        self.aside.push(QueuedRow {
            scene_id: self.scene.id,
            subject: subject.to_vec(),
            day,
            until_day: day,
            due_day: out,
        });
    }

    /// A period of this run that gives nothing any more may have the key of one that stands aside.
    pub(super) fn look_again(&self, tx: &mut Tx<'_>, today: Day) -> FlowResult<()> {
        let dropped = self.changes.iter().any(|change| {
            let gave = change.before.as_ref().map(|row| row.refusal.is_none());
            gave == Some(true) && change.outcome.refusal.is_some()
        });
        if !dropped {
            return Ok(());
        }
        let due = |row: &QueuedRow| QueuedRow {
            due_day: row.due_day.min(today),
            ..row.clone()
        };
        Ok(queue_periods(tx, self.aside.iter().map(due).collect())?)
    }

    /// Whether another record, of whatever scene or partner, holds one of the period's keys.
    pub(super) fn claimed_by_others(
        &mut self,
        tx: &mut Tx<'_>,
        subject: &SubjectHash,
        day: Day,
        compiled: &Compiled,
        record: &Record,
    ) -> FlowResult<bool> {
        let texts = compiled.claim_texts(record)?;
        let keys: Vec<ClaimKey> = texts.iter().map(|text| declared_key(text)).collect();
        let mut own: Option<Vec<(Uuid, i32)>> = None;
        for key in &keys {
            let taken = match claim(tx, key)? {
                None => self.claimed.contains(key),
                Some(holder) => {
                    if own.is_none() {
                        let results = results_of(tx, self.scene.id, subject, day)?;
                        let places = results.iter().filter_map(|row| row.batch_id.zip(row.pos));
                        own = Some(places.map(|(batch, pos)| (batch.0, pos)).collect());
                    }
                    let mut own = own.iter().flatten();
                    let mine = own.any(|place| *place == (holder.batch, holder.pos));
                    !mine && (self.claimed.contains(key) || !given_up(tx, holder.holder())?)
                }
            };
            if taken {
                return Ok(true);
            }
        }
        self.claimed.extend(keys);
        Ok(false)
    }
}
