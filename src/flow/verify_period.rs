//! Verification: somebody who did not close the period re-adds it, asks, and accepts a quantity.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::verification::{FINDING_ROUNDS_MAX, Statement, four_eyes};
use crate::store::Tx;
use crate::store::verification::{self, FindingRow, PeriodRow, StatementRow};

use super::FlowResult;
use super::audit::{self, Change};
use super::close_period::{known_period, save, totals_of};
use super::period_root::period_root;

/// Sends a closed period back with a question; at most [`FINDING_ROUNDS_MAX`] times.
///
/// # Errors
/// `same_actor` for whoever closed it, `period_state` unless closed or when the rounds are used up,
/// `invalid_field` for a blank text.
pub fn raise_finding(tx: &mut Tx<'_>, ctx: &Ctx, period: Uuid, finding: &str) -> FlowResult<i32> {
    let seen = known_period(tx, period)?;
    let state = seen.state()?.find()?;
    four_eyes(seen.closed_by.map(|id| id.0), ctx.actor.id, "verify")?;
    let text = written("finding", finding)?;
    let round =
        i32::try_from(verification::findings(tx, period)?.len()).unwrap_or(i32::MAX - 1) + 1;
    if round > FINDING_ROUNDS_MAX {
        let detail = detail!(
            "已用完 {FINDING_ROUNDS_MAX} 轮问询",
            "{FINDING_ROUNDS_MAX} rounds are used up."
        );
        return Err(Problem::at(Code::PeriodState, "period", detail).into());
    }
    step(tx, &seen, state.as_str())?;
    let row = FindingRow {
        period_id: period.into(),
        round,
        finding: text.to_owned(),
        raised_by: ctx.actor.id.into(),
        raised_at: ctx.now.into(),
        answer: None,
        answered_by: None,
        answered_at: None,
    };
    verification::insert_finding(tx, &row)?;
    record(tx, ctx, "period.find", period, text)?;
    Ok(round)
}

/// Answers the open question; the period waits for the verifier again.
///
/// # Errors
/// `period_state` unless a question is open, `same_actor` for whoever asked, `invalid_field` for a
/// blank text.
pub fn answer_finding(tx: &mut Tx<'_>, ctx: &Ctx, period: Uuid, answer: &str) -> FlowResult<()> {
    let seen = known_period(tx, period)?;
    let state = seen.state()?.answer()?;
    let text = written("answer", answer)?;
    let asked = verification::findings(tx, period)?;
    four_eyes(asked.last().map(|f| f.raised_by.0), ctx.actor.id, "answer")?;
    step(tx, &seen, state.as_str())?;
    verification::answer_finding(tx, period, text, ctx.actor.id, ctx.now.into())?;
    record(tx, ctx, "period.answer", period, text)
}

/// Accepts a quantity after re-adding every member and re-computing the root from the leaves. What is
/// not accepted is carried on with the remainder; nothing accepted carries all of it.
///
/// # Errors
/// `same_actor` for whoever closed it, `recount_differs` if the members give another sum or root,
/// `quantity_out_of_range` above the whole tonnes, `period_state` unless closed.
pub fn accept_period(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    period: Uuid,
    statement: &Statement,
) -> FlowResult<PeriodRow> {
    let seen = known_period(tx, period)?;
    let state = seen.state()?.accept(statement.accepted)?;
    four_eyes(seen.closed_by.map(|id| id.0), ctx.actor.id, "verify")?;
    let recounted = recount(tx, &seen)?;
    let carried_out = totals_of(&seen)?.accept(statement.accepted)?;
    let row = PeriodRow {
        state: state.as_str().to_owned(),
        accepted_t: Some(statement.accepted.0),
        carried_out_mg: Some(carried_out.0),
        verified_by: Some(ctx.actor.id.into()),
        verified_at: Some(ctx.now.into()),
        ..seen.clone()
    };
    save(tx, &seen, &row)?;
    let stated = StatementRow {
        period_id: period.into(),
        verifier_id: ctx.actor.id.into(),
        recounted_mg: recounted,
        accepted_t: statement.accepted.0,
        statement: statement.text().to_owned(),
        statement_hash: statement.hash().to_vec(),
        stated_at: ctx.now.into(),
    };
    verification::insert_statement(tx, &stated)?;
    let change = Change {
        before: None,
        after: Some(statement.hash()),
    };
    let subject = format!("period {period}");
    audit::record(tx, ctx, "period.verify", &subject, statement.text(), change)?;
    known_period(tx, period)
}

/// Re-adds the members and returns their sum in mg.
fn recount(tx: &mut Tx<'_>, seen: &PeriodRow) -> FlowResult<i64> {
    let counted = verification::sum_members(tx, seen.id.0)?;
    let same = Some(counted.sum_mg) == seen.sum_mg && Some(counted.members) == seen.members;
    if !same {
        let detail = detail!(
            "成员 {members} 项，合计 {mg} mg",
            "{members} members, {mg} mg.",
            members = counted.members,
            mg = counted.sum_mg
        );
        return Err(Problem::at(Code::RecountDiffers, "sum_mg", detail).into());
    }
    let root = period_root(tx, seen.id.0)?;
    if seen.root.as_deref() != Some(root.as_slice()) {
        return Err(Problem::on(Code::RecountDiffers, "root").into());
    }
    Ok(counted.sum_mg)
}

fn step(tx: &mut Tx<'_>, seen: &PeriodRow, state: &str) -> FlowResult<()> {
    let row = PeriodRow {
        state: state.to_owned(),
        ..seen.clone()
    };
    save(tx, seen, &row)
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, act: &str, period: Uuid, basis: &str) -> FlowResult<()> {
    let subject = format!("period {period}");
    audit::record(tx, ctx, act, &subject, basis, Change::default())
}

fn written<'t>(param: &str, text: &'t str) -> Result<&'t str, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > Statement::TEXT_MAX {
        return Err(Problem::on(Code::InvalidField, param));
    }
    Ok(text)
}
