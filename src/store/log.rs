//! The public log's rows: leaves by batch, their order, tiles and signed checkpoints.

use diesel::prelude::*;
use uuid::Uuid;

use crate::domain::log::Hash;
use crate::domain::reduction::ReductionId;

use super::behaviour::{hash, place};
use super::schema::{log_batches, log_checkpoints, log_queue, log_sequence, log_tiles, reductions};
use super::{Conn, Id, StoreError, StoreResult, Ts, Tx};

/// A batch's leaf hashes, in the order of its reductions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLeaves {
    pub batch: Uuid,
    pub leaves: Vec<Hash>,
}

/// Where a batch stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    pub batch: Uuid,
    pub first_index: i64,
    pub leaf_count: i32,
}

/// How many leaves have a place.
///
/// # Errors
/// The query failed.
pub fn size(conn: &mut Conn) -> StoreResult<i64> {
    let last: Option<(i64, i32)> = log_sequence::table
        .select((log_sequence::first_index, log_sequence::leaf_count))
        .order(log_sequence::first_index.desc())
        .first(conn)
        .optional()?;
    Ok(last.map_or(0, |(first, count)| first + i64::from(count)))
}

/// Batches that have no place yet, oldest id first, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn queued(conn: &mut Conn, limit: i64) -> StoreResult<Vec<BatchLeaves>> {
    let rows: Vec<(Id, Vec<u8>)> = log_queue::table
        .inner_join(log_batches::table.on(log_batches::batch_id.eq(log_queue::batch_id)))
        .select((log_batches::batch_id, log_batches::leaves))
        .order(log_queue::batch_id.asc())
        .limit(limit)
        .load(conn)?;
    rows.into_iter()
        .map(|(batch, leaves)| BatchLeaves::read(batch, &leaves))
        .collect()
}

/// The leaves of one batch, if it has any.
///
/// # Errors
/// The query failed.
pub fn leaves_of(conn: &mut Conn, batch: Uuid) -> StoreResult<Option<BatchLeaves>> {
    let row: Option<Vec<u8>> = log_batches::table
        .find(Id(batch))
        .select(log_batches::leaves)
        .first(conn)
        .optional()?;
    row.map(|leaves| BatchLeaves::read(Id(batch), &leaves))
        .transpose()
}

/// Gives a batch its place. The key refuses two batches in one place and one batch in two.
///
/// # Errors
/// The place or the batch is taken, or the write failed.
pub fn place_batch(tx: &mut Tx<'_>, placement: &Placement) -> StoreResult<()> {
    let row = (
        log_sequence::first_index.eq(placement.first_index),
        log_sequence::batch_id.eq(Id(placement.batch)),
        log_sequence::leaf_count.eq(placement.leaf_count),
    );
    diesel::insert_into(log_sequence::table)
        .values(row)
        .execute(&mut **tx)?;
    let removed = diesel::delete(log_queue::table.find(Id(placement.batch))).execute(&mut **tx)?;
    if removed == 1 {
        Ok(())
    } else {
        Err(StoreError::Busy)
    }
}

/// Where a batch stands, if it has a place.
///
/// # Errors
/// The query failed.
pub fn placement(conn: &mut Conn, batch: Uuid) -> StoreResult<Option<Placement>> {
    let row: Option<(i64, Id, i32)> = log_sequence::table
        .filter(log_sequence::batch_id.eq(Id(batch)))
        .first(conn)
        .optional()?;
    Ok(row.map(Placement::from))
}

/// Places from `first_index` on, in order, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn placements(conn: &mut Conn, first_index: i64, limit: i64) -> StoreResult<Vec<Placement>> {
    let rows: Vec<(i64, Id, i32)> = log_sequence::table
        .filter(log_sequence::first_index.ge(first_index))
        .order(log_sequence::first_index.asc())
        .limit(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(Placement::from).collect())
}

/// The place of one reduction's leaf, if its batch has a place.
///
/// # Errors
/// There is no such reduction, or the query failed.
pub fn leaf_index(conn: &mut Conn, id: ReductionId) -> StoreResult<Option<i64>> {
    let pos = place(id)?;
    let of_batch = reductions::table.filter(reductions::batch_id.eq(Id(id.batch)));
    let exists: i64 = of_batch
        .filter(reductions::pos.eq(pos))
        .count()
        .get_result(conn)?;
    if exists == 0 {
        return Err(StoreError::NotFound);
    }
    // Positions may have gaps where records were refused; leaves have none.
    let rank: i64 = of_batch
        .filter(reductions::pos.lt(pos))
        .count()
        .get_result(conn)?;
    Ok(placement(conn, id.batch)?.map(|placement| placement.first_index + rank))
}

/// The hashes of one tile as far as it is filled.
///
/// # Errors
/// The query failed.
pub fn tile(conn: &mut Conn, level: i32, tile: i64) -> StoreResult<Vec<Hash>> {
    let bytes: Option<Vec<u8>> = log_tiles::table
        .find((level, tile))
        .select(log_tiles::hashes)
        .first(conn)
        .optional()?;
    hashes(&bytes.unwrap_or_default(), "log_tiles.hashes")
}

/// Writes a tile, new or grown.
///
/// # Errors
/// The write failed.
pub fn put_tile(tx: &mut Tx<'_>, level: i32, tile: i64, hashes: &[Hash]) -> StoreResult<()> {
    let bytes = hashes.concat();
    let row = (
        log_tiles::level.eq(level),
        log_tiles::tile.eq(tile),
        log_tiles::hashes.eq(bytes.as_slice()),
    );
    each_backend!(&mut **tx, |c| diesel::insert_into(log_tiles::table)
        .values(row)
        .on_conflict((log_tiles::level, log_tiles::tile))
        .do_update()
        .set(log_tiles::hashes.eq(bytes.as_slice()))
        .execute(c))?;
    Ok(())
}

/// A signed head of the log.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = log_checkpoints)]
pub struct CheckpointRow {
    pub size: i64,
    pub root: Vec<u8>,
    pub note: String,
    pub signed_at: Ts,
}

/// Keeps a signed checkpoint; one for each size.
///
/// # Errors
/// There is one of this size, or the write failed.
pub fn keep_checkpoint(tx: &mut Tx<'_>, row: &CheckpointRow) -> StoreResult<()> {
    diesel::insert_into(log_checkpoints::table)
        .values(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// The newest signed checkpoint.
///
/// # Errors
/// The query failed.
pub fn newest_checkpoint(conn: &mut Conn) -> StoreResult<Option<CheckpointRow>> {
    Ok(log_checkpoints::table
        .order(log_checkpoints::size.desc())
        .first(conn)
        .optional()?)
}

/// Checkpoints below `size`, newest first, at most `limit`.
///
/// # Errors
/// The query failed.
pub fn checkpoints(conn: &mut Conn, below: i64, limit: i64) -> StoreResult<Vec<CheckpointRow>> {
    Ok(log_checkpoints::table
        .filter(log_checkpoints::size.lt(below))
        .order(log_checkpoints::size.desc())
        .limit(limit)
        .load(conn)?)
}

impl BatchLeaves {
    fn read(batch: Id, bytes: &[u8]) -> StoreResult<BatchLeaves> {
        Ok(BatchLeaves {
            batch: batch.0,
            leaves: hashes(bytes, "log_batches.leaves")?,
        })
    }
}

impl From<(i64, Id, i32)> for Placement {
    fn from((first_index, batch, leaf_count): (i64, Id, i32)) -> Placement {
        Placement {
            batch: batch.0,
            first_index,
            leaf_count,
        }
    }
}

fn hashes(bytes: &[u8], column: &str) -> StoreResult<Vec<Hash>> {
    let (whole, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() {
        Ok(whole.to_vec())
    } else {
        hash(rest, column).map(|_| Vec::new())
    }
}
