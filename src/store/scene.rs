//! Scenes, and the keys of the partners behind them.

use diesel::prelude::*;

use super::party::PartnerKeyRow;
use super::schema::{partner_keys, scenes};
use super::{Conn, Id, StoreResult, Ts, Tx};

/// One scene.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = scenes, treat_none_as_default_value = false)]
pub struct SceneRow {
    pub id: i32,
    pub code: String,
    pub partner_id: Id,
    pub name_zh: String,
    pub name_en: String,
    pub adapter: String,
    pub methodology_code: String,
    pub exchange_rule_code: String,
    pub zone: String,
    pub adapter_table: Option<String>,
    pub state: String,
    pub opened_at: Ts,
    /// TOML, as [`crate::domain::scene::adapter::Settings`] reads it.
    pub adapter_settings: Option<String>,
}

/// Every scene, in order of id.
///
/// # Errors
/// The query failed.
pub fn scene_rows(conn: &mut Conn) -> StoreResult<Vec<SceneRow>> {
    Ok(scenes::table.order(scenes::id.asc()).load(conn)?)
}

/// Opens a scene.
///
/// # Errors
/// The code is taken, the partner unknown, or the write failed.
pub fn open_scene(tx: &mut Tx<'_>, row: &SceneRow) -> StoreResult<()> {
    diesel::insert_into(scenes::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Every key that is not revoked.
///
/// # Errors
/// The query failed.
pub fn live_partner_keys(conn: &mut Conn) -> StoreResult<Vec<PartnerKeyRow>> {
    Ok(partner_keys::table
        .filter(partner_keys::revoked_at.is_null())
        .load(conn)?)
}
