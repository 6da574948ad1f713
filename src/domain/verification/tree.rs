//! The Merkle root of a period's members, one leaf at a time.

use sha2::{Digest, Sha256};

/// Grows the RFC 9162 tree hash from leaf hashes, holding one node per level.
#[derive(Debug, Default)]
pub struct RootOf {
    leaves: u64,
    /// Roots of the perfect subtrees so far, largest first.
    subtrees: Vec<[u8; 32]>,
}

impl RootOf {
    /// Adds the next leaf hash.
    pub fn push(&mut self, leaf: [u8; 32]) {
        let mut node = leaf;
        // As many perfect subtrees merge as the old count has trailing ones.
        for _ in 0..self.leaves.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                node = inner(&left, &node);
            }
        }
        self.subtrees.push(node);
        self.leaves += 1;
    }

    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The root; SHA-256 of nothing for no leaves.
    pub fn finish(mut self) -> [u8; 32] {
        let Some(mut root) = self.subtrees.pop() else {
            return Sha256::digest([]).into();
        };
        while let Some(left) = self.subtrees.pop() {
            root = inner(&left, &root);
        }
        root
    }
}

fn inner(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update([0x01])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 9162 section 2.1.1, over leaf hashes.
    fn by_definition(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                inner(&by_definition(&leaves[..k]), &by_definition(&leaves[k..]))
            }
        }
    }

    #[test]
    fn streaming_gives_the_root_of_the_definition() {
        let leaves: Vec<[u8; 32]> = (0..70u8).map(|n| Sha256::digest([n]).into()).collect();
        for n in 0..=leaves.len() {
            let mut root = RootOf::default();
            leaves[..n].iter().for_each(|leaf| root.push(*leaf));
            assert_eq!(root.finish(), by_definition(&leaves[..n]), "{n} leaves");
        }
    }
}
