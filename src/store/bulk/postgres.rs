//! PostgreSQL: arrays by `UNNEST` where rows may exist, `COPY` where they cannot.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer};
use uuid::Uuid;

use super::super::schema::entries;
use super::super::types::IdT;
use super::super::wallet::{EntryRow, LotRow};
use super::super::{Id, StoreResult};

pub(in crate::store) fn lock_lots(
    c: &mut PgConnection,
    accounts: &[Uuid],
) -> StoreResult<Vec<LotRow>> {
    Ok(diesel::sql_query(
        "SELECT account_id, bucket, available, held, remainder_mg FROM lots \
         WHERE account_id = ANY($1) ORDER BY account_id, bucket FOR UPDATE",
    )
    .bind::<Array<IdT>, _>(ids(accounts))
    .load(c)?)
}

pub(in crate::store) fn save_lots(c: &mut PgConnection, rows: &[LotRow]) -> StoreResult<()> {
    let column = |pick: fn(&LotRow) -> i64| rows.iter().map(pick).collect::<Vec<i64>>();
    diesel::sql_query(
        "UPDATE lots SET available = d.available, held = d.held, remainder_mg = d.remainder_mg \
         FROM unnest($1, $2, $3, $4, $5) AS d (account_id, bucket, available, held, remainder_mg) \
         WHERE lots.account_id = d.account_id AND lots.bucket = d.bucket",
    )
    .bind::<Array<IdT>, _>(rows.iter().map(|row| row.account_id).collect::<Vec<Id>>())
    .bind::<Array<Integer>, _>(rows.iter().map(|row| row.bucket).collect::<Vec<i32>>())
    .bind::<Array<BigInt>, _>(column(|row| row.available))
    .bind::<Array<BigInt>, _>(column(|row| row.held))
    .bind::<Array<BigInt>, _>(column(|row| row.remainder_mg))
    .execute(c)?;
    Ok(())
}

pub(in crate::store) fn append_entries(
    c: &mut PgConnection,
    rows: Vec<EntryRow>,
) -> StoreResult<()> {
    diesel::copy_from(entries::table)
        .from_insertable(rows)
        .execute(c)?;
    Ok(())
}

pub(super) fn ids(ids: &[Uuid]) -> Vec<Id> {
    ids.iter().copied().map(Id).collect()
}
