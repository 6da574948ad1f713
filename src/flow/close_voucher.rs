//! The end of vouchers: state, lots, entries and stock move together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::redemption::{Closing, Voucher, give_back, take_out};
use crate::domain::wallet::{Day, Entry, Lot, Spend, Transfer};
use crate::store::{StoreError, Tx, offer, redemption, wallet};

use super::FlowResult;
use super::redeem::place_of;

/// When and on which day of the city something happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub at: DateTime<Utc>,
    pub day: Day,
}

/// Ends these vouchers, each with the transfer of the id beside it, and returns which of them
/// were still issued. The caller has checked that they may end in this way; the table checks it
/// again. Locks go vouchers, wallets, offers, each in order.
///
/// # Errors
/// The store failed, or the books contradict each other; nothing was done then.
pub(super) fn close_vouchers(
    tx: &mut Tx<'_>,
    mut wanted: Vec<(Voucher, Uuid)>,
    closing: Closing,
    moment: Moment,
) -> FlowResult<Vec<Voucher>> {
    wanted.sort_by_key(|(voucher, _)| (voucher.account, voucher.id));
    let used_day = (closing == Closing::WriteOff).then_some(moment.day);
    let mut closed = Vec::with_capacity(wanted.len());
    for (voucher, transfer) in wanted {
        let end = (moment.at, transfer);
        if redemption::close_voucher(tx, &voucher, closing, end, used_day)? {
            closed.push(Voucher {
                state: closing.state(),
                closed: Some(end),
                ..voucher
            });
        }
    }
    if !closed.is_empty() {
        move_points(tx, &closed, closing, moment)?;
        if closing != Closing::WriteOff {
            return_stock(tx, &closed)?;
        }
    }
    Ok(closed)
}

fn move_points(
    tx: &mut Tx<'_>,
    closed: &[Voucher],
    closing: Closing,
    moment: Moment,
) -> FlowResult<()> {
    let ids: Vec<(Uuid, Uuid)> = closed.iter().map(|v| (v.account, v.id)).collect();
    let spends = redemption::spends_of(tx, &ids)?;
    let mut accounts: Vec<Uuid> = ids.iter().map(|(account, _)| *account).collect();
    accounts.dedup();
    let mut lots = wallet::lock_lots(tx, &accounts)?;
    let before = lots.clone();
    let mut transfers = Vec::with_capacity(closed.len());
    let mut entries: Vec<(Uuid, Entry)> = Vec::new();
    for voucher in closed {
        let Some((at, id)) = voucher.closed else {
            continue;
        };
        let place = place_of(&lots, voucher.account);
        let own = lots.get_mut(place).unwrap_or_default();
        let gave = gave(&spends, voucher)?;
        let sides = match closing {
            Closing::WriteOff => take_out(own, voucher.account, moment.day, &gave),
            Closing::Cancel | Closing::Expire => give_back(own, voucher.account, moment.day, &gave),
        };
        let sides = sides.map_err(broken)?;
        transfers.push(Transfer::of(id, closing.transfer(), at, &sides).map_err(broken)?);
        entries.extend(sides.into_iter().map(|entry| (id, entry)));
    }
    let changed: Vec<Lot> = lots
        .into_iter()
        .zip(&before)
        .filter_map(|(lot, before)| (lot != *before).then_some(lot))
        .collect();
    wallet::save_lots(tx, &changed)?;
    let sides = entries.iter().map(|(id, entry)| (*id, entry));
    wallet::post_all(tx, &transfers, sides)?;
    Ok(())
}

/// The lots that gave a voucher's points; they add up to its price, or the books are broken.
fn gave(spends: &[(Uuid, Spend)], voucher: &Voucher) -> FlowResult<Vec<Spend>> {
    let gave: Vec<Spend> = spends
        .iter()
        .filter(|(id, _)| *id == voucher.id)
        .map(|(_, spend)| *spend)
        .collect();
    let sum: i64 = gave.iter().map(|spend| spend.points).sum();
    match sum == voucher.points {
        true => Ok(gave),
        false => Err(broken(format!("voucher_lots of voucher {}", voucher.id)).into()),
    }
}

fn return_stock(tx: &mut Tx<'_>, closed: &[Voucher]) -> FlowResult<()> {
    let mut pieces: BTreeMap<Uuid, i64> = BTreeMap::new();
    for voucher in closed {
        *pieces.entry(voucher.offer).or_default() += 1;
    }
    for (id, pieces) in pieces {
        offer::return_stock(tx, id, pieces)?;
    }
    Ok(())
}

pub(super) fn broken(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}
