//! Corrections: which counter-entry takes back which reduction, and what accounts owe because they
//! had spent it.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use crate::domain::reduction::ReductionId;

use super::behaviour::{place, place_of};
use super::bulk;
use super::bulk::places::rows_at;
use super::schema::{cap_cuts, corrections, point_recoveries, points_owed};
use super::{Conn, Id, StoreResult, Tx};

/// A counter-entry, and the rows it names.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = corrections, treat_none_as_default_value = false)]
pub struct CorrectionRow {
    pub batch_id: Id,
    pub pos: i32,
    pub reversed_batch: Id,
    pub reversed_pos: i32,
    pub replaced_batch: Option<Id>,
    pub replaced_pos: Option<i32>,
    pub owed: i64,
    pub reason: String,
}

impl CorrectionRow {
    /// What it takes back.
    pub fn reversed(&self) -> ReductionId {
        ReductionId {
            batch: self.reversed_batch.0,
            pos: u32::try_from(self.reversed_pos).unwrap_or(0),
        }
    }

    /// The counter-entry itself.
    pub fn counter(&self) -> ReductionId {
        ReductionId {
            batch: self.batch_id.0,
            pos: u32::try_from(self.pos).unwrap_or(0),
        }
    }

    /// What stands in its place, if anything does.
    pub fn replaced(&self) -> Option<ReductionId> {
        let (batch, pos) = self.replaced_batch.zip(self.replaced_pos)?;
        Some(ReductionId {
            batch: batch.0,
            pos: u32::try_from(pos).unwrap_or(0),
        })
    }
}

/// Grams that a cap cut from one reduction's points.
#[derive(Debug, Clone, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = cap_cuts, treat_none_as_default_value = false)]
pub struct CutRow {
    pub batch_id: Id,
    pub pos: i32,
    pub mg: i64,
}

/// Writes counter-entries' ties.
///
/// # Errors
/// A reduction is taken back twice, or the write failed.
pub fn append_corrections(tx: &mut Tx<'_>, rows: &[CorrectionRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(corrections::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// What a counter-entry takes back.
///
/// # Errors
/// The query failed.
pub fn correction(conn: &mut Conn, counter: ReductionId) -> StoreResult<Option<CorrectionRow>> {
    Ok(corrections::table
        .find((Id(counter.batch), place(counter)?))
        .first(conn)
        .optional()?)
}

/// The counter-entry that takes a reduction back, if there is one.
///
/// # Errors
/// The query failed.
pub fn correction_against(
    conn: &mut Conn,
    reversed: ReductionId,
) -> StoreResult<Option<CorrectionRow>> {
    Ok(corrections::table
        .filter(corrections::reversed_batch.eq(Id(reversed.batch)))
        .filter(corrections::reversed_pos.eq(place(reversed)?))
        .first(conn)
        .optional()?)
}

/// [`correction_against`] for many reductions, by the reduction.
///
/// # Errors
/// The query failed.
pub fn corrections_against(
    conn: &mut Conn,
    reversed: &[ReductionId],
) -> StoreResult<HashMap<ReductionId, CorrectionRow>> {
    let rows: Vec<CorrectionRow> = match conn {
        Conn::Pg(c) => rows_at(
            c,
            "corrections",
            ("reversed_batch", "reversed_pos"),
            reversed,
        )?,
        sqlite => {
            let mut rows = Vec::new();
            for reduction in reversed {
                rows.extend(correction_against(sqlite, *reduction)?);
            }
            rows
        }
    };
    Ok(rows.into_iter().map(|row| (row.reversed(), row)).collect())
}

/// Writes what a cap cut.
///
/// # Errors
/// The write failed.
pub fn append_cuts(tx: &mut Tx<'_>, rows: &[CutRow]) -> StoreResult<()> {
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(cap_cuts::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    Ok(())
}

/// Milligrams that a cap cut from reductions' points, by the reduction; none where it cut nothing.
///
/// # Errors
/// The query failed.
pub fn cuts_of(
    conn: &mut Conn,
    reductions: &[ReductionId],
) -> StoreResult<HashMap<ReductionId, i64>> {
    let rows: Vec<CutRow> = match conn {
        Conn::Pg(c) => rows_at(c, "cap_cuts", ("batch_id", "pos"), reductions)?,
        sqlite => {
            let mut rows = Vec::new();
            for reduction in reductions {
                let at = cap_cuts::table.find((Id(reduction.batch), place(*reduction)?));
                rows.extend(at.first::<CutRow>(sqlite).optional()?);
            }
            rows
        }
    };
    Ok(rows
        .into_iter()
        .map(|row| (place_of(row.batch_id, row.pos), row.mg))
        .collect())
}

/// What these accounts owe; most owe nothing, and most databases have nobody who does.
///
/// # Errors
/// The query failed.
pub fn owed_by(conn: &mut Conn, accounts: &[Uuid]) -> StoreResult<Vec<(Uuid, i64)>> {
    let anybody: bool = diesel::select(diesel::dsl::exists(
        points_owed::table.filter(points_owed::points.gt(0)),
    ))
    .get_result(conn)?;
    if !anybody {
        return Ok(Vec::new());
    }
    let mut owed = Vec::new();
    for account in accounts {
        let points: Option<i64> = points_owed::table
            .find(Id(*account))
            .select(points_owed::points)
            .first(conn)
            .optional()?;
        owed.extend(
            points
                .filter(|points| *points > 0)
                .map(|points| (*account, points)),
        );
    }
    Ok(owed)
}

/// Adds to what an account owes; its lots are locked.
///
/// # Errors
/// The write failed.
pub fn owe(tx: &mut Tx<'_>, account: Uuid, points: i64) -> StoreResult<()> {
    diesel::sql_query(
        "INSERT INTO points_owed (account_id, points) VALUES ($1, $2) \
         ON CONFLICT (account_id) DO UPDATE SET points = points_owed.points + excluded.points",
    )
    .bind::<super::IdT, _>(Id(account))
    .bind::<BigInt, _>(points)
    .execute(&mut **tx)?;
    Ok(())
}

/// Takes off what an account owes what a transfer took from it.
///
/// # Errors
/// It owes less, or the write failed.
pub fn recover(tx: &mut Tx<'_>, transfer: Uuid, account: Uuid, points: i64) -> StoreResult<()> {
    diesel::update(points_owed::table.find(Id(account)))
        .set(points_owed::points.eq(points_owed::points - points))
        .execute(&mut **tx)?;
    let row = (
        point_recoveries::transfer_id.eq(Id(transfer)),
        point_recoveries::account_id.eq(Id(account)),
        point_recoveries::points.eq(points),
    );
    diesel::insert_into(point_recoveries::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}
