//! The two ends of a unit: retirement for a claim, and cancellation without one.

use chrono::Datelike;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::registry::{Block, Claim, Reason};
use crate::domain::unit::Tonnes;
use crate::store::Tx;
use crate::store::registry::{self, CancellationRow, RetirementRow};
use uuid::Uuid;

use super::FlowResult;
use super::block::{Basis, Part, block_of, step};

/// Retires part of a block and returns its record with the certificate's number; irreversible.
///
/// # Errors
/// `not_found`, `not_holder`, `block_state` for frozen or final blocks, `quantity_out_of_range`,
/// `block_changed`.
pub fn retire(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    part: &Part,
    claim: &Claim,
) -> FlowResult<RetirementRow> {
    let block = block_of(tx, part.block, part.holder)?;
    let act = Basis::new("retire", claim.purpose.as_str()).from(part.holder);
    let retired = step(tx, ctx, &block, part.quantity, Block::retire, act)?;
    let row = RetirementRow {
        id: ctx.id().into(),
        block_id: retired.id.into(),
        certificate_no: certificate_no(tx, ctx)?,
        holder_id: part.holder.into(),
        purpose: claim.purpose.as_str().to_owned(),
        beneficiary: claim.beneficiary().to_owned(),
        claim: claim.text().to_owned(),
        first_serial: retired.range.first(),
        last_serial: retired.range.last(),
        retired_at: ctx.now.into(),
    };
    registry::insert_retirement(tx, &row)?;
    Ok(row)
}

/// Takes part of a block out of the books by order of the bureau; irreversible.
///
/// # Errors
/// `not_found`, `block_state` unless held, `quantity_out_of_range`, `block_changed`,
/// `missing_field` without a basis.
pub fn cancel(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    block: Uuid,
    quantity: Tonnes,
    reason: Reason,
    basis: &str,
) -> FlowResult<CancellationRow> {
    if basis.trim().is_empty() {
        return Err(Problem::on(Code::MissingField, "basis").into());
    }
    let found = registry::block(tx, block)?;
    let block = found.ok_or_else(|| Problem::on(Code::NotFound, "block"))?;
    let act = Basis::new("cancel", basis).from(block.holder);
    let cancelled = step(tx, ctx, &block, quantity, Block::cancel, act)?;
    let row = CancellationRow {
        id: ctx.id().into(),
        block_id: cancelled.id.into(),
        reason: reason.as_str().to_owned(),
        basis: basis.to_owned(),
        first_serial: cancelled.range.first(),
        last_serial: cancelled.range.last(),
        cancelled_by: ctx.actor.id.into(),
        cancelled_at: ctx.now.into(),
    };
    registry::insert_cancellation(tx, &row)?;
    Ok(row)
}

/// `R-<year>-<number>`, counted within the year (UTC).
fn certificate_no(tx: &mut Tx<'_>, ctx: &Ctx) -> FlowResult<String> {
    let year = ctx.now.year();
    let taken = registry::take_numbers(tx, &format!("certificate {year}"), 1)?;
    Ok(format!("R-{year}-{:06}", taken + 1))
}
