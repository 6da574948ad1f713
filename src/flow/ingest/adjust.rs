//! Adjusting the books: reductions are taken back by counter-entries and others put in their
//! place. Both move in one transaction, each in a batch of its own, and the ties between them are
//! written: who reads one row finds the other.
//!
//! What was earned and is spent already cannot be taken; the account owes it, and later credits
//! pay it first ([`recover_owed`]).

use std::collections::HashMap;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::log::leaf::Leaf;
use crate::domain::reduction::ReductionId;
use crate::domain::unit::MgCo2e;
use crate::domain::wallet::{Day, Earner, Entry, ISSUANCE, Lot, Transfer, TransferKind};
use crate::flow::FlowResult;
use crate::store::behaviour::{BatchRow, append_batch, behaviour};
use crate::store::correction::{
    CorrectionRow, CutRow, append_corrections, append_cuts, cut_of, owe, owed_by, recover,
};
use crate::store::reduction::{
    DayRange, ReductionRow, append_leaves, append_reductions, day_credits,
};
use crate::store::wallet::{lock_lots, open_lots, post, save_lots};
use crate::store::{Id, Tx};

use super::commit::{LogSettings, count};
use super::scene::SceneView;

/// A reduction to be taken back.
#[derive(Debug, Clone)]
pub(crate) struct Reversal {
    pub row: ReductionRow,
    /// Why: `revised`, `cancelled`, `recomputed`, or the reason code of a year's end.
    pub reason: String,
    /// Place among the new ones of what stands in its stead.
    pub replaced_by: Option<usize>,
}

/// A reduction to be credited.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    pub account: Uuid,
    pub day: Day,
    pub mg: i64,
    /// Place of the methodology version in the scene's list.
    pub pinned: usize,
    /// From the start of the act to its end.
    pub span: (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>),
    /// The behaviour it was computed from; `None` for the one stored under the reduction's own
    /// batch and position.
    pub origin: Option<ReductionId>,
    /// The behaviour's digest, for the log leaf.
    pub digest: [u8; 32],
}

/// What one adjustment came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Adjusted {
    /// Where each new reduction stands and the points it gave, in the order they were given.
    pub fresh: Vec<(ReductionId, i64)>,
    /// Places of new reductions from which a daily cap cut something.
    pub capped: Vec<usize>,
    /// Points taken back, and points that are owed now.
    pub taken: i64,
    pub owed: i64,
}

/// The batches that an adjustment writes: the credits', which the caller chooses because the
/// behaviours stand in it, and the counter-entries'.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batches {
    pub credits: Uuid,
    pub reversals: Uuid,
    /// SHA-256 of what led to the adjustment.
    pub digest: [u8; 32],
}

/// Takes back and credits. `fresh` are sorted by account and day: their places are their
/// positions in the batch of credits.
///
/// # Errors
/// The store failed, or something was taken back by somebody else meanwhile.
pub(crate) fn adjust(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &SceneView,
    log: &LogSettings,
    batches: Batches,
    mut reversals: Vec<Reversal>,
    fresh: &[Fresh],
) -> FlowResult<Adjusted> {
    debug_assert!(
        fresh
            .windows(2)
            .all(|two| (two[0].account, two[0].day) <= (two[1].account, two[1].day))
    );
    reversals
        .sort_by_key(|reversal| (reversal.row.account_id, reversal.row.day, reversal.row.id()));
    let mut books = Books::open(tx, ctx, scene, &reversals, fresh)?;
    let mut adjusted = Adjusted::default();
    let counter = take_back(
        tx,
        ctx,
        scene,
        log,
        batches,
        &reversals,
        &mut books,
        &mut adjusted,
    )?;
    credit(
        tx,
        ctx,
        scene,
        log,
        batches,
        fresh,
        &mut books,
        &mut adjusted,
    )?;
    save_lots(tx, &books.lots)?;
    append_corrections(tx, &counter)?;
    let mut accounts: Vec<Uuid> = fresh.iter().map(|fresh| fresh.account).collect();
    accounts.dedup();
    recover_owed(tx, ctx, scene, batches.credits, &accounts)?;
    Ok(adjusted)
}

/// The locked lots of the accounts concerned, and what they earned on the days concerned.
struct Books {
    lots: Vec<Lot>,
    /// First place, and first place that is out, of each account's lots; the last is the newest.
    of: HashMap<Uuid, (usize, usize)>,
    earned: HashMap<(Uuid, Day), i64>,
}

impl Books {
    fn open(
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
        reversals: &[Reversal],
        fresh: &[Fresh],
    ) -> FlowResult<Books> {
        let mut days: Vec<(Uuid, Day)> = reversals
            .iter()
            .map(|reversal| (reversal.row.account_id.0, reversal.row.day))
            .chain(fresh.iter().map(|fresh| (fresh.account, fresh.day)))
            .collect();
        days.sort_unstable();
        days.dedup();
        let mut accounts: Vec<Uuid> = days.iter().map(|(account, _)| *account).collect();
        accounts.dedup();
        let bucket = scene
            .rule
            .bucket(ctx.now.with_timezone(&scene.zone).date_naive());
        let lots = lock_lots(tx, &accounts)?;
        let lacking = |account: &&Uuid| {
            let newest = lots.iter().rev().find(|lot| lot.account == **account);
            newest.is_none_or(|lot| lot.bucket < bucket)
        };
        let missing: Vec<Lot> = accounts
            .iter()
            .filter(lacking)
            .map(|account| Lot::empty(*account, bucket))
            .collect();
        let lots = match missing.is_empty() {
            true => lots,
            false => {
                open_lots(tx, &missing)?;
                lock_lots(tx, &accounts)?
            }
        };
        let mut books = Books {
            lots,
            of: HashMap::new(),
            earned: HashMap::new(),
        };
        for (place, lot) in books.lots.iter().enumerate() {
            books.of.entry(lot.account).or_insert((place, place)).1 = place + 1;
        }
        books.carry_remainders();
        let ranges: Vec<DayRange> = days
            .iter()
            .map(|(account, day)| DayRange {
                account: *account,
                from: *day,
                to: *day,
            })
            .collect();
        for credit in day_credits(tx, &ranges)? {
            *books
                .earned
                .entry((credit.account, credit.day))
                .or_default() += credit.points;
        }
        Ok(books)
    }

    fn carry_remainders(&mut self) {
        for (first, out) in self.of.values() {
            let carried: i64 = self.lots[*first..*out]
                .iter_mut()
                .map(|lot| std::mem::take(&mut lot.remainder_mg))
                .sum();
            self.lots[*out - 1].remainder_mg = carried;
        }
    }

    fn newest(&mut self, account: Uuid) -> &mut Lot {
        let (_, out) = self.of[&account];
        &mut self.lots[out - 1]
    }

    /// Gives points, as far as the day's cap lets: where a cap had cut carried milligrams, taking
    /// back puts them onto the remainder, and that may make a point. Returns what the lot gave,
    /// which is below zero.
    fn give(&mut self, account: Uuid, day: Day, points: i64, cap: i64) -> Vec<(Day, i64)> {
        let earned = self.earned.get(&(account, day)).copied().unwrap_or(0);
        let points = points.min((cap - earned).max(0));
        let lot = self.newest(account);
        lot.available += points;
        match points {
            0 => Vec::new(),
            _ => vec![(lot.bucket, -points)],
        }
    }

    /// Takes points from the lots that lapse last first; returns what each lot gave.
    fn take(&mut self, account: Uuid, wanted: i64) -> Vec<(Day, i64)> {
        take_from(&mut self.lots, self.of[&account], wanted)
    }
}

fn take_from(lots: &mut [Lot], (first, out): (usize, usize), mut wanted: i64) -> Vec<(Day, i64)> {
    let mut gave = Vec::new();
    for lot in lots[first..out].iter_mut().rev() {
        let taken = lot.available.min(wanted);
        if taken > 0 {
            lot.available -= taken;
            wanted -= taken;
            gave.push((lot.bucket, taken));
        }
    }
    gave
}

/// Writes the counter-entries; returns their ties.
#[expect(clippy::too_many_arguments, reason = "one step of one function")]
fn take_back(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &SceneView,
    log: &LogSettings,
    batches: Batches,
    reversals: &[Reversal],
    books: &mut Books,
    adjusted: &mut Adjusted,
) -> FlowResult<Vec<CorrectionRow>> {
    if reversals.is_empty() {
        return Ok(Vec::new());
    }
    let (mut rows, mut ties, mut entries) = (Vec::new(), Vec::new(), Vec::<Entry>::new());
    let mut leaves = Vec::with_capacity(reversals.len() * 32);
    for (pos, reversal) in reversals.iter().enumerate() {
        let row = &reversal.row;
        let account = row.account_id.0;
        let wanted = wanted_back(tx, scene, row, books)?;
        let gave = match wanted < 0 {
            true => books.give(account, row.day, -wanted, scene.rule.daily_cap_points),
            false => books.take(account, wanted),
        };
        let taken: i64 = gave.iter().map(|(_, points)| points).sum();
        *books.earned.entry((account, row.day)).or_default() -= taken;
        let owed = (wanted - taken).max(0);
        if owed > 0 {
            owe(tx, account, owed)?;
        }
        adjusted.taken += taken;
        adjusted.owed += owed;
        let bucket = books.newest(account).bucket;
        add_counter_entry(&mut entries, row, count(pos), bucket, &gave);
        let behind = row.behaviour();
        rows.push(ReductionRow {
            batch_id: batches.reversals.into(),
            pos: count(pos),
            mg: -row.mg,
            points: -taken,
            origin_batch: Some(Id(behind.batch)),
            origin_pos: Some(count(behind.pos as usize)),
            ..row.clone()
        });
        ties.push(CorrectionRow {
            batch_id: batches.reversals.into(),
            pos: count(pos),
            reversed_batch: row.batch_id,
            reversed_pos: row.pos,
            replaced_batch: reversal.replaced_by.map(|_| Id(batches.credits)),
            replaced_pos: reversal.replaced_by.map(count),
            owed,
            reason: reversal.reason.clone(),
        });
        let digest = behaviour(tx, behind)?.digest;
        leaves.push((account, digest.try_into().unwrap_or([0; 32])));
    }
    write_batch(
        tx,
        ctx,
        scene,
        log,
        Written {
            batch: batches.reversals,
            digest: batches.digest,
            kind: TransferKind::Reverse,
            rows,
            entries,
            leaves,
        },
    )?;
    Ok(ties)
}

/// The points that a reduction gave, to the last milligram of the remainder. Under another rule
/// than today's only the whole points are known, and the remainder stays.
fn wanted_back(
    tx: &mut Tx<'_>,
    scene: &SceneView,
    row: &ReductionRow,
    books: &mut Books,
) -> FlowResult<i64> {
    if row.exchange_rule_id != scene.rule_id {
        return Ok(row.points);
    }
    let cut = cut_of(tx, row.id())?;
    let lot = books.newest(row.account_id.0);
    let mut earner = Earner::new(lot.remainder_mg);
    let wanted = earner.take_back(&scene.rule, row.mg - cut);
    lot.remainder_mg = earner.remainder_mg;
    Ok(wanted)
}

/// One account's side of the counter-entries of one day. Its first line names the reductions.
fn add_counter_entry(
    entries: &mut Vec<Entry>,
    row: &ReductionRow,
    pos: i32,
    bucket: Day,
    gave: &[(Day, i64)],
) {
    let account = row.account_id.0;
    let mut move_points = |bucket: Day, points: i64, mg: i64| {
        let same = |entry: &&mut Entry| {
            entry.account == account && entry.day == row.day && entry.bucket == bucket
        };
        if let Some(entry) = entries
            .iter_mut()
            .rev()
            .take_while(|entry| entry.account == account)
            .find(same)
        {
            entry.available -= points;
            entry.reduction_mg -= mg;
            entry.records = pos - entry.first_pos + 1;
            return;
        }
        entries.push(Entry {
            reduction_mg: -mg,
            first_pos: pos,
            records: 1,
            ..Entry::points(account, row.day, bucket, -points, 0)
        });
    };
    let mut mg = row.mg;
    for (bucket, points) in gave {
        move_points(*bucket, *points, std::mem::take(&mut mg));
    }
    if gave.is_empty() {
        move_points(bucket, 0, mg);
    }
}

#[expect(clippy::too_many_arguments, reason = "one step of one function")]
fn credit(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &SceneView,
    log: &LogSettings,
    batches: Batches,
    fresh: &[Fresh],
    books: &mut Books,
    adjusted: &mut Adjusted,
) -> FlowResult<()> {
    if fresh.is_empty() {
        return Ok(());
    }
    let (mut rows, mut cuts, mut entries) = (
        Vec::with_capacity(fresh.len()),
        Vec::new(),
        Vec::<Entry>::new(),
    );
    let mut leaves = Vec::with_capacity(fresh.len());
    for (pos, new) in fresh.iter().enumerate() {
        let earned = books.earned.entry((new.account, new.day)).or_default();
        let so_far = *earned;
        let lot = books.newest(new.account);
        let mut earner = Earner::new(lot.remainder_mg);
        earner.turn_to(new.day, so_far);
        let credit = earner.credit(&scene.rule, new.mg);
        lot.remainder_mg = earner.remainder_mg;
        lot.available += credit.points;
        let bucket = lot.bucket;
        books
            .earned
            .insert((new.account, new.day), so_far + credit.points);
        if credit.capped {
            adjusted.capped.push(pos);
        }
        if credit.cut_mg > 0 {
            cuts.push(CutRow {
                batch_id: batches.credits.into(),
                pos: count(pos),
                mg: credit.cut_mg,
            });
        }
        let same = |entry: &&mut Entry| entry.account == new.account && entry.day == new.day;
        if let Some(entry) = entries.last_mut().filter(same) {
            entry.available += credit.points;
            entry.reduction_mg += new.mg;
            entry.records += 1;
            entry.span = entry
                .span
                .map(|(from, to)| (from.min(new.span.0), to.max(new.span.1)));
        } else {
            entries.push(Entry {
                reduction_mg: new.mg,
                first_pos: count(pos),
                records: 1,
                span: Some(new.span),
                ..Entry::points(new.account, new.day, bucket, credit.points, 0)
            });
        }
        rows.push(ReductionRow {
            batch_id: batches.credits.into(),
            pos: count(pos),
            account_id: new.account.into(),
            scene_id: scene.id,
            methodology_id: scene.pinned[new.pinned].id,
            day: new.day,
            mg: new.mg,
            points: credit.points,
            exchange_rule_id: scene.rule_id,
            origin_batch: new.origin.map(|origin| Id(origin.batch)),
            origin_pos: new.origin.map(|origin| count(origin.pos as usize)),
        });
        leaves.push((new.account, new.digest));
        let id = ReductionId {
            batch: batches.credits,
            pos: u32::try_from(pos).unwrap_or(u32::MAX),
        };
        adjusted.fresh.push((id, credit.points));
    }
    append_cuts(tx, &cuts)?;
    write_batch(
        tx,
        ctx,
        scene,
        log,
        Written {
            batch: batches.credits,
            digest: batches.digest,
            kind: TransferKind::Credit,
            rows,
            entries,
            leaves,
        },
    )
}

/// One batch as it is written: reductions, points, leaves.
struct Written {
    batch: Uuid,
    digest: [u8; 32],
    kind: TransferKind,
    rows: Vec<ReductionRow>,
    entries: Vec<Entry>,
    /// Account and behaviour's digest of each row.
    leaves: Vec<(Uuid, [u8; 32])>,
}

fn write_batch(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &SceneView,
    log: &LogSettings,
    mut written: Written,
) -> FlowResult<()> {
    let points: i64 = written.entries.iter().map(|entry| entry.available).sum();
    let today = ctx
        .now
        .with_timezone(&scene.zone)
        .date_naive()
        .to_epoch_days();
    written
        .entries
        .push(Entry::points(ISSUANCE, today, 0, -points, 0));
    let transfer = Transfer::of(written.batch, written.kind, ctx.now, &written.entries)
        .expect("the issuance entry is minus the sum of the others");
    post(tx, &transfer, &written.entries)?;
    let mut leaves = Vec::with_capacity(written.rows.len() * 32);
    let mut buffer = Vec::with_capacity(512);
    for (row, (account, digest)) in written.rows.iter().zip(&written.leaves) {
        let pinned = scene
            .pinned
            .iter()
            .find(|pinned| pinned.id == row.methodology_id);
        let pinned = pinned.ok_or(crate::domain::problem::Code::Internal)?;
        let opening = log.salt.opening(row.id(), *account.as_bytes(), *digest);
        let leaf = Leaf {
            reduction: row.id(),
            methodology: &pinned.name,
            methodology_hash: pinned.hash,
            scene: &scene.code,
            day: NaiveDate::from_epoch_days(row.day).unwrap_or(NaiveDate::MIN),
            amount: MgCo2e(row.mg),
            commitment: opening.commitment(),
        };
        leaves.extend_from_slice(&leaf.hash(&mut buffer));
    }
    append_leaves(tx, written.batch, &leaves, count(written.rows.len()))?;
    append_batch(
        tx,
        &BatchRow {
            id: written.batch.into(),
            scene_id: scene.id,
            received_at: ctx.now.into(),
            body_digest: written.digest.to_vec(),
            accepted: count(written.rows.len()),
            replayed: 0,
            refused: 0,
            held: 0,
            reduction_mg: written.rows.iter().map(|row| row.mg).sum(),
            points,
        },
    )?;
    Ok(append_reductions(tx, written.rows)?)
}

/// Takes what these accounts owe from what they have, each in a transfer of its own. Their lots
/// are locked by this transaction; `accounts` are sorted and distinct.
///
/// # Errors
/// The store failed.
pub(super) fn recover_owed(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &SceneView,
    batch: Uuid,
    accounts: &[Uuid],
) -> FlowResult<()> {
    let today = ctx
        .now
        .with_timezone(&scene.zone)
        .date_naive()
        .to_epoch_days();
    for (account, owed) in owed_by(tx, accounts)? {
        let mut lots = lock_lots(tx, &[account])?;
        let all = (0, lots.len());
        let gave = take_from(&mut lots, all, owed);
        let taken: i64 = gave.iter().map(|(_, points)| points).sum();
        if taken == 0 {
            continue;
        }
        let id = derived_id(batch, account.as_bytes());
        let mut entries: Vec<Entry> = gave
            .iter()
            .map(|(bucket, points)| Entry::points(account, today, *bucket, -points, 0))
            .collect();
        entries.push(Entry::points(ISSUANCE, today, 0, taken, 0));
        let transfer = Transfer::of(id, TransferKind::Reverse, ctx.now, &entries)
            .expect("both sides are what was taken");
        post(tx, &transfer, &entries)?;
        save_lots(tx, &lots)?;
        recover(tx, id, account, taken)?;
    }
    Ok(())
}

/// An id that follows from a batch's, so that a transaction that is run again writes the same.
pub(crate) fn derived_id(batch: Uuid, what: &[u8]) -> Uuid {
    let mut hasher = Sha256::new();
    hasher.update(b"tanpuhui/derived-id/v1\0");
    hasher.update(batch.as_bytes());
    hasher.update(what);
    let digest = hasher.finalize();
    let mut bytes = *batch.as_bytes();
    // The time in front is kept, so that rows still arrive at the right edge.
    bytes[6..].copy_from_slice(&digest[..10]);
    uuid::Builder::from_bytes(bytes)
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::SortRand)
        .into_uuid()
}
