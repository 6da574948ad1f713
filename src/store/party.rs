//! Rows of those who take part: accounts, tokens, partners and their keys, linked subjects.

use diesel::prelude::*;
use uuid::Uuid;

use super::schema::{accounts, partner_keys, partners, tokens};
use super::{Conn, Id, StoreResult, Ts, Tx};

/// A pseudonymous account.
#[derive(Debug, Clone, Queryable, Insertable, Selectable)]
#[diesel(table_name = accounts)]
pub struct AccountRow {
    pub id: Id,
    /// `citizen` or `enterprise`.
    pub kind: String,
    pub opened_at: Ts,
}

/// A token by its digest.
#[derive(Debug, Clone, Queryable, Insertable, Selectable)]
#[diesel(table_name = tokens)]
pub struct TokenRow {
    pub hash: Vec<u8>,
    pub role: String,
    pub party_id: Id,
    pub issued_at: Ts,
    pub expires_at: Ts,
}

/// A scene partner.
#[derive(Debug, Clone, Queryable, Insertable, Selectable)]
#[diesel(table_name = partners)]
pub struct PartnerRow {
    pub id: Id,
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub registered_at: Ts,
}

/// A key that a partner signs its requests with.
#[derive(Debug, Clone, Queryable, Insertable, Selectable)]
#[diesel(table_name = partner_keys)]
#[diesel(treat_none_as_default_value = false)]
pub struct PartnerKeyRow {
    pub key_id: String,
    pub partner_id: Id,
    /// `ed25519` or `hmac-sha256`.
    pub algorithm: String,
    pub material: Vec<u8>,
    pub valid_from: Ts,
    pub revoked_at: Option<Ts>,
}

/// # Errors
/// The id is taken, or the write failed.
pub fn open_account(tx: &mut Tx<'_>, row: &AccountRow) -> StoreResult<()> {
    diesel::insert_into(accounts::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed.
pub fn account(conn: &mut Conn, id: Uuid) -> StoreResult<Option<AccountRow>> {
    Ok(accounts::table.find(Id(id)).first(conn).optional()?)
}

/// # Errors
/// The digest is taken, or the write failed.
pub fn issue_token(tx: &mut Tx<'_>, row: &TokenRow) -> StoreResult<()> {
    diesel::insert_into(tokens::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// The token of this digest, expired or not.
///
/// # Errors
/// The query failed.
pub fn find_token(conn: &mut Conn, digest: &[u8; 32]) -> StoreResult<Option<TokenRow>> {
    Ok(tokens::table
        .find(digest.as_slice())
        .first(conn)
        .optional()?)
}

/// Takes a token away; false when there was none.
///
/// # Errors
/// The write failed.
pub fn revoke_token(tx: &mut Tx<'_>, digest: &[u8; 32]) -> StoreResult<bool> {
    let gone = diesel::delete(tokens::table.find(digest.as_slice())).execute(&mut **tx)?;
    Ok(gone == 1)
}

/// # Errors
/// The id or the code is taken, or the write failed.
pub fn register_partner(tx: &mut Tx<'_>, row: &PartnerRow) -> StoreResult<()> {
    diesel::insert_into(partners::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed.
pub fn partner(conn: &mut Conn, id: Uuid) -> StoreResult<Option<PartnerRow>> {
    Ok(partners::table.find(Id(id)).first(conn).optional()?)
}

/// # Errors
/// The query failed.
pub fn partner_by_code(conn: &mut Conn, code: &str) -> StoreResult<Option<PartnerRow>> {
    Ok(partners::table
        .filter(partners::code.eq(code))
        .first(conn)
        .optional()?)
}

/// # Errors
/// The key id is taken, the partner is unknown, or the write failed.
pub fn add_partner_key(tx: &mut Tx<'_>, row: &PartnerKeyRow) -> StoreResult<()> {
    diesel::insert_into(partner_keys::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// The key of this id, revoked or not.
///
/// # Errors
/// The query failed.
pub fn partner_key(conn: &mut Conn, key_id: &str) -> StoreResult<Option<PartnerKeyRow>> {
    Ok(partner_keys::table.find(key_id).first(conn).optional()?)
}

/// Revokes a key that is not revoked yet; false when there is none.
///
/// # Errors
/// The write failed.
pub fn revoke_partner_key(tx: &mut Tx<'_>, key_id: &str, at: Ts) -> StoreResult<bool> {
    let live = partner_keys::table
        .find(key_id)
        .filter(partner_keys::revoked_at.is_null());
    let changed = diesel::update(live)
        .set(partner_keys::revoked_at.eq(Some(at)))
        .execute(&mut **tx)?;
    Ok(changed == 1)
}
