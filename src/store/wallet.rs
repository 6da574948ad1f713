//! Lots, transfers and entries. Lots are locked in order of account before they are changed, so
//! that two transactions that touch the same wallets wait for each other instead of deadlocking.

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::wallet::{Day, Entry, Lot, Transfer};

use super::bulk;
use super::schema::{entries, lots, transfers};
use super::{Conn, Id, StoreResult, Ts, Tx};

#[derive(Debug, Clone, Queryable, QueryableByName, Insertable)]
#[diesel(table_name = lots, treat_none_as_default_value = false)]
pub(super) struct LotRow {
    pub account_id: Id,
    pub bucket: i32,
    pub available: i64,
    pub held: i64,
    pub remainder_mg: i64,
}

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = entries, treat_none_as_default_value = false)]
pub(super) struct EntryRow {
    pub account_id: Id,
    pub day: i32,
    pub transfer_id: Id,
    pub bucket: i32,
    pub available: i64,
    pub held: i64,
    pub reduction_mg: i64,
    pub first_pos: i32,
    pub records: i32,
    pub from_at: Option<Ts>,
    pub to_at: Option<Ts>,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = transfers, treat_none_as_default_value = false)]
struct TransferRow {
    id: Id,
    kind: &'static str,
    at: Ts,
    debits: i64,
    credits: i64,
}

/// All lots of these accounts, by account and bucket, locked until the transaction ends.
/// `accounts` are sorted and distinct.
///
/// # Errors
/// The query failed.
pub fn lock_lots(tx: &mut Tx<'_>, accounts: &[Uuid]) -> StoreResult<Vec<Lot>> {
    debug_assert!(accounts.windows(2).all(|pair| pair[0] < pair[1]));
    let rows = match &mut **tx {
        Conn::Pg(c) => bulk::postgres::lock_lots(c, accounts)?,
        Conn::Sqlite(c) => bulk::sqlite::lots(c, accounts)?,
    };
    Ok(rows.into_iter().map(Lot::from).collect())
}

/// Makes empty lots where there are none, in the order given, and leaves others alone. Call it
/// only for lots that [`lock_lots`] did not return, then lock again.
///
/// # Errors
/// The write failed.
pub fn open_lots(tx: &mut Tx<'_>, new: &[Lot]) -> StoreResult<()> {
    let rows: Vec<LotRow> = new.iter().map(LotRow::from).collect();
    each_backend!(&mut **tx, |c| {
        for chunk in rows.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(lots::table)
                .values(chunk)
                .on_conflict_do_nothing()
                .execute(c)?;
        }
    });
    Ok(())
}

/// Writes lots that this transaction has locked.
///
/// # Errors
/// The write failed; a negative amount is refused by the table.
pub fn save_lots(tx: &mut Tx<'_>, changed: &[Lot]) -> StoreResult<()> {
    let rows: Vec<LotRow> = changed.iter().map(LotRow::from).collect();
    match &mut **tx {
        Conn::Pg(c) => bulk::postgres::save_lots(c, &rows),
        Conn::Sqlite(c) => bulk::sqlite::save_lots(c, &rows),
    }
}

/// Writes one transfer and its entries; the entries' order is that of the slice.
///
/// # Errors
/// The write failed.
pub fn post(tx: &mut Tx<'_>, transfer: &Transfer, sides: &[Entry]) -> StoreResult<()> {
    post_all(
        tx,
        std::slice::from_ref(transfer),
        sides.iter().map(|entry| (transfer.id, entry)),
    )
}

/// Writes many transfers and their entries, each entry beside its transfer's id.
///
/// # Errors
/// The write failed.
pub fn post_all<'e>(
    tx: &mut Tx<'_>,
    moved: &[Transfer],
    sides: impl Iterator<Item = (Uuid, &'e Entry)>,
) -> StoreResult<()> {
    let moved: Vec<TransferRow> = moved.iter().map(TransferRow::from).collect();
    each_backend!(&mut **tx, |c| {
        for chunk in moved.chunks(bulk::ROWS_PER_INSERT) {
            diesel::insert_into(transfers::table)
                .values(chunk)
                .execute(c)?;
        }
    });
    let rows: Vec<EntryRow> = sides
        .map(|(transfer, entry)| EntryRow::of(transfer, entry))
        .collect();
    match &mut **tx {
        Conn::Pg(c) => bulk::postgres::append_entries(c, rows),
        Conn::Sqlite(c) => bulk::sqlite::append_entries(c, &rows),
    }
}

/// The lots of one account, by bucket.
///
/// # Errors
/// The query failed.
pub fn lots_of(conn: &mut Conn, account: Uuid) -> StoreResult<Vec<Lot>> {
    let rows: Vec<LotRow> = lots::table
        .filter(lots::account_id.eq(Id(account)))
        .order(lots::bucket.asc())
        .load(conn)?;
    Ok(rows.into_iter().map(Lot::from).collect())
}

/// One line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    pub transfer: Uuid,
    pub kind: String,
    pub at: chrono::DateTime<chrono::Utc>,
    pub entry: Entry,
}

/// Where a statement goes on: after this line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementPlace {
    pub day: Day,
    pub transfer: Uuid,
    pub bucket: Day,
}

/// An account's entries, newest day first, at most `limit`, after `place`.
///
/// # Errors
/// The query failed.
pub fn statement(
    conn: &mut Conn,
    account: Uuid,
    place: Option<StatementPlace>,
    limit: i64,
) -> StoreResult<Vec<StatementLine>> {
    let mut query = entries::table
        .inner_join(transfers::table.on(transfers::id.eq(entries::transfer_id)))
        .filter(entries::account_id.eq(Id(account)))
        .select((entries::all_columns, transfers::kind, transfers::at))
        .order((
            entries::day.desc(),
            entries::transfer_id.desc(),
            entries::bucket.desc(),
        ))
        .limit(limit)
        .into_boxed::<super::MultiBackend>();
    if let Some(place) = place {
        let transfer = Id(place.transfer);
        query = query.filter(
            entries::day
                .lt(place.day)
                .or(entries::day.eq(place.day).and(
                    entries::transfer_id.lt(transfer).or(entries::transfer_id
                        .eq(transfer)
                        .and(entries::bucket.lt(place.bucket))),
                )),
        );
    }
    let rows: Vec<(EntryRow, String, Ts)> = query.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(row, kind, at)| StatementLine {
            transfer: row.transfer_id.0,
            kind,
            at: at.0,
            entry: row.into(),
        })
        .collect())
}

impl From<LotRow> for Lot {
    fn from(row: LotRow) -> Lot {
        Lot {
            account: row.account_id.0,
            bucket: row.bucket,
            available: row.available,
            held: row.held,
            remainder_mg: row.remainder_mg,
        }
    }
}

impl From<&Lot> for LotRow {
    fn from(lot: &Lot) -> LotRow {
        LotRow {
            account_id: Id(lot.account),
            bucket: lot.bucket,
            available: lot.available,
            held: lot.held,
            remainder_mg: lot.remainder_mg,
        }
    }
}

impl From<&Transfer> for TransferRow {
    fn from(transfer: &Transfer) -> TransferRow {
        TransferRow {
            id: Id(transfer.id),
            kind: transfer.kind.as_str(),
            at: Ts(transfer.at),
            debits: transfer.total,
            credits: transfer.total,
        }
    }
}

impl EntryRow {
    fn of(transfer: Uuid, entry: &Entry) -> EntryRow {
        EntryRow {
            account_id: Id(entry.account),
            day: entry.day,
            transfer_id: Id(transfer),
            bucket: entry.bucket,
            available: entry.available,
            held: entry.held,
            reduction_mg: entry.reduction_mg,
            first_pos: entry.first_pos,
            records: entry.records,
            from_at: entry.span.map(|(from, _)| Ts(from)),
            to_at: entry.span.map(|(_, to)| Ts(to)),
        }
    }
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Entry {
        Entry {
            account: row.account_id.0,
            day: row.day,
            bucket: row.bucket,
            available: row.available,
            held: row.held,
            reduction_mg: row.reduction_mg,
            first_pos: row.first_pos,
            records: row.records,
            span: row.from_at.zip(row.to_at).map(|(from, to)| (from.0, to.0)),
        }
    }
}
