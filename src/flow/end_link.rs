//! Ending a link (解除绑定): from tomorrow on a subject's records are nobody's, and wait for the
//! next link. What was recorded for the days before stays where it is.

use crate::domain::behaviour::SubjectHash;
use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::wallet::Day;
use crate::domain::wallet::sharing::subject_reference;
use crate::store::Tx;
use crate::store::link::{self, LinkRow, hold_subject, links_of_subject};

use super::audit::{self, Change};
use super::{FlowError, FlowResult};

/// Ends the link of a subject with the day `today`; a link that ends already keeps its end. The
/// days that the link covered keep its account and its shares.
///
/// # Errors
/// `subject_not_linked`: there is no link, or it has ended.
pub fn end_link(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    subject: &SubjectHash,
    today: Day,
) -> FlowResult<LinkRow> {
    hold_subject(tx, subject)?;
    let newest = links_of_subject(tx, subject)?.pop();
    let newest = newest.ok_or_else(not_linked)?;
    match newest.out_day {
        Some(out) if out > today => Ok(newest),
        Some(_) => Err(not_linked()),
        None => {
            // A link that begins later ends before it begins.
            let out = today.saturating_add(1).max(newest.from_day);
            link::end_link(tx, &newest, out, &ctx.actor, ctx.now.into())?;
            Ok(LinkRow {
                out_day: Some(out),
                ..newest
            })
        }
    }
}

/// As [`end_link`], by an officer, who says why; the act stands in the audit chain.
///
/// # Errors
/// As [`end_link`]; `missing_field` without a reason.
pub fn end_link_by_officer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    subject: &SubjectHash,
    today: Day,
    reason: &str,
) -> FlowResult<LinkRow> {
    if reason.trim().is_empty() {
        return Err(Problem::on(Code::MissingField, "reason").into());
    }
    let ended = end_link(tx, ctx, subject, today)?;
    let named = subject_reference(subject);
    audit::record(tx, ctx, "link.end", &named, reason, Change::default())?;
    Ok(ended)
}

fn not_linked() -> FlowError {
    Code::SubjectNotLinked.into()
}
