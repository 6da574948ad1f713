//! What was done with blocks, and everything that ended a block's life.

use diesel::prelude::*;
use uuid::Uuid;

use crate::store::schema::{cancellations, cer_blocks, cer_issuances, registry_acts, retirements};
use crate::store::{Conn, Id, StoreResult, Ts, Tx};

/// A line of the registry's history.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable)]
#[diesel(table_name = registry_acts)]
pub struct ActRow {
    pub id: Id,
    pub at: Ts,
    pub kind: String,
    pub issuance_id: Id,
    pub block_id: Id,
    pub first_serial: i64,
    pub last_serial: i64,
    pub from_holder: Option<Id>,
    pub to_holder: Option<Id>,
    pub trade_id: Option<String>,
    pub actor_role: String,
    pub actor_id: Id,
    pub basis: String,
}

/// # Errors
/// Title already moved for the trade, or the write failed.
pub fn insert_act(tx: &mut Tx<'_>, row: &ActRow) -> StoreResult<()> {
    diesel::insert_into(registry_acts::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Everything that happened to a serial, oldest first.
///
/// # Errors
/// The query failed.
pub fn acts_of_serial(conn: &mut Conn, issuance: Uuid, serial: i64) -> StoreResult<Vec<ActRow>> {
    Ok(registry_acts::table
        .filter(registry_acts::issuance_id.eq(Id(issuance)))
        .filter(registry_acts::first_serial.le(serial))
        .filter(registry_acts::last_serial.ge(serial))
        .order(registry_acts::id)
        .load(conn)?)
}

/// The title move of a trade.
///
/// # Errors
/// The query failed.
pub fn act_of_trade(conn: &mut Conn, trade: &str) -> StoreResult<Option<ActRow>> {
    Ok(registry_acts::table
        .filter(registry_acts::trade_id.eq(trade))
        .first(conn)
        .optional()?)
}

/// Title moves of trades after act `after`, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn title_moves(conn: &mut Conn, after: Uuid, limit: i64) -> StoreResult<Vec<ActRow>> {
    Ok(registry_acts::table
        .filter(registry_acts::kind.eq("sell"))
        .filter(registry_acts::id.gt(Id(after)))
        .order(registry_acts::id)
        .limit(limit)
        .load(conn)?)
}

/// A retirement as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable)]
#[diesel(table_name = retirements)]
pub struct RetirementRow {
    pub id: Id,
    pub block_id: Id,
    pub certificate_no: String,
    pub holder_id: Id,
    pub purpose: String,
    pub beneficiary: String,
    pub claim: String,
    pub first_serial: i64,
    pub last_serial: i64,
    pub retired_at: Ts,
}

/// # Errors
/// The block or the certificate number was used, or the write failed.
pub fn insert_retirement(tx: &mut Tx<'_>, row: &RetirementRow) -> StoreResult<()> {
    diesel::insert_into(retirements::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed.
pub fn retirement_by_certificate(
    conn: &mut Conn,
    certificate_no: &str,
) -> StoreResult<Option<RetirementRow>> {
    Ok(retirements::table
        .filter(retirements::certificate_no.eq(certificate_no))
        .first(conn)
        .optional()?)
}

/// Retirements after `after`, oldest first, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn retirements(
    conn: &mut Conn,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<RetirementRow>> {
    Ok(retirements::table
        .filter(retirements::id.gt(Id(after.unwrap_or(Uuid::nil()))))
        .order(retirements::id)
        .limit(limit)
        .load(conn)?)
}

/// A cancellation as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable)]
#[diesel(table_name = cancellations)]
pub struct CancellationRow {
    pub id: Id,
    pub block_id: Id,
    pub reason: String,
    pub basis: String,
    pub first_serial: i64,
    pub last_serial: i64,
    pub cancelled_by: Id,
    pub cancelled_at: Ts,
}

/// # Errors
/// The block was cancelled before, or the write failed.
pub fn insert_cancellation(tx: &mut Tx<'_>, row: &CancellationRow) -> StoreResult<()> {
    diesel::insert_into(cancellations::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Cancellations after `after`, oldest first, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn cancellations(
    conn: &mut Conn,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<CancellationRow>> {
    Ok(cancellations::table
        .filter(cancellations::id.gt(Id(after.unwrap_or(Uuid::nil()))))
        .order(cancellations::id)
        .limit(limit)
        .load(conn)?)
}

/// What the records of ended blocks say about one: `retired 1-5`, `cancelled 1-5`, or nothing.
///
/// # Errors
/// The query failed.
pub fn ended(conn: &mut Conn, block: Uuid) -> StoreResult<String> {
    let retired: Option<(i64, i64)> = retirements::table
        .filter(retirements::block_id.eq(Id(block)))
        .select((retirements::first_serial, retirements::last_serial))
        .first(conn)
        .optional()?;
    let cancelled: Option<(i64, i64)> = cancellations::table
        .filter(cancellations::block_id.eq(Id(block)))
        .select((cancellations::first_serial, cancellations::last_serial))
        .first(conn)
        .optional()?;
    let words = [("retired", retired), ("cancelled", cancelled)];
    let said = words
        .into_iter()
        .filter_map(|(word, range)| range.map(|(first, last)| format!("{word} {first}-{last}")));
    Ok(said.collect::<Vec<_>>().join(", "))
}

/// Retirements with their series after `after`, oldest first, at most `limit`; or the one with this
/// certificate.
///
/// # Errors
/// The query failed.
pub fn retirements_with_series(
    conn: &mut Conn,
    certificate_no: Option<&str>,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<(RetirementRow, String)>> {
    let mut query = retirements::table
        .inner_join(cer_blocks::table.on(cer_blocks::id.eq(retirements::block_id)))
        .inner_join(cer_issuances::table.on(cer_issuances::id.eq(cer_blocks::issuance_id)))
        .filter(retirements::id.gt(Id(after.unwrap_or(Uuid::nil()))))
        .select((retirements::all_columns, cer_issuances::series))
        .into_boxed();
    if let Some(no) = certificate_no {
        query = query.filter(retirements::certificate_no.eq(no.to_owned()));
    }
    Ok(query.order(retirements::id).limit(limit).load(conn)?)
}
