//! Listings and the exchange's trades.

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::market::{Listing, ListingState, Price, Trade};
use crate::domain::unit::{Fen, Tonnes};

use super::schema::{listings, trades};
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

/// A listing as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable)]
#[diesel(table_name = listings)]
pub struct ListingRow {
    pub id: Id,
    pub seller_id: Id,
    pub issuance_id: Id,
    pub quantity_t: i64,
    pub price_fen: i64,
    pub filled_t: i64,
    pub returned_t: i64,
    pub proceeds_fen: i64,
    pub state: String,
    pub version: i32,
    pub order_id: Option<String>,
    pub refusal: Option<String>,
    pub listed_at: Ts,
    pub changed_at: Ts,
}

impl ListingRow {
    /// # Errors
    /// A column holds what this program could not have written.
    pub fn listing(&self) -> StoreResult<Listing> {
        let corrupt = || StoreError::Corrupt(format!("listings {}", self.id.0));
        Ok(Listing {
            id: self.id.0,
            seller: self.seller_id.0,
            issuance: self.issuance_id.0,
            quantity: Tonnes(self.quantity_t),
            price: Price::from_fen(self.price_fen).map_err(|_| corrupt())?,
            filled: Tonnes(self.filled_t),
            returned: Tonnes(self.returned_t),
            proceeds: Fen(self.proceeds_fen),
            state: ListingState::parse(&self.state).ok_or_else(corrupt)?,
            order_id: self.order_id.clone(),
            refusal: self.refusal.clone(),
            version: self.version,
        })
    }
}

/// # Errors
/// The write failed.
pub fn insert_listing(tx: &mut Tx<'_>, listing: &Listing, at: Ts) -> StoreResult<()> {
    let row = ListingRow {
        id: listing.id.into(),
        seller_id: listing.seller.into(),
        issuance_id: listing.issuance.into(),
        quantity_t: listing.quantity.0,
        price_fen: listing.price.fen(),
        filled_t: listing.filled.0,
        returned_t: listing.returned.0,
        proceeds_fen: listing.proceeds.0,
        state: listing.state.as_str().to_owned(),
        version: listing.version,
        order_id: listing.order_id.clone(),
        refusal: listing.refusal.clone(),
        listed_at: at,
        changed_at: at,
    };
    diesel::insert_into(listings::table)
        .values(&row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed, or the row is corrupt.
pub fn listing(conn: &mut Conn, id: Uuid) -> StoreResult<Option<Listing>> {
    let row: Option<ListingRow> = listings::table.find(Id(id)).first(conn).optional()?;
    row.map(|row| row.listing()).transpose()
}

/// Writes a listing's next state if nobody changed it since `seen`; `false` if somebody did.
///
/// # Errors
/// A rule of the table refused, or the write failed.
pub fn update_listing(
    tx: &mut Tx<'_>,
    seen: &Listing,
    next: &Listing,
    at: Ts,
) -> StoreResult<bool> {
    let changed = diesel::update(
        listings::table
            .filter(listings::id.eq(Id(seen.id)))
            .filter(listings::version.eq(seen.version))
            .filter(listings::state.eq(seen.state.as_str())),
    )
    .set((
        listings::filled_t.eq(next.filled.0),
        listings::returned_t.eq(next.returned.0),
        listings::proceeds_fen.eq(next.proceeds.0),
        listings::state.eq(next.state.as_str()),
        listings::version.eq(seen.version + 1),
        listings::order_id.eq(next.order_id.as_deref()),
        listings::refusal.eq(next.refusal.as_deref()),
        listings::changed_at.eq(at),
    ))
    .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// Listings after `after`, oldest first, of one seller or of all, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn listings(
    conn: &mut Conn,
    seller: Option<Uuid>,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<ListingRow>> {
    let mut query = listings::table
        .filter(listings::id.gt(Id(after.unwrap_or(Uuid::nil()))))
        .into_boxed();
    if let Some(seller) = seller {
        query = query.filter(listings::seller_id.eq(Id(seller)));
    }
    Ok(query.order(listings::id).limit(limit).load(conn)?)
}

/// A trade as it is stored.
#[derive(Debug, Clone, PartialEq, Queryable, Insertable)]
#[diesel(table_name = trades)]
pub struct TradeRow {
    pub id: String,
    pub report_seq: i64,
    pub order_id: String,
    pub listing_id: Option<Id>,
    pub buyer_member: String,
    pub buyer_id: Option<Id>,
    pub quantity_t: i64,
    pub price_fen: i64,
    pub amount_fen: i64,
    pub traded_at: Ts,
    pub state: String,
    pub incident: Option<String>,
    pub settled_at: Option<Ts>,
}

impl TradeRow {
    /// The line of the report again.
    ///
    /// # Errors
    /// A column holds what this program could not have written.
    pub fn trade(&self) -> StoreResult<Trade> {
        let corrupt = |_| StoreError::Corrupt(format!("trades {}", self.id));
        Ok(Trade {
            id: self.id.clone(),
            seq: self.report_seq,
            order_id: self.order_id.clone(),
            listing: self.listing_id.map(|id| id.0),
            buyer: self.buyer_member.clone(),
            quantity: Tonnes(self.quantity_t),
            price: Price::from_fen(self.price_fen).map_err(corrupt)?,
            at: self.traded_at.0,
        })
    }
}

/// # Errors
/// The trade is recorded already, or the write failed.
pub fn insert_trade(tx: &mut Tx<'_>, row: &TradeRow) -> StoreResult<()> {
    diesel::insert_into(trades::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Turns an incident into a settled trade; `false` if it is none any more.
///
/// # Errors
/// The write failed.
pub fn settle_incident(tx: &mut Tx<'_>, row: &TradeRow) -> StoreResult<bool> {
    let changed = diesel::update(
        trades::table
            .filter(trades::id.eq(&row.id))
            .filter(trades::state.eq("incident")),
    )
    .set((
        trades::state.eq(&row.state),
        trades::incident.eq(row.incident.as_deref()),
        trades::buyer_id.eq(row.buyer_id),
        trades::settled_at.eq(row.settled_at),
    ))
    .execute(&mut **tx)?;
    Ok(changed == 1)
}

/// # Errors
/// The query failed.
pub fn trade(conn: &mut Conn, id: &str) -> StoreResult<Option<TradeRow>> {
    Ok(trades::table.find(id).first(conn).optional()?)
}

/// The place in the report up to which every line is recorded.
///
/// # Errors
/// The query failed.
pub fn report_watermark(conn: &mut Conn) -> StoreResult<i64> {
    let last: Option<i64> = trades::table
        .select(trades::report_seq)
        .order(trades::report_seq.desc())
        .first(conn)
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// Trades after a place in the report, in its order, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn trades(conn: &mut Conn, after: i64, limit: i64) -> StoreResult<Vec<TradeRow>> {
    Ok(trades::table
        .filter(trades::report_seq.gt(after))
        .order(trades::report_seq)
        .limit(limit)
        .load(conn)?)
}

/// Whether trades of a listing still wait for an officer.
///
/// # Errors
/// The query failed.
pub fn has_incidents(conn: &mut Conn, listing: Uuid) -> StoreResult<bool> {
    let count: i64 = trades::table
        .filter(trades::listing_id.eq(Id(listing)))
        .filter(trades::state.eq("incident"))
        .count()
        .get_result(conn)?;
    Ok(count > 0)
}

/// Tonnes and fen of a listing's settled trades.
///
/// # Errors
/// The query failed.
pub fn settled_sums(conn: &mut Conn, listing: Uuid) -> StoreResult<(i64, i64)> {
    let rows: Vec<(i64, i64)> = trades::table
        .filter(trades::listing_id.eq(Id(listing)))
        .filter(trades::state.eq("settled"))
        .select((trades::quantity_t, trades::amount_fen))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .fold((0, 0), |(t, fen), row| (t + row.0, fen + row.1)))
}
