//! Methodology documents, factor tables and exchange rules, with who signed what.

use diesel::prelude::*;

use super::schema::{exchange_rules, methodologies, methodology_signoffs};
use super::{Conn, Id, StoreResult, Ts, Tx};

/// One version of a document; its text is never changed.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = methodologies, treat_none_as_default_value = false)]
pub struct MethodologyRow {
    pub id: i32,
    pub code: String,
    pub version: String,
    pub hash: Vec<u8>,
    pub document: String,
    pub state: String,
    pub submitted_by: Id,
    pub added_at: Ts,
    pub live_at: Option<Ts>,
}

/// A reviewer's signature under one item of a document.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = methodology_signoffs)]
pub struct SignoffRow {
    pub methodology_id: i32,
    pub parameter: String,
    pub reviewer: String,
    pub basis: String,
    pub signed_at: Ts,
}

/// One version of an exchange rule.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = exchange_rules)]
pub struct ExchangeRuleRow {
    pub id: i32,
    pub code: String,
    pub version: String,
    pub hash: Vec<u8>,
    pub document: String,
    pub effective_from: Ts,
}

/// Every document, in order of id.
///
/// # Errors
/// The query failed.
pub fn documents(conn: &mut Conn) -> StoreResult<Vec<MethodologyRow>> {
    Ok(methodologies::table
        .order(methodologies::id.asc())
        .load(conn)?)
}

/// One version, if it is filed.
///
/// # Errors
/// The query failed.
pub fn document(conn: &mut Conn, code: &str, version: &str) -> StoreResult<Option<MethodologyRow>> {
    Ok(methodologies::table
        .filter(
            methodologies::code
                .eq(code)
                .and(methodologies::version.eq(version)),
        )
        .first(conn)
        .optional()?)
}

/// The id for the next document; two at once collide on the key.
///
/// # Errors
/// The query failed.
pub fn next_id(conn: &mut Conn) -> StoreResult<i32> {
    let last: Option<i32> = methodologies::table
        .select(diesel::dsl::max(methodologies::id))
        .first(conn)?;
    Ok(last.unwrap_or(0) + 1)
}

/// Files a document.
///
/// # Errors
/// The version is filed already, or the write failed.
pub fn file(tx: &mut Tx<'_>, row: &MethodologyRow) -> StoreResult<()> {
    diesel::insert_into(methodologies::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Moves a document from one state to another; false if it was not in the first.
///
/// # Errors
/// The write failed.
pub fn set_state(tx: &mut Tx<'_>, id: i32, from: &str, to: &str, at: Ts) -> StoreResult<bool> {
    let moved = diesel::update(
        methodologies::table
            .find(id)
            .filter(methodologies::state.eq(from)),
    )
    .set((
        methodologies::state.eq(to),
        methodologies::live_at.eq(Some(at)),
    ))
    .execute(&mut **tx)?;
    Ok(moved == 1)
}

/// Keeps a signature.
///
/// # Errors
/// The reviewer has signed this item, or the write failed.
pub fn sign(tx: &mut Tx<'_>, row: &SignoffRow) -> StoreResult<()> {
    diesel::insert_into(methodology_signoffs::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Every signature.
///
/// # Errors
/// The query failed.
pub fn signoffs(conn: &mut Conn) -> StoreResult<Vec<SignoffRow>> {
    Ok(methodology_signoffs::table.load(conn)?)
}

/// Every exchange rule, in order of id.
///
/// # Errors
/// The query failed.
pub fn exchange_rule_rows(conn: &mut Conn) -> StoreResult<Vec<ExchangeRuleRow>> {
    Ok(exchange_rules::table
        .order(exchange_rules::id.asc())
        .load(conn)?)
}

/// Files an exchange rule.
///
/// # Errors
/// The version is filed already, or the write failed.
pub fn file_exchange_rule(tx: &mut Tx<'_>, row: &ExchangeRuleRow) -> StoreResult<()> {
    diesel::insert_into(exchange_rules::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}
