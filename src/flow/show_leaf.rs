//! The bytes of a leaf of the public log, made again from the books.

use chrono::NaiveDate;

use crate::domain::log::leaf::{Leaf, SaltKey};
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::domain::unit::MgCo2e;
use crate::store::Conn;
use crate::store::behaviour::behaviour;
use crate::store::reduction::reduction;

use super::FlowResult;
use super::catalogue::Catalogue;

/// What the leaf of one reduction says, byte for byte; its leaf hash is SHA-256 over a zero byte
/// and these bytes.
///
/// # Errors
/// There is no such reduction.
pub fn show_leaf(
    conn: &mut Conn,
    catalogue: &Catalogue,
    salt: &SaltKey,
    id: ReductionId,
) -> FlowResult<Vec<u8>> {
    let row = reduction(conn, id)?;
    let record = behaviour(conn, row.behaviour())?;
    let mut scenes = catalogue.scenes.values();
    let scene = scenes.find(|scene| scene.row.id == row.scene_id);
    let filed = catalogue.filed.get(&row.methodology_id);
    let (scene, filed) = scene.zip(filed).ok_or(Code::Internal)?;
    let digest = record.digest.as_slice().try_into();
    let digest = digest.map_err(|_| Code::Internal)?;
    let opening = salt.opening(id, *row.account_id.0.as_bytes(), digest);
    let leaf = Leaf {
        reduction: id,
        methodology: &filed.name(),
        methodology_hash: filed.hash,
        scene: &scene.row.code,
        day: NaiveDate::from_epoch_days(row.day).ok_or(Code::Internal)?,
        amount: MgCo2e(row.mg),
        commitment: opening.commitment(),
    };
    let mut bytes = Vec::new();
    leaf.write(&mut bytes);
    Ok(bytes)
}
