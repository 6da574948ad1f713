//! The three hashes of RFC 9162, section 2.1.1, over SHA-256.

use sha2::{Digest, Sha256};

/// A SHA-256 value: a leaf, an inner node or a root.
pub type Hash = [u8; 32];

/// Stands before a leaf's bytes, so that no leaf can pass for an inner node.
const LEAF: [u8; 1] = [0x00];
/// Stands before an inner node's two children.
const NODE: [u8; 1] = [0x01];

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// `SHA-256(0x00 || content)`.
pub fn leaf_hash(content: &[u8]) -> Hash {
    Sha256::new()
        .chain_update(LEAF)
        .chain_update(content)
        .finalize()
        .into()
}

/// `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update(NODE)
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root over leaf hashes by the recursive definition: `MTH(D[0:n])` splits at the largest power
/// of two below `n`. The plain statement of the rule; [`super::tree::Frontier`] is the fast one.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

/// The largest power of two below `size`, where RFC 9162 splits a tree; `size` is at least 2.
pub(super) fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_tree_is_the_hash_of_nothing() {
        assert_eq!(
            hex::encode(empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(root(&[]), empty_root());
    }

    #[test]
    fn the_empty_leaf_is_the_one_of_the_published_vectors() {
        // The vectors' leaf hash "bjQLnP+z…" is that of the empty entry.
        assert_eq!(
            hex::encode(leaf_hash(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }

    #[test]
    fn a_tree_is_split_at_the_largest_power_below() {
        assert_eq!([2, 3, 4, 5, 8, 9].map(split), [1, 2, 2, 4, 4, 8]);
        let leaves: Vec<Hash> = (0u8..5).map(|n| leaf_hash(&[n])).collect();
        let four = root(&leaves[..4]);
        assert_eq!(root(&leaves), node_hash(&four, &leaves[4]));
    }
}
