//! Vouchers, the lots that gave their points, and what merchants are owed for them.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use uuid::Uuid;

use crate::domain::redemption::{Closing, DayTotal, Owed, Voucher, VoucherState};
use crate::domain::unit::Fen;
use crate::domain::wallet::{Day, Spend};

use super::bulk;
use super::schema::{entries, lots, voucher_lots, vouchers};
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

#[derive(Debug, Clone, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = vouchers, treat_none_as_default_value = false)]
pub(super) struct VoucherRow {
    pub account_id: Id,
    pub id: Id,
    pub offer_id: Id,
    pub merchant_id: Id,
    pub points: i64,
    pub settlement_fen: i64,
    pub code_digest: Vec<u8>,
    pub client_key: Option<String>,
    pub state: String,
    pub created_at: Ts,
    pub cancel_until: Ts,
    pub expires_at: Ts,
    pub hold_id: Id,
    pub closed_at: Option<Ts>,
    pub closing_id: Option<Id>,
    pub used_day: Option<i32>,
}

#[derive(Debug, Clone, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = voucher_lots, treat_none_as_default_value = false)]
pub(super) struct VoucherLotRow {
    pub account_id: Id,
    pub voucher_id: Id,
    pub bucket: i32,
    pub points: i64,
}

/// A voucher as it is issued: with its code's digest and the lots that gave its points.
#[derive(Debug, Clone)]
pub struct NewVoucher {
    pub voucher: Voucher,
    pub code_digest: [u8; 32],
    pub spends: Vec<Spend>,
}

/// Writes new vouchers.
///
/// # Errors
/// The write failed; a client key that this account used before is refused by the table.
pub fn append_vouchers(tx: &mut Tx<'_>, new: &[NewVoucher]) -> StoreResult<()> {
    let rows: Vec<VoucherRow> = new.iter().map(VoucherRow::from).collect();
    let gave: Vec<VoucherLotRow> = new.iter().flat_map(lot_rows).collect();
    match &mut **tx {
        Conn::Pg(c) => bulk::postgres::append_vouchers(c, rows, gave),
        Conn::Sqlite(c) => bulk::sqlite::append_vouchers(c, &rows, &gave),
    }
}

/// The vouchers that these accounts were issued under these client keys.
///
/// # Errors
/// The query failed.
pub fn keyed_vouchers(conn: &mut Conn, keys: &[(Uuid, &str)]) -> StoreResult<Vec<Voucher>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows = match conn {
        Conn::Pg(c) => bulk::postgres::keyed_vouchers(c, keys)?,
        Conn::Sqlite(c) => bulk::sqlite::keyed_vouchers(c, keys)?,
    };
    rows.into_iter().map(Voucher::try_from).collect()
}

/// The voucher whose code has this digest.
///
/// # Errors
/// The query failed.
pub fn voucher_by_code(conn: &mut Conn, digest: &[u8; 32]) -> StoreResult<Option<Voucher>> {
    let row: Option<VoucherRow> = vouchers::table
        .filter(vouchers::code_digest.eq(digest.as_slice()))
        .first(conn)
        .optional()?;
    row.map(Voucher::try_from).transpose()
}

/// One voucher of an account.
///
/// # Errors
/// The query failed.
pub fn voucher(conn: &mut Conn, account: Uuid, id: Uuid) -> StoreResult<Option<Voucher>> {
    let row: Option<VoucherRow> = vouchers::table
        .find((Id(account), Id(id)))
        .first(conn)
        .optional()?;
    row.map(Voucher::try_from).transpose()
}

/// An account's vouchers, newest first, at most `limit`, before `before`.
///
/// # Errors
/// The query failed.
pub fn vouchers_of(
    conn: &mut Conn,
    account: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<Voucher>> {
    let mut query = vouchers::table
        .filter(vouchers::account_id.eq(Id(account)))
        .order(vouchers::id.desc())
        .limit(limit)
        .into_boxed::<super::MultiBackend>();
    if let Some(before) = before {
        query = query.filter(vouchers::id.lt(Id(before)));
    }
    let rows: Vec<VoucherRow> = query.load(conn)?;
    rows.into_iter().map(Voucher::try_from).collect()
}

/// Issued vouchers whose end has come, the longest overdue first, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn due_vouchers(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> StoreResult<Vec<Voucher>> {
    let rows: Vec<VoucherRow> = vouchers::table
        .filter(vouchers::state.eq(VoucherState::Issued.as_str()))
        .filter(vouchers::expires_at.le(Ts(now)))
        .order(vouchers::expires_at.asc())
        .limit(limit)
        .load(conn)?;
    rows.into_iter().map(Voucher::try_from).collect()
}

/// Ends a voucher that is still issued; false if another transaction ended it first.
///
/// # Errors
/// The write failed; an end at the wrong time is refused by the table.
pub fn close_voucher(
    tx: &mut Tx<'_>,
    voucher: &Voucher,
    closing: Closing,
    (at, transfer): (DateTime<Utc>, Uuid),
    used_day: Option<Day>,
) -> StoreResult<bool> {
    let closed = diesel::update(
        vouchers::table
            .find((Id(voucher.account), Id(voucher.id)))
            .filter(vouchers::state.eq(VoucherState::Issued.as_str())),
    )
    .set((
        vouchers::state.eq(closing.state().as_str()),
        vouchers::closed_at.eq(Some(Ts(at))),
        vouchers::closing_id.eq(Some(Id(transfer))),
        vouchers::used_day.eq(used_day),
    ))
    .execute(&mut **tx)?;
    Ok(closed == 1)
}

/// Which lots gave the points of these vouchers (account, id): by voucher, lots in order.
///
/// # Errors
/// The query failed.
pub fn spends_of(conn: &mut Conn, ids: &[(Uuid, Uuid)]) -> StoreResult<Vec<(Uuid, Spend)>> {
    let rows = match conn {
        Conn::Pg(c) => bulk::postgres::voucher_lots(c, ids)?,
        Conn::Sqlite(c) => bulk::sqlite::voucher_lots(c, ids)?,
    };
    let spend = |row: VoucherLotRow| Spend {
        bucket: row.bucket,
        points: row.points,
    };
    Ok(rows
        .into_iter()
        .map(|row| (row.voucher_id.0, spend(row)))
        .collect())
}

/// A place in a merchant's statement: after this voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwedPlace {
    pub at: DateTime<Utc>,
    pub voucher: Uuid,
}

/// A merchant's write-offs from `days.0` to `days.1`, newest first, at most `limit`, after
/// `place`.
///
/// # Errors
/// The query failed.
pub fn owed(
    conn: &mut Conn,
    merchant: Uuid,
    days: (Day, Day),
    place: Option<OwedPlace>,
    limit: i64,
) -> StoreResult<Vec<Owed>> {
    let mut query = vouchers::table
        .filter(vouchers::merchant_id.eq(Id(merchant)))
        .filter(vouchers::state.eq(VoucherState::Used.as_str()))
        .filter(vouchers::used_day.between(days.0, days.1))
        .order((vouchers::closed_at.desc(), vouchers::id.desc()))
        .limit(limit)
        .into_boxed::<super::MultiBackend>();
    if let Some(place) = place {
        let at = Ts(place.at);
        query = query.filter(
            vouchers::closed_at.lt(at).or(vouchers::closed_at
                .eq(at)
                .and(vouchers::id.lt(Id(place.voucher)).nullable())),
        );
    }
    let rows: Vec<VoucherRow> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Owed {
                voucher: row.id.0,
                offer: row.offer_id.0,
                at: row.closed_at?.0,
                points: row.points,
                fen: row.settlement_fen,
            })
        })
        .collect())
}

/// What a merchant's write-offs come to, day by day, from `days.0` to `days.1`.
///
/// # Errors
/// The query failed.
pub fn owed_per_day(
    conn: &mut Conn,
    merchant: Uuid,
    days: (Day, Day),
) -> StoreResult<Vec<DayTotal>> {
    let rows: Vec<(Option<i32>, i64, i64)> = vouchers::table
        .filter(vouchers::merchant_id.eq(Id(merchant)))
        .filter(vouchers::state.eq(VoucherState::Used.as_str()))
        .filter(vouchers::used_day.between(days.0, days.1))
        .group_by(vouchers::used_day)
        .select((
            vouchers::used_day,
            diesel::dsl::count_star(),
            sql::<BigInt>("CAST(SUM(settlement_fen) AS BIGINT)"),
        ))
        .order(vouchers::used_day.asc())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(day, count, fen)| {
            Some(DayTotal {
                day: day?,
                vouchers: count,
                fen: Fen(fen),
            })
        })
        .collect())
}

/// Accounts with points in lots whose last day is before `today`, in order of lot, after
/// `after`, at most `limit` lots.
///
/// # Errors
/// The query failed.
pub fn lapsed_lots(
    conn: &mut Conn,
    today: Day,
    after: Option<(Day, Uuid)>,
    limit: i64,
) -> StoreResult<Vec<(Day, Uuid)>> {
    let mut query = lots::table
        .filter(lots::bucket.lt(today))
        .filter(lots::available.gt(0))
        .select((lots::bucket, lots::account_id))
        .order((lots::bucket.asc(), lots::account_id.asc()))
        .limit(limit)
        .into_boxed::<super::MultiBackend>();
    if let Some((bucket, account)) = after {
        query = query.filter(
            lots::bucket.gt(bucket).or(lots::bucket
                .eq(bucket)
                .and(lots::account_id.gt(Id(account)))),
        );
    }
    let rows: Vec<(i32, Id)> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(bucket, account)| (bucket, account.0))
        .collect())
}

/// All reductions ever credited to an account, in mg CO₂e.
///
/// # Errors
/// The query failed.
pub fn saved_mg(conn: &mut Conn, account: Uuid) -> StoreResult<i64> {
    Ok(entries::table
        .filter(entries::account_id.eq(Id(account)))
        .select(sql::<BigInt>(
            "CAST(COALESCE(SUM(reduction_mg), 0) AS BIGINT)",
        ))
        .get_result(conn)?)
}

fn lot_rows(new: &NewVoucher) -> impl Iterator<Item = VoucherLotRow> {
    new.spends.iter().map(|spend| VoucherLotRow {
        account_id: Id(new.voucher.account),
        voucher_id: Id(new.voucher.id),
        bucket: spend.bucket,
        points: spend.points,
    })
}

impl From<&NewVoucher> for VoucherRow {
    fn from(new: &NewVoucher) -> VoucherRow {
        let voucher = &new.voucher;
        VoucherRow {
            account_id: Id(voucher.account),
            id: Id(voucher.id),
            offer_id: Id(voucher.offer),
            merchant_id: Id(voucher.merchant),
            points: voucher.points,
            settlement_fen: voucher.settlement_fen,
            code_digest: new.code_digest.to_vec(),
            client_key: voucher.client_key.clone(),
            state: voucher.state.as_str().to_owned(),
            created_at: Ts(voucher.created_at),
            cancel_until: Ts(voucher.cancel_until),
            expires_at: Ts(voucher.expires_at),
            hold_id: Id(voucher.hold),
            closed_at: None,
            closing_id: None,
            used_day: None,
        }
    }
}

impl TryFrom<VoucherRow> for Voucher {
    type Error = StoreError;

    fn try_from(row: VoucherRow) -> StoreResult<Voucher> {
        let state = VoucherState::parse(&row.state)
            .ok_or_else(|| StoreError::Corrupt(format!("vouchers.state {}", row.state)))?;
        Ok(Voucher {
            id: row.id.0,
            account: row.account_id.0,
            offer: row.offer_id.0,
            merchant: row.merchant_id.0,
            points: row.points,
            settlement_fen: row.settlement_fen,
            client_key: row.client_key,
            state,
            created_at: row.created_at.0,
            cancel_until: row.cancel_until.0,
            expires_at: row.expires_at.0,
            hold: row.hold_id.0,
            closed: row
                .closed_at
                .zip(row.closing_id)
                .map(|(at, transfer)| (at.0, transfer.0)),
        })
    }
}
