//! Issuance: accepted tonnes get serials, bound to the root of the reductions behind them.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::registry::{Block, SerialRange, Series};
use crate::domain::unit::Tonnes;
use crate::domain::verification::four_eyes;
use crate::store::registry::{self, IssuanceRow};
use crate::store::verification::PeriodRow;
use crate::store::{StoreError, Tx};

use super::FlowResult;
use super::audit::{self, Change};
use super::block::{Basis, write_act};
use super::close_period::{known_period, known_scene, save};

/// Issues a verified period's tonnes into the assignee's account as one block. Serials continue the
/// registry's count, so a number is never used twice. `prefix` is the registry's, as configured.
///
/// # Errors
/// `period_state` unless verified, `same_actor` for the verifier, `serial_invalid` if the scene's
/// codes cannot stand in a serial.
pub fn issue(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    period: Uuid,
    prefix: &str,
    basis: &str,
) -> FlowResult<IssuanceRow> {
    let seen = known_period(tx, period)?;
    let state = seen.state()?.issue()?;
    four_eyes(seen.verified_by.map(|id| id.0), ctx.actor.id, "issue")?;
    let row = PeriodRow {
        state: state.as_str().to_owned(),
        issued_by: Some(ctx.actor.id.into()),
        issued_at: Some(ctx.now.into()),
        ..seen.clone()
    };
    save(tx, &seen, &row)?;
    let issuance = allocated(tx, ctx, &seen, prefix)?;
    registry::insert_issuance(tx, &issuance)?;
    let block = first_block(ctx, &issuance)?;
    registry::insert_block(tx, &block, ctx.now.into())?;
    let act = Basis::new("issue", basis).to(block.holder);
    write_act(tx, ctx, &block, act)?;
    let change = Change {
        before: None,
        after: Some(block.digest()),
    };
    audit::record(
        tx,
        ctx,
        "cer.issue",
        &format!("period {period}"),
        basis,
        change,
    )?;
    Ok(issuance)
}

fn allocated(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    period: &PeriodRow,
    prefix: &str,
) -> FlowResult<IssuanceRow> {
    let missing = || StoreError::Corrupt(format!("monitoring_periods {}", period.id.0));
    let quantity = period.accepted_t.ok_or_else(missing)?;
    let scene = known_scene(tx, period.scene_id)?;
    let vintage = (period.from_day, period.to_day);
    let series = Series::new(
        prefix,
        &scene.methodology_code,
        scene.id,
        vintage,
        period.no,
    )?;
    let taken = registry::take_numbers(tx, "serial", quantity)?;
    let range = SerialRange::after(taken, Tonnes(quantity))?;
    Ok(IssuanceRow {
        id: ctx.id().into(),
        period_id: period.id,
        series: series.as_str().to_owned(),
        first_serial: range.first(),
        last_serial: range.last(),
        root: period.root.clone().ok_or_else(missing)?,
        leaf_count: period.members.ok_or_else(missing)?,
        holder_id: period.holder_id,
        issued_by: ctx.actor.id.into(),
        issued_at: ctx.now.into(),
    })
}

fn first_block(ctx: &mut Ctx, issuance: &IssuanceRow) -> FlowResult<Block> {
    let range = SerialRange::new(issuance.first_serial, issuance.last_serial)?;
    let (id, holder) = (ctx.id(), issuance.holder_id.0);
    Ok(Block::issued(id, issuance.id.0, range, holder))
}
