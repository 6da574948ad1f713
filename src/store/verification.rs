//! Monitoring periods, their members, and what verifiers said.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable};
use uuid::Uuid;

use crate::domain::verification::PeriodState;

use super::schema::{
    log_batches, methodologies, monitoring_periods, period_findings, period_members,
    period_methodologies, reductions, scenes, verification_statements,
};
use super::{Conn, Id, IdT, StoreError, StoreResult, Ts, Tx};

/// A monitoring period as it is stored; amounts as the columns of the table say.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = monitoring_periods, treat_none_as_null = true, primary_key(id))]
pub struct PeriodRow {
    pub id: Id,
    pub scene_id: i32,
    pub no: i32,
    pub from_day: i32,
    pub to_day: i32,
    pub holder_id: Id,
    pub state: String,
    pub version: i32,
    pub carried_in_mg: Option<i64>,
    pub sum_mg: Option<i64>,
    pub members: Option<i64>,
    pub whole_t: Option<i64>,
    pub root: Option<Vec<u8>>,
    pub accepted_t: Option<i64>,
    pub carried_out_mg: Option<i64>,
    pub opened_by: Id,
    pub opened_at: Ts,
    pub closed_by: Option<Id>,
    pub closed_at: Option<Ts>,
    pub verified_by: Option<Id>,
    pub verified_at: Option<Ts>,
    pub issued_by: Option<Id>,
    pub issued_at: Option<Ts>,
}

impl PeriodRow {
    /// # Errors
    /// The column holds another word.
    pub fn state(&self) -> StoreResult<PeriodState> {
        PeriodState::parse(&self.state)
            .ok_or_else(|| StoreError::Corrupt(format!("monitoring_periods.state {}", self.state)))
    }
}

/// What a period needs to know about its scene.
#[derive(Debug, Clone, Queryable)]
pub struct SceneFacts {
    pub id: i32,
    pub code: String,
    pub methodology_code: String,
    /// IANA name.
    pub zone: String,
}

/// # Errors
/// The query failed.
pub fn scene(conn: &mut Conn, id: i32) -> StoreResult<Option<SceneFacts>> {
    Ok(scenes::table
        .find(id)
        .select((
            scenes::id,
            scenes::code,
            scenes::methodology_code,
            scenes::zone,
        ))
        .first(conn)
        .optional()?)
}

/// # Errors
/// The query failed.
pub fn scene_id(conn: &mut Conn, code: &str) -> StoreResult<Option<i32>> {
    Ok(scenes::table
        .filter(scenes::code.eq(code))
        .select(scenes::id)
        .first(conn)
        .optional()?)
}

/// # Errors
/// The query failed.
pub fn period(conn: &mut Conn, id: Uuid) -> StoreResult<Option<PeriodRow>> {
    Ok(monitoring_periods::table
        .find(Id(id))
        .first(conn)
        .optional()?)
}

/// The scene's period with the highest number below `before`; all of them with `i32::MAX`.
///
/// # Errors
/// The query failed.
pub fn last_period(conn: &mut Conn, scene: i32, before: i32) -> StoreResult<Option<PeriodRow>> {
    Ok(monitoring_periods::table
        .filter(monitoring_periods::scene_id.eq(scene))
        .filter(monitoring_periods::no.lt(before))
        .order(monitoring_periods::no.desc())
        .first(conn)
        .optional()?)
}

/// Periods after `after` in the order they were opened, of one scene or of all, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn periods(
    conn: &mut Conn,
    scene: Option<i32>,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<PeriodRow>> {
    let mut query = monitoring_periods::table.into_boxed();
    if let Some(scene) = scene {
        query = query.filter(monitoring_periods::scene_id.eq(scene));
    }
    if let Some(after) = after {
        query = query.filter(monitoring_periods::id.gt(Id(after)));
    }
    Ok(query
        .order(monitoring_periods::id.asc())
        .limit(limit)
        .load(conn)?)
}

/// # Errors
/// The window overlaps another one, the number is taken, or the write failed.
pub fn insert_period(tx: &mut Tx<'_>, row: &PeriodRow) -> StoreResult<()> {
    diesel::insert_into(monitoring_periods::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Writes the period if nobody changed it since `seen`; `false` if somebody did.
///
/// # Errors
/// A rule of the table refused, or the write failed.
pub fn update_period(tx: &mut Tx<'_>, seen: &PeriodRow, row: &PeriodRow) -> StoreResult<bool> {
    let next = PeriodRow {
        version: seen.version + 1,
        ..row.clone()
    };
    let changed = diesel::update(
        monitoring_periods::table
            .filter(monitoring_periods::id.eq(seen.id))
            .filter(monitoring_periods::version.eq(seen.version))
            .filter(monitoring_periods::state.eq(&seen.state)),
    )
    .set(&next)
    .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// Puts every reduction of the scene up to `to_day` that is in no period into this one; returns how
/// many. A reduction that commits later, whatever its day, falls to the next period.
///
/// # Errors
/// Another period took one of them at the same time, or the write failed.
pub fn claim_members(tx: &mut Tx<'_>, period: Uuid, scene: i32, to_day: i32) -> StoreResult<usize> {
    Ok(diesel::sql_query(
        "INSERT INTO period_members (batch_id, pos, period_id) \
         SELECT r.batch_id, r.pos, $1 FROM reductions r \
         WHERE r.scene_id = $2 AND r.day <= $3 AND NOT EXISTS \
         (SELECT 1 FROM period_members m WHERE m.batch_id = r.batch_id AND m.pos = r.pos)",
    )
    .bind::<IdT, _>(Id(period))
    .bind::<Integer, _>(scene)
    .bind::<Integer, _>(to_day)
    .execute(&mut **tx)?)
}

/// Count and sum, as a query answers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct MemberSum {
    #[diesel(sql_type = BigInt)]
    pub members: i64,
    #[diesel(sql_type = BigInt)]
    pub sum_mg: i64,
}

/// Adds up a period's members, from the reductions themselves.
///
/// # Errors
/// The sum leaves `i64`, or the query failed.
pub fn sum_members(conn: &mut Conn, period: Uuid) -> StoreResult<MemberSum> {
    Ok(diesel::sql_query(
        "SELECT COUNT(*) AS members, CAST(COALESCE(SUM(r.mg), 0) AS bigint) AS sum_mg \
         FROM period_members m JOIN reductions r ON r.batch_id = m.batch_id AND r.pos = m.pos \
         WHERE m.period_id = $1",
    )
    .bind::<IdT, _>(Id(period))
    .get_result(conn)?)
}

/// Records which methodology versions the members were computed with.
///
/// # Errors
/// The write failed.
pub fn insert_period_methodologies(tx: &mut Tx<'_>, period: Uuid) -> StoreResult<usize> {
    Ok(diesel::sql_query(
        "INSERT INTO period_methodologies (period_id, methodology_id, members, sum_mg) \
         SELECT m.period_id, r.methodology_id, COUNT(*), CAST(SUM(r.mg) AS bigint) \
         FROM period_members m JOIN reductions r ON r.batch_id = m.batch_id AND r.pos = m.pos \
         WHERE m.period_id = $1 GROUP BY m.period_id, r.methodology_id",
    )
    .bind::<IdT, _>(Id(period))
    .execute(&mut **tx)?)
}

/// A methodology version's share of a period.
#[derive(Debug, Clone, Queryable)]
pub struct MethodologyShare {
    pub code: String,
    pub version: String,
    pub members: i64,
    pub sum_mg: i64,
}

/// # Errors
/// The query failed.
pub fn period_methodologies(conn: &mut Conn, period: Uuid) -> StoreResult<Vec<MethodologyShare>> {
    Ok(period_methodologies::table
        .inner_join(
            methodologies::table.on(methodologies::id.eq(period_methodologies::methodology_id)),
        )
        .filter(period_methodologies::period_id.eq(Id(period)))
        .order((methodologies::code, methodologies::version))
        .select((
            methodologies::code,
            methodologies::version,
            period_methodologies::members,
            period_methodologies::sum_mg,
        ))
        .load(conn)?)
}

/// Batches that a period has members of, after `after`, at most `limit`, with their leaf counts.
///
/// # Errors
/// The query failed.
pub fn member_batches(
    conn: &mut Conn,
    period: Uuid,
    after: Option<Id>,
    limit: i64,
) -> StoreResult<Vec<(Id, Option<i32>)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = IdT)]
        batch_id: Id,
        #[diesel(sql_type = Nullable<Integer>)]
        leaf_count: Option<i32>,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT m.batch_id, l.leaf_count FROM \
         (SELECT DISTINCT batch_id FROM period_members WHERE period_id = $1 AND batch_id > $2 \
          ORDER BY batch_id LIMIT $3) m \
         LEFT JOIN log_batches l ON l.batch_id = m.batch_id ORDER BY m.batch_id",
    )
    .bind::<IdT, _>(Id(period))
    .bind::<IdT, _>(after.unwrap_or(Id(Uuid::nil())))
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|r| (r.batch_id, r.leaf_count))
        .collect())
}

/// The leaf hashes of some batches, 32 bytes a leaf, in order of the batch.
///
/// # Errors
/// The query failed.
pub fn leaves_of(conn: &mut Conn, batches: &[Id]) -> StoreResult<Vec<(Id, Vec<u8>)>> {
    Ok(log_batches::table
        .filter(log_batches::batch_id.eq_any(batches))
        .order(log_batches::batch_id)
        .select((log_batches::batch_id, log_batches::leaves))
        .load(conn)?)
}

/// Every reduction of some batches, in order, with the period it is in.
///
/// # Errors
/// The query failed.
pub fn membership_of(conn: &mut Conn, batches: &[Id]) -> StoreResult<Vec<(Id, i32, Option<Id>)>> {
    Ok(reductions::table
        .left_join(
            period_members::table.on(period_members::batch_id
                .eq(reductions::batch_id)
                .and(period_members::pos.eq(reductions::pos))),
        )
        .filter(reductions::batch_id.eq_any(batches))
        .order((reductions::batch_id, reductions::pos))
        .select((
            reductions::batch_id,
            reductions::pos,
            period_members::period_id.nullable(),
        ))
        .load(conn)?)
}

/// One round of questions and answers.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = period_findings)]
pub struct FindingRow {
    pub period_id: Id,
    pub round: i32,
    pub finding: String,
    pub raised_by: Id,
    pub raised_at: Ts,
    pub answer: Option<String>,
    pub answered_by: Option<Id>,
    pub answered_at: Option<Ts>,
}

/// # Errors
/// The query failed.
pub fn findings(conn: &mut Conn, period: Uuid) -> StoreResult<Vec<FindingRow>> {
    Ok(period_findings::table
        .filter(period_findings::period_id.eq(Id(period)))
        .order(period_findings::round)
        .load(conn)?)
}

/// # Errors
/// The round is taken, or the write failed.
pub fn insert_finding(tx: &mut Tx<'_>, row: &FindingRow) -> StoreResult<()> {
    diesel::insert_into(period_findings::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The answer is the verifier's own, or the write failed.
pub fn answer_finding(
    tx: &mut Tx<'_>,
    period: Uuid,
    answer: &str,
    by: Uuid,
    at: Ts,
) -> StoreResult<usize> {
    Ok(diesel::update(
        period_findings::table
            .filter(period_findings::period_id.eq(Id(period)))
            .filter(period_findings::answer.is_null()),
    )
    .set((
        period_findings::answer.eq(answer),
        period_findings::answered_by.eq(Id(by)),
        period_findings::answered_at.eq(at),
    ))
    .execute(&mut **tx)?)
}

/// What a verifier put their name to.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = verification_statements)]
pub struct StatementRow {
    pub period_id: Id,
    pub verifier_id: Id,
    pub recounted_mg: i64,
    pub accepted_t: i64,
    pub statement: String,
    pub statement_hash: Vec<u8>,
    pub stated_at: Ts,
}

/// # Errors
/// There is a statement already, or the write failed.
pub fn insert_statement(tx: &mut Tx<'_>, row: &StatementRow) -> StoreResult<()> {
    diesel::insert_into(verification_statements::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed.
pub fn statement(conn: &mut Conn, period: Uuid) -> StoreResult<Option<StatementRow>> {
    Ok(verification_statements::table
        .find(Id(period))
        .first(conn)
        .optional()?)
}
