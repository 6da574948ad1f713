//! PostgreSQL: arrays by `UNNEST` where rows may exist, `COPY` where they cannot.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Text};
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;

use super::super::behaviour::{Claim, ClaimRow, NewBehaviour};
use super::super::link::LinkColumns;
use super::super::redemption::{VoucherLotRow, VoucherRow};
use super::super::reduction::{DayCreditRow, DayRange, ReductionRow};
use super::super::schema::{
    behaviours, entries, reductions, share_statements, subject_links, subject_shares, voucher_lots,
    vouchers,
};
use super::super::share::{ShareRow, StatementRow};
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

/// Inserts what is free, in the order given; the count tells whether anything was not.
pub(in crate::store) fn take_claims(
    c: &mut PgConnection,
    wanted: &[Claim],
) -> StoreResult<Vec<ClaimRow>> {
    let Some(batch) = wanted.first().map(|claim| Id(claim.batch)) else {
        return Ok(Vec::new());
    };
    let keys: Vec<&[u8]> = wanted.iter().map(|claim| claim.key.as_slice()).collect();
    let inserted = diesel::sql_query(
        "INSERT INTO claims (key, pos, batch_id) \
         SELECT d.key, d.pos, $3 FROM unnest($1, $2) AS d (key, pos) ON CONFLICT (key) DO NOTHING",
    )
    .bind::<Array<Binary>, _>(&keys)
    .bind::<Array<Integer>, _>(wanted.iter().map(|claim| claim.pos).collect::<Vec<i32>>())
    .bind::<IdT, _>(batch)
    .execute(c)?;
    if inserted == wanted.len() {
        return Ok(Vec::new());
    }
    Ok(diesel::sql_query(
        "SELECT key, batch_id, pos FROM claims WHERE key = ANY($1) AND batch_id <> $2",
    )
    .bind::<Array<Binary>, _>(&keys)
    .bind::<IdT, _>(batch)
    .load(c)?)
}

/// The class of advisory locks that stand between holding a record and linking its subject.
const LINK_GATE: i32 = 0x6c69_6e6b;

/// Many batches may be inside a gate; a link waits until all have left it.
pub(in crate::store) fn enter_link_gates(c: &mut PgConnection, gates: &[i32]) -> StoreResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock_shared($1, gate) FROM unnest($2) AS gate")
        .bind::<Integer, _>(LINK_GATE)
        .bind::<Array<Integer>, _>(gates)
        .execute(c)?;
    Ok(())
}

pub(in crate::store) fn close_link_gate(c: &mut PgConnection, gate: i32) -> StoreResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind::<Integer, _>(LINK_GATE)
        .bind::<Integer, _>(gate)
        .execute(c)?;
    Ok(())
}

pub(in crate::store) fn append_behaviours(
    c: &mut PgConnection,
    rows: Vec<NewBehaviour<'_>>,
) -> StoreResult<()> {
    diesel::copy_from(behaviours::table)
        .from_insertable(rows)
        .execute(c)?;
    Ok(())
}

pub(in crate::store) fn append_reductions(
    c: &mut PgConnection,
    rows: Vec<ReductionRow>,
) -> StoreResult<()> {
    diesel::copy_from(reductions::table)
        .from_insertable(rows)
        .execute(c)?;
    Ok(())
}

pub(in crate::store) fn links_of(
    c: &mut PgConnection,
    subjects: &[SubjectHash],
) -> StoreResult<Vec<LinkColumns>> {
    let subjects: Vec<&[u8]> = subjects.iter().map(<[u8; 32]>::as_slice).collect();
    Ok(subject_links::table
        .filter(subject_links::subject.eq_any(subjects))
        .select((
            subject_links::subject,
            subject_links::seq,
            subject_links::account_id,
            subject_links::from_day,
            subject_links::out_day,
        ))
        .load(c)?)
}

pub(in crate::store) fn shares_of(
    c: &mut PgConnection,
    subjects: &[SubjectHash],
) -> StoreResult<(Vec<StatementRow>, Vec<ShareRow>)> {
    let subjects: Vec<&[u8]> = subjects.iter().map(<[u8; 32]>::as_slice).collect();
    let statements: Vec<StatementRow> = share_statements::table
        .filter(share_statements::subject.eq_any(&subjects))
        .load(c)?;
    let shares = match statements.is_empty() {
        true => Vec::new(),
        false => subject_shares::table
            .filter(subject_shares::subject.eq_any(&subjects))
            .load(c)?,
    };
    Ok((statements, shares))
}

pub(in crate::store) fn day_credits(
    c: &mut PgConnection,
    ranges: &[DayRange],
) -> StoreResult<Vec<DayCreditRow>> {
    let accounts: Vec<Uuid> = ranges.iter().map(|range| range.account).collect();
    Ok(diesel::sql_query(
        // `OFFSET 0` keeps this one index probe a range: as a plain join the planner takes a
        // whole-table scan as soon as its statistics are a little old (measured: 54 ms a batch).
        "SELECT e.account_id, e.day, e.transfer_id, e.available, e.first_pos, e.records, \
         e.from_at, e.to_at \
         FROM unnest($1, $2, $3) AS d (account_id, first_day, last_day), LATERAL \
         (SELECT * FROM entries WHERE entries.account_id = d.account_id \
          AND entries.day BETWEEN d.first_day AND d.last_day OFFSET 0) e \
         WHERE e.records > 0",
    )
    .bind::<Array<IdT>, _>(ids(&accounts))
    .bind::<Array<Integer>, _>(ranges.iter().map(|range| range.from).collect::<Vec<i32>>())
    .bind::<Array<Integer>, _>(ranges.iter().map(|range| range.to).collect::<Vec<i32>>())
    .load(c)?)
}

pub(in crate::store) fn keyed_vouchers(
    c: &mut PgConnection,
    keys: &[(Uuid, &str)],
) -> StoreResult<Vec<VoucherRow>> {
    let (accounts, keys): (Vec<Id>, Vec<&str>) = keys
        .iter()
        .map(|(account, key)| (Id(*account), *key))
        .unzip();
    Ok(diesel::sql_query(
        "SELECT v.* FROM unnest($1, $2) AS d (account_id, client_key) \
         JOIN vouchers v ON v.account_id = d.account_id AND v.client_key = d.client_key",
    )
    .bind::<Array<IdT>, _>(accounts)
    .bind::<Array<Text>, _>(keys)
    .load(c)?)
}

pub(in crate::store) fn append_vouchers(
    c: &mut PgConnection,
    rows: Vec<VoucherRow>,
    gave: Vec<VoucherLotRow>,
) -> StoreResult<()> {
    diesel::copy_from(vouchers::table)
        .from_insertable(rows)
        .execute(c)?;
    diesel::copy_from(voucher_lots::table)
        .from_insertable(gave)
        .execute(c)?;
    Ok(())
}

pub(in crate::store) fn voucher_lots(
    c: &mut PgConnection,
    ids: &[(Uuid, Uuid)],
) -> StoreResult<Vec<VoucherLotRow>> {
    let (accounts, ids): (Vec<Id>, Vec<Id>) = ids
        .iter()
        .map(|(account, id)| (Id(*account), Id(*id)))
        .unzip();
    Ok(diesel::sql_query(
        "SELECT l.* FROM unnest($1, $2) AS d (account_id, voucher_id) \
         JOIN voucher_lots l ON l.account_id = d.account_id AND l.voucher_id = d.voucher_id \
         ORDER BY l.account_id, l.voucher_id, l.bucket",
    )
    .bind::<Array<IdT>, _>(accounts)
    .bind::<Array<IdT>, _>(ids)
    .load(c)?)
}
