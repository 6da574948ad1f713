//! Holders, issuances, blocks, and everything that ended a block's life.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use uuid::Uuid;

use crate::domain::registry::{Block, HolderKind, SerialRange, Status};

use super::schema::{
    cancellations, cer_blocks, cer_issuances, holders, registry_acts, retirements,
};
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

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
