//! Readings that wait for their period, periods to be computed, and what they came to.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer};
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;

use super::behaviour::{BehaviourRow, hash};
use super::bulk;
use super::schema::{
    behaviours, period_credits, period_queue, period_results, readings, revisions, year_queue,
    year_verdicts,
};
use super::{Conn, Id, StoreResult, Ts, Tx};

/// Where one record stands among a subject's.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = readings, treat_none_as_default_value = false)]
pub struct ReadingRow {
    pub scene_id: i32,
    pub subject: Vec<u8>,
    /// 1 for what other periods read as of a day.
    pub statement: i32,
    pub day: i32,
    pub out_day: i32,
    pub batch_id: Id,
    pub pos: i32,
}

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

/// Writes where the records of a batch stand.
///
/// # Errors
/// The write failed.
pub fn append_readings(tx: &mut Tx<'_>, rows: &[ReadingRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(readings::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// Queues periods; one that waits already reaches as far as the farther of both.
///
/// # Errors
/// The write failed.
pub fn queue_periods(tx: &mut Tx<'_>, rows: &[QueuedRow]) -> StoreResult<()> {
    for row in rows {
        diesel::sql_query(
            "INSERT INTO period_queue (scene_id, subject, day, until_day, due_day) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scene_id, subject, day) DO UPDATE SET until_day = \
             CASE WHEN excluded.until_day > period_queue.until_day THEN excluded.until_day \
             ELSE period_queue.until_day END",
        )
        .bind::<Integer, _>(row.scene_id)
        .bind::<Binary, _>(&row.subject)
        .bind::<Integer, _>(row.day)
        .bind::<Integer, _>(row.until_day)
        .bind::<Integer, _>(row.due_day)
        .execute(&mut **tx)?;
    }
    Ok(())
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

/// A subject's records that touch the days from `from` to before `out`, without those that were
/// replaced or cancelled, in order.
///
/// # Errors
/// The query failed.
pub fn readings_between(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    from: Day,
    out: Day,
) -> StoreResult<Vec<BehaviourRow>> {
    standing(conn, scene_id, subject, 0, from, out)
}

/// Everything a subject stated before the day `out`, in order.
///
/// # Errors
/// The query failed.
pub fn statements_before(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    out: Day,
) -> StoreResult<Vec<BehaviourRow>> {
    standing(conn, scene_id, subject, 1, Day::MIN, out)
}

fn standing(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    statement: i32,
    from: Day,
    out: Day,
) -> StoreResult<Vec<BehaviourRow>> {
    let revised = revisions::table
        .filter(revisions::revised_batch.eq(readings::batch_id))
        .filter(revisions::revised_pos.eq(readings::pos));
    Ok(readings::table
        .inner_join(
            behaviours::table.on(behaviours::batch_id
                .eq(readings::batch_id)
                .and(behaviours::pos.eq(readings::pos))),
        )
        .filter(readings::scene_id.eq(scene_id))
        .filter(readings::subject.eq(subject.as_slice()))
        .filter(readings::statement.eq(statement))
        // A record is rarely longer than a bill; its first day bounds the search.
        .filter(readings::day.ge(from.saturating_sub(LONGEST_DAYS)))
        .filter(readings::day.lt(out))
        .filter(readings::out_day.gt(from))
        .filter(diesel::dsl::not(diesel::dsl::exists(revised)))
        .order((
            behaviours::from_at.asc(),
            behaviours::batch_id.asc(),
            behaviours::pos.asc(),
        ))
        .select(behaviours::all_columns)
        .load(conn)?)
}

/// Whether this record is a reading of this subject.
///
/// # Errors
/// The query failed.
pub fn reading_of(
    conn: &mut Conn,
    scene_id: i32,
    subject: &SubjectHash,
    day: Day,
    batch: Uuid,
    pos: i32,
) -> StoreResult<bool> {
    let known = readings::table
        .filter(readings::scene_id.eq(scene_id))
        .filter(readings::subject.eq(subject.as_slice()))
        .filter(readings::day.eq(day))
        .filter(readings::batch_id.eq(Id(batch)))
        .filter(readings::pos.eq(pos));
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(conn)?)
}

/// The most days that one record can cover.
pub const LONGEST_DAYS: Day = 400;

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
/// It was computed by somebody else meanwhile, or the write failed.
pub fn append_result(tx: &mut Tx<'_>, row: &ResultRow) -> StoreResult<()> {
    diesel::insert_into(period_results::table)
        .values(row)
        .execute(&mut **tx)?;
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

/// Everything a subject has recorded in any scene, for when its link is made: scene, first day,
/// first day that is out.
///
/// # Errors
/// The query failed.
pub fn recorded_days(conn: &mut Conn, subject: &SubjectHash) -> StoreResult<Vec<(i32, Day, Day)>> {
    Ok(readings::table
        .filter(readings::subject.eq(subject.as_slice()))
        .filter(readings::statement.eq(0))
        .select((readings::scene_id, readings::day, readings::out_day))
        .distinct()
        .order((readings::scene_id.asc(), readings::day.asc()))
        .load(conn)?)
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
