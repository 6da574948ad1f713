//! Periods to be computed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer};

use crate::domain::behaviour::SubjectHash;
use crate::domain::wallet::Day;

use super::super::behaviour::hash;
use super::super::bulk;
use super::super::schema::period_queue;
use super::super::{Conn, StoreResult, Tx};

/// A period to be computed, and how far its change can reach.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = period_queue, treat_none_as_default_value = false)]
pub struct QueuedRow {
    #[diesel(sql_type = Integer)]
    pub scene_id: i32,
    #[diesel(sql_type = Binary)]
    pub subject: Vec<u8>,
    #[diesel(sql_type = Integer)]
    pub day: i32,
    #[diesel(sql_type = Integer)]
    pub until_day: i32,
    #[diesel(sql_type = Integer)]
    pub due_day: i32,
}

/// Queues periods; one that waits already reaches as far as the farther of both. In one order for
/// all, so that two batches wait for each other instead of deadlocking.
///
/// # Errors
/// The write failed.
pub fn queue_periods(tx: &mut Tx<'_>, mut rows: Vec<QueuedRow>) -> StoreResult<()> {
    rows.sort_unstable_by(|a, b| {
        let key = |row: &QueuedRow| (row.scene_id, row.day, row.due_day);
        (&a.subject, key(a)).cmp(&(&b.subject, key(b)))
    });
    rows.dedup_by(|later, first| {
        let same = |a: &QueuedRow, b: &QueuedRow| {
            (a.scene_id, a.day, &a.subject) == (b.scene_id, b.day, &b.subject)
        };
        let twice = same(later, first);
        if twice {
            first.until_day = first.until_day.max(later.until_day);
        }
        twice
    });
    match &mut **tx {
        Conn::Pg(c) => bulk::places::queue_periods(c, &rows),
        sqlite => {
            for row in &rows {
                diesel::sql_query(
                    "INSERT INTO period_queue (scene_id, subject, day, until_day, due_day) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scene_id, subject, day) DO UPDATE \
                     SET until_day = max(excluded.until_day, period_queue.until_day)",
                )
                .bind::<Integer, _>(row.scene_id)
                .bind::<Binary, _>(&row.subject)
                .bind::<Integer, _>(row.day)
                .bind::<Integer, _>(row.until_day)
                .bind::<Integer, _>(row.due_day)
                .execute(sqlite)?;
            }
            Ok(())
        }
    }
}

/// Keeps every other worker from computing or judging this subject's periods of the scene until
/// the transaction ends. Two that computed at once would each overlook what the other had not
/// written yet. SQLite has one writer anyway.
///
/// # Errors
/// The statement failed.
pub fn hold_subject(tx: &mut Tx<'_>, scene_id: i32, subject: &SubjectHash) -> StoreResult<()> {
    match &mut **tx {
        Conn::Pg(c) => bulk::places::hold_subject(c, scene_id, subject),
        Conn::Sqlite(_) => Ok(()),
    }
}

/// The next subjects of a scene with periods that are due, in order, after `after`.
///
/// # Errors
/// The query failed.
pub fn due_subjects(
    conn: &mut Conn,
    scene_id: i32,
    today: Day,
    after: &[u8],
    limit: i64,
) -> StoreResult<Vec<SubjectHash>> {
    let due: Vec<Vec<u8>> = period_queue::table
        .filter(period_queue::scene_id.eq(scene_id))
        .filter(period_queue::due_day.le(today))
        .filter(period_queue::subject.gt(after))
        .select(period_queue::subject)
        .distinct()
        .order(period_queue::subject.asc())
        .limit(limit)
        .load(conn)?;
    due.iter()
        .map(|subject| hash(subject, "period_queue.subject"))
        .collect()
}

/// Takes one subject's due periods off the queue; another worker that asks gets none of them.
///
/// # Errors
/// The write failed.
pub fn take_due(
    tx: &mut Tx<'_>,
    scene_id: i32,
    subject: &SubjectHash,
    today: Day,
) -> StoreResult<Vec<QueuedRow>> {
    let mut rows: Vec<QueuedRow> = diesel::sql_query(
        "DELETE FROM period_queue WHERE scene_id = $1 AND subject = $2 AND due_day <= $3 \
         RETURNING scene_id, subject, day, until_day, due_day",
    )
    .bind::<Integer, _>(scene_id)
    .bind::<Binary, _>(subject.as_slice())
    .bind::<Integer, _>(today)
    .load(&mut **tx)?;
    rows.sort_by_key(|row| row.day);
    Ok(rows)
}

/// How many periods wait, and how many of them are due: for the metrics.
///
/// # Errors
/// The query failed.
pub fn waiting(conn: &mut Conn, today: Day) -> StoreResult<(i64, i64)> {
    #[derive(QueryableByName)]
    struct Counts {
        #[diesel(sql_type = BigInt)]
        waiting: i64,
        #[diesel(sql_type = BigInt)]
        due: i64,
    }
    let counts: Counts = diesel::sql_query(
        "SELECT COUNT(*) AS waiting, COALESCE(SUM(CASE WHEN due_day <= $1 THEN 1 ELSE 0 END), 0) AS due \
         FROM period_queue",
    )
    .bind::<Integer, _>(today)
    .get_result(conn)?;
    Ok((counts.waiting, counts.due))
}
