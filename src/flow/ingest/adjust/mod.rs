//! Adjusting the books: reductions are taken back by counter-entries and others put in their
//! place. Both move in one transaction, each in a batch of its own, and the ties between them are
//! written: who reads one row finds the other.
//!
//! What was earned and is spent already cannot be taken; the account owes it, and later credits
//! pay it first ([`recover_owed`]).

mod books;
mod credit;
mod owed;
mod take_back;
mod written;

pub(super) use books::open_wallets;
pub(super) use owed::recover_owed;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::Day;
use crate::flow::FlowResult;
use crate::store::Tx;
use crate::store::correction::append_corrections;
use crate::store::reduction::ReductionRow;
use crate::store::wallet::save_lots;

use super::commit::LogSettings;
use super::scene::SceneView;
use books::Books;

/// A reduction to be taken back.
#[derive(Debug, Clone)]
pub(crate) struct Reversal {
    pub row: ReductionRow,
    /// Why: `revised`, `cancelled`, `recomputed`, or the reason code of a year's end.
    pub reason: String,
    /// Position in the batch of credits of what stands in its stead.
    pub replaced_by: Option<usize>,
}

/// A reduction to be credited.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    /// Its position in the batch of credits.
    pub pos: usize,
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

/// What a new reduction gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    pub reduction: ReductionId,
    pub points: i64,
    /// The day's cap cut something off.
    pub capped: bool,
}

/// What one adjustment came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Adjusted {
    /// What each new reduction gave, in their order.
    pub fresh: Vec<Given>,
    /// The counter-entry of each reversal and the points that it took, in their order.
    pub back: Vec<(ReductionId, i64)>,
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
    /// Records of the batch of credits that wait, and that were refused. The batch is only
    /// written where there are credits.
    pub held: usize,
    pub refused: usize,
}

/// Whose adjustment it is, and under which rules.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'g> {
    pub ctx: &'g Ctx,
    pub scene: &'g SceneView,
    pub log: &'g LogSettings,
    pub batches: Batches,
}

/// Takes back and credits. `fresh` are sorted by account and day, and so by their positions.
///
/// # Errors
/// The store failed, or something was taken back by somebody else meanwhile.
pub(crate) fn adjust(
    tx: &mut Tx<'_>,
    ground: &Ground<'_>,
    reversals: &[Reversal],
    fresh: &[Fresh],
) -> FlowResult<Adjusted> {
    debug_assert!(fresh.windows(2).all(|two| {
        (two[0].account, two[0].day, two[0].pos) < (two[1].account, two[1].day, two[1].pos)
    }));
    let mut books = Books::open(tx, ground, reversals, fresh)?;
    let mut adjusted = Adjusted::default();
    let ties = take_back::take_back(tx, ground, reversals, &mut books, &mut adjusted)?;
    credit::credit(tx, ground, fresh, &mut books, &mut adjusted)?;
    save_lots(tx, &books.lots)?;
    append_corrections(tx, &ties)?;
    let mut accounts: Vec<Uuid> = fresh.iter().map(|fresh| fresh.account).collect();
    accounts.dedup();
    recover_owed(
        tx,
        ground.ctx,
        ground.scene,
        ground.batches.credits,
        &accounts,
    )?;
    Ok(adjusted)
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
