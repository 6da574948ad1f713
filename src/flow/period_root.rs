//! The Merkle root of a period's members, read batch by batch so that a period of millions of rows
//! needs the memory of a few batches.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::log::tree::Frontier;
use crate::store::verification::{leaves_of, member_batches, membership_of};
use crate::store::{Conn, Id, StoreError};

use super::FlowResult;

/// Batches named in one query; bounds the list of parameters.
const BATCHES_PER_PAGE: i64 = 512;
/// Leaves held at once, unless a single batch has more.
const LEAVES_PER_READ: i64 = 20_000;
/// Bytes of one leaf hash.
const LEAF: usize = 32;

/// The RFC 9162 tree hash over the members' leaf hashes, in the order of batch and position.
///
/// # Errors
/// A batch's leaves do not match its reductions, or a query failed.
pub fn period_root(conn: &mut Conn, period: Uuid) -> FlowResult<[u8; 32]> {
    let mut root = Frontier::new();
    let mut after = None;
    loop {
        let page = member_batches(conn, period, after, BATCHES_PER_PAGE)?;
        let Some((last, _)) = page.last() else {
            return Ok(root.root());
        };
        after = Some(*last);
        for chunk in by_leaves(&page) {
            push_members(conn, period, &chunk, &mut root)?;
        }
    }
}

/// Cuts a page into runs of at most [`LEAVES_PER_READ`] leaves.
fn by_leaves(page: &[(Id, Option<i32>)]) -> Vec<Vec<Id>> {
    let mut chunks: Vec<Vec<Id>> = Vec::new();
    let mut room = 0;
    for (batch, leaves) in page {
        let leaves = i64::from(leaves.unwrap_or(0));
        match chunks.last_mut() {
            Some(chunk) if leaves <= room => chunk.push(*batch),
            _ => {
                chunks.push(vec![*batch]);
                room = LEAVES_PER_READ;
            }
        }
        room -= leaves;
    }
    chunks
}

fn push_members(
    conn: &mut Conn,
    period: Uuid,
    batches: &[Id],
    root: &mut Frontier,
) -> FlowResult<()> {
    let leaves: HashMap<Id, Vec<u8>> = leaves_of(conn, batches)?.into_iter().collect();
    let mut place: (Option<Id>, usize) = (None, 0);
    for (batch, _, member_of) in membership_of(conn, batches)? {
        if place.0 != Some(batch) {
            place = (Some(batch), 0);
        }
        if member_of == Some(Id(period)) {
            root.append(leaf(&leaves, batch, place.1)?, |_, _, _| ());
        }
        place.1 += 1;
    }
    Ok(())
}

fn leaf(leaves: &HashMap<Id, Vec<u8>>, batch: Id, index: usize) -> FlowResult<[u8; 32]> {
    leaves
        .get(&batch)
        .and_then(|bytes| bytes.chunks_exact(LEAF).nth(index))
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            StoreError::Corrupt(format!("log_batches {} has no leaf {index}", batch.0)).into()
        })
}
