//! What is written, all in the batch's one transaction.

use crate::flow::ingest::adjust::recover_owed;
use crate::store::correction::{CutRow, append_cuts};
use crate::store::period::{QueuedRow, ReadingRow, append_readings, queue_periods};

use super::*;
use crate::flow::ingest::batch::Reading;
use crate::flow::ingest::leaves::Leaves;

impl<'p> Decision<'p> {
    pub(super) fn write(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
        log: &LogSettings,
        wallets: &Wallets,
        credited: &[Credited],
    ) -> FlowResult<()> {
        let held = self.held_rows();
        let refusals = self.refusal_rows();
        let recorded: Vec<usize> = self.recorded().collect();
        let shared: Vec<usize> = self.sharing().map(|(pos, _)| pos).collect();
        let waiting = [recorded.as_slice(), &shared].concat();
        let nothing_new = credited.is_empty() && held.is_empty() && waiting.is_empty();
        if nothing_new
            && (refusals.is_empty() || seen_body(tx, scene.id, &self.prepared.body_digest)?)
        {
            return Ok(());
        }
        append_behaviours(tx, self.behaviour_rows(scene, credited, &held, &waiting))?;
        self.record(tx, scene, &recorded)?;
        append_held(tx, &held)?;
        append_refusals(tx, &refusals)?;
        let points = self.post_credit(tx, ctx, scene, wallets, credited)?;
        self.append_cuts(tx, credited)?;
        let reductions = self.reduction_rows(scene, credited);
        if !reductions.is_empty() {
            let leaves = self.leaves(scene, log, &reductions);
            append_leaves(tx, self.batch, leaves.hashes(), count(reductions.len()))?;
        }
        for row in reductions.iter().filter(|row| row.origin_batch.is_some()) {
            release_held(tx, row.behaviour(), row.id())?;
        }
        let reduction_mg = reductions.iter().map(|row| row.mg).sum();
        let replayed = self
            .against
            .values()
            .filter(|answer| matches!(answer, Answer::Replayed { .. }));
        append_batch(
            tx,
            &BatchRow {
                id: self.batch.into(),
                scene_id: scene.id,
                received_at: ctx.now.into(),
                body_digest: self.prepared.body_digest.to_vec(),
                accepted: count(credited.len()),
                replayed: count(replayed.count()),
                refused: count(refusals.len()),
                held: count(held.len() + recorded.len() + self.prepared.held.len()),
                reduction_mg,
                points,
            },
        )?;
        append_reductions(tx, reductions)?;
        let mut accounts: Vec<Uuid> = credited
            .iter()
            .map(|credit| self.linked[credit.pos].0)
            .collect();
        accounts.dedup();
        recover_owed(tx, ctx, scene, self.batch, &accounts)
    }

    /// Notes where readings stand, and that their periods are to be computed.
    fn record(&self, tx: &mut Tx<'_>, scene: &SceneView, recorded: &[usize]) -> FlowResult<()> {
        let records = recorded.iter().map(|pos| {
            let id = ReductionId {
                batch: self.batch,
                pos: u32::try_from(*pos).unwrap_or(u32::MAX),
            };
            (id, self.item(*pos))
        });
        note_readings(tx, scene, records)
    }

    fn append_cuts(&self, tx: &mut Tx<'_>, credited: &[Credited]) -> FlowResult<()> {
        let cut = credited.iter().filter(|credit| credit.cut_mg > 0);
        let rows: Vec<CutRow> = cut
            .map(|credit| CutRow {
                batch_id: self.batch.into(),
                pos: count(credit.pos),
                mg: credit.cut_mg,
            })
            .collect();
        Ok(append_cuts(tx, &rows)?)
    }

    pub(super) fn held_rows(&self) -> Vec<HeldRow> {
        (self.linked.len()..self.positions())
            .filter(|pos| self.item(*pos).reading.is_none() && !self.against.contains_key(pos))
            .map(|pos| HeldRow {
                batch_id: self.batch.into(),
                pos: count(pos),
                subject: self.item(pos).subject.to_vec(),
                reason: Code::SubjectNotLinked.as_str().to_owned(),
            })
            .collect()
    }

    /// What is refused now, by its place in the submission.
    pub(super) fn refusal_rows(&self) -> Vec<RefusalRow> {
        let by_adapter = self
            .prepared
            .refused
            .iter()
            .map(|(at, source, problem)| (*at, source, problem));
        let by_us = self
            .against
            .iter()
            .filter_map(|(pos, answer)| match answer {
                Answer::Refused(problem) => {
                    let item = self.item(*pos);
                    Some((item.index, &item.source_id, problem))
                }
                _ => None,
            });
        by_adapter
            .chain(by_us)
            .map(|(at, source, problem)| {
                RefusalRow::new(self.batch.into(), count(at), source, problem)
            })
            .collect()
    }

    /// Records that are stored now; a released one is stored already.
    pub(super) fn behaviour_rows<'r>(
        &'r self,
        scene: &SceneView,
        credited: &[Credited],
        held: &[HeldRow],
        waiting: &[usize],
    ) -> Vec<NewBehaviour<'r>> {
        let credited = credited.iter().map(|credit| credit.pos);
        let held = held.iter().map(|row| index(row.pos));
        credited
            .chain(held)
            .chain(waiting.iter().copied())
            .filter_map(|pos| {
                let item: &'r Item = self.item(pos);
                item.origin.is_none().then(|| NewBehaviour {
                    batch_id: self.batch.into(),
                    pos: count(pos),
                    scene_id: scene.id,
                    account_id: self.linked.get(pos).map(|(account, _)| Id(*account)),
                    source_id: &item.source_id,
                    from_at: item.from.into(),
                    to_at: item.to.into(),
                    content: &item.canonical.content,
                    digest: &item.canonical.digest,
                })
            })
            .collect()
    }

    pub(super) fn reduction_rows(
        &self,
        scene: &SceneView,
        credited: &[Credited],
    ) -> Vec<ReductionRow> {
        credited
            .iter()
            .map(|credit| {
                let (account, item) = self.linked[credit.pos];
                ReductionRow {
                    batch_id: self.batch.into(),
                    pos: count(credit.pos),
                    account_id: account.into(),
                    scene_id: scene.id,
                    methodology_id: scene.pinned[item.pinned].id,
                    day: item.day,
                    mg: item.mg,
                    points: credit.points,
                    exchange_rule_id: scene.rule_id,
                    origin_batch: item.origin.map(|origin| Id(origin.batch)),
                    origin_pos: item.origin.map(|origin| count(origin.pos as usize)),
                }
            })
            .collect()
    }

    /// Writes the lots, the transfer and its entries; returns the points credited.
    pub(super) fn post_credit(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
        wallets: &Wallets,
        credited: &[Credited],
    ) -> FlowResult<i64> {
        if credited.is_empty() {
            return Ok(0);
        }
        save_lots(tx, &wallets.lots)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(credited.len() + 1);
        for credit in credited {
            let (account, item) = self.linked[credit.pos];
            let pos = count(credit.pos);
            let same = |entry: &&mut Entry| entry.account == account && entry.day == item.day;
            if let Some(entry) = entries.last_mut().filter(same) {
                entry.available += credit.points;
                entry.reduction_mg += item.mg;
                // Positions between may be refused ones; the range still holds only this account.
                entry.records = pos - entry.first_pos + 1;
                entry.span = entry.span.map(|(from, to)| (from, to.max(item.to)));
            } else {
                let bucket = wallets.lots[wallets.newest[&account]].bucket;
                entries.push(Entry {
                    account,
                    day: item.day,
                    bucket,
                    available: credit.points,
                    held: 0,
                    reduction_mg: item.mg,
                    first_pos: pos,
                    records: 1,
                    span: Some((item.from, item.to)),
                });
            }
        }
        let points: i64 = credited.iter().map(|credit| credit.points).sum();
        let today = ctx
            .now
            .with_timezone(&scene.zone)
            .date_naive()
            .to_epoch_days();
        entries.push(Entry::points(ISSUANCE, today, 0, -points, 0));
        let transfer = Transfer::of(self.batch, TransferKind::Credit, ctx.now, &entries)
            .expect("the issuance entry is minus the sum of the others");
        post(tx, &transfer, &entries)?;
        Ok(points)
    }

    fn leaves<'s>(
        &self,
        scene: &'s SceneView,
        log: &'s LogSettings,
        rows: &[ReductionRow],
    ) -> Leaves<'s> {
        let mut leaves = Leaves::new(scene, log, rows.len());
        for row in rows {
            let (account, item) = self.linked[index(row.pos)];
            let by = &scene.pinned[item.pinned];
            leaves.push(row, by, account, item.canonical.digest);
        }
        leaves
    }
}

/// Notes where readings stand, and queues their periods and whatever looks back at them.
pub(in crate::flow::ingest) fn note_readings<'i>(
    tx: &mut Tx<'_>,
    scene: &SceneView,
    records: impl Iterator<Item = (ReductionId, &'i Item)>,
) -> FlowResult<()> {
    let (mut rows, mut queued) = (Vec::new(), Vec::new());
    for (id, item) in records {
        let Some(reading) = &item.reading else {
            continue;
        };
        let row = |statement| ReadingRow {
            scene_id: scene.id,
            subject: item.subject.to_vec(),
            statement,
            day: reading.days.0,
            out_day: reading.days.1,
            batch_id: id.batch.into(),
            pos: count(id.pos as usize),
        };
        rows.extend(reading.acts.then(|| row(0)));
        rows.extend(reading.told.map(|_| row(1)));
        queued.extend(periods_to_compute(scene, &item.subject, reading));
    }
    append_readings(tx, &rows)?;
    Ok(queue_periods(tx, queued)?)
}

/// The periods that a reading changes: its own, and those computed before that look back at it.
/// A statement reaches every later period.
pub(in crate::flow::ingest) fn periods_to_compute(
    scene: &SceneView,
    subject: &SubjectHash,
    reading: &Reading,
) -> Vec<QueuedRow> {
    let row = |day: i32, out: i32, until: i32| QueuedRow {
        scene_id: scene.id,
        subject: subject.to_vec(),
        day,
        until_day: until,
        due_day: out,
    };
    let reach = i32::try_from(reading.reach).unwrap_or(i32::MAX);
    let mut rows: Vec<QueuedRow> = reading
        .periods
        .iter()
        .map(|(first, out)| row(*first, *out, first.saturating_add(reach)))
        .collect();
    if let Some(told) = reading.told {
        rows.push(row(told, reading.days.0 + 1, i32::MAX));
    }
    rows
}
