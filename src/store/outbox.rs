//! Work that waits for the network. A flow enqueues inside its transaction; a job claims rows that
//! are due, talks to the outside with no transaction open, and records the outcome.

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use super::schema::outbox;
use super::{Conn, Id, StoreResult, Ts, TsT, Tx};

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = outbox)]
pub struct OutboxRow {
    pub id: Id,
    /// Says who delivers it: `exchange.list`.
    pub topic: String,
    /// JSON, as the topic's deliverer reads it.
    pub payload: String,
    pub created_at: Ts,
    /// Deliveries begun, this one included.
    pub attempts: i32,
    pub next_at: Ts,
    pub done_at: Option<Ts>,
    pub last_error: Option<String>,
}

/// # Errors
/// The id is taken, or the write failed.
pub fn enqueue(tx: &mut Tx<'_>, id: Uuid, topic: &str, payload: &str, at: Ts) -> StoreResult<()> {
    let row = OutboxRow {
        id: id.into(),
        topic: topic.to_owned(),
        payload: payload.to_owned(),
        created_at: at,
        attempts: 0,
        next_at: at,
        done_at: None,
        last_error: None,
    };
    diesel::insert_into(outbox::table)
        .values(&row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Takes up to `limit` due messages and hides them from other workers for `lease`: a worker that
/// dies leaves them to be delivered again, so a delivery must bear repetition.
///
/// # Errors
/// The write failed.
pub fn claim_due(
    tx: &mut Tx<'_>,
    now: Ts,
    lease: Duration,
    limit: i64,
) -> StoreResult<Vec<OutboxRow>> {
    // SQLite has one writer, and this transaction is it.
    let lock = match &**tx {
        Conn::Pg(_) => "FOR UPDATE SKIP LOCKED",
        Conn::Sqlite(_) => "",
    };
    let rows = diesel::sql_query(format!(
        "UPDATE outbox SET next_at = $1, attempts = attempts + 1 WHERE id IN \
         (SELECT id FROM outbox WHERE done_at IS NULL AND next_at <= $2 \
          ORDER BY next_at, id LIMIT $3 {lock}) \
         RETURNING id, topic, payload, created_at, attempts, next_at, done_at, last_error"
    ))
    .bind::<TsT, _>(Ts(now.0 + lease))
    .bind::<TsT, _>(now)
    .bind::<BigInt, _>(limit);
    let mut rows: Vec<OutboxRow> = rows.load(&mut **tx)?;
    rows.sort_by_key(|row| (row.created_at, row.id));
    Ok(rows)
}

/// # Errors
/// The write failed.
pub fn mark_done(tx: &mut Tx<'_>, id: Id, at: Ts) -> StoreResult<()> {
    diesel::update(outbox::table.find(id))
        .set((
            outbox::done_at.eq(at),
            outbox::last_error.eq(None::<String>),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The write failed.
pub fn retry_at(tx: &mut Tx<'_>, id: Id, at: Ts, error: &str) -> StoreResult<()> {
    diesel::update(outbox::table.find(id).filter(outbox::done_at.is_null()))
        .set((outbox::next_at.eq(at), outbox::last_error.eq(error)))
        .execute(&mut **tx)?;
    Ok(())
}

/// How many messages wait, and since when the oldest does.
///
/// # Errors
/// The query failed.
pub fn waiting(conn: &mut Conn) -> StoreResult<(i64, Option<Ts>)> {
    let count = outbox::table
        .filter(outbox::done_at.is_null())
        .count()
        .get_result(conn)?;
    let oldest = outbox::table
        .filter(outbox::done_at.is_null())
        .select(outbox::created_at)
        .order(outbox::created_at)
        .first(conn)
        .optional()?;
    Ok((count, oldest))
}

/// # Errors
/// The query failed.
pub fn message(conn: &mut Conn, id: Uuid) -> StoreResult<Option<OutboxRow>> {
    Ok(outbox::table.find(Id(id)).first(conn).optional()?)
}
