//! Proofs from the public log: that a reduction is in it, and that it only ever grew.

use crate::domain::log::Hash;
use crate::domain::log::proof::{ProofError, consistency_proof, inclusion_proof};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::reduction::ReductionId;
use crate::store::Conn;
use crate::store::log::{leaf_index, leaves_of, newest_checkpoint, placement};

use super::sequence_log::node;
use super::{FlowError, FlowResult};

/// That a leaf is in the tree of a signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    pub index: u64,
    pub size: u64,
    pub leaf: Hash,
    pub proof: Vec<Hash>,
    /// The signed checkpoint of that size.
    pub checkpoint: String,
}

/// Proves that a reduction is in the log of the newest checkpoint.
///
/// # Errors
/// There is no such reduction, or it has no place yet.
pub fn inclusion(conn: &mut Conn, id: ReductionId) -> FlowResult<Inclusion> {
    let index = leaf_index(conn, id)?.ok_or(Code::LogNotPlaced)?;
    let head = newest_checkpoint(conn)?.ok_or(Code::LogNotPlaced)?;
    let (index, size) = (unsigned(index)?, unsigned(head.size)?);
    if index >= size {
        return Err(Code::LogNotPlaced.into());
    }
    let leaf = leaf(conn, id, index)?;
    let proof = inclusion_proof(index, size, |level, at| node(conn, size, level, at));
    Ok(Inclusion {
        index,
        size,
        leaf,
        proof: proof.map_err(refused)?,
        checkpoint: head.note,
    })
}

fn leaf(conn: &mut Conn, id: ReductionId, index: u64) -> FlowResult<Hash> {
    let first = placement(conn, id.batch)?
        .ok_or(Code::LogNotPlaced)?
        .first_index;
    let leaves = leaves_of(conn, id.batch)?.ok_or(Code::LogNotPlaced)?.leaves;
    let rank = usize::try_from(index - unsigned(first)?).map_err(|_| Code::Internal)?;
    leaves
        .get(rank)
        .copied()
        .ok_or_else(|| Code::Internal.into())
}

/// Proves that the log of `new` leaves begins with the log of `old` leaves.
///
/// # Errors
/// The sizes are not in order, or the log is not that long.
pub fn consistency(conn: &mut Conn, old: u64, new: u64) -> FlowResult<Vec<Hash>> {
    let head = newest_checkpoint(conn)?.ok_or(Code::LogNotPlaced)?;
    if new > unsigned(head.size)? {
        let size = head.size;
        let detail = detail!("日志目前有 {size} 个叶子", "the log has {size} leaves");
        return Err(Problem::at(Code::LogSizeInvalid, "new", detail).into());
    }
    consistency_proof(old, new, |level, at| node(conn, new, level, at)).map_err(refused)
}

fn refused(error: ProofError<FlowError>) -> FlowError {
    match error {
        ProofError::Reader(cause) => cause,
        ProofError::Outside { asked, size } => {
            let detail = detail!(
                "{asked} 超出大小为 {size} 的树",
                "{asked} is outside a tree of {size}"
            );
            Problem::at(Code::LogSizeInvalid, "size", detail).into()
        }
    }
}

fn unsigned(number: i64) -> FlowResult<u64> {
    u64::try_from(number).map_err(|_| FlowError::from(Code::Internal))
}
