//! Governance (治理): officers' acts as a chain that cannot be rewritten unnoticed.

mod act;

pub use act::{Act, CHAIN_START};
