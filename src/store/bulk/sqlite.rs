//! SQLite: statements prepared once and run row by row, which is as fast there as many rows in
//! one statement.

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::behaviour::SubjectHash;

use super::super::behaviour::{Claim, ClaimRow, NewBehaviour};
use super::super::link::LinkColumns;
use super::super::redemption::{VoucherLotRow, VoucherRow};
use super::super::reduction::{DayCreditRow, DayRange, ReductionRow};
use super::super::schema::{
    behaviours, claims, entries, lots, reductions, share_statements, subject_links, subject_shares,
    voucher_lots, vouchers,
};
use super::super::share::{ShareRow, StatementRow};
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

pub(in crate::store) fn take_claims(
    c: &mut SqliteConnection,
    wanted: &[Claim],
) -> StoreResult<Vec<ClaimRow>> {
    let mut taken = Vec::new();
    for claim in wanted {
        let key = claim.key.as_slice();
        let row = (
            claims::key.eq(key),
            claims::batch_id.eq(Id(claim.batch)),
            claims::pos.eq(claim.pos),
        );
        let inserted = diesel::insert_into(claims::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c)?;
        if inserted == 0 {
            taken.push(claims::table.find(key).first(c)?);
        }
    }
    Ok(taken)
}

pub(in crate::store) fn append_behaviours(
    c: &mut SqliteConnection,
    rows: &[NewBehaviour<'_>],
) -> StoreResult<()> {
    for row in rows {
        diesel::insert_into(behaviours::table)
            .values(row)
            .execute(c)?;
    }
    Ok(())
}

pub(in crate::store) fn append_reductions(
    c: &mut SqliteConnection,
    rows: &[ReductionRow],
) -> StoreResult<()> {
    for row in rows {
        diesel::insert_into(reductions::table)
            .values(row)
            .execute(c)?;
    }
    Ok(())
}

pub(in crate::store) fn links_of(
    c: &mut SqliteConnection,
    subjects: &[SubjectHash],
) -> StoreResult<Vec<LinkColumns>> {
    let mut links = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let found: Vec<LinkColumns> = subject_links::table
            .filter(subject_links::subject.eq(subject.as_slice()))
            .select((
                subject_links::subject,
                subject_links::seq,
                subject_links::account_id,
                subject_links::from_day,
                subject_links::out_day,
            ))
            .load(c)?;
        links.extend(found);
    }
    Ok(links)
}

pub(in crate::store) fn shares_of(
    c: &mut SqliteConnection,
    subjects: &[SubjectHash],
) -> StoreResult<(Vec<StatementRow>, Vec<ShareRow>)> {
    let (mut statements, mut shares) = (Vec::new(), Vec::new());
    for subject in subjects {
        let found: Vec<StatementRow> = share_statements::table
            .filter(share_statements::subject.eq(subject.as_slice()))
            .load(c)?;
        if !found.is_empty() {
            let of: Vec<ShareRow> = subject_shares::table
                .filter(subject_shares::subject.eq(subject.as_slice()))
                .load(c)?;
            shares.extend(of);
        }
        statements.extend(found);
    }
    Ok((statements, shares))
}

pub(in crate::store) fn day_credits(
    c: &mut SqliteConnection,
    ranges: &[DayRange],
) -> StoreResult<Vec<DayCreditRow>> {
    let mut rows = Vec::new();
    for range in ranges {
        rows.extend(
            entries::table
                .filter(entries::account_id.eq(Id(range.account)))
                .filter(entries::day.between(range.from, range.to))
                .filter(entries::records.gt(0))
                .select((
                    entries::account_id,
                    entries::day,
                    entries::transfer_id,
                    entries::available,
                    entries::first_pos,
                    entries::records,
                    entries::from_at,
                    entries::to_at,
                ))
                .load::<DayCreditRow>(c)?,
        );
    }
    Ok(rows)
}

pub(in crate::store) fn keyed_vouchers(
    c: &mut SqliteConnection,
    keys: &[(Uuid, &str)],
) -> StoreResult<Vec<VoucherRow>> {
    let mut rows = Vec::new();
    for (account, key) in keys {
        rows.extend(
            vouchers::table
                .filter(vouchers::account_id.eq(Id(*account)))
                .filter(vouchers::client_key.eq(*key))
                .load::<VoucherRow>(c)?,
        );
    }
    Ok(rows)
}

pub(in crate::store) fn append_vouchers(
    c: &mut SqliteConnection,
    rows: &[VoucherRow],
    gave: &[VoucherLotRow],
) -> StoreResult<()> {
    for row in rows {
        diesel::insert_into(vouchers::table)
            .values(row)
            .execute(c)?;
    }
    for row in gave {
        diesel::insert_into(voucher_lots::table)
            .values(row)
            .execute(c)?;
    }
    Ok(())
}

pub(in crate::store) fn voucher_lots(
    c: &mut SqliteConnection,
    ids: &[(Uuid, Uuid)],
) -> StoreResult<Vec<VoucherLotRow>> {
    let mut rows = Vec::new();
    for (account, id) in ids {
        rows.extend(
            voucher_lots::table
                .filter(voucher_lots::account_id.eq(Id(*account)))
                .filter(voucher_lots::voucher_id.eq(Id(*id)))
                .order(voucher_lots::bucket.asc())
                .load::<VoucherLotRow>(c)?,
        );
    }
    Ok(rows)
}
