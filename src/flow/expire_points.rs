//! The end of lots (过期): points that nobody spent by their last day lapse.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::redemption::day_in;
use crate::domain::wallet::{Day, EXPIRED, Entry, Lot, Transfer, TransferKind};
use crate::store::{Tx, redemption, wallet};

use super::FlowResult;
use super::close_voucher::broken;

/// The most lots that one transaction ends.
pub const LAPSE_CHUNK: i64 = 1_000;

/// What one run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lapsed {
    pub lots: usize,
    pub points: i64,
    /// Where the next run goes on; `None` when there is nothing left.
    pub next: Option<(Day, Uuid)>,
}

/// Moves what is available in lots past their last day to the system's account of expired points,
/// at most [`LAPSE_CHUNK`] lots after `after`, in one transfer. Held points stay: their vouchers
/// are still good. What comes back to such a lot lapses at a later run.
///
/// # Errors
/// The store failed.
pub fn expire_lots(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    zone: Tz,
    after: Option<(Day, Uuid)>,
) -> FlowResult<Lapsed> {
    let today = day_in(ctx.now, zone);
    let found = redemption::lapsed_lots(tx, today, after, LAPSE_CHUNK)?;
    let full = i64::try_from(found.len()).is_ok_and(|found| found == LAPSE_CHUNK);
    let next = found.last().copied().filter(|_| full);
    let wanted: BTreeMap<Uuid, BTreeSet<Day>> =
        found
            .iter()
            .fold(BTreeMap::new(), |mut wanted, (bucket, account)| {
                wanted
                    .entry(*account)
                    .or_insert_with(BTreeSet::new)
                    .insert(*bucket);
                wanted
            });
    let lots = wallet::lock_lots(tx, &Vec::from_iter(wanted.keys().copied()))?;
    // What was found may have been spent or released before the lock; what counts is under it.
    let lapsing: Vec<Lot> = lots
        .into_iter()
        .filter(|lot| lot.available > 0)
        .filter(|lot| {
            wanted
                .get(&lot.account)
                .is_some_and(|w| w.contains(&lot.bucket))
        })
        .collect();
    let points: i64 = lapsing.iter().map(|lot| lot.available).sum();
    if points > 0 {
        post(tx, ctx, today, &lapsing, points)?;
    }
    Ok(Lapsed {
        lots: lapsing.len(),
        points,
        next,
    })
}

fn post(tx: &mut Tx<'_>, ctx: &mut Ctx, today: Day, lots: &[Lot], points: i64) -> FlowResult<()> {
    let mut sides: Vec<Entry> = lots
        .iter()
        .map(|lot| Entry::points(lot.account, today, lot.bucket, -lot.available, 0))
        .collect();
    sides.push(Entry::points(EXPIRED, today, 0, points, 0));
    let transfer = Transfer::of(ctx.id(), TransferKind::Expire, ctx.now, &sides).map_err(broken)?;
    let emptied: Vec<Lot> = lots
        .iter()
        .map(|lot| Lot {
            available: 0,
            ..lot.clone()
        })
        .collect();
    wallet::save_lots(tx, &emptied)?;
    wallet::post(tx, &transfer, &sides)?;
    Ok(())
}
