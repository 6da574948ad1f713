//! Monitoring periods: opened with a window, closed by counting their members once and for all.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::unit::MgCo2e;
use crate::domain::verification::{PeriodState, Totals, Window};
use crate::store::verification::{self, PeriodRow, SceneFacts};
use crate::store::{StoreError, Tx, registry};

use super::audit::{self, Change};
use super::period_root::period_root;
use super::{FlowError, FlowResult};

/// A period to be opened.
#[derive(Debug, Clone)]
pub struct Opening {
    pub scene: i32,
    pub window: Window,
    /// To whom the units will be issued.
    pub holder: Uuid,
    pub basis: String,
}

/// Opens the scene's next monitoring period and returns its id.
///
/// # Errors
/// `not_found` for an unknown scene or holder, `period_overlaps` unless the window follows the
/// scene's earlier ones.
pub fn open_period(tx: &mut Tx<'_>, ctx: &mut Ctx, opening: &Opening) -> FlowResult<Uuid> {
    known_scene(tx, opening.scene)?;
    let named = |param| Problem::on(Code::NotFound, param);
    registry::holder(tx, opening.holder)?.ok_or_else(|| named("holder"))?;
    let last = verification::last_period(tx, opening.scene, i32::MAX)?;
    opening.window.follows(last.as_ref().map(|p| p.to_day))?;
    let id = ctx.id();
    let no = last.map_or(1, |p| p.no + 1);
    let row = opened(id, no, opening, ctx);
    verification::insert_period(tx, &row).map_err(|error| {
        // Somebody opened one at the same time.
        if error.is_constraint("monitoring_periods") {
            Code::PeriodOverlaps.into()
        } else {
            FlowError::from(error)
        }
    })?;
    let subject = format!("period {id}");
    audit::record(
        tx,
        ctx,
        "period.open",
        &subject,
        &opening.basis,
        Change::default(),
    )?;
    Ok(id)
}

/// Closes a period: every reduction of the scene up to its last day that is in no period yet becomes
/// a member, the sum is rounded down to whole tonnes, the rest is carried on, and the members' leaf
/// hashes are bound to one root. What arrives later falls to the next period.
///
/// # Errors
/// `period_not_over` before its end, `predecessor_unverified` while the earlier period may still
/// change what it carries on, `period_state` if it was closed before.
pub fn close_period(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    period: Uuid,
    basis: &str,
) -> FlowResult<PeriodRow> {
    let seen = known_period(tx, period)?;
    let state = seen.state()?.close()?;
    let scene = known_scene(tx, seen.scene_id)?;
    Window::new(seen.from_day, seen.to_day)?.is_over(day_in(&scene, ctx.now)?)?;
    let carried_in = carried_in(tx, &seen)?;
    verification::claim_members(tx, period, seen.scene_id, seen.to_day)?;
    verification::insert_period_methodologies(tx, period)?;
    let counted = verification::sum_members(tx, period)?;
    let totals = Totals::settle(carried_in, MgCo2e(counted.sum_mg))?;
    let root = period_root(tx, period)?;
    let row = PeriodRow {
        state: state.as_str().to_owned(),
        carried_in_mg: Some(totals.carried_in.0),
        sum_mg: Some(totals.sum.0),
        members: Some(counted.members),
        whole_t: Some(totals.whole.0),
        carried_out_mg: Some(totals.carried_out.0),
        root: Some(root.to_vec()),
        closed_by: Some(ctx.actor.id.into()),
        closed_at: Some(ctx.now.into()),
        ..seen.clone()
    };
    save(tx, &seen, &row)?;
    let change = Change {
        before: None,
        after: Some(root),
    };
    audit::record(
        tx,
        ctx,
        "period.close",
        &format!("period {period}"),
        basis,
        change,
    )?;
    known_period(tx, period)
}

/// # Errors
/// `not_found` if there is none of this id.
pub(super) fn known_period(tx: &mut Tx<'_>, id: Uuid) -> FlowResult<PeriodRow> {
    let found = verification::period(tx, id)?;
    Ok(found.ok_or_else(|| Problem::on(Code::NotFound, "period"))?)
}

/// # Errors
/// `period_state` if another act changed the period first.
pub(super) fn save(tx: &mut Tx<'_>, seen: &PeriodRow, row: &PeriodRow) -> FlowResult<()> {
    if verification::update_period(tx, seen, row)? {
        return Ok(());
    }
    let detail = detail!("已被另一操作更改", "Another act changed it first.");
    Err(Problem::at(Code::PeriodState, "period", detail).into())
}

/// The books of a closed period.
///
/// # Errors
/// The row lacks an amount, which its table does not allow.
pub(super) fn totals_of(row: &PeriodRow) -> FlowResult<Totals> {
    match (row.carried_in_mg, row.sum_mg) {
        (Some(carried_in), Some(sum)) => Ok(Totals::settle(MgCo2e(carried_in), MgCo2e(sum))?),
        _ => Err(StoreError::Corrupt(format!("monitoring_periods {}", row.id.0)).into()),
    }
}

pub(super) fn known_scene(tx: &mut Tx<'_>, id: i32) -> FlowResult<SceneFacts> {
    let found = verification::scene(tx, id)?;
    Ok(found.ok_or_else(|| Problem::on(Code::NotFound, "scene"))?)
}

fn carried_in(tx: &mut Tx<'_>, period: &PeriodRow) -> FlowResult<MgCo2e> {
    let Some(earlier) = verification::last_period(tx, period.scene_id, period.no)? else {
        return Ok(MgCo2e::ZERO);
    };
    if !earlier.state()?.is_settled() {
        return Err(Code::PredecessorUnverified.into());
    }
    Ok(MgCo2e(earlier.carried_out_mg.unwrap_or(0)))
}

fn day_in(scene: &SceneFacts, now: DateTime<Utc>) -> FlowResult<i32> {
    let zone: chrono_tz::Tz = scene
        .zone
        .parse()
        .map_err(|_| StoreError::Corrupt(format!("scenes.zone {}", scene.zone)))?;
    let today = now.with_timezone(&zone).date_naive();
    let days = today.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).map_err(|_| StoreError::Corrupt("the clock".to_owned()).into())
}

fn opened(id: Uuid, no: i32, opening: &Opening, ctx: &Ctx) -> PeriodRow {
    PeriodRow {
        id: id.into(),
        scene_id: opening.scene,
        no,
        from_day: opening.window.from_day(),
        to_day: opening.window.to_day(),
        holder_id: opening.holder.into(),
        state: PeriodState::Open.as_str().to_owned(),
        version: 1,
        carried_in_mg: None,
        sum_mg: None,
        members: None,
        whole_t: None,
        root: None,
        accepted_t: None,
        carried_out_mg: None,
        opened_by: ctx.actor.id.into(),
        opened_at: ctx.now.into(),
        closed_by: None,
        closed_at: None,
        verified_by: None,
        verified_at: None,
        issued_by: None,
        issued_at: None,
    }
}
