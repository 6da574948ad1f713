//! Inclusion and consistency proofs: computing them from stored nodes, and checking them with
//! nothing but the proof. Both sides follow the recursive definitions of RFC 9162, sections 2.1.3
//! and 2.1.4, which makes the code the definition read aloud.
//!
//! A node reader is a closure `node(level, index)` that answers the root of the complete subtree
//! over the leaves `index << level .. (index + 1) << level`; see [`super::tile::node_from_tiles`].

use subtle::ConstantTimeEq;

use super::hash::{Hash, empty_root, node_hash, split};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Why a proof cannot be computed.
#[derive(Debug, PartialEq, Eq)]
pub enum ProofError<E> {
    /// The leaf or the smaller size is not within the tree.
    Outside { asked: u64, size: u64 },
    /// The node reader failed.
    Reader(E),
}

impl<E> From<E> for ProofError<E> {
    fn from(cause: E) -> ProofError<E> {
        ProofError::Reader(cause)
    }
}

/// The audit path of leaf `index` in the tree of `size` leaves, the leaf's sibling first.
///
/// Reads O(log `size`) nodes.
///
/// # Errors
/// [`ProofError::Outside`] unless `index < size`; the reader's own.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut node: impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if index >= size {
        return Err(ProofError::Outside { asked: index, size });
    }
    let mut proof = Vec::with_capacity(64);
    path(index, 0, size, &mut node, &mut proof)?;
    Ok(proof)
}

/// `PATH(index, D[start : start + size])`.
fn path<E>(
    index: u64,
    start: u64,
    size: u64,
    node: &mut impl FnMut(u32, u64) -> Result<Hash, E>,
    proof: &mut Vec<Hash>,
) -> Result<(), E> {
    if size == 1 {
        return Ok(());
    }
    let left = split(size);
    if index < left {
        path(index, start, left, node, proof)?;
        proof.push(range_root(start + left, size - left, node)?);
    } else {
        path(index - left, start + left, size - left, node, proof)?;
        proof.push(range_root(start, left, node)?);
    }
    Ok(())
}

/// The proof that the tree of `old` leaves is a prefix of the tree of `new` leaves; empty when the
/// sizes are equal or the old tree is empty.
///
/// # Errors
/// [`ProofError::Outside`] if `old > new`; the reader's own.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    mut node: impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if old > new {
        return Err(ProofError::Outside {
            asked: old,
            size: new,
        });
    }
    let mut proof = Vec::with_capacity(64);
    if old > 0 {
        subproof((0, old), 0, new, true, &mut node, &mut proof)?;
    }
    Ok(proof)
}

/// The proof that the subtree over the leaves `start..end` is part of the tree of `size` leaves.
///
/// # Errors
/// [`ProofError::Outside`] unless `start..end` is a subtree ([`is_subtree`]) within `size`; the
/// reader's own.
pub fn subtree_consistency_proof<E>(
    start: u64,
    end: u64,
    size: u64,
    mut node: impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if !is_subtree(start, end) || end > size {
        return Err(ProofError::Outside { asked: end, size });
    }
    let mut proof = Vec::with_capacity(64);
    subproof((start, end), 0, size, true, &mut node, &mut proof)?;
    Ok(proof)
}

/// `SUBPROOF` for the leaves `start..end` of `D[offset : offset + size]`, counted from `offset`;
/// `whole` while the verifier knows their root.
fn subproof<E>(
    (start, end): (u64, u64),
    offset: u64,
    size: u64,
    whole: bool,
    node: &mut impl FnMut(u32, u64) -> Result<Hash, E>,
    proof: &mut Vec<Hash>,
) -> Result<(), E> {
    if (start, end) == (0, size) {
        if !whole {
            proof.push(range_root(offset, size, node)?);
        }
        return Ok(());
    }
    let left = split(size);
    if end <= left {
        subproof((start, end), offset, left, whole, node, proof)?;
        proof.push(range_root(offset + left, size - left, node)?);
    } else {
        // A subtree across the split starts where the tree starts, and is then known in part only.
        let inner = (start.saturating_sub(left), end - left);
        let whole = whole && start >= left;
        subproof(inner, offset + left, size - left, whole, node, proof)?;
        proof.push(range_root(offset, left, node)?);
    }
    Ok(())
}

/// `MTH(D[start : start + size])` where `start` is a multiple of the power of two at or above
/// `size`, so that every complete part of it is a stored node.
fn range_root<E>(
    start: u64,
    size: u64,
    node: &mut impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    if size.is_power_of_two() {
        let level = size.ilog2();
        return node(level, start >> level);
    }
    let left = split(size);
    let (first, rest) = (
        range_root(start, left, node)?,
        range_root(start + left, size - left, node)?,
    );
    Ok(node_hash(&first, &rest))
}

/// The root of the tree of `size` leaves, from stored nodes.
///
/// # Errors
/// Those of the reader.
pub fn root_of<E>(size: u64, mut node: impl FnMut(u32, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    match size {
        0 => Ok(empty_root()),
        _ => range_root(0, size, &mut node),
    }
}

/// Checks that `leaf` is leaf number `index` of the tree of `size` leaves with root `root`.
///
/// # Errors
/// `log_proof_invalid`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Problem> {
    if index >= size {
        return Err(invalid(detail!(
            "大小为 {size} 的树中没有第 {index} 个叶子",
            "leaf {index} is not in a tree of {size}"
        )));
    }
    let computed = root_by_path(leaf, index, size, proof);
    agree(
        computed,
        root,
        detail!("由路径算不出该根", "the path does not lead to the root"),
    )
}

fn root_by_path(leaf: &Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    if size == 1 {
        return proof.is_empty().then_some(*leaf);
    }
    let (sibling, inner) = proof.split_last()?;
    let left = split(size);
    Some(if index < left {
        node_hash(&root_by_path(leaf, index, left, inner)?, sibling)
    } else {
        node_hash(
            sibling,
            &root_by_path(leaf, index - left, size - left, inner)?,
        )
    })
}

/// Checks that the tree of `old` leaves and root `old_root` is a prefix of the tree of `new` leaves
/// and root `new_root`. The empty tree is a prefix of every tree.
///
/// # Errors
/// `log_proof_invalid`.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), Problem> {
    if old > new {
        return Err(invalid(detail!(
            "大小为 {old} 的树不是大小为 {new} 的树的前缀",
            "a tree of {old} is no prefix of one of {new}"
        )));
    }
    if old > 0 {
        return verify_subtree_consistency(0, old, new, old_root, new_root, proof);
    }
    let nothing = proof.is_empty().then(empty_root);
    agree(
        nothing,
        old_root,
        detail!(
            "空树只有一个根，且不需要证明",
            "the empty tree has one root and needs no proof"
        ),
    )?;
    match new {
        0 => agree(
            nothing,
            new_root,
            detail!("空树只有一个根", "the empty tree has one root"),
        ),
        _ => Ok(()),
    }
}

/// Checks that `leaf` is leaf number `index` of the log, by the root of the subtree over the leaves
/// `start..end`: what a certificate block committed to a run of leaves can be checked against.
///
/// # Errors
/// `log_proof_invalid`, also if `start..end` is not a subtree ([`is_subtree`]).
pub fn verify_subtree_inclusion(
    leaf: &Hash,
    index: u64,
    (start, end): (u64, u64),
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Problem> {
    if !is_subtree(start, end) || index < start {
        return Err(invalid(detail!(
            "第 {index} 个叶子不在子树 {start}..{end} 中",
            "leaf {index} is in no subtree {start}..{end}"
        )));
    }
    verify_inclusion(leaf, index - start, end - start, proof, root)
}

/// Whether the leaves `start..end` can hang below one node: `start` is a multiple of the power of
/// two at or above the length.
///
/// # Source
/// draft-ietf-plants-merkle-tree-certs, section "Subtrees".
pub fn is_subtree(start: u64, end: u64) -> bool {
    let aligned = |length: u64| {
        length
            .checked_next_power_of_two()
            .is_some_and(|width| start.is_multiple_of(width))
    };
    start < end && (start == 0 || aligned(end - start))
}

/// Checks that the subtree over `start..end` with root `subtree` is part of the tree of `size`
/// leaves with root `root`.
///
/// # Errors
/// `log_proof_invalid`.
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    size: u64,
    subtree: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), Problem> {
    if !is_subtree(start, end) || end > size {
        return Err(invalid(detail!(
            "{start}..{end} 不是大小为 {size} 的树的子树",
            "{start}..{end} is no subtree of a tree of {size}"
        )));
    }
    let roots = roots_by_proof((start, end), size, Some(subtree), proof);
    let (part, whole) = roots
        .ok_or_else(|| invalid(detail!("证明的长度不对", "the proof has the wrong length")))?;
    agree(
        Some(part),
        subtree,
        detail!(
            "由证明算不出较小树的根",
            "the proof does not lead to the smaller root"
        ),
    )?;
    agree(
        Some(whole),
        root,
        detail!(
            "由证明算不出较大树的根",
            "the proof does not lead to the larger root"
        ),
    )
}

/// The roots of the subtree and of the tree, as the proof rebuilds them. `known` is the subtree's
/// root while it need not be part of the proof.
fn roots_by_proof(
    (start, end): (u64, u64),
    size: u64,
    known: Option<&Hash>,
    proof: &[Hash],
) -> Option<(Hash, Hash)> {
    if (start, end) == (0, size) {
        let root = match (known, proof) {
            (Some(root), []) | (None, [root]) => *root,
            _ => return None,
        };
        return Some((root, root));
    }
    let (sibling, inner) = proof.split_last()?;
    let left = split(size);
    if end <= left {
        let (part, whole) = roots_by_proof((start, end), left, known, inner)?;
        Some((part, node_hash(&whole, sibling)))
    } else if start >= left {
        let moved = (start - left, end - left);
        let (part, whole) = roots_by_proof(moved, size - left, known, inner)?;
        Some((part, node_hash(sibling, &whole)))
    } else {
        // A subtree across the split starts where the tree starts.
        let (part, whole) = roots_by_proof((0, end - left), size - left, None, inner)?;
        Some((node_hash(sibling, &part), node_hash(sibling, &whole)))
    }
}

fn agree(computed: Option<Hash>, stated: &Hash, otherwise: Detail) -> Result<(), Problem> {
    match computed {
        Some(computed) if bool::from(computed.ct_eq(stated)) => Ok(()),
        _ => Err(invalid(otherwise)),
    }
}

fn invalid(detail: Detail) -> Problem {
    Problem::at(Code::LogProofInvalid, "proof", detail)
}

#[cfg(test)]
mod tests;
