//! Many rows by where they stand, in one round trip on PostgreSQL.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Integer};

use crate::domain::behaviour::{ClaimKey, SubjectHash};
use crate::domain::reduction::ReductionId;

use super::super::behaviour::ClaimRow;
use super::super::period::QueuedRow;
use super::super::reduction::{DayCredit, ReductionRow};
use super::super::schema::behaviours;
use super::super::types::IdT;
use super::super::{Id, StoreResult};

/// The rows of `table` whose columns `at` hold one of these places.
pub(in crate::store) fn rows_at<R>(
    c: &mut PgConnection,
    table: &str,
    at: (&str, &str),
    places: &[ReductionId],
) -> StoreResult<Vec<R>>
where
    R: QueryableByName<Pg> + 'static,
{
    let (batch, pos) = at;
    // One index probe a place, whatever the planner's statistics say of the table.
    let text = format!(
        "SELECT t.* FROM unnest($1, $2) AS d (batch_id, pos), LATERAL \
         (SELECT * FROM {table} WHERE {table}.{batch} = d.batch_id AND {table}.{pos} = d.pos OFFSET 0) t"
    );
    let (batches, positions) = columns(places);
    Ok(diesel::sql_query(text)
        .bind::<Array<IdT>, _>(batches)
        .bind::<Array<Integer>, _>(positions)
        .load(c)?)
}

/// Batch, position and digest of the records at these places.
pub(in crate::store) fn digests_at(
    c: &mut PgConnection,
    places: &[ReductionId],
) -> StoreResult<Vec<(Id, i32, Vec<u8>)>> {
    #[derive(QueryableByName)]
    #[diesel(table_name = behaviours)]
    struct Row {
        batch_id: Id,
        pos: i32,
        digest: Vec<u8>,
    }
    let (batches, positions) = columns(places);
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT t.* FROM unnest($1, $2) AS d (batch_id, pos), LATERAL \
         (SELECT b.batch_id, b.pos, b.digest FROM behaviours b \
          WHERE b.batch_id = d.batch_id AND b.pos = d.pos OFFSET 0) t",
    )
    .bind::<Array<IdT>, _>(batches)
    .bind::<Array<Integer>, _>(positions)
    .load(c)?;
    let plain = |row: Row| (row.batch_id, row.pos, row.digest);
    Ok(rows.into_iter().map(plain).collect())
}

fn columns(places: &[ReductionId]) -> (Vec<Id>, Vec<i32>) {
    let column = |place: &ReductionId| {
        let pos = i32::try_from(place.pos).unwrap_or(i32::MAX);
        (Id(place.batch), pos)
    };
    places.iter().map(column).unzip()
}

pub(in crate::store) fn claims_of(
    c: &mut PgConnection,
    keys: &[ClaimKey],
) -> StoreResult<Vec<ClaimRow>> {
    let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_slice()).collect();
    Ok(diesel::sql_query(
        "SELECT t.* FROM unnest($1) AS d (key), LATERAL \
         (SELECT key, batch_id, pos FROM claims WHERE claims.key = d.key OFFSET 0) t",
    )
    .bind::<Array<Binary>, _>(keys)
    .load(c)?)
}

/// No row of these may stand twice.
pub(in crate::store) fn queue_periods(c: &mut PgConnection, rows: &[QueuedRow]) -> StoreResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let column = |pick: fn(&QueuedRow) -> i32| rows.iter().map(pick).collect::<Vec<i32>>();
    let subjects: Vec<&[u8]> = rows.iter().map(|row| row.subject.as_slice()).collect();
    diesel::sql_query(
        "INSERT INTO period_queue (scene_id, subject, day, until_day, due_day) \
         SELECT * FROM unnest($1, $2, $3, $4, $5) ON CONFLICT (scene_id, subject, day) DO UPDATE \
         SET until_day = GREATEST(excluded.until_day, period_queue.until_day)",
    )
    .bind::<Array<Integer>, _>(column(|row| row.scene_id))
    .bind::<Array<Binary>, _>(subjects)
    .bind::<Array<Integer>, _>(column(|row| row.day))
    .bind::<Array<Integer>, _>(column(|row| row.until_day))
    .bind::<Array<Integer>, _>(column(|row| row.due_day))
    .execute(c)?;
    Ok(())
}

/// The class of advisory locks that keep one subject's periods to one worker.
const PERIODS_OF: i32 = 0x7065_7264;

pub(in crate::store) fn hold_subject(
    c: &mut PgConnection,
    scene_id: i32,
    subject: &SubjectHash,
) -> StoreResult<()> {
    let [a, b, c4, d, ..] = *subject;
    // Two subjects may share a lock: they wait for each other for nothing, now and then.
    let which = i32::from_be_bytes([a, b, c4, d]) ^ scene_id;
    diesel::sql_query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind::<Integer, _>(PERIODS_OF)
        .bind::<Integer, _>(which)
        .execute(c)?;
    Ok(())
}

/// The reductions behind some credits.
pub(in crate::store) fn behind_credits(
    c: &mut PgConnection,
    credits: &[DayCredit],
) -> StoreResult<Vec<ReductionRow>> {
    let column = |pick: fn(&DayCredit) -> i32| credits.iter().map(pick).collect::<Vec<i32>>();
    let ids = |pick: fn(&DayCredit) -> Id| credits.iter().map(pick).collect::<Vec<Id>>();
    Ok(diesel::sql_query(
        "SELECT t.* FROM unnest($1, $2, $3, $4) AS d (batch_id, account_id, first_pos, records), \
         LATERAL (SELECT * FROM reductions r WHERE r.batch_id = d.batch_id \
          AND r.pos >= d.first_pos AND r.pos < d.first_pos + d.records \
          AND r.account_id = d.account_id OFFSET 0) t",
    )
    .bind::<Array<IdT>, _>(ids(|credit| Id(credit.batch)))
    .bind::<Array<IdT>, _>(ids(|credit| Id(credit.account)))
    .bind::<Array<Integer>, _>(column(|credit| credit.first_pos))
    .bind::<Array<Integer>, _>(column(|credit| credit.records))
    .load(c)?)
}
