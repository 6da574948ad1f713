//! Links: whose account a partner's name for a person is.

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;

use super::hash;
use crate::store::bulk;
use crate::store::schema::subject_links;
use crate::store::{Conn, Id, StoreResult, Ts, Tx};

/// Whose accounts these subjects are, where they are linked. `subjects` are sorted and distinct.
///
/// # Errors
/// The query failed.
pub fn linked_accounts(
    conn: &mut Conn,
    subjects: &[SubjectHash],
) -> StoreResult<Vec<(SubjectHash, Uuid)>> {
    let rows = match conn {
        Conn::Pg(c) => bulk::postgres::linked_accounts(c, subjects)?,
        Conn::Sqlite(c) => bulk::sqlite::linked_accounts(c, subjects)?,
    };
    rows.into_iter()
        .map(|(subject, account)| Ok((hash(&subject, "subject_links.subject")?, account.0)))
        .collect()
}

/// Subjects share this many gates between records that are held and links that are made.
const LINK_GATES: u8 = 64;

fn link_gate(subject: &SubjectHash) -> i32 {
    let [first, ..] = subject;
    i32::from(first % LINK_GATES)
}

/// Keeps these subjects from being linked until the transaction ends, and waits for links of them
/// that are under way: whoever holds a record does this first and then looks again whether its
/// subject is linked. SQLite has one writer anyway.
///
/// # Errors
/// The statement failed.
pub fn keep_unlinked(tx: &mut Tx<'_>, subjects: &[SubjectHash]) -> StoreResult<()> {
    let gates: std::collections::BTreeSet<i32> = subjects.iter().map(link_gate).collect();
    match &mut **tx {
        Conn::Pg(c) => bulk::postgres::enter_link_gates(c, &gates.into_iter().collect::<Vec<_>>()),
        Conn::Sqlite(_) => Ok(()),
    }
}

/// Links a subject to an account, after every batch that was holding a record of it has ended.
///
/// # Errors
/// The subject is linked already, or the write failed.
pub fn link_subject(
    tx: &mut Tx<'_>,
    subject: &SubjectHash,
    account: Uuid,
    at: Ts,
) -> StoreResult<()> {
    if let Conn::Pg(c) = &mut **tx {
        bulk::postgres::close_link_gate(c, link_gate(subject))?;
    }
    let row = (
        subject_links::subject.eq(subject.as_slice()),
        subject_links::account_id.eq(Id(account)),
        subject_links::linked_at.eq(at),
    );
    diesel::insert_into(subject_links::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}
