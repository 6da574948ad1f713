//! Periods that have closed are quantified: a household's day against its own week, a month's
//! bill against last year's. A period is computed again when a record of it, or of one it looks
//! back at, came late or was corrected; the difference moves by a counter-entry and a new
//! reduction, each naming the other.

mod outcome;
mod owners;
mod year;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use crate::domain::behaviour::{ClaimKey, Record, SubjectHash, declared_key};
use crate::domain::context::Ctx;
use crate::domain::methodology::{Compiled, start_of_day};
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;
use crate::domain::wallet::sharing::{Part, Share, parts};
use crate::store::behaviour::{Claim, NewBehaviour, append_behaviours, claim, take_claims};
use crate::store::period::{
    PeriodCreditRow, QueuedRow, ResultRow, append_period_credits, append_result, credits_of,
    latest_results, queue_year, results_of, take_due, verdict,
};
use crate::store::reduction::reduction;
use crate::store::share::append_parts;
use crate::store::{Id, StoreError, Tx};

use super::FlowResult;
use super::ingest::{Batches, Fresh, LogSettings, Reversal, SceneView, adjust};

use outcome::{Outcome, compute};
use owners::Owners;
pub use year::judge_year;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantified {
    /// Periods looked at; how many of them came to something else than before.
    pub periods: usize,
    pub changed: usize,
    /// Reductions taken back.
    pub taken_back: usize,
    /// The difference that the run made.
    pub reduction_mg: i64,
    pub points: i64,
}

/// Computes the due periods of some subjects of one scene. `today` is the scene's; a period is due
/// on the first day after it.
///
/// # Errors
/// The store failed; nothing is written then, and the periods stay due.
pub fn quantify_periods(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    scene: &SceneView,
    log: &LogSettings,
    subjects: &[SubjectHash],
    today: Day,
) -> FlowResult<Quantified> {
    let mut run = Run {
        scene,
        done: Quantified::default(),
        changes: Vec::new(),
        claimed: HashSet::new(),
    };
    for subject in subjects {
        let queued = take_due(tx, scene.id, subject, today)?;
        run.subject(tx, subject, &queued, today)?;
    }
    if !run.changes.is_empty() {
        run.write(tx, ctx, log)?;
    }
    Ok(run.done)
}

struct Run<'s> {
    scene: &'s SceneView,
    done: Quantified,
    changes: Vec<Change>,
    /// Exclusivity keys that periods of this run take.
    claimed: HashSet<ClaimKey>,
}

/// A period that came to something new.
struct Change {
    subject: SubjectHash,
    day: Day,
    out: Day,
    outcome: Outcome,
    before: Option<ResultRow>,
    /// Who shares it, and what each gets; empty where the period gives nothing.
    shares: Vec<Share>,
    parts: Vec<Part>,
}

impl Run<'_> {
    fn subject(
        &mut self,
        tx: &mut Tx<'_>,
        subject: &SubjectHash,
        queued: &[QueuedRow],
        today: Day,
    ) -> FlowResult<()> {
        let Some(first) = queued.iter().map(|row| row.day).min() else {
            return Ok(());
        };
        let owners = Owners::of(tx, subject)?;
        let last = queued
            .iter()
            .map(|row| row.until_day)
            .max()
            .unwrap_or(first);
        let before = latest_results(tx, self.scene.id, subject, first, last)?;
        let again = before.iter().filter(|row| {
            queued
                .iter()
                .any(|queued| queued.day <= row.day && row.day <= queued.until_day)
        });
        let mut days: BTreeSet<Day> = again.map(|row| row.day).collect();
        days.extend(queued.iter().map(|row| row.day));
        let mut before: BTreeMap<Day, ResultRow> =
            before.into_iter().map(|row| (row.day, row)).collect();
        for (place, days) in self.by_version(&days) {
            let compiled = self.compiled(place)?;
            for (span, outcome) in compute(tx, self.scene, &compiled, place, subject, &days)? {
                if span.1 > today {
                    continue;
                }
                let row = before.remove(&span.0);
                // Nobody to credit on that day yet: linking queues it again.
                let shares = owners.shares(&compiled, span.0);
                if shares.is_empty() {
                    continue;
                }
                self.compare(tx, subject, shares, &compiled, span, outcome, row)?;
            }
        }
        Ok(())
    }

    /// The days by the version that was in force when they began.
    fn by_version(&self, days: &BTreeSet<Day>) -> BTreeMap<usize, Vec<Day>> {
        let mut versions: BTreeMap<usize, Vec<Day>> = BTreeMap::new();
        for day in days {
            let date = chrono::NaiveDate::from_epoch_days(*day);
            let at = date.and_then(|date| start_of_day(date, self.scene.zone));
            if let Some((place, _)) = at.and_then(|at| self.scene.in_force(at)) {
                versions.entry(place).or_default().push(*day);
            }
        }
        versions
    }

    fn compiled(&self, place: usize) -> FlowResult<Arc<Compiled>> {
        let pinned = self.scene.pinned.get(place);
        let compiled = pinned.and_then(|pinned| pinned.compiled.clone());
        compiled.ok_or_else(|| Code::Internal.into())
    }

    #[expect(clippy::too_many_arguments, reason = "what a period was and is")]
    fn compare(
        &mut self,
        tx: &mut Tx<'_>,
        subject: &SubjectHash,
        shares: Vec<Share>,
        compiled: &Compiled,
        span: (Day, Day),
        outcome: Outcome,
        before: Option<ResultRow>,
    ) -> FlowResult<()> {
        self.done.periods += 1;
        let mut outcome = outcome;
        if compiled.has_year_end() {
            let year = year::year_of(span.0);
            queue_year(tx, self.scene.id, subject, year)?;
            let excluded =
                verdict(tx, self.scene.id, subject, year)?.filter(|row| row.excluded == 1);
            if let Some(excluded) = excluded {
                outcome = outcome.refused(excluded.reason);
            }
        }
        if let Some(record) = outcome.record()
            && self.claimed_by_others(tx, subject, span.0, compiled, record)?
        {
            outcome = outcome.refused(Code::AlreadyClaimed.as_str().to_owned());
        }
        let pinned = self.scene.pinned[outcome.pinned].id;
        let same = before.as_ref().is_some_and(|row| {
            row.digest == outcome.digest
                && row.methodology_id == pinned
                && row.refusal == outcome.refusal
        });
        if same || (before.is_none() && outcome.is_nothing()) {
            return Ok(());
        }
        let (shares, parts) = match outcome.refusal {
            Some(_) => (Vec::new(), Vec::new()),
            None => {
                let parts = parts(&shares, outcome.mg);
                (shares, parts)
            }
        };
        self.changes.push(Change {
            subject: *subject,
            day: span.0,
            out: span.1,
            outcome,
            before,
            shares,
            parts,
        });
        Ok(())
    }

    /// Whether another record, of whatever scene or partner, holds one of the period's keys.
    fn claimed_by_others(
        &mut self,
        tx: &mut Tx<'_>,
        subject: &SubjectHash,
        day: Day,
        compiled: &Compiled,
        record: &Record,
    ) -> FlowResult<bool> {
        let texts = compiled.claim_texts(record).unwrap_or_default();
        let keys: Vec<ClaimKey> = texts.iter().map(|text| declared_key(text)).collect();
        for key in &keys {
            let taken = match claim(tx, key)? {
                None => self.claimed.contains(key),
                Some(holder) => {
                    let own = results_of(tx, self.scene.id, subject, day)?;
                    let mut own = own.iter().filter_map(|row| row.batch_id.zip(row.pos));
                    !own.any(|(batch, pos)| (batch.0, pos) == (holder.batch, holder.pos))
                }
            };
            if taken {
                return Ok(true);
            }
        }
        self.claimed.extend(keys);
        Ok(false)
    }

    fn write(&mut self, tx: &mut Tx<'_>, ctx: &mut Ctx, log: &LogSettings) -> FlowResult<()> {
        let batches = Batches {
            credits: ctx.id(),
            reversals: ctx.id(),
            digest: outcome::digest_of(self.changes.iter().map(|change| &change.outcome)),
        };
        let order = self.order();
        let homes = self.homes(&order);
        let fresh = self.fresh(&order, &homes, batches.credits);
        self.take_keys(tx, &homes, batches.credits)?;
        self.append_records(tx, &homes, batches.credits)?;
        let reversals = self.reversals(tx, &order)?;
        self.done.taken_back += reversals.len();
        self.done.changed += self.changes.len();
        let back: i64 = reversals.iter().map(|reversal| reversal.row.mg).sum();
        self.done.reduction_mg += fresh.iter().map(|fresh| fresh.mg).sum::<i64>() - back;
        let adjusted = adjust(tx, ctx, self.scene, log, batches, reversals, &fresh)?;
        self.done.points +=
            adjusted.fresh.iter().map(|(_, points)| points).sum::<i64>() - adjusted.taken;
        append_parts(tx, &self.part_rows(&order, &homes, batches.credits))?;
        self.append_results(tx, ctx, &order, &homes, batches.credits)
    }

    /// Every share of every change, in the order of account and day: place of the change, place
    /// of the share.
    fn order(&self) -> Vec<(usize, usize)> {
        let mut order: Vec<(usize, usize)> = self
            .changes
            .iter()
            .enumerate()
            .flat_map(|(at, change)| (0..change.parts.len()).map(move |share| (at, share)))
            .collect();
        order.sort_by_key(|(at, share)| {
            let change = &self.changes[*at];
            (change.parts[*share].account, change.day, *at)
        });
        order
    }

    /// Where the computed record of each change is stored: at its first reduction.
    fn homes(&self, order: &[(usize, usize)]) -> Vec<Option<usize>> {
        let mut homes = vec![None; self.changes.len()];
        for (pos, (at, _)) in order.iter().enumerate() {
            homes[*at].get_or_insert(pos);
        }
        homes
    }

    fn fresh(&self, order: &[(usize, usize)], homes: &[Option<usize>], batch: Uuid) -> Vec<Fresh> {
        let shares = order.iter().enumerate();
        shares
            .map(|(pos, (at, share))| {
                let change = &self.changes[*at];
                let Part { account, mg, .. } = change.parts[*share];
                let home = homes[*at].unwrap_or(pos);
                Fresh {
                    account,
                    day: change.day,
                    mg,
                    pinned: change.outcome.pinned,
                    span: change.outcome.span,
                    origin: (home != pos).then_some(id(batch, home)),
                    digest: change.outcome.canonical_digest(),
                }
            })
            .collect()
    }

    /// Takes the exclusivity keys of new periods; those of computed ones are theirs already.
    fn take_keys(&self, tx: &mut Tx<'_>, homes: &[Option<usize>], batch: Uuid) -> FlowResult<()> {
        let mut wanted: Vec<Claim> = Vec::new();
        for (change, home) in self.changes.iter().zip(homes) {
            let (Some(record), Some(home)) = (change.outcome.record(), home) else {
                continue;
            };
            let texts = self.compiled(change.outcome.pinned)?.claim_texts(record);
            for text in texts.unwrap_or_default() {
                let key = declared_key(&text);
                if claim(tx, &key)?.is_none() {
                    wanted.push(Claim {
                        key,
                        batch,
                        pos: place(*home),
                    });
                }
            }
        }
        wanted.sort_unstable_by_key(|claim| claim.key);
        wanted.dedup_by_key(|claim| claim.key);
        // Somebody else took one since it was looked at: run again, and see it.
        match take_claims(tx, &wanted)?.is_empty() {
            true => Ok(()),
            false => Err(StoreError::Busy.into()),
        }
    }

    fn append_records(
        &self,
        tx: &mut Tx<'_>,
        homes: &[Option<usize>],
        batch: Uuid,
    ) -> FlowResult<()> {
        let rows = self.changes.iter().zip(homes).filter_map(|(change, home)| {
            let (home, canonical) = ((*home)?, change.outcome.canonical.as_ref()?);
            let record = change.outcome.record()?;
            let account = change.parts.first().map(|part| Id(part.account));
            Some(NewBehaviour {
                batch_id: batch.into(),
                pos: place(home),
                scene_id: self.scene.id,
                account_id: account,
                source_id: &record.source_id,
                from_at: record.from.into(),
                to_at: record.to.into(),
                content: &canonical.content,
                digest: &canonical.digest,
            })
        });
        Ok(append_behaviours(tx, rows.collect())?)
    }

    fn reversals(&self, tx: &mut Tx<'_>, order: &[(usize, usize)]) -> FlowResult<Vec<Reversal>> {
        let mut reversals = Vec::new();
        for (at, change) in self.changes.iter().enumerate() {
            let Some(before) = change.before.as_ref().filter(|row| row.refusal.is_none()) else {
                continue;
            };
            for credited in credits_of(tx, before)? {
                let row = reduction(tx, credited)?;
                let account = row.account_id.0;
                let own = |(_, (of, share)): &(usize, &(usize, usize))| {
                    *of == at && change.parts[*share].account == account
                };
                let mine = order.iter().enumerate().find(own);
                let any = order.iter().enumerate().find(|(_, (of, _))| *of == at);
                let reason = change.outcome.refusal.clone();
                reversals.push(Reversal {
                    row,
                    reason: reason.unwrap_or_else(|| "recomputed".to_owned()),
                    replaced_by: mine.or(any).map(|(pos, _)| pos),
                });
            }
        }
        Ok(reversals)
    }

    fn append_results(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        order: &[(usize, usize)],
        homes: &[Option<usize>],
        batch: Uuid,
    ) -> FlowResult<()> {
        let mut credits = Vec::with_capacity(order.len());
        for (at, change) in self.changes.iter().enumerate() {
            let seq = change.before.as_ref().map_or(0, |row| row.seq) + 1;
            append_result(
                tx,
                &ResultRow {
                    scene_id: self.scene.id,
                    subject: change.subject.to_vec(),
                    day: change.day,
                    seq,
                    out_day: change.out,
                    methodology_id: self.scene.pinned[change.outcome.pinned].id,
                    batch_id: homes[at].map(|_| Id(batch)),
                    pos: homes[at].map(place),
                    mg: change.parts.iter().map(|part| part.mg).sum(),
                    refusal: change.outcome.refusal.clone(),
                    digest: change.outcome.digest.to_vec(),
                    at: ctx.now.into(),
                },
            )?;
            let mine = order.iter().enumerate().filter(|(_, (of, _))| *of == at);
            credits.extend(mine.map(|(pos, _)| PeriodCreditRow {
                scene_id: self.scene.id,
                subject: change.subject.to_vec(),
                day: change.day,
                seq,
                batch_id: batch.into(),
                pos: place(pos),
            }));
        }
        Ok(append_period_credits(tx, &credits)?)
    }
}

fn place(pos: usize) -> i32 {
    i32::try_from(pos).unwrap_or(i32::MAX)
}

fn id(batch: Uuid, pos: usize) -> ReductionId {
    ReductionId {
        batch,
        pos: u32::try_from(pos).unwrap_or(u32::MAX),
    }
}
