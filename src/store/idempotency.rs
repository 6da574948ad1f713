//! Answers kept for clients that retry: the key, the effect and the answer commit together.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::schema::idempotency_keys as keys;
use super::{Conn, StoreResult, Ts, Tx};

/// One key with the answer given under it.
#[derive(Debug, Clone, Queryable, Insertable, Selectable)]
#[diesel(table_name = keys)]
pub struct AnswerRow {
    pub caller: String,
    pub key: String,
    pub request_digest: Vec<u8>,
    pub status: i32,
    pub answer: String,
    pub created_at: Ts,
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

/// Takes the key for this transaction; false while another transaction has it. On SQLite, whose
/// write transactions follow one another, it is always free.
///
/// # Errors
/// The query failed.
pub fn take(tx: &mut Tx<'_>, caller: &str, key: &str) -> StoreResult<bool> {
    match &mut **tx {
        Conn::Sqlite(_) => Ok(true),
        Conn::Pg(c) => {
            let name = format!("{caller}\n{key}");
            let row: Locked = diesel::sql_query(
                "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked",
            )
            .bind::<Text, _>(name)
            .get_result(c)?;
            Ok(row.locked)
        }
    }
}

/// The answer given under this key.
///
/// # Errors
/// The query failed.
pub fn find(conn: &mut Conn, caller: &str, key: &str) -> StoreResult<Option<AnswerRow>> {
    Ok(keys::table.find((caller, key)).first(conn).optional()?)
}

/// Keeps an answer.
///
/// # Errors
/// The key has an answer already, or the write failed.
pub fn keep(tx: &mut Tx<'_>, row: &AnswerRow) -> StoreResult<()> {
    diesel::insert_into(keys::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Forgets answers given before `at`; returns how many.
///
/// # Errors
/// The write failed.
pub fn forget_before(tx: &mut Tx<'_>, at: Ts) -> StoreResult<usize> {
    Ok(diesel::delete(keys::table.filter(keys::created_at.lt(at))).execute(&mut **tx)?)
}
