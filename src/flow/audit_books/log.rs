//! The public log: every leaf recomputed from its reduction, the tree rebuilt, the newest signed
//! head compared.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::domain::log::Hash;
use crate::domain::log::leaf::{Leaf, SaltKey};
use crate::domain::log::tree::Frontier;
use crate::domain::problem::Code;
use crate::domain::unit::MgCo2e;
use crate::flow::FlowResult;
use crate::store::Conn;
use crate::store::behaviour::behaviour;
use crate::store::log::{Placement, leaves_of, newest_checkpoint, placements};
use crate::store::reduction::{ReductionRow, of_batch};

use super::{Check, Difference};

pub(super) const BOOK: &str = "log leaves = reductions, head = leaves";

/// Places read at once.
const PAGE: i64 = 256;

/// What the leaves are recomputed with.
pub struct LogGround<'a> {
    pub salt: &'a SaltKey,
    /// Scene codes by id.
    pub scenes: &'a HashMap<i32, String>,
    /// `code@version` and document hash of each methodology, by id.
    pub methodologies: &'a HashMap<i32, (String, Hash)>,
}

pub(super) fn check(conn: &mut Conn, ground: &LogGround<'_>) -> FlowResult<Check> {
    let mut check = Check {
        book: BOOK,
        looked_at: 0,
        difference: None,
    };
    let head = newest_checkpoint(conn)?;
    let mut frontier = Frontier::new();
    loop {
        let next = i64::try_from(frontier.size()).map_err(|_| Code::Internal)?;
        let page = placements(conn, next, PAGE)?;
        if page.is_empty() {
            break;
        }
        for placement in page {
            check.difference = batch(conn, ground, placement, &mut frontier)?;
            check.looked_at = frontier.size();
            if check.difference.is_some() {
                return Ok(check);
            }
        }
    }
    let (size, root) = head.map_or((0, Frontier::new().root().to_vec()), |row| {
        (row.size, row.root)
    });
    if i64::try_from(frontier.size()) != Ok(size) || root != frontier.root() {
        check.difference = Some(Difference {
            book: BOOK,
            place: format!("checkpoint of {size} leaves"),
            expected: format!(
                "{} leaves, {}",
                frontier.size(),
                hex::encode(frontier.root())
            ),
            found: format!("{size} leaves, {}", hex::encode(root)),
        });
    }
    Ok(check)
}

fn batch(
    conn: &mut Conn,
    ground: &LogGround<'_>,
    placement: Placement,
    frontier: &mut Frontier,
) -> FlowResult<Option<Difference>> {
    let rows = of_batch(conn, placement.batch)?;
    let stored = leaves_of(conn, placement.batch)?
        .map(|batch| batch.leaves)
        .unwrap_or_default();
    let place = || format!("batch {}", placement.batch);
    if i64::try_from(frontier.size()) != Ok(placement.first_index) || rows.len() != stored.len() {
        return Ok(Some(Difference {
            book: BOOK,
            place: place(),
            expected: format!("{} leaves from {}", rows.len(), frontier.size()),
            found: format!("{} leaves from {}", stored.len(), placement.first_index),
        }));
    }
    let mut buffer = Vec::new();
    for (row, stored) in rows.iter().zip(&stored) {
        let expected = leaf(conn, ground, row, &mut buffer)?;
        if expected != Some(*stored) {
            return Ok(Some(Difference {
                book: BOOK,
                place: format!("reduction {}", row.id()),
                expected: expected.map_or("an unknown scene or methodology".into(), hex::encode),
                found: hex::encode(stored),
            }));
        }
    }
    frontier.extend(&stored, |_, _, _| ());
    Ok(None)
}

fn leaf(
    conn: &mut Conn,
    ground: &LogGround<'_>,
    row: &ReductionRow,
    buffer: &mut Vec<u8>,
) -> FlowResult<Option<Hash>> {
    let digest = behaviour(conn, row.behaviour())?.digest;
    let parts = ground
        .scenes
        .get(&row.scene_id)
        .zip(ground.methodologies.get(&row.methodology_id));
    let (Some((scene, (methodology, hash))), Ok(digest)) = (parts, Hash::try_from(digest)) else {
        return Ok(None);
    };
    let opening = ground
        .salt
        .opening(row.id(), *row.account_id.0.as_bytes(), digest);
    let leaf = Leaf {
        reduction: row.id(),
        methodology,
        methodology_hash: *hash,
        scene,
        day: NaiveDate::from_epoch_days(row.day).unwrap_or(NaiveDate::MIN),
        amount: MgCo2e(row.mg),
        commitment: opening.commitment(),
    };
    Ok(Some(leaf.hash(buffer)))
}
