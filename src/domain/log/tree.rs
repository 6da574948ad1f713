//! Growing the tree: the frontier is all that an appender has to remember.

use super::hash::{Hash, empty_root, node_hash};
use crate::domain::problem::{Code, Problem, detail};

/// The roots of the complete subtrees that a tree of `size` leaves consists of, largest first (a
/// compact range from zero). One hash per set bit of `size`, so at most 64.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// A frontier as it was stored.
    ///
    /// # Errors
    /// `log_size_invalid` unless there is one peak per set bit of `size`.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Result<Frontier, Problem> {
        if usize::try_from(size.count_ones()).ok() != Some(peaks.len()) {
            let detail = detail!(
                "{size} 个叶子与 {} 个峰不符",
                "{size} leaves and {} peaks",
                peaks.len()
            );
            return Err(Problem::at(Code::LogSizeInvalid, "peaks", detail));
        }
        Ok(Frontier { size, peaks })
    }

    /// A frontier from the stored tree: `node(level, index)` answers the root of the complete
    /// subtree over leaves `index << level ..`.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn restore<E>(
        size: u64,
        mut node: impl FnMut(u32, u64) -> Result<Hash, E>,
    ) -> Result<Frontier, E> {
        let mut peaks = Vec::with_capacity(64);
        let mut start = 0;
        for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
            peaks.push(node(level, start >> level)?);
            start += 1 << level;
        }
        Ok(Frontier { size, peaks })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Largest subtree first; stored beside `size`.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends one leaf hash and tells `completed(level, index, hash)` every node that is now
    /// final, the leaf itself (level 0) first. Amortised one node hash a leaf.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(u32, u64, Hash)) {
        completed(0, self.size, leaf);
        let mut node = leaf;
        // Each trailing one of the old size is a complete subtree waiting for a right sibling.
        for level in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            completed(level + 1, self.size >> (level + 1), node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Appends a batch of leaf hashes, as [`Frontier::append`] does one.
    pub fn extend(&mut self, leaves: &[Hash], mut completed: impl FnMut(u32, u64, Hash)) {
        for leaf in leaves {
            self.append(*leaf, &mut completed);
        }
    }

    /// `MTH(D[0:size])`: the peaks folded from the right.
    pub fn root(&self) -> Hash {
        let fold = |right: Hash, left: &Hash| node_hash(left, &right);
        match self.peaks.split_last() {
            Some((last, others)) => others.iter().rev().fold(*last, fold),
            None => empty_root(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash::{leaf_hash, root};
    use super::*;
    use std::collections::BTreeMap;

    fn leaves(count: u32) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    #[test]
    fn the_frontier_equals_the_full_recomputation_at_every_size() {
        let all = leaves(600);
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), root(&[]));
        for (count, leaf) in all.iter().enumerate() {
            frontier.append(*leaf, |_, _, _| ());
            assert_eq!(frontier.root(), root(&all[..=count]), "at {}", count + 1);
        }
    }

    #[test]
    fn completed_nodes_are_told_once_and_are_the_subtree_roots() {
        let all = leaves(77);
        let mut nodes = BTreeMap::new();
        let mut frontier = Frontier::new();
        frontier.extend(&all, |level, index, hash| {
            assert!(
                nodes.insert((level, index), hash).is_none(),
                "{level}/{index} told twice"
            );
        });
        let expected: u64 = (0..7).map(|level| 77 >> level).sum();
        assert_eq!(nodes.len() as u64, expected);
        for ((level, index), hash) in &nodes {
            let from = usize::try_from(index << level).unwrap();
            assert_eq!(*hash, root(&all[from..from + (1 << level)]));
        }
        let restored = Frontier::restore(77, |level, index| {
            nodes.get(&(level, index)).copied().ok_or(())
        });
        assert_eq!(restored, Ok(frontier));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let mut frontier = Frontier::new();
        frontier.extend(&leaves(5), |_, _, _| ());
        let parts = frontier.peaks().to_vec();
        assert_eq!(Frontier::from_parts(5, parts.clone()), Ok(frontier));
        assert!(Frontier::from_parts(7, parts).is_err());
    }
}
