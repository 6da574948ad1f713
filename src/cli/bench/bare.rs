//! The bare statements: the same rows into the same tables with the same constraints and indexes,
//! with everything that a program decides left out.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::wallet::{Entry, ISSUANCE, Lot, Transfer, TransferKind};
use crate::flow::FlowError;
use crate::flow::ingest::{Item, Prepared};
use crate::store::behaviour::{
    BatchRow, Claim, NewBehaviour, append_batch, append_behaviours, take_claims,
};
use crate::store::link::links_of;
use crate::store::reduction::{
    DayRange, ReductionRow, append_leaves, append_reductions, day_credits,
};
use crate::store::wallet::{lock_lots, open_lots, post, save_lots};
use crate::store::{Id, Pool, StoreError, Tx};

use super::Failure;
use super::town::{Town, ctx, now};

/// One batch's rows, made before the clock starts.
struct Rows {
    batch: Uuid,
    prepared: Prepared,
    accounts: Vec<Uuid>,
    bucket: i32,
}

/// Writes `records` in batches by `writers` threads; returns how long the statements took.
pub(super) fn run(
    pool: &Pool,
    town: &Town,
    records: usize,
    batch: usize,
    writers: usize,
) -> Result<Duration, Failure> {
    let mut ids = ctx(now(), 900);
    let bucket = town.scene().view.rule.bucket(ids.now.date_naive());
    let mut work = Vec::new();
    for _ in 0..records / batch {
        let prepared = town.prepared(batch);
        let accounts = accounts_of(pool, &prepared)?;
        work.push(Rows {
            batch: ids.id(),
            prepared,
            accounts,
            bucket,
        });
    }
    let queue = Mutex::new(work);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|_| {
                scope.spawn(|| -> Result<(), FlowError> {
                    while let Some(rows) = pop(&queue) {
                        pool.write_now(|tx| statements(tx, town, &rows))?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(crate::domain::problem::Code::Internal.into()))
        })
    })?;
    Ok(began.elapsed())
}

fn pop(queue: &Mutex<Vec<Rows>>) -> Option<Rows> {
    queue
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .pop()
}

/// Each item's account, in the order of the items sorted as ingestion sorts them.
fn accounts_of(pool: &Pool, prepared: &Prepared) -> Result<Vec<Uuid>, StoreError> {
    let mut subjects: Vec<_> = prepared.items.iter().map(|item| item.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let links = pool.read_now(|conn| links_of(conn, &subjects))?;
    let account = |item: &Item| {
        let link = links.on(&item.subject, item.day);
        link.map(|link| link.account).ok_or(StoreError::NotFound)
    };
    prepared.items.iter().map(account).collect()
}

fn statements(tx: &mut Tx<'_>, town: &Town, rows: &Rows) -> Result<(), FlowError> {
    let mut items: Vec<(Uuid, &Item)> = rows
        .accounts
        .iter()
        .copied()
        .zip(&rows.prepared.items)
        .collect();
    items.sort_unstable_by_key(|(account, item)| (*account, item.day, item.from));
    let mut subjects: Vec<_> = items.iter().map(|(_, item)| item.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    links_of(tx, &subjects)?;
    let mut claims: Vec<Claim> = items
        .iter()
        .zip(0..)
        .filter_map(|((_, item), pos)| {
            Some(Claim {
                key: item.source_key?,
                batch: rows.batch,
                pos,
            })
        })
        .collect();
    claims.sort_unstable_by_key(|claim| claim.key);
    take_claims(tx, &claims)?;
    let lots = wallets(tx, rows, &items)?;
    let ranges: Vec<DayRange> = items
        .iter()
        .map(|(account, item)| DayRange {
            account: *account,
            from: item.day - 1,
            to: item.day + 1,
        })
        .collect();
    day_credits(tx, &ranges)?;
    write(tx, town, rows, &items, &lots)
}

fn wallets(tx: &mut Tx<'_>, rows: &Rows, items: &[(Uuid, &Item)]) -> Result<Vec<Lot>, StoreError> {
    let mut accounts: Vec<Uuid> = items.iter().map(|(account, _)| *account).collect();
    accounts.dedup();
    let mut lots = lock_lots(tx, &accounts)?;
    if lots.len() < accounts.len() {
        let have: std::collections::HashSet<Uuid> = lots.iter().map(|lot| lot.account).collect();
        let missing: Vec<Lot> = accounts
            .iter()
            .filter(|account| !have.contains(account))
            .map(|account| Lot::empty(*account, rows.bucket))
            .collect();
        open_lots(tx, &missing)?;
        lots = lock_lots(tx, &accounts)?;
    }
    for lot in &mut lots {
        lot.available += 100;
    }
    Ok(lots)
}

fn write(
    tx: &mut Tx<'_>,
    town: &Town,
    rows: &Rows,
    items: &[(Uuid, &Item)],
    lots: &[Lot],
) -> Result<(), FlowError> {
    let scene = &town.scene().view;
    let behaviours = items
        .iter()
        .zip(0..)
        .map(|((account, item), pos)| NewBehaviour {
            batch_id: rows.batch.into(),
            pos,
            scene_id: scene.id,
            account_id: Some(Id(*account)),
            source_id: &item.source_id,
            from_at: item.from.into(),
            to_at: item.to.into(),
            content: &item.canonical.content,
            digest: &item.canonical.digest,
        });
    append_behaviours(tx, behaviours.collect())?;
    save_lots(tx, lots)?;
    let mut entries: Vec<Entry> = Vec::with_capacity(items.len() + 1);
    for ((account, item), pos) in items.iter().zip(0..) {
        let entry = Entry::points(*account, item.day, rows.bucket, 100, 0);
        let span = Some((item.from, item.to));
        match entries
            .last_mut()
            .filter(|last| last.account == *account && last.day == item.day)
        {
            Some(last) => last.records += 1,
            None => entries.push(Entry {
                reduction_mg: item.mg,
                first_pos: pos,
                records: 1,
                span,
                ..entry
            }),
        }
    }
    let points: i64 = entries.iter().map(|entry| entry.available).sum();
    entries.push(Entry::points(ISSUANCE, 20_000, 0, -points, 0));
    let transfer = Transfer::of(rows.batch, TransferKind::Credit, now(), &entries)
        .expect("the issuance entry is minus the sum of the others");
    post(tx, &transfer, &entries)?;
    append_leaves(
        tx,
        rows.batch,
        &vec![7; items.len() * 32],
        count(items.len()),
    )?;
    append_batch(
        tx,
        &BatchRow {
            id: rows.batch.into(),
            scene_id: scene.id,
            received_at: now().into(),
            body_digest: rows.prepared.body_digest.to_vec(),
            accepted: count(items.len()),
            replayed: 0,
            refused: 0,
            held: 0,
            reduction_mg: 0,
            points,
        },
    )?;
    let reductions = items
        .iter()
        .zip(0..)
        .map(|((account, item), pos)| ReductionRow {
            batch_id: rows.batch.into(),
            pos,
            account_id: Id(*account),
            scene_id: scene.id,
            methodology_id: 1,
            day: item.day,
            mg: item.mg,
            points: 100,
            exchange_rule_id: scene.rule_id,
            origin_batch: None,
            origin_pos: None,
        });
    Ok(append_reductions(tx, reductions.collect())?)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
