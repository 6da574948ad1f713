//! Who has which share in what a subject earns.

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::wallet::Day;

use super::super::schema::subject_shares;
use super::super::{Conn, Id, StoreResult, Tx};

/// One account's share in what a subject earns, from a day on.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = subject_shares, treat_none_as_default_value = false)]
pub struct ShareRow {
    pub subject: Vec<u8>,
    pub account_id: Id,
    pub from_day: i32,
    pub weight: i32,
}

/// Who has which share in a subject on a day: the latest statement of each account by then.
///
/// # Errors
/// The query failed.
pub fn shares_on(
    conn: &mut Conn,
    subject: &SubjectHash,
    day: Day,
) -> StoreResult<Vec<(Uuid, u32)>> {
    let mut rows: Vec<ShareRow> = subject_shares::table
        .filter(subject_shares::subject.eq(subject.as_slice()))
        .filter(subject_shares::from_day.le(day))
        .order((
            subject_shares::account_id.asc(),
            subject_shares::from_day.desc(),
        ))
        .load(conn)?;
    rows.dedup_by_key(|row| row.account_id);
    Ok(rows
        .into_iter()
        .filter(|row| row.weight > 0)
        .map(|row| (row.account_id.0, u32::try_from(row.weight).unwrap_or(0)))
        .collect())
}

/// States shares.
///
/// # Errors
/// A share of that account from that day is stated already, or the write failed.
pub fn append_shares(tx: &mut Tx<'_>, rows: &[ShareRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| diesel::insert_into(subject_shares::table)
        .values(rows)
        .execute(c)?);
    Ok(())
}
