//! Counter-entries: what a reduction gave is taken back, to the milligram.

use std::collections::HashMap;

use crate::domain::reduction::ReductionId;
use crate::domain::wallet::{Day, Earner, Entry, TransferKind};
use crate::flow::FlowResult;
use crate::flow::ingest::commit::count;
use crate::store::behaviour::digests_at;
use crate::store::correction::{CorrectionRow, cuts_of, owe};
use crate::store::reduction::ReductionRow;
use crate::store::{Id, Tx};

use super::books::Books;
use super::written::{Written, write_batch};
use super::{Adjusted, Ground, Reversal};

/// Writes the counter-entries; returns their ties.
pub(super) fn take_back(
    tx: &mut Tx<'_>,
    ground: &Ground<'_>,
    reversals: &[Reversal],
    books: &mut Books,
    adjusted: &mut Adjusted,
) -> FlowResult<Vec<CorrectionRow>> {
    if reversals.is_empty() {
        return Ok(Vec::new());
    }
    let mut order: Vec<usize> = (0..reversals.len()).collect();
    order.sort_by_key(|at| {
        let row = &reversals[*at].row;
        (row.account_id, row.day, row.id())
    });
    let ids: Vec<ReductionId> = reversals.iter().map(|back| back.row.id()).collect();
    let behind: Vec<ReductionId> = reversals.iter().map(|back| back.row.behaviour()).collect();
    let (cuts, digests) = (cuts_of(tx, &ids)?, digests_at(tx, &behind)?);
    let mut written = Written::new(TransferKind::Reverse, ground.batches.reversals);
    let mut ties = Vec::with_capacity(order.len());
    adjusted.back = vec![(written.place(0), 0); order.len()];
    for (pos, at) in order.into_iter().enumerate() {
        let reversal = &reversals[at];
        let row = &reversal.row;
        let gave = given_back(ground, row, &cuts, books);
        let taken: i64 = gave.points.iter().map(|(_, points)| points).sum();
        *books.earned.entry((row.account_id.0, row.day)).or_default() -= taken;
        if gave.owed > 0 {
            owe(tx, row.account_id.0, gave.owed)?;
        }
        adjusted.taken += taken;
        adjusted.owed += gave.owed;
        adjusted.back[at] = (written.place(pos), taken);
        let bucket = books.newest(row.account_id.0).bucket;
        add_counter_entry(&mut written.entries, row, count(pos), bucket, &gave.points);
        let behind = row.behaviour();
        written.rows.push(ReductionRow {
            batch_id: written.batch.into(),
            pos: count(pos),
            mg: -row.mg,
            points: -taken,
            origin_batch: Some(Id(behind.batch)),
            origin_pos: Some(count(behind.pos as usize)),
            ..row.clone()
        });
        let digest = digests.get(&behind).copied().unwrap_or([0; 32]);
        written.leaves.push((row.account_id.0, digest));
        let replaced = reversal.replaced_by;
        ties.push(CorrectionRow {
            batch_id: written.batch.into(),
            pos: count(pos),
            reversed_batch: row.batch_id,
            reversed_pos: row.pos,
            replaced_batch: replaced.map(|_| Id(ground.batches.credits)),
            replaced_pos: replaced.map(count),
            owed: gave.owed,
            reason: reversal.reason.clone(),
        });
    }
    write_batch(tx, ground, written)?;
    Ok(ties)
}

/// Points by the lot that gave them, and points that no lot had.
struct GivenBack {
    points: Vec<(Day, i64)>,
    owed: i64,
}

/// The points that a reduction gave, to the last milligram of the remainder. Under another rule
/// than today's only the whole points are known, and the remainder stays.
fn given_back(
    ground: &Ground<'_>,
    row: &ReductionRow,
    cuts: &HashMap<ReductionId, i64>,
    books: &mut Books,
) -> GivenBack {
    let account = row.account_id.0;
    let earned = books.earned.get(&(account, row.day)).copied().unwrap_or(0);
    let lot = books.newest(account);
    let wanted = if row.exchange_rule_id == ground.scene.rule_id {
        let mut earner = Earner::new(lot.remainder_mg);
        let cut = cuts.get(&row.id()).copied().unwrap_or(0);
        let wanted = earner.take_back(&ground.scene.rule, row.mg - cut);
        lot.remainder_mg = earner.remainder_mg;
        wanted
    } else {
        row.points
    };
    if wanted < 0 {
        // The cap had cut carried milligrams too: they come back and may make whole points, as far
        // as the day's cap lets.
        let room = ground.scene.rule.daily_cap_points - earned;
        let given = (-wanted).min(room.max(0));
        lot.available += given;
        let points = match given {
            0 => Vec::new(),
            _ => vec![(lot.bucket, -given)],
        };
        return GivenBack { points, owed: 0 };
    }
    let points = books.take(account, wanted);
    let owed = wanted - points.iter().map(|(_, points)| points).sum::<i64>();
    GivenBack { points, owed }
}

/// One account's side of the counter-entries of one day. Its first line names the reductions.
fn add_counter_entry(
    entries: &mut Vec<Entry>,
    row: &ReductionRow,
    pos: i32,
    bucket: Day,
    gave: &[(Day, i64)],
) {
    let account = row.account_id.0;
    let mut move_points = |bucket: Day, points: i64, mg: i64| {
        let same = |entry: &&mut Entry| {
            entry.account == account && entry.day == row.day && entry.bucket == bucket
        };
        if let Some(entry) = entries
            .iter_mut()
            .rev()
            .take_while(|entry| entry.account == account)
            .find(same)
        {
            entry.available -= points;
            entry.reduction_mg -= mg;
            entry.records = pos - entry.first_pos + 1;
            return;
        }
        entries.push(Entry {
            reduction_mg: -mg,
            first_pos: pos,
            records: 1,
            ..Entry::points(account, row.day, bucket, -points, 0)
        });
    };
    let mut mg = row.mg;
    for (bucket, points) in gave {
        move_points(*bucket, *points, std::mem::take(&mut mg));
    }
    if gave.is_empty() {
        move_points(bucket, 0, mg);
    }
}
