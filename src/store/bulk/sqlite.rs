//! SQLite: statements prepared once and run row by row, which is as fast there as many rows in
//! one statement.

use diesel::prelude::*;
use uuid::Uuid;

use super::super::schema::{entries, lots};
use super::super::wallet::{EntryRow, LotRow};
use super::super::{Id, StoreResult};

pub(in crate::store) fn lots(
    c: &mut SqliteConnection,
    accounts: &[Uuid],
) -> StoreResult<Vec<LotRow>> {
    let mut rows = Vec::with_capacity(accounts.len());
    for account in accounts {
        rows.extend(
            lots::table
                .filter(lots::account_id.eq(Id(*account)))
                .order(lots::bucket.asc())
                .load_iter::<LotRow, _>(c)?
                .collect::<QueryResult<Vec<_>>>()?,
        );
    }
    Ok(rows)
}

pub(in crate::store) fn save_lots(c: &mut SqliteConnection, rows: &[LotRow]) -> StoreResult<()> {
    for row in rows {
        diesel::update(lots::table.find((row.account_id, row.bucket)))
            .set((
                lots::available.eq(row.available),
                lots::held.eq(row.held),
                lots::remainder_mg.eq(row.remainder_mg),
            ))
            .execute(c)?;
    }
    Ok(())
}

pub(in crate::store) fn append_entries(
    c: &mut SqliteConnection,
    rows: &[EntryRow],
) -> StoreResult<()> {
    for row in rows {
        diesel::insert_into(entries::table).values(row).execute(c)?;
    }
    Ok(())
}
