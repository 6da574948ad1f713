//! Holders, issuances and blocks.

mod history;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use uuid::Uuid;

use crate::domain::registry::{Block, HolderKind, SerialRange, Status};

use super::schema::{cer_blocks, cer_issuances, holders};
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

pub use history::{
    ActRow, CancellationRow, RetirementRow, act_of_trade, acts_of_serial, cancellations, ended,
    insert_act, insert_cancellation, insert_retirement, retirement_by_certificate, retirements,
    retirements_with_series, title_moves,
};

/// A registry account.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = holders)]
pub struct HolderRow {
    pub id: Id,
    pub kind: String,
    pub code: String,
    pub name: String,
    pub exchange_member: Option<String>,
    pub opened_at: Ts,
}

impl HolderRow {
    /// # Errors
    /// The column holds another word.
    pub fn kind(&self) -> StoreResult<HolderKind> {
        HolderKind::parse(&self.kind)
            .ok_or_else(|| StoreError::Corrupt(format!("holders.kind {}", self.kind)))
    }
}

/// # Errors
/// The code or the exchange member is taken, or the write failed.
pub fn insert_holder(tx: &mut Tx<'_>, row: &HolderRow) -> StoreResult<()> {
    diesel::insert_into(holders::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed.
pub fn holder(conn: &mut Conn, id: Uuid) -> StoreResult<Option<HolderRow>> {
    Ok(holders::table.find(Id(id)).first(conn).optional()?)
}

/// # Errors
/// The query failed.
pub fn holder_by_code(conn: &mut Conn, code: &str) -> StoreResult<Option<HolderRow>> {
    Ok(holders::table
        .filter(holders::code.eq(code))
        .first(conn)
        .optional()?)
}

/// Whom the exchange means by one of its members.
///
/// # Errors
/// The query failed.
pub fn holder_by_member(conn: &mut Conn, member: &str) -> StoreResult<Option<HolderRow>> {
    Ok(holders::table
        .filter(holders::exchange_member.eq(member))
        .first(conn)
        .optional()?)
}

/// Takes `quantity` numbers of a counter and returns the last number that was given out before.
/// The counter's row is locked until the transaction ends, so numbers have no gaps.
///
/// # Errors
/// The numbers run out, or the write failed.
pub fn take_numbers(tx: &mut Tx<'_>, counter: &str, quantity: i64) -> StoreResult<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        last: i64,
    }
    let row: Row = diesel::sql_query(
        "INSERT INTO registry_counters (name, last) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET last = registry_counters.last + excluded.last \
         RETURNING last",
    )
    .bind::<Text, _>(counter)
    .bind::<BigInt, _>(quantity)
    .get_result(&mut **tx)?;
    Ok(row.last - quantity)
}

/// One issuance: a series, its serials, and the root of the reductions behind it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = cer_issuances)]
pub struct IssuanceRow {
    pub id: Id,
    pub period_id: Id,
    pub series: String,
    pub first_serial: i64,
    pub last_serial: i64,
    pub root: Vec<u8>,
    pub leaf_count: i64,
    pub holder_id: Id,
    pub issued_by: Id,
    pub issued_at: Ts,
}

/// # Errors
/// The period has been issued, the serials overlap, or the write failed.
pub fn insert_issuance(tx: &mut Tx<'_>, row: &IssuanceRow) -> StoreResult<()> {
    diesel::insert_into(cer_issuances::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed.
pub fn issuance(conn: &mut Conn, id: Uuid) -> StoreResult<Option<IssuanceRow>> {
    Ok(cer_issuances::table.find(Id(id)).first(conn).optional()?)
}

/// # Errors
/// The query failed.
pub fn issuance_of_period(conn: &mut Conn, period: Uuid) -> StoreResult<Option<IssuanceRow>> {
    Ok(cer_issuances::table
        .filter(cer_issuances::period_id.eq(Id(period)))
        .first(conn)
        .optional()?)
}

/// Issuances whose serials begin after `after`, in order of serial, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn issuances(conn: &mut Conn, after: i64, limit: i64) -> StoreResult<Vec<IssuanceRow>> {
    Ok(cer_issuances::table
        .filter(cer_issuances::first_serial.gt(after))
        .order(cer_issuances::first_serial)
        .limit(limit)
        .load(conn)?)
}

/// A block as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = cer_blocks)]
pub struct BlockRow {
    pub id: Id,
    pub issuance_id: Id,
    pub first_serial: i64,
    pub last_serial: i64,
    pub holder_id: Id,
    pub state: String,
    pub listing_id: Option<Id>,
    pub parent_id: Option<Id>,
    pub version: i32,
    pub created_at: Ts,
    pub changed_at: Ts,
}

impl BlockRow {
    fn of(block: &Block, at: Ts) -> BlockRow {
        BlockRow {
            id: block.id.into(),
            issuance_id: block.issuance.into(),
            first_serial: block.range.first(),
            last_serial: block.range.last(),
            holder_id: block.holder.into(),
            state: block.status.as_str().to_owned(),
            listing_id: listing_of(block.status),
            parent_id: block.parent.map(Id),
            version: block.version,
            created_at: at,
            changed_at: at,
        }
    }

    /// # Errors
    /// The columns contradict each other.
    pub fn block(&self) -> StoreResult<Block> {
        let corrupt = || StoreError::Corrupt(format!("cer_blocks {}", self.id.0));
        let status = match (self.state.as_str(), self.listing_id) {
            ("held", None) => Status::Held,
            ("listed", Some(id)) => Status::Listed(id.0),
            ("retired", None) => Status::Retired,
            ("cancelled", None) => Status::Cancelled,
            ("split", None) => Status::Split,
            _ => return Err(corrupt()),
        };
        Ok(Block {
            id: self.id.0,
            issuance: self.issuance_id.0,
            range: SerialRange::new(self.first_serial, self.last_serial).map_err(|_| corrupt())?,
            holder: self.holder_id.0,
            status,
            parent: self.parent_id.map(|id| id.0),
            version: self.version,
        })
    }
}

fn listing_of(status: Status) -> Option<Id> {
    match status {
        Status::Listed(id) => Some(Id(id)),
        _ => None,
    }
}

/// # Errors
/// The query failed, or the row is corrupt.
pub fn block(conn: &mut Conn, id: Uuid) -> StoreResult<Option<Block>> {
    let row: Option<BlockRow> = cer_blocks::table.find(Id(id)).first(conn).optional()?;
    row.map(|row| row.block()).transpose()
}

/// The block that is still frozen for a listing.
///
/// # Errors
/// The query failed, or the row is corrupt.
pub fn listed_block(conn: &mut Conn, listing: Uuid) -> StoreResult<Option<Block>> {
    let row: Option<BlockRow> = cer_blocks::table
        .filter(cer_blocks::listing_id.eq(Id(listing)))
        .filter(cer_blocks::state.eq("listed"))
        .first(conn)
        .optional()?;
    row.map(|row| row.block()).transpose()
}

/// # Errors
/// The range overlaps a live block or leaves its issuance, or the write failed.
pub fn insert_block(tx: &mut Tx<'_>, block: &Block, at: Ts) -> StoreResult<()> {
    diesel::insert_into(cer_blocks::table)
        .values(BlockRow::of(block, at))
        .execute(&mut **tx)?;
    Ok(())
}

/// Writes a block's next state if nobody changed it since `seen`; `false` if somebody did.
///
/// # Errors
/// A rule of the table refused, or the write failed.
pub fn update_block(tx: &mut Tx<'_>, seen: &Block, next: &Block, at: Ts) -> StoreResult<bool> {
    let changed = diesel::update(
        cer_blocks::table
            .filter(cer_blocks::id.eq(Id(seen.id)))
            .filter(cer_blocks::version.eq(seen.version))
            .filter(cer_blocks::state.eq(seen.status.as_str())),
    )
    .set((
        cer_blocks::holder_id.eq(Id(next.holder)),
        cer_blocks::state.eq(next.status.as_str()),
        cer_blocks::listing_id.eq(listing_of(next.status)),
        cer_blocks::version.eq(next.version),
        cer_blocks::changed_at.eq(at),
    ))
    .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// Live blocks that begin after serial `after`, in order of serial, at most `limit`: of one issuance
/// or of all.
///
/// # Errors
/// The query failed.
pub fn live_blocks(
    conn: &mut Conn,
    issuance: Option<Uuid>,
    after: i64,
    limit: i64,
) -> StoreResult<Vec<BlockRow>> {
    let mut query = cer_blocks::table
        .filter(cer_blocks::state.ne("split"))
        .filter(cer_blocks::first_serial.gt(after))
        .into_boxed();
    if let Some(issuance) = issuance {
        query = query.filter(cer_blocks::issuance_id.eq(Id(issuance)));
    }
    Ok(query
        .order(cer_blocks::first_serial)
        .limit(limit)
        .load(conn)?)
}

/// One holder's live blocks that begin after serial `after`, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn blocks_of_holder(
    conn: &mut Conn,
    holder: Uuid,
    after: i64,
    limit: i64,
) -> StoreResult<Vec<BlockRow>> {
    Ok(cer_blocks::table
        .filter(cer_blocks::holder_id.eq(Id(holder)))
        .filter(cer_blocks::state.ne("split"))
        .filter(cer_blocks::first_serial.gt(after))
        .order(cer_blocks::first_serial)
        .limit(limit)
        .load(conn)?)
}

/// The live block a serial is in, with its issuance.
///
/// # Errors
/// The query failed.
pub fn find_serial(conn: &mut Conn, serial: i64) -> StoreResult<Option<(BlockRow, IssuanceRow)>> {
    let row: Option<BlockRow> = cer_blocks::table
        .filter(cer_blocks::state.ne("split"))
        .filter(cer_blocks::first_serial.le(serial))
        .filter(cer_blocks::last_serial.ge(serial))
        .order(cer_blocks::first_serial.desc())
        .first(conn)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let issuance = issuance(conn, row.issuance_id.0)?.ok_or(StoreError::NotFound)?;
    Ok(Some((row, issuance)))
}

/// Live blocks with their series, of one holder or of all, that begin after serial `after`, at most
/// `limit`.
///
/// # Errors
/// The query failed.
pub fn blocks_with_series(
    conn: &mut Conn,
    holder: Option<Uuid>,
    after: i64,
    limit: i64,
) -> StoreResult<Vec<(BlockRow, String)>> {
    let mut query = cer_blocks::table
        .inner_join(cer_issuances::table.on(cer_issuances::id.eq(cer_blocks::issuance_id)))
        .filter(cer_blocks::state.ne("split"))
        .filter(cer_blocks::first_serial.gt(after))
        .select((cer_blocks::all_columns, cer_issuances::series))
        .into_boxed();
    if let Some(holder) = holder {
        query = query.filter(cer_blocks::holder_id.eq(Id(holder)));
    }
    Ok(query
        .order(cer_blocks::first_serial)
        .limit(limit)
        .load(conn)?)
}
