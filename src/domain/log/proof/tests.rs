use std::collections::BTreeMap;
use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde::Deserialize;

use super::super::hash::{leaf_hash, root};
use super::super::tree::Frontier;
use super::*;

struct Log {
    leaves: Vec<Hash>,
    nodes: BTreeMap<(u32, u64), Hash>,
}

impl Log {
    fn of(count: u64) -> Log {
        let leaves: Vec<Hash> = (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut nodes = BTreeMap::new();
        Frontier::new().extend(&leaves, |level, index, hash| {
            nodes.insert((level, index), hash);
        });
        Log { leaves, nodes }
    }

    fn node(&self) -> impl FnMut(u32, u64) -> Result<Hash, Infallible> + '_ {
        |level, index| Ok(self.nodes[&(level, index)])
    }

    fn root(&self, size: u64) -> Hash {
        root(&self.leaves[..usize::try_from(size).unwrap()])
    }

    fn leaf(&self, index: u64) -> Hash {
        self.leaves[usize::try_from(index).unwrap()]
    }
}

#[test]
fn inclusion_is_proved_for_every_leaf_of_every_size_to_300() {
    let log = Log::of(300);
    for size in 1..=300 {
        let root = log.root(size);
        assert_eq!(root_of(size, log.node()), Ok(root));
        for index in 0..size {
            let proof = inclusion_proof(index, size, log.node()).unwrap();
            verify_inclusion(&log.leaf(index), index, size, &proof, &root).unwrap();
            let other = (index + 1) % 300;
            assert!(verify_inclusion(&log.leaf(other), index, size, &proof, &root).is_err());
        }
        assert!(inclusion_proof(size, size, log.node()).is_err());
    }
}

#[test]
fn consistency_is_proved_between_every_two_sizes_to_300() {
    let log = Log::of(300);
    let roots: Vec<Hash> = (0..=300).map(|size| log.root(size)).collect();
    for new in 0..=300u64 {
        let new_root = &roots[usize::try_from(new).unwrap()];
        for old in 0..=new {
            let old_root = &roots[usize::try_from(old).unwrap()];
            let proof = consistency_proof(old, new, log.node()).unwrap();
            verify_consistency(old, new, old_root, new_root, &proof).unwrap();
            if old > 0 {
                assert!(verify_consistency(old, new, &[7; 32], new_root, &proof).is_err());
                assert!(verify_consistency(old, new, old_root, &[7; 32], &proof).is_err());
            }
        }
        assert!(consistency_proof(new + 1, new, log.node()).is_err());
    }
}

#[test]
fn every_subtree_of_every_size_to_70_is_proved() {
    let log = Log::of(70);
    let usize_of = |n: u64| usize::try_from(n).unwrap();
    for size in 1..=70u64 {
        let whole = log.root(size);
        for start in 0..size {
            for end in start + 1..=size {
                let proof = subtree_consistency_proof(start, end, size, log.node());
                assert_eq!(proof.is_ok(), is_subtree(start, end));
                let Ok(proof) = proof else { continue };
                let part = root(&log.leaves[usize_of(start)..usize_of(end)]);
                let check = |start, end, part: &Hash, whole: &Hash| {
                    verify_subtree_consistency(start, end, size, part, whole, &proof)
                };
                check(start, end, &part, &whole).unwrap();
                assert!(check(start, end, &[7; 32], &whole).is_err());
                assert!(check(start, end, &part, &[7; 32]).is_err());
                let leaf = log.leaf(start);
                let path = inclusion_proof(0, end - start, |level, index| {
                    log.node()(level, index + (start >> level))
                });
                let range = (start, end);
                verify_subtree_inclusion(&leaf, start, range, &path.unwrap(), &part).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn a_tampered_inclusion_proof_fails(
        size in 2u64..300, seed: u64, part: prop::sample::Index, bit in 0usize..256,
    ) {
        let log = Log::of(size);
        let index = seed % size;
        let (root, leaf) = (log.root(size), log.leaf(index));
        let proof = inclusion_proof(index, size, log.node()).unwrap();
        let mut bent = proof.clone();
        part.get_mut(&mut bent)[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(&leaf, index, size, &bent, &root).is_err());
        prop_assert!(verify_inclusion(&leaf, index ^ 1, size, &proof, &root).is_err());
        prop_assert!(verify_inclusion(&leaf, index, size, &proof[1..], &root).is_err());
        let longer = [&proof[..], &[root]].concat();
        prop_assert!(verify_inclusion(&leaf, index, size, &longer, &root).is_err());
    }

    #[test]
    fn a_tampered_consistency_proof_fails(
        new in 2u64..300, seed: u64, part: prop::sample::Index, bit in 0usize..256,
    ) {
        let log = Log::of(new);
        let old = 1 + seed % (new - 1);
        let (old_root, new_root) = (log.root(old), log.root(new));
        let proof = consistency_proof(old, new, log.node()).unwrap();
        let check = |proof: &[Hash]| verify_consistency(old, new, &old_root, &new_root, proof);
        let mut bent = proof.clone();
        part.get_mut(&mut bent)[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(check(&proof).is_ok());
        prop_assert!(check(&bent).is_err());
        prop_assert!(check(&proof[1..]).is_err());
        prop_assert!(check(&[&proof[..], &[old_root]].concat()).is_err());
        prop_assert!(verify_consistency(old, new, &new_root, &old_root, &proof).is_err());
    }

    #[test]
    fn nothing_panics_on_any_numbers(
        a: u64, b: u64, c: u64, proof in prop::collection::vec(any::<Hash>(), 0..70),
    ) {
        prop_assert!(verify_inclusion(&[1; 32], a, b, &proof, &[2; 32]).is_err());
        prop_assert!(verify_consistency(a, b, &[1; 32], &[2; 32], &proof).is_err());
        prop_assert!(
            verify_subtree_consistency(a, b, c, &[1; 32], &[2; 32], &proof).is_err()
        );
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    leaf_idx: Option<u64>,
    tree_size: Option<u64>,
    start: Option<u64>,
    end: Option<u64>,
    size: Option<u64>,
    size1: Option<u64>,
    size2: Option<u64>,
    root: Option<String>,
    root1: Option<String>,
    root2: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

impl Vector {
    /// `None` where a hash is not 32 bytes: such a proof does not get past the parser.
    fn verdict(&self) -> Option<Result<(), Problem>> {
        let proof = self.proof.iter().flatten().map(|text| hash(text));
        let proof = proof.collect::<Option<Vec<Hash>>>()?;
        Some(match (&self.root, &self.root1, &self.root2) {
            (Some(root), None, None) => {
                let (leaf, index) = (hash(self.leaf_hash.as_ref()?)?, self.leaf_idx?);
                match (self.start, self.end) {
                    (Some(start), Some(end)) => {
                        verify_subtree_inclusion(&leaf, index, (start, end), &proof, &hash(root)?)
                    }
                    _ => verify_inclusion(&leaf, index, self.tree_size?, &proof, &hash(root)?),
                }
            }
            (None, Some(first), Some(second)) => {
                let (first, second) = (hash(first)?, hash(second)?);
                match (self.start, self.end, self.size) {
                    (Some(start), Some(end), Some(size)) => {
                        verify_subtree_consistency(start, end, size, &first, &second, &proof)
                    }
                    _ => verify_consistency(self.size1?, self.size2?, &first, &second, &proof),
                }
            }
            _ => panic!("{}: neither kind of proof", self.desc),
        })
    }
}

fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).unwrap().try_into().ok()
}

#[test]
fn the_published_vectors_hold() {
    let Some(folder) = crate::domain::party::vectors::path("rfc6962-merkle") else {
        return;
    };
    let mut counts = BTreeMap::new();
    for kind in [
        "inclusion",
        "consistency",
        "subtreeinclusion",
        "subtreeconsistency",
    ] {
        for group in std::fs::read_dir(folder.join(kind)).unwrap() {
            for file in std::fs::read_dir(group.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let vector: Vector =
                    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                let accepted = vector.verdict().is_some_and(|verdict| verdict.is_ok());
                assert_eq!(
                    accepted,
                    !vector.want_err,
                    "{} {}",
                    path.display(),
                    vector.desc
                );
                *counts.entry((kind, accepted)).or_insert(0) += 1;
            }
        }
    }
    eprintln!("vectors: {counts:?}");
    assert!(
        counts.len() == 8,
        "each kind has a proof that holds and one that does not"
    );
}
