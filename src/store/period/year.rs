//! Years that are judged at their end.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer};

use crate::domain::behaviour::SubjectHash;

use super::super::behaviour::hash;
use super::super::schema::{year_queue, year_verdicts};
use super::super::{Conn, StoreResult, Ts, Tx};

/// What a year's end said.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = year_verdicts, treat_none_as_default_value = false)]
pub struct VerdictRow {
    pub scene_id: i32,
    pub subject: Vec<u8>,
    pub year: i32,
    pub seq: i32,
    pub excluded: i32,
    pub reason: String,
    pub at: Ts,
}

/// Queues years to be judged when they have ended.
///
/// # Errors
/// The write failed.
pub fn queue_year(
    tx: &mut Tx<'_>,
    scene_id: i32,
    subject: &SubjectHash,
    year: i32,
) -> StoreResult<()> {
    diesel::sql_query(
        "INSERT INTO year_queue (scene_id, subject, year) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<Integer, _>(scene_id)
    .bind::<Binary, _>(subject.as_slice())
    .bind::<Integer, _>(year)
    .execute(&mut **tx)?;
    Ok(())
}

/// Subjects of a scene whose years before `year` are still to be judged.
///
/// # Errors
/// The query failed.
pub fn due_years(
    conn: &mut Conn,
    scene_id: i32,
    year: i32,
    limit: i64,
) -> StoreResult<Vec<(SubjectHash, i32)>> {
    let rows: Vec<(Vec<u8>, i32)> = year_queue::table
        .filter(year_queue::scene_id.eq(scene_id))
        .filter(year_queue::year.lt(year))
        .order((year_queue::subject.asc(), year_queue::year.asc()))
        .select((year_queue::subject, year_queue::year))
        .limit(limit)
        .load(conn)?;
    rows.iter()
        .map(|(subject, year)| Ok((hash(subject, "year_queue.subject")?, *year)))
        .collect()
}

/// Takes one year off the queue; false if another worker did.
///
/// # Errors
/// The write failed.
pub fn take_year(
    tx: &mut Tx<'_>,
    scene_id: i32,
    subject: &SubjectHash,
    year: i32,
) -> StoreResult<bool> {
    let taken = diesel::delete(
        year_queue::table
            .filter(year_queue::scene_id.eq(scene_id))
            .filter(year_queue::subject.eq(subject.as_slice()))
            .filter(year_queue::year.eq(year)),
    )
    .execute(&mut **tx)?;
    Ok(taken > 0)
}

/// The latest verdict on a subject's year.
///
/// # Errors
/// The query failed.
pub fn verdict(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    year: i32,
) -> StoreResult<Option<VerdictRow>> {
    Ok(year_verdicts::table
        .filter(year_verdicts::scene_id.eq(scene_id))
        .filter(year_verdicts::subject.eq(subject.as_slice()))
        .filter(year_verdicts::year.eq(year))
        .order(year_verdicts::seq.desc())
        .first(conn)
        .optional()?)
}

/// Writes a verdict.
///
/// # Errors
/// The write failed.
pub fn append_verdict(tx: &mut Tx<'_>, row: &VerdictRow) -> StoreResult<()> {
    diesel::insert_into(year_verdicts::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}
