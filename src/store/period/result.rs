//! What periods came to.

use diesel::prelude::*;

use crate::domain::behaviour::SubjectHash;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;

use super::super::bulk;
use super::super::schema::{period_credits, period_results};
use super::super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

/// What a period came to, one of the times it was computed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = period_results, treat_none_as_default_value = false)]
pub struct ResultRow {
    pub scene_id: i32,
    pub subject: Vec<u8>,
    pub day: i32,
    pub seq: i32,
    pub out_day: i32,
    pub methodology_id: i32,
    pub batch_id: Option<Id>,
    pub pos: Option<i32>,
    pub mg: i64,
    pub refusal: Option<String>,
    pub digest: Vec<u8>,
    pub at: Ts,
}

/// A reduction of one result.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = period_credits, treat_none_as_default_value = false)]
pub struct PeriodCreditRow {
    pub scene_id: i32,
    pub subject: Vec<u8>,
    pub day: i32,
    pub seq: i32,
    pub batch_id: Id,
    pub pos: i32,
}

/// The latest result of each of a subject's periods that begin from `from` to `to`, in order.
///
/// # Errors
/// The query failed.
pub fn latest_results(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    from: Day,
    to: Day,
) -> StoreResult<Vec<ResultRow>> {
    let mut rows: Vec<ResultRow> = period_results::table
        .filter(period_results::scene_id.eq(scene_id))
        .filter(period_results::subject.eq(subject.as_slice()))
        .filter(period_results::day.ge(from).and(period_results::day.le(to)))
        .order((period_results::day.asc(), period_results::seq.desc()))
        .load(conn)?;
    rows.dedup_by_key(|row| row.day);
    Ok(rows)
}

/// Everything one period came to, in order.
///
/// # Errors
/// The query failed.
pub fn results_of(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    day: Day,
) -> StoreResult<Vec<ResultRow>> {
    Ok(period_results::table
        .filter(period_results::scene_id.eq(scene_id))
        .filter(period_results::subject.eq(subject.as_slice()))
        .filter(period_results::day.eq(day))
        .order(period_results::seq.asc())
        .load(conn)?)
}

/// Writes what a period came to.
///
/// # Errors
/// [`StoreError::Busy`] if somebody else computed it meanwhile, or the write failed.
pub fn append_result(tx: &mut Tx<'_>, row: &ResultRow) -> StoreResult<()> {
    diesel::insert_into(period_results::table)
        .values(row)
        .execute(&mut **tx)
        .map_err(|error| match StoreError::from(error) {
            StoreError::Constraint(_) => StoreError::Busy,
            other => other,
        })?;
    Ok(())
}

/// Writes which reductions a result has.
///
/// # Errors
/// The write failed.
pub fn append_period_credits(tx: &mut Tx<'_>, rows: &[PeriodCreditRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(period_credits::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// The reductions of one result.
///
/// # Errors
/// The query failed.
pub fn credits_of(conn: &mut Conn, result: &ResultRow) -> StoreResult<Vec<ReductionId>> {
    let rows: Vec<(Id, i32)> = period_credits::table
        .filter(period_credits::scene_id.eq(result.scene_id))
        .filter(period_credits::subject.eq(&result.subject))
        .filter(period_credits::day.eq(result.day))
        .filter(period_credits::seq.eq(result.seq))
        .select((period_credits::batch_id, period_credits::pos))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(batch, pos)| ReductionId {
            batch: batch.0,
            pos: u32::try_from(pos).unwrap_or(0),
        })
        .collect())
}
