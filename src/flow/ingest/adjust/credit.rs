//! New reductions and what they earn.

use crate::domain::reduction::ReductionId;
use crate::domain::wallet::{Earner, Entry, TransferKind};
use crate::flow::FlowResult;
use crate::flow::ingest::commit::count;
use crate::store::correction::{CutRow, append_cuts};
use crate::store::reduction::ReductionRow;
use crate::store::{Id, Tx};

use super::books::Books;
use super::written::{Written, write_batch};
use super::{Adjusted, Fresh, Given, Ground};

pub(super) fn credit(
    tx: &mut Tx<'_>,
    ground: &Ground<'_>,
    fresh: &[Fresh],
    books: &mut Books,
    adjusted: &mut Adjusted,
) -> FlowResult<()> {
    if fresh.is_empty() {
        return Ok(());
    }
    let mut written = Written::new(TransferKind::Credit, ground.batches.credits);
    let mut cuts = Vec::new();
    for new in fresh {
        let earned = books.earned.entry((new.account, new.day)).or_default();
        let so_far = *earned;
        let lot = books.newest(new.account);
        let mut earner = Earner::new(lot.remainder_mg);
        earner.turn_to(new.day, so_far);
        let credit = earner.credit(&ground.scene.rule, new.mg);
        lot.remainder_mg = earner.remainder_mg;
        lot.available += credit.points;
        let bucket = lot.bucket;
        let day = (new.account, new.day);
        books.earned.insert(day, so_far + credit.points);
        if credit.cut_mg > 0 {
            cuts.push(CutRow {
                batch_id: written.batch.into(),
                pos: count(new.pos),
                mg: credit.cut_mg,
            });
        }
        add_entry(&mut written.entries, new, bucket, credit.points);
        written.rows.push(row(ground, new, credit.points));
        written.leaves.push((new.account, new.digest));
        adjusted.fresh.push(Given {
            reduction: written.place(new.pos),
            points: credit.points,
            capped: credit.capped,
        });
    }
    append_cuts(tx, &cuts)?;
    write_batch(tx, ground, written)
}

/// One account's side of the credits of one day. Positions between may be of records that are not
/// credited; the range still holds only this account.
fn add_entry(entries: &mut Vec<Entry>, new: &Fresh, bucket: i32, points: i64) {
    let same = |entry: &&mut Entry| entry.account == new.account && entry.day == new.day;
    if let Some(entry) = entries.last_mut().filter(same) {
        entry.available += points;
        entry.reduction_mg += new.mg;
        entry.records = count(new.pos) - entry.first_pos + 1;
        entry.span = entry
            .span
            .map(|(from, to)| (from.min(new.span.0), to.max(new.span.1)));
        return;
    }
    entries.push(Entry {
        reduction_mg: new.mg,
        first_pos: count(new.pos),
        records: 1,
        span: Some(new.span),
        ..Entry::points(new.account, new.day, bucket, points, 0)
    });
}

fn row(ground: &Ground<'_>, new: &Fresh, points: i64) -> ReductionRow {
    let place = |origin: ReductionId| (Id(origin.batch), count(origin.pos as usize));
    let origin = new.origin.map(place);
    ReductionRow {
        batch_id: ground.batches.credits.into(),
        pos: count(new.pos),
        account_id: new.account.into(),
        scene_id: ground.scene.id,
        methodology_id: ground.scene.pinned[new.pinned].id,
        day: new.day,
        mg: new.mg,
        points,
        exchange_rule_id: ground.scene.rule_id,
        origin_batch: origin.map(|(batch, _)| batch),
        origin_pos: origin.map(|(_, pos)| pos),
    }
}
