//! What a wave writes: claims, records, who replaced whom, and the adjustment of the books.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;
use crate::flow::FlowResult;
use crate::store::behaviour::{
    BatchRow, Claim, HeldRow, NewBehaviour, RefusalRow, append_batch, append_behaviours,
    append_held, append_refusals, pass_claim, released_all, return_claims, seen_body, take_claims,
};
use crate::store::period::queue_periods;
use crate::store::reduction::{DayRange, ReductionRow, day_credits, reductions_at};
use crate::store::revision::{AwaitedRow, RevisionRow, append_awaited, append_revisions};
use crate::store::{Id, StoreError, Tx};

use super::decide::Decided;
use super::wave::{Wave, of_period};
use crate::flow::ingest::adjust::{
    Batches, Fresh, Given, Ground, Reversal, adjust, derived_id, open_wallets,
};
use crate::flow::ingest::answer::Answer;
use crate::flow::ingest::batch::Item;
use crate::flow::ingest::commit::{count, note_readings, periods_to_compute};
use crate::flow::ingest::overlap::Timeline;

/// A decided record at its position in the wave's batch.
pub(super) struct Placed<'i> {
    pub pos: usize,
    pub one: Decided<'i>,
    /// What it takes back: one reduction, or one for each who had a share.
    pub lives: Vec<ReductionRow>,
}

impl Placed<'_> {
    fn of_period(&self) -> bool {
        of_period(self.one.item, self.one.old.as_ref())
    }

    pub(super) fn reversal(&self, row: &ReductionRow, replaced_by: Option<usize>) -> Reversal {
        let reason = match self.one.item.cancels {
            true => "cancelled",
            false => "revised",
        };
        Reversal {
            row: row.clone(),
            reason: reason.to_owned(),
            replaced_by,
        }
    }

    /// Whose account it is credited to at once, if any.
    pub(super) fn credits(&self) -> Option<Uuid> {
        let counted = !self.one.item.cancels && !self.of_period();
        self.one.account.filter(|_| counted)
    }

    /// Its subject is nobody's yet.
    fn waits(&self) -> bool {
        !self.one.item.cancels && !self.of_period() && self.one.account.is_none()
    }
}

impl Wave<'_> {
    /// Writes what was decided and adds the answers to those that were given before.
    pub(super) fn write<'i>(
        &self,
        tx: &mut Tx<'_>,
        decided: Vec<Decided<'i>>,
        answers: &mut Vec<(&'i Item, Answer)>,
    ) -> FlowResult<()> {
        let mut placed = self.place(tx, decided)?;
        self.take_keys(tx, &placed)?;
        self.refuse_overlaps(tx, &mut placed, answers)?;
        let digest = self.digest(&placed, answers);
        let refusals = self.refusals(answers);
        let again = placed.is_empty() && seen_body(tx, self.scene.id, &digest)?;
        if again || (placed.is_empty() && refusals.is_empty()) {
            return Ok(());
        }
        append_refusals(tx, &refusals)?;
        self.pass_keys(tx, &placed)?;
        self.append_records(tx, &placed)?;
        self.note_periods(tx, &placed)?;
        let held = placed
            .iter()
            .filter(|placed| placed.of_period() || placed.waits() || placed.one.awaits.is_some());
        let batches = Batches {
            credits: self.batch,
            reversals: derived_id(self.batch, b"counter-entries"),
            digest,
            held: held.count(),
            refused: refusals.len(),
        };
        self.lock_sharers(tx, &placed)?;
        let mut moved = self.adjust(tx, batches, &placed)?;
        self.adjust_shared(tx, batches, &placed, &mut moved)?;
        if !moved.credited {
            self.append_batch(tx, &batches)?;
        }
        answers.extend(told(placed, &moved));
        Ok(())
    }

    /// The order of account and day, as the books are kept; what nobody has stands last.
    fn place<'i>(
        &self,
        tx: &mut Tx<'_>,
        mut decided: Vec<Decided<'i>>,
    ) -> FlowResult<Vec<Placed<'i>>> {
        decided.sort_by(|a, b| {
            let key = |one: &Decided<'_>| (one.account.is_none(), one.account, one.item.day);
            let rest = |one: &Decided<'i>| (one.item.from, &one.item.source_id);
            (key(a), rest(a)).cmp(&(key(b), rest(b)))
        });
        let mut lives = self.lives(tx, &decided)?;
        let placed = decided.into_iter().enumerate().map(|(pos, one)| {
            let lives = one
                .current
                .as_ref()
                .and_then(|row| lives.remove(&row.place()));
            let lives = lives.unwrap_or_default();
            Placed { pos, one, lives }
        });
        Ok(placed.collect())
    }

    /// The reductions that the replaced records gave and that still stand, by the record.
    fn lives(
        &self,
        tx: &mut Tx<'_>,
        decided: &[Decided<'_>],
    ) -> FlowResult<HashMap<ReductionId, Vec<ReductionRow>>> {
        let at_once = decided
            .iter()
            .filter(|one| !of_period(one.item, one.old.as_ref()));
        let current: Vec<ReductionId> = at_once
            .filter_map(|one| Some(one.current.as_ref()?.place()))
            .collect();
        let mut lives = self.parts(tx, &current)?;
        let alone = current
            .iter()
            .filter(|record| !lives.contains_key(record))
            .copied();
        let alone: Vec<ReductionId> = alone.collect();
        let own = reductions_at(tx, &alone)?;
        lives.extend(own.into_iter().map(|(record, row)| (record, vec![row])));
        let without = alone.iter().filter(|record| !lives.contains_key(record));
        let without: Vec<ReductionId> = without.copied().collect();
        let released = released_all(tx, &without)?;
        let later: Vec<ReductionId> = released.values().copied().collect();
        let mut rows = reductions_at(tx, &later)?;
        for (record, later) in released {
            lives.extend(rows.remove(&later).map(|row| (record, vec![row])));
        }
        Ok(lives)
    }

    fn take_keys(&self, tx: &mut Tx<'_>, placed: &[Placed<'_>]) -> FlowResult<()> {
        let mut wanted: Vec<Claim> = Vec::with_capacity(placed.len());
        for placed in placed {
            wanted.extend(placed.one.keys.iter().map(|key| Claim {
                key: *key,
                batch: self.batch,
                pos: count(placed.pos),
            }));
        }
        wanted.sort_unstable_by_key(|claim| claim.key);
        // Somebody else took one since it was looked at: run again, and see it.
        match take_claims(tx, &wanted)?.is_empty() {
            true => Ok(()),
            false => Err(StoreError::Busy.into()),
        }
    }

    fn pass_keys(&self, tx: &mut Tx<'_>, placed: &[Placed<'_>]) -> FlowResult<()> {
        for placed in placed {
            for (key, from) in &placed.one.passed {
                let to = Claim {
                    key: *key,
                    batch: self.batch,
                    pos: count(placed.pos),
                };
                if !pass_claim(tx, *from, &to)? {
                    return Err(StoreError::Busy.into());
                }
            }
        }
        Ok(())
    }

    /// Refuses what overlaps another act of the same account, under the locks of the wallets.
    fn refuse_overlaps<'i>(
        &self,
        tx: &mut Tx<'_>,
        placed: &mut Vec<Placed<'i>>,
        answers: &mut Vec<(&'i Item, Answer)>,
    ) -> FlowResult<()> {
        let exclusive =
            |placed: &Placed<'_>| self.scene.pinned[placed.one.item.pinned].exclusive_time;
        let mut ranges: BTreeMap<Uuid, (Day, Day)> = BTreeMap::new();
        for placed in placed.iter().filter(|placed| exclusive(placed)) {
            let Some(account) = placed.credits() else {
                continue;
            };
            let day = placed.one.item.day;
            let range = ranges.entry(account).or_insert((day - 1, day + 1));
            *range = (range.0.min(day - 1), range.1.max(day + 1));
        }
        if ranges.is_empty() {
            return Ok(());
        }
        let accounts: Vec<Uuid> = ranges.keys().copied().collect();
        open_wallets(tx, self.ctx, self.scene, &accounts)?;
        let ranges: Vec<DayRange> = ranges
            .into_iter()
            .map(|(account, (from, to))| DayRange { account, from, to })
            .collect();
        let credits = day_credits(tx, &ranges)?;
        let mut timeline = Timeline::load(tx, self.scene, &credits)?;
        let mut refused = Vec::new();
        placed.retain(|placed| {
            let item = placed.one.item;
            let Some(account) = placed.credits().filter(|_| exclusive(placed)) else {
                return true;
            };
            let replaced = placed.lives.first().map(ReductionRow::id);
            let free = timeline.take_instead(account, item.from, item.to, replaced);
            if !free {
                refused.extend(&placed.one.keys);
                let overlap = Answer::Refused(Code::OverlappingAct.into());
                answers.push((item, overlap));
            }
            free
        });
        Ok(return_claims(tx, &refused)?)
    }

    fn refusals(&self, answers: &[(&Item, Answer)]) -> Vec<RefusalRow> {
        let refused = answers.iter().filter_map(|(item, answer)| match answer {
            Answer::Refused(problem) => Some(RefusalRow::new(
                self.batch.into(),
                count(item.index),
                &item.source_id,
                problem,
            )),
            _ => None,
        });
        refused.collect()
    }

    /// One digest over the wave's records.
    fn digest(&self, placed: &[Placed<'_>], answers: &[(&Item, Answer)]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for placed in placed {
            hasher.update(placed.one.item.canonical.digest);
        }
        for (item, _) in answers {
            hasher.update(item.canonical.digest);
        }
        hasher.finalize().into()
    }

    fn append_records(&self, tx: &mut Tx<'_>, placed: &[Placed<'_>]) -> FlowResult<()> {
        let (mut records, mut revisions) = (Vec::new(), Vec::new());
        let (mut awaited, mut held) = (Vec::new(), Vec::new());
        for placed in placed {
            let (item, pos) = (placed.one.item, count(placed.pos));
            records.push(NewBehaviour {
                batch_id: self.batch.into(),
                pos,
                scene_id: self.scene.id,
                account_id: placed.one.account.map(Id),
                source_id: &item.source_id,
                from_at: item.from.into(),
                to_at: item.to.into(),
                content: &item.canonical.content,
                digest: &item.canonical.digest,
            });
            revisions.extend(placed.one.current.as_ref().map(|current| RevisionRow {
                revised_batch: current.batch_id,
                revised_pos: current.pos,
                batch_id: self.batch.into(),
                pos,
                cancels: i32::from(item.cancels),
            }));
            awaited.extend(placed.one.awaits.map(|key| AwaitedRow {
                key: key.to_vec(),
                scene_id: self.scene.id,
                subject: item.subject.to_vec(),
                batch_id: self.batch.into(),
                pos,
            }));
            held.extend(placed.waits().then(|| HeldRow {
                batch_id: self.batch.into(),
                pos,
                subject: item.subject.to_vec(),
                reason: Code::SubjectNotLinked.as_str().to_owned(),
            }));
        }
        append_behaviours(tx, records)?;
        append_revisions(tx, &revisions)?;
        append_awaited(tx, &awaited)?;
        Ok(append_held(tx, &held)?)
    }

    /// Queues the periods of what was replaced and of what stands in its place.
    fn note_periods(&self, tx: &mut Tx<'_>, placed: &[Placed<'_>]) -> FlowResult<()> {
        let mut queued = Vec::new();
        for one in placed.iter().map(|placed| &placed.one) {
            if let Some(old) = &one.old {
                queued.extend(periods_to_compute(self.scene, &one.item.subject, old));
            }
        }
        queue_periods(tx, queued)?;
        let records = placed.iter().map(|placed| {
            let id = ReductionId {
                batch: self.batch,
                pos: u32::try_from(placed.pos).unwrap_or(u32::MAX),
            };
            (id, placed.one.item)
        });
        note_readings(tx, self.scene, records)
    }

    /// The counter-entries and the new reductions of acts that one account earns.
    fn adjust(
        &self,
        tx: &mut Tx<'_>,
        batches: Batches,
        placed: &[Placed<'_>],
    ) -> FlowResult<Moved> {
        let (mut fresh, mut reversals, mut reversed) = (Vec::new(), Vec::new(), Vec::new());
        for placed in placed.iter().filter(|placed| placed.one.shares.is_empty()) {
            let item = placed.one.item;
            let account = placed.credits();
            fresh.extend(account.map(|account| Fresh {
                pos: placed.pos,
                account,
                day: item.day,
                mg: item.mg,
                pinned: item.pinned,
                span: (item.from, item.to),
                origin: None,
                digest: item.canonical.digest,
            }));
            for row in &placed.lives {
                reversed.push(placed.pos);
                reversals.push(placed.reversal(row, account.map(|_| placed.pos)));
            }
        }
        let adjusted = adjust(tx, &self.ground(batches), &reversals, &fresh)?;
        let mut moved = Moved {
            credited: !adjusted.fresh.is_empty(),
            ..Moved::default()
        };
        let given = fresh.iter().zip(&adjusted.fresh);
        moved.give(given.map(|(fresh, given)| (fresh.pos, *given)));
        moved.take(reversed.into_iter().zip(adjusted.back));
        Ok(moved)
    }

    pub(super) fn ground(&self, batches: Batches) -> Ground<'_> {
        Ground {
            ctx: self.ctx,
            scene: self.scene,
            log: self.log,
            batches,
        }
    }

    fn append_batch(&self, tx: &mut Tx<'_>, batches: &Batches) -> FlowResult<()> {
        Ok(append_batch(
            tx,
            &BatchRow {
                id: self.batch.into(),
                scene_id: self.scene.id,
                received_at: self.ctx.now.into(),
                body_digest: batches.digest.to_vec(),
                accepted: 0,
                replayed: 0,
                refused: count(batches.refused),
                held: count(batches.held),
                reduction_mg: 0,
                points: 0,
            },
        )?)
    }
}

/// What the books gave and took, by position in the wave's batch.
#[derive(Default)]
pub(super) struct Moved {
    /// Something was credited in the wave's own batch.
    credited: bool,
    given: HashMap<usize, Given>,
    back: HashMap<usize, (ReductionId, i64)>,
}

impl Moved {
    /// Notes what positions were given; the parts of one add up, under the first of them.
    pub(super) fn give(&mut self, given: impl Iterator<Item = (usize, Given)>) {
        for (pos, more) in given {
            let known = self.given.entry(pos).or_insert(Given {
                points: 0,
                capped: false,
                ..more
            });
            known.points += more.points;
            known.capped |= more.capped;
        }
    }

    pub(super) fn take(&mut self, back: impl Iterator<Item = (usize, (ReductionId, i64))>) {
        for (pos, (counter, taken)) in back {
            self.back.entry(pos).or_insert((counter, 0)).1 += taken;
        }
    }
}

/// What each record is told.
fn told<'i>(placed: Vec<Placed<'i>>, moved: &Moved) -> Vec<(&'i Item, Answer)> {
    let answers = placed.into_iter().map(|placed| {
        let item = placed.one.item;
        let answer = if placed.one.awaits.is_some() {
            Answer::Held(Code::RevisedAwaited)
        } else if placed.of_period() {
            Answer::Held(Code::PeriodOpen)
        } else if placed.waits() {
            Answer::Held(Code::SubjectNotLinked)
        } else if item.cancels {
            let back = moved.back.get(&placed.pos);
            Answer::Accepted {
                reduction: back.map(|(counter, _)| *counter),
                mg: -placed.lives.iter().map(|row| row.mg).sum::<i64>(),
                points: back.map_or(0, |(_, taken)| -taken),
                capped: false,
            }
        } else {
            let given = moved.given.get(&placed.pos);
            Answer::Accepted {
                reduction: given.map(|given| given.reduction),
                mg: item.mg,
                points: given.map_or(0, |given| given.points),
                capped: given.is_some_and(|given| given.capped),
            }
        };
        (item, answer)
    });
    answers.collect()
}
