//! Points that accounts owe after corrections.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::wallet::{Entry, ISSUANCE, Transfer, TransferKind};
use crate::flow::FlowResult;
use crate::flow::ingest::scene::SceneView;
use crate::store::Tx;
use crate::store::correction::{owed_by, recover};
use crate::store::wallet::{lock_lots, post, save_lots};

use super::books::take_from;
use super::derived_id;

/// Takes what these accounts owe from what they have, each in a transfer of its own. Their lots
/// are locked by this transaction; `accounts` are sorted and distinct.
///
/// # Errors
/// The store failed.
pub(in crate::flow::ingest) fn recover_owed(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &SceneView,
    batch: Uuid,
    accounts: &[Uuid],
) -> FlowResult<()> {
    let today = scene.day(ctx.now);
    for (account, owed) in owed_by(tx, accounts)? {
        let mut lots = lock_lots(tx, &[account])?;
        let all = (0, lots.len());
        let gave = take_from(&mut lots, all, owed);
        let taken: i64 = gave.iter().map(|(_, points)| points).sum();
        if taken == 0 {
            continue;
        }
        let id = derived_id(batch, account.as_bytes());
        let mut entries: Vec<Entry> = gave
            .iter()
            .map(|(bucket, points)| Entry::points(account, today, *bucket, -points, 0))
            .collect();
        entries.push(Entry::points(ISSUANCE, today, 0, taken, 0));
        let transfer = Transfer::of(id, TransferKind::Reverse, ctx.now, &entries)
            .expect("both sides are what was taken");
        post(tx, &transfer, &entries)?;
        save_lots(tx, &lots)?;
        recover(tx, id, account, taken)?;
    }
    Ok(())
}
