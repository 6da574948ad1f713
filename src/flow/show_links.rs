//! An officer looks up whose a subject was and who shared it.

use crate::domain::behaviour::{SubjectHash, subject_hash};
use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::wallet::sharing::{Statement, subject_reference};
use crate::store::link::{LinkRow, links_of_subject};
use crate::store::party::partner_by_code;
use crate::store::share::{StatementRow, statements_of};
use crate::store::{Conn, Tx};

use super::FlowResult;
use super::audit::{self, Change};

/// Everything that was linked and stated of one subject, in order.
#[derive(Debug)]
pub struct History {
    pub reference: String,
    pub links: Vec<LinkRow>,
    pub statements: Vec<(StatementRow, Statement)>,
}

/// The subject that a partner calls by this name.
///
/// # Errors
/// `not_found`: there is no such partner.
pub fn subject_named(conn: &mut Conn, partner: &str, name: &str) -> FlowResult<SubjectHash> {
    let row = partner_by_code(conn, partner)?;
    let row = row.ok_or_else(|| Problem::on(Code::NotFound, "partner"))?;
    Ok(subject_hash(row.id.0, name))
}

/// Tells an officer, who says why; the look stands in the audit chain.
///
/// # Errors
/// `missing_field` without a reason; `not_found`: nobody was ever linked.
pub fn show_links(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    subject: &SubjectHash,
    reason: &str,
) -> FlowResult<History> {
    if reason.trim().is_empty() {
        return Err(Problem::on(Code::MissingField, "reason").into());
    }
    let links = links_of_subject(tx, subject)?;
    if links.is_empty() {
        return Err(Problem::on(Code::NotFound, "subject").into());
    }
    let reference = subject_reference(subject);
    audit::record(tx, ctx, "link.show", &reference, reason, Change::default())?;
    Ok(History {
        statements: statements_of(tx, subject)?,
        reference,
        links,
    })
}
