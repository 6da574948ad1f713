//! Giving held points back to their lots: a citizen cancels, or a voucher reaches its end.

use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::redemption::{Closing, Voucher, day_in};
use crate::store::{Tx, redemption};

use super::FlowResult;
use super::close_voucher::{Moment, close_vouchers};
use super::write_off::end;

/// The most vouchers that one transaction ends.
pub const EXPIRE_CHUNK: i64 = 500;

/// A citizen takes a redemption back; points return to the lots they came from, the piece to the
/// offer's stock.
///
/// # Errors
/// `not_found` for a voucher that is not this account's; `cancel_too_late`, `voucher_used`,
/// `voucher_cancelled`, `voucher_expired`.
pub fn cancel_voucher(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    zone: Tz,
    account: Uuid,
    voucher: Uuid,
) -> FlowResult<Voucher> {
    let voucher = redemption::voucher(tx, account, voucher)?
        .ok_or_else(|| Problem::on(Code::NotFound, "voucher"))?;
    end(tx, ctx, zone, voucher, Closing::Cancel)
}

/// Ends vouchers whose end has come, at most [`EXPIRE_CHUNK`]; returns how many there were. Call it
/// until there are none.
///
/// # Errors
/// The store failed.
pub fn expire_vouchers(tx: &mut Tx<'_>, ctx: &mut Ctx, zone: Tz) -> FlowResult<usize> {
    let due = redemption::due_vouchers(tx, ctx.now, EXPIRE_CHUNK)?;
    let due: Vec<(Voucher, Uuid)> = due.into_iter().map(|v| (v, ctx.id())).collect();
    let moment = Moment {
        at: ctx.now,
        day: day_in(ctx.now, zone),
    };
    Ok(close_vouchers(tx, due, Closing::Expire, moment)?.len())
}
