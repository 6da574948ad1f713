//! The public log (公开日志): every accepted reduction is a leaf of an append-only Merkle tree, so
//! that a stranger can check that a gram is counted once and that nothing was rewritten.
//!
//! Hashing is that of RFC 9162 section 2.1 (the same as RFC 6962), the tree is published as tiles
//! and its head as a checkpoint, both in the C2SP formats (`tlog-tiles`, `tlog-checkpoint`,
//! `signed-note`), so that existing log monitors can follow it. A leaf carries no personal data:
//! the account and the record are behind a salted commitment. Entry bundles (`tile/entries/…`) are
//! not part of this: leaf contents are served by reduction, and their hashes are the level-0 tiles.
//!
//! Reads top-down: [`leaf`] is what is logged, [`hash`] and [`tree`] grow the tree, [`tile`] cuts
//! it into files, [`proof`] convinces others, [`note`] and [`checkpoint`] sign the head. [`chain`]
//! is the simpler hash chain under the audit trail.

pub mod chain;
pub mod checkpoint;
pub mod hash;
pub mod leaf;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tree;

pub use hash::Hash;
