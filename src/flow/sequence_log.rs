//! Giving committed batches their place in the public log, and signing its new head.

use std::collections::BTreeMap;

use crate::domain::context::Ctx;
use crate::domain::log::Hash;
use crate::domain::log::checkpoint::Checkpoint;
use crate::domain::log::note::NoteSigner;
use crate::domain::log::tile::{TILE_HEIGHT, TILE_WIDTH, node_from_tiles};
use crate::domain::log::tree::Frontier;
use crate::domain::problem::{Code, Problem};
use crate::store::log::{
    CheckpointRow, Placement, keep_checkpoint, place_batch, put_tile, queued, size, tile,
};
use crate::store::{Conn, Tx};

use super::{FlowError, FlowResult};

/// Batches that one run gives a place; a batch has up to 10,000 leaves.
const BATCHES_PER_RUN: i64 = 64;

/// What one run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequenced {
    pub batches: usize,
    pub size: u64,
}

/// Places waiting batches after the log's last leaf, in order of their ids, writes the tiles that
/// grew and signs a checkpoint. Two runs at once collide on the place, and the later one is run
/// again. Does nothing when nothing waits.
///
/// # Errors
/// The store failed, or what it holds is not a log.
pub fn sequence_log(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    origin: &str,
    signer: &NoteSigner,
) -> FlowResult<Sequenced> {
    let before = unsigned(size(tx)?)?;
    let waiting = queued(tx, BATCHES_PER_RUN)?;
    if waiting.is_empty() {
        return Ok(Sequenced {
            batches: 0,
            size: before,
        });
    }
    let mut frontier = Frontier::restore(before, |level, index| node(tx, before, level, index))?;
    let mut grown: BTreeMap<(u32, u64), Vec<Hash>> = BTreeMap::new();
    for batch in &waiting {
        let placement = Placement {
            batch: batch.batch,
            first_index: signed(frontier.size())?,
            leaf_count: i32::try_from(batch.leaves.len()).map_err(|_| Code::Internal)?,
        };
        place_batch(tx, &placement)?;
        frontier.extend(&batch.leaves, |level, index, hash| {
            if level % TILE_HEIGHT == 0 {
                let key = (level / TILE_HEIGHT, index / u64::from(TILE_WIDTH));
                grown.entry(key).or_default().push(hash);
            }
        });
    }
    for ((level, index), new) in grown {
        grow_tile(tx, before, level, index, new)?;
    }
    sign(tx, ctx, origin, signer, &frontier)?;
    Ok(Sequenced {
        batches: waiting.len(),
        size: frontier.size(),
    })
}

/// Appends `new` to the tile, which held what a tree of `before` leaves has in it.
fn grow_tile(
    tx: &mut Tx<'_>,
    before: u64,
    level: u32,
    index: u64,
    new: Vec<Hash>,
) -> FlowResult<()> {
    let start = index * u64::from(TILE_WIDTH);
    let complete = before >> (level * TILE_HEIGHT);
    let kept = usize::try_from(complete.saturating_sub(start)).unwrap_or(0);
    let (level, index) = (
        i32::try_from(level).map_err(|_| Code::Internal)?,
        signed(index)?,
    );
    let mut hashes = if kept > 0 {
        tile(tx, level, index)?
    } else {
        Vec::new()
    };
    assert!(hashes.len() >= kept, "a tile holds what the tree has in it");
    hashes.truncate(kept);
    hashes.extend(new);
    Ok(put_tile(tx, level, index, &hashes)?)
}

fn sign(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    origin: &str,
    signer: &NoteSigner,
    frontier: &Frontier,
) -> FlowResult<()> {
    let root = frontier.root();
    let note = Checkpoint::new(origin, frontier.size(), root).sign(signer)?;
    let row = CheckpointRow {
        size: signed(frontier.size())?,
        root: root.to_vec(),
        note: note.to_string(),
        signed_at: ctx.now.into(),
    };
    Ok(keep_checkpoint(tx, &row)?)
}

/// One node of the tree of `size` leaves, from its tile.
///
/// # Errors
/// The tree has no such node, or the store failed.
pub fn node(conn: &mut Conn, size: u64, level: u32, index: u64) -> FlowResult<Hash> {
    let mut failed = None;
    let found = node_from_tiles(level, index, size, |wanted| {
        let index = i64::try_from(wanted.index()).unwrap_or(i64::MAX);
        tile(conn, i32::from(wanted.level()), index).map_err(|error| {
            failed = Some(error);
            Problem::from(Code::Internal)
        })
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(found?),
    }
}

fn unsigned(number: i64) -> FlowResult<u64> {
    u64::try_from(number).map_err(|_| FlowError::from(Code::Internal))
}

fn signed(number: u64) -> FlowResult<i64> {
    i64::try_from(number).map_err(|_| FlowError::from(Code::Internal))
}
