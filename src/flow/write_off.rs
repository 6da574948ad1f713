//! Writing off (核销): the merchant takes a voucher, the points leave the wallet for good.

use chrono::SecondsFormat;
use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::redemption::{Closing, Voucher, VoucherCode, VoucherState, day_in};
use crate::store::{StoreError, Tx, redemption};

use super::FlowResult;
use super::close_voucher::{Moment, close_vouchers};
use super::redeem::Desk;

/// Writes off the voucher of this code for `merchant`. Of two terminals that do it at once,
/// exactly one succeeds.
///
/// # Errors
/// `not_found` for a code that nobody was given, `voucher_elsewhere` for another merchant's,
/// `voucher_used` with the instant, `voucher_cancelled`, `voucher_expired`.
pub fn write_off(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    desk: &Desk,
    merchant: Uuid,
    code: &VoucherCode,
) -> FlowResult<Voucher> {
    let voucher = redemption::voucher_by_code(tx, &code.digest())?
        .filter(|voucher| desk.key.signed(voucher.id, code))
        .ok_or_else(|| Problem::on(Code::NotFound, "code"))?;
    if voucher.merchant != merchant {
        return Err(Problem::on(Code::VoucherElsewhere, "code").into());
    }
    end(tx, ctx, desk.zone, voucher, Closing::WriteOff)
}

/// Ends one voucher, or says why it may not end in this way.
pub(super) fn end(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    zone: Tz,
    voucher: Voucher,
    closing: Closing,
) -> FlowResult<Voucher> {
    voucher.may_close(closing, ctx.now)?;
    let (account, id) = (voucher.account, voucher.id);
    let moment = Moment {
        at: ctx.now,
        day: day_in(ctx.now, zone),
    };
    let wanted = vec![(voucher, ctx.id())];
    if let Some(closed) = close_vouchers(tx, wanted, closing, moment)?.pop() {
        return Ok(closed);
    }
    // Somebody else ended it between our look and our write; the row now says how.
    let now = redemption::voucher(tx, account, id)?.ok_or(StoreError::NotFound)?;
    now.may_close(closing, ctx.now)?;
    debug_assert_eq!(now.state, VoucherState::Issued);
    let at = ctx.now.to_rfc3339_opts(SecondsFormat::Micros, true);
    tracing::warn!(voucher.id = %id, at, "a voucher changed twice under one transaction");
    Err(StoreError::Busy.into())
}
