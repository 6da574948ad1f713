//! Periods that have closed are quantified: a household's day against its own week, a month's
//! bill against last year's. A period is computed again when a record of it, or of one it looks
//! back at, came late or was corrected; the difference moves by a counter-entry and a new
//! reduction, each naming the other.

mod claimed;
mod outcome;
mod owners;
mod write;
mod year;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use crate::domain::behaviour::{ClaimKey, SubjectHash};
use crate::domain::context::Ctx;
use crate::domain::methodology::Compiled;
use crate::domain::problem::Code;
use crate::domain::wallet::Day;
use crate::domain::wallet::sharing::{Part, Share, parts};
use crate::store::Tx;
use crate::store::period::{
    QueuedRow, ResultRow, hold_subject, latest_results, queue_periods, queue_year, take_due,
    verdict,
};

use super::FlowResult;
use super::ingest::{LogSettings, SceneView};

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
        aside: Vec::new(),
    };
    for subject in subjects {
        hold_subject(tx, scene.id, subject)?;
        let queued = take_due(tx, scene.id, subject, today)?;
        run.subject(tx, subject, &queued, today)?;
    }
    run.look_again(tx, today)?;
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
    /// Periods that stand aside because another record has their key.
    aside: Vec<QueuedRow>,
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
                let row = before.remove(&span.0);
                // What was computed once had closed, even if by this worker's clock it has not.
                if span.1 > today && row.is_none() {
                    if !outcome.is_nothing() {
                        self.wait(tx, subject, queued, span)?;
                    }
                    continue;
                }
                let outcome = match self.scene.is_cut(&compiled, span.1) && !outcome.is_nothing() {
                    true => outcome.refused(Code::MethodologyNotInForce.as_str().to_owned()),
                    false => outcome,
                };
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

    /// A statement made the period due before its end: it is due then.
    fn wait(
        &self,
        tx: &mut Tx<'_>,
        subject: &SubjectHash,
        queued: &[QueuedRow],
        (day, out): (Day, Day),
    ) -> FlowResult<()> {
        let known = queued.iter().filter(|row| row.day == day);
        let row = QueuedRow {
            scene_id: self.scene.id,
            subject: subject.to_vec(),
            day,
            until_day: known.map(|row| row.until_day).max().unwrap_or(day),
            due_day: out,
        };
        Ok(queue_periods(tx, vec![row])?)
    }

    /// The days by the version that was in force when they began.
    fn by_version(&self, days: &BTreeSet<Day>) -> BTreeMap<usize, Vec<Day>> {
        let mut versions: BTreeMap<usize, Vec<Day>> = BTreeMap::new();
        for day in days {
            if let Some((place, _)) = self.scene.in_force_on(*day) {
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
            self.stand_aside(subject, span);
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
}
