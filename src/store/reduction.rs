//! Reductions, and what one account did on the days around them.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;

use super::behaviour::{behaviours_at, place};
use super::bulk;
use super::bulk::places::rows_at;
use super::correction::corrections_against;
use super::schema::{log_batches, log_queue, reductions};
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

/// One reduction, as written and as stored.
#[derive(Debug, Clone, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = reductions, treat_none_as_default_value = false)]
pub struct ReductionRow {
    pub batch_id: Id,
    pub pos: i32,
    pub account_id: Id,
    pub scene_id: i32,
    pub methodology_id: i32,
    pub day: i32,
    pub mg: i64,
    pub points: i64,
    pub exchange_rule_id: i32,
    pub origin_batch: Option<Id>,
    pub origin_pos: Option<i32>,
}

impl ReductionRow {
    pub fn id(&self) -> ReductionId {
        ReductionId {
            batch: self.batch_id.0,
            pos: u32::try_from(self.pos).unwrap_or(0),
        }
    }

    /// The behaviour it was computed from.
    pub fn behaviour(&self) -> ReductionId {
        match (self.origin_batch, self.origin_pos) {
            (Some(batch), Some(pos)) => ReductionId {
                batch: batch.0,
                pos: u32::try_from(pos).unwrap_or(0),
            },
            _ => self.id(),
        }
    }
}

/// One account and the days around its records of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    pub account: Uuid,
    pub from: Day,
    pub to: Day,
}

/// What an account was credited for one day by one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCredit {
    pub account: Uuid,
    pub day: Day,
    pub batch: Uuid,
    pub points: i64,
    pub first_pos: i32,
    pub records: i32,
    /// From the first act's start to the last act's end.
    pub span: Option<(chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>)>,
}

#[derive(Debug, Clone, Queryable, QueryableByName)]
pub(super) struct DayCreditRow {
    #[diesel(sql_type = super::IdT)]
    pub account_id: Id,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pub day: i32,
    #[diesel(sql_type = super::IdT)]
    pub transfer_id: Id,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub available: i64,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pub first_pos: i32,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pub records: i32,
    #[diesel(sql_type = diesel::sql_types::Nullable<super::TsT>)]
    pub from_at: Option<Ts>,
    #[diesel(sql_type = diesel::sql_types::Nullable<super::TsT>)]
    pub to_at: Option<Ts>,
}

/// A stretch of time that one of an account's reductions covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    pub account: Uuid,
    pub reduction: ReductionId,
    /// Neither a counter-entry nor taken back by one.
    pub stands: bool,
    pub methodology_id: i32,
    pub from: chrono::DateTime<chrono::Utc>,
    pub to: chrono::DateTime<chrono::Utc>,
}

/// Writes the reductions of a batch.
///
/// # Errors
/// The write failed.
pub fn append_reductions(tx: &mut Tx<'_>, rows: Vec<ReductionRow>) -> StoreResult<()> {
    match &mut **tx {
        Conn::Pg(c) => bulk::postgres::append_reductions(c, rows),
        Conn::Sqlite(c) => bulk::sqlite::append_reductions(c, &rows),
    }
}

/// Writes a batch's leaf hashes, 32 bytes each in the order of the reductions, and queues it for
/// its place in the public log.
///
/// # Errors
/// The write failed.
pub fn append_leaves(tx: &mut Tx<'_>, batch: Uuid, leaves: &[u8], count: i32) -> StoreResult<()> {
    let row = (
        log_batches::batch_id.eq(Id(batch)),
        log_batches::leaves.eq(leaves),
        log_batches::leaf_count.eq(count),
    );
    diesel::insert_into(log_batches::table)
        .values(row)
        .execute(&mut **tx)?;
    diesel::insert_into(log_queue::table)
        .values(log_queue::batch_id.eq(Id(batch)))
        .execute(&mut **tx)?;
    Ok(())
}

/// What these accounts were credited for days in these ranges: the ground for the daily cap and
/// for the search for overlapping acts.
///
/// # Errors
/// The query failed.
pub fn day_credits(conn: &mut Conn, ranges: &[DayRange]) -> StoreResult<Vec<DayCredit>> {
    let rows = match conn {
        Conn::Pg(c) => bulk::postgres::day_credits(c, ranges)?,
        Conn::Sqlite(c) => bulk::sqlite::day_credits(c, ranges)?,
    };
    Ok(rows
        .into_iter()
        .map(|row| DayCredit {
            account: row.account_id.0,
            day: row.day,
            batch: row.transfer_id.0,
            points: row.available,
            first_pos: row.first_pos,
            records: row.records,
            span: row.from_at.zip(row.to_at).map(|(from, to)| (from.0, to.0)),
        })
        .collect())
}

/// The stretches of time behind some credits.
///
/// # Errors
/// The query failed.
pub fn stretches(conn: &mut Conn, credits: &[DayCredit]) -> StoreResult<Vec<Stretch>> {
    let rows = behind(conn, credits)?;
    let mut origins: Vec<ReductionId> = rows.iter().map(ReductionRow::behaviour).collect();
    origins.sort_unstable_by_key(|id| (id.batch, id.pos));
    origins.dedup();
    let acts = behaviours_at(conn, &origins)?;
    let ids: Vec<ReductionId> = rows.iter().map(ReductionRow::id).collect();
    let taken_back = corrections_against(conn, &ids)?;
    rows.iter()
        .map(|row| {
            let act = acts.get(&row.behaviour()).ok_or(StoreError::NotFound)?;
            Ok(Stretch {
                account: row.account_id.0,
                reduction: row.id(),
                stands: row.mg >= 0 && !taken_back.contains_key(&row.id()),
                methodology_id: row.methodology_id,
                from: act.from_at.0,
                to: act.to_at.0,
            })
        })
        .collect()
}

/// The reductions behind some credits.
fn behind(conn: &mut Conn, credits: &[DayCredit]) -> StoreResult<Vec<ReductionRow>> {
    if let Conn::Pg(c) = conn {
        return bulk::places::behind_credits(c, credits);
    }
    let mut rows = Vec::new();
    for credit in credits {
        let last = credit.first_pos.saturating_add(credit.records);
        let of_batch = reductions::table.filter(reductions::batch_id.eq(Id(credit.batch)));
        let within = reductions::pos
            .ge(credit.first_pos)
            .and(reductions::pos.lt(last));
        let mine = of_batch
            .filter(within)
            .filter(reductions::account_id.eq(Id(credit.account)));
        rows.extend(mine.load::<ReductionRow>(conn)?);
    }
    Ok(rows)
}

/// One reduction.
///
/// # Errors
/// There is none, or the query failed.
pub fn reduction(conn: &mut Conn, id: ReductionId) -> StoreResult<ReductionRow> {
    Ok(reductions::table
        .find((Id(id.batch), place(id)?))
        .first(conn)?)
}

/// The first reduction that was computed from this behaviour, if any: its own row, or that of a
/// later release.
///
/// # Errors
/// The query failed.
pub fn reduction_at(conn: &mut Conn, batch: Uuid, pos: i32) -> StoreResult<Option<ReductionRow>> {
    Ok(reductions::table
        .find((Id(batch), pos))
        .first(conn)
        .optional()?)
}

/// The reductions at these places, where there are any.
///
/// # Errors
/// The query failed.
pub fn reductions_at(
    conn: &mut Conn,
    places: &[ReductionId],
) -> StoreResult<HashMap<ReductionId, ReductionRow>> {
    let rows: Vec<ReductionRow> = match conn {
        Conn::Pg(c) => rows_at(c, "reductions", ("batch_id", "pos"), places)?,
        sqlite => {
            let mut rows = Vec::new();
            for id in places {
                rows.extend(reduction_at(sqlite, id.batch, place(*id)?)?);
            }
            rows
        }
    };
    Ok(rows.into_iter().map(|row| (row.id(), row)).collect())
}

/// An account's reductions behind one credit, in order, after `pos`.
///
/// # Errors
/// The query failed.
pub fn of_credit(
    conn: &mut Conn,
    account: Uuid,
    batch: Uuid,
    first_pos: i32,
    limit: i64,
) -> StoreResult<Vec<ReductionRow>> {
    Ok(reductions::table
        .filter(reductions::batch_id.eq(Id(batch)))
        .filter(reductions::pos.ge(first_pos))
        .filter(reductions::account_id.eq(Id(account)))
        .order(reductions::pos.asc())
        .limit(limit)
        .load(conn)?)
}

/// All reductions of a batch, in order.
///
/// # Errors
/// The query failed.
pub fn of_batch(conn: &mut Conn, batch: Uuid) -> StoreResult<Vec<ReductionRow>> {
    Ok(reductions::table
        .filter(reductions::batch_id.eq(Id(batch)))
        .order(reductions::pos.asc())
        .load(conn)?)
}
