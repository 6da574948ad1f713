//! Sums that people look at: of the city, and of one account day by day.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use super::schema::{batches, cer_issuances, entries, retirements};
use super::{Conn, Id, StoreResult};
use crate::domain::unit::{MgCo2e, Points, Tonnes};
use crate::domain::wallet::Day;

/// What a city has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CityTotals {
    pub behaviours: i64,
    pub reduction: MgCo2e,
    pub points: Points,
    pub issued: Tonnes,
    pub retired: Tonnes,
}

/// Sums over batches, issuances and retirements: one row each for thousands of reductions.
///
/// # Errors
/// A query failed.
pub fn city_totals(conn: &mut Conn) -> StoreResult<CityTotals> {
    let (behaviours, reduction_mg, points): (i64, i64, i64) = batches::table
        .select((
            sql::<BigInt>("CAST(COALESCE(SUM(accepted), 0) AS BIGINT)"),
            sql::<BigInt>("CAST(COALESCE(SUM(reduction_mg), 0) AS BIGINT)"),
            sql::<BigInt>("CAST(COALESCE(SUM(points), 0) AS BIGINT)"),
        ))
        .get_result(conn)?;
    let tonnes = "CAST(COALESCE(SUM(last_serial - first_serial + 1), 0) AS BIGINT)";
    let issued: i64 = cer_issuances::table
        .select(sql::<BigInt>(tonnes))
        .get_result(conn)?;
    let retired: i64 = retirements::table
        .select(sql::<BigInt>(tonnes))
        .get_result(conn)?;
    Ok(CityTotals {
        behaviours,
        reduction: MgCo2e(reduction_mg),
        points: Points(points),
        issued: Tonnes(issued),
        retired: Tonnes(retired),
    })
}

/// Points that an account's acts earned, by the day of the act, from `from` to `to`; days without
/// any are left out.
///
/// # Errors
/// The query failed.
pub fn earned_per_day(
    conn: &mut Conn,
    account: Uuid,
    from: Day,
    to: Day,
) -> StoreResult<Vec<(Day, i64)>> {
    Ok(entries::table
        .filter(entries::account_id.eq(Id(account)))
        .filter(entries::day.between(from, to))
        .filter(entries::records.gt(0))
        .group_by(entries::day)
        .select((
            entries::day,
            sql::<BigInt>("CAST(SUM(available) AS BIGINT)"),
        ))
        .order(entries::day.asc())
        .load(conn)?)
}
