//! One batch as it is written: reductions, points, leaves.

use uuid::Uuid;

use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::{Entry, ISSUANCE, Transfer, TransferKind};
use crate::flow::FlowResult;
use crate::flow::ingest::commit::count;
use crate::flow::ingest::leaves::Leaves;
use crate::store::Tx;
use crate::store::behaviour::{BatchRow, append_batch};
use crate::store::reduction::{ReductionRow, append_leaves, append_reductions};
use crate::store::wallet::post;

use super::Ground;

pub(super) struct Written {
    pub batch: Uuid,
    pub kind: TransferKind,
    pub rows: Vec<ReductionRow>,
    pub entries: Vec<Entry>,
    /// Account and behaviour's digest of each row.
    pub leaves: Vec<(Uuid, [u8; 32])>,
}

impl Written {
    pub fn new(kind: TransferKind, batch: Uuid) -> Written {
        Written {
            batch,
            kind,
            rows: Vec::new(),
            entries: Vec::new(),
            leaves: Vec::new(),
        }
    }

    pub fn place(&self, pos: usize) -> ReductionId {
        ReductionId {
            batch: self.batch,
            pos: u32::try_from(pos).unwrap_or(u32::MAX),
        }
    }
}

pub(super) fn write_batch(
    tx: &mut Tx<'_>,
    ground: &Ground<'_>,
    mut written: Written,
) -> FlowResult<()> {
    let Ground { ctx, scene, .. } = *ground;
    let points: i64 = written.entries.iter().map(|entry| entry.available).sum();
    let today = scene.day(ctx.now);
    let issued = Entry::points(ISSUANCE, today, 0, -points, 0);
    written.entries.push(issued);
    let transfer = Transfer::of(written.batch, written.kind, ctx.now, &written.entries)
        .expect("the issuance entry is minus the sum of the others");
    post(tx, &transfer, &written.entries)?;
    let rows = count(written.rows.len());
    let leaves = leaves(ground, &written)?;
    append_leaves(tx, written.batch, leaves.hashes(), rows)?;
    let credits = written.kind == TransferKind::Credit;
    let beside = |number: usize| if credits { count(number) } else { 0 };
    append_batch(
        tx,
        &BatchRow {
            id: written.batch.into(),
            scene_id: scene.id,
            received_at: ctx.now.into(),
            body_digest: ground.batches.digest.to_vec(),
            accepted: rows,
            replayed: 0,
            refused: beside(ground.batches.refused),
            held: beside(ground.batches.held),
            reduction_mg: written.rows.iter().map(|row| row.mg).sum(),
            points,
        },
    )?;
    Ok(append_reductions(tx, written.rows)?)
}

fn leaves<'s>(ground: &Ground<'s>, written: &Written) -> FlowResult<Leaves<'s>> {
    let mut leaves = Leaves::new(ground.scene, ground.log, written.rows.len());
    for (row, (account, digest)) in written.rows.iter().zip(&written.leaves) {
        let mut versions = ground.scene.pinned.iter();
        let by = versions.find(|pinned| pinned.id == row.methodology_id);
        leaves.push(row, by.ok_or(Code::Internal)?, *account, *digest);
    }
    Ok(leaves)
}
