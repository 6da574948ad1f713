//! The audit chain's rows.

use diesel::prelude::*;
use uuid::Uuid;

use super::schema::audit_events;
use super::{Conn, Id, StoreResult, Ts, Tx};

/// PostgreSQL's advisory lock of the chain's end; any number that nothing else uses.
const CHAIN_LOCK: i64 = 0x7470_6863_6861_696e;

/// One act as it is stored.
#[derive(Debug, Clone, Queryable, Insertable, Selectable)]
#[diesel(table_name = audit_events)]
pub struct AuditRow {
    pub seq: i64,
    pub at: Ts,
    pub actor_role: String,
    pub actor_id: Id,
    pub action: String,
    pub subject: String,
    pub basis: String,
    pub before_hash: Option<Vec<u8>>,
    pub after_hash: Option<Vec<u8>>,
    pub previous: Vec<u8>,
    pub hash: Vec<u8>,
}

/// The newest act's place and hash.
///
/// # Errors
/// The query failed.
pub fn last(conn: &mut Conn) -> StoreResult<Option<(i64, Vec<u8>)>> {
    Ok(audit_events::table
        .select((audit_events::seq, audit_events::hash))
        .order(audit_events::seq.desc())
        .first(conn)
        .optional()?)
}

/// Waits for the chain's end until the transaction ends, so that officers who act at once queue
/// instead of colliding. SQLite has one writer anyway.
///
/// # Errors
/// The query failed.
pub fn hold_end(tx: &mut Tx<'_>) -> StoreResult<()> {
    if let Conn::Pg(c) = &mut **tx {
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
            .bind::<diesel::sql_types::BigInt, _>(CHAIN_LOCK)
            .execute(c)?;
    }
    Ok(())
}

/// Appends an act. Two transactions that took the same place collide on the primary key, and the
/// later one is run again.
///
/// # Errors
/// The place is taken, or the write failed.
pub fn append(tx: &mut Tx<'_>, row: &AuditRow) -> StoreResult<()> {
    diesel::insert_into(audit_events::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Acts after `seq`, oldest first, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn after(conn: &mut Conn, seq: i64, limit: i64) -> StoreResult<Vec<AuditRow>> {
    Ok(audit_events::table
        .filter(audit_events::seq.gt(seq))
        .order(audit_events::seq.asc())
        .limit(limit)
        .load(conn)?)
}

impl AuditRow {
    pub fn actor_id(&self) -> Uuid {
        self.actor_id.0
    }
}
