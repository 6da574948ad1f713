//! Merchants and what they offer.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::redemption::{Merchant, Offer, OfferState};

use super::schema::{merchants, offers};
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = merchants)]
struct MerchantRow {
    id: Id,
    code: String,
    name_zh: String,
    name_en: String,
    registered_at: Ts,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = offers)]
struct OfferRow {
    id: Id,
    merchant_id: Id,
    title_zh: String,
    title_en: String,
    points: i64,
    settlement_fen: i64,
    stocked: i64,
    stock: i64,
    validity_days: i32,
    state: String,
    from_at: Ts,
    to_at: Ts,
    created_at: Ts,
}

/// # Errors
/// The code is taken (constraint `merchants`), or the write failed.
pub fn add_merchant(tx: &mut Tx<'_>, merchant: &Merchant) -> StoreResult<()> {
    let row = MerchantRow {
        id: Id(merchant.id),
        code: merchant.code.clone(),
        name_zh: merchant.name_zh.clone(),
        name_en: merchant.name_en.clone(),
        registered_at: Ts(merchant.registered_at),
    };
    diesel::insert_into(merchants::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed.
pub fn merchant(conn: &mut Conn, id: Uuid) -> StoreResult<Option<Merchant>> {
    let row: Option<MerchantRow> = merchants::table.find(Id(id)).first(conn).optional()?;
    Ok(row.map(Merchant::from))
}

/// # Errors
/// The query failed.
pub fn merchant_by_code(conn: &mut Conn, code: &str) -> StoreResult<Option<Merchant>> {
    let row: Option<MerchantRow> = merchants::table
        .filter(merchants::code.eq(code))
        .first(conn)
        .optional()?;
    Ok(row.map(Merchant::from))
}

/// # Errors
/// The write failed.
pub fn add_offer(tx: &mut Tx<'_>, offer: &Offer) -> StoreResult<()> {
    diesel::insert_into(offers::table)
        .values(OfferRow::from(offer))
        .execute(&mut **tx)?;
    Ok(())
}

/// # Errors
/// The query failed, or the row holds a state that this program does not know.
pub fn offer(conn: &mut Conn, id: Uuid) -> StoreResult<Option<Offer>> {
    let row: Option<OfferRow> = offers::table.find(Id(id)).first(conn).optional()?;
    row.map(Offer::try_from).transpose()
}

/// Offers by id after `after`, with their merchants: all of them, or those that can be redeemed
/// at an instant.
///
/// # Errors
/// As [`offer`].
pub fn offers(
    conn: &mut Conn,
    open_at: Option<DateTime<Utc>>,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<(Offer, Merchant)>> {
    let mut query = offers::table
        .inner_join(merchants::table.on(merchants::id.eq(offers::merchant_id)))
        .order(offers::id.asc())
        .limit(limit)
        .into_boxed::<super::MultiBackend>();
    if let Some(after) = after {
        query = query.filter(offers::id.gt(Id(after)));
    }
    if let Some(at) = open_at {
        query = query
            .filter(offers::state.eq(OfferState::Live.as_str()))
            .filter(offers::from_at.le(Ts(at)))
            .filter(offers::to_at.gt(Ts(at)));
    }
    let rows: Vec<(OfferRow, MerchantRow)> = query.load(conn)?;
    rows.into_iter()
        .map(|(offer, merchant)| Ok((offer.try_into()?, merchant.into())))
        .collect()
}

/// These offers, by id, locked until the transaction ends.
///
/// # Errors
/// As [`offer`].
pub fn lock_offers(tx: &mut Tx<'_>, ids: &[Uuid]) -> StoreResult<Vec<Offer>> {
    let ids: Vec<Id> = ids.iter().copied().map(Id).collect();
    let wanted = offers::table
        .filter(offers::id.eq_any(ids))
        .order(offers::id.asc());
    let rows: Vec<OfferRow> = match &mut **tx {
        Conn::Pg(c) => wanted.for_update().load(c)?,
        Conn::Sqlite(c) => wanted.load(c)?,
    };
    rows.into_iter().map(Offer::try_from).collect()
}

/// Takes `pieces` from an offer's stock; false, and nothing taken, if there are not as many.
///
/// # Errors
/// The write failed.
pub fn take_stock(tx: &mut Tx<'_>, offer: Uuid, pieces: i64) -> StoreResult<bool> {
    let taken = diesel::update(
        offers::table
            .find(Id(offer))
            .filter(offers::stock.ge(pieces)),
    )
    .set(offers::stock.eq(offers::stock - pieces))
    .execute(&mut **tx)?;
    Ok(taken == 1)
}

/// Puts pieces back that were taken and not handed out.
///
/// # Errors
/// The write failed.
pub fn return_stock(tx: &mut Tx<'_>, offer: Uuid, pieces: i64) -> StoreResult<()> {
    diesel::update(offers::table.find(Id(offer)))
        .set(offers::stock.eq(offers::stock + pieces))
        .execute(&mut **tx)?;
    Ok(())
}

/// Puts new pieces on offer.
///
/// # Errors
/// The write failed.
pub fn add_stock(tx: &mut Tx<'_>, offer: Uuid, pieces: i64) -> StoreResult<()> {
    diesel::update(offers::table.find(Id(offer)))
        .set((
            offers::stock.eq(offers::stock + pieces),
            offers::stocked.eq(offers::stocked + pieces),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

/// Moves an offer from one state to another; false if it was not in the first.
///
/// # Errors
/// The write failed.
pub fn set_offer_state(
    tx: &mut Tx<'_>,
    offer: Uuid,
    from: OfferState,
    to: OfferState,
) -> StoreResult<bool> {
    let moved = diesel::update(
        offers::table
            .find(Id(offer))
            .filter(offers::state.eq(from.as_str())),
    )
    .set(offers::state.eq(to.as_str()))
    .execute(&mut **tx)?;
    Ok(moved == 1)
}

impl From<MerchantRow> for Merchant {
    fn from(row: MerchantRow) -> Merchant {
        Merchant {
            id: row.id.0,
            code: row.code,
            name_zh: row.name_zh,
            name_en: row.name_en,
            registered_at: row.registered_at.0,
        }
    }
}

impl From<&Offer> for OfferRow {
    fn from(offer: &Offer) -> OfferRow {
        OfferRow {
            id: Id(offer.id),
            merchant_id: Id(offer.merchant),
            title_zh: offer.title_zh.clone(),
            title_en: offer.title_en.clone(),
            points: offer.points,
            settlement_fen: offer.settlement_fen,
            stocked: offer.stocked,
            stock: offer.stock,
            validity_days: offer.validity_days,
            state: offer.state.as_str().to_owned(),
            from_at: Ts(offer.from),
            to_at: Ts(offer.to),
            created_at: Ts(offer.created_at),
        }
    }
}

impl TryFrom<OfferRow> for Offer {
    type Error = StoreError;

    fn try_from(row: OfferRow) -> StoreResult<Offer> {
        let state = OfferState::parse(&row.state)
            .ok_or_else(|| StoreError::Corrupt(format!("offers.state {}", row.state)))?;
        Ok(Offer {
            id: row.id.0,
            merchant: row.merchant_id.0,
            title_zh: row.title_zh,
            title_en: row.title_en,
            points: row.points,
            settlement_fen: row.settlement_fen,
            stocked: row.stocked,
            stock: row.stock,
            validity_days: row.validity_days,
            state,
            from: row.from_at.0,
            to: row.to_at.0,
            created_at: row.created_at.0,
        })
    }
}
