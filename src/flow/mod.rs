//! Use cases: one function, one transaction. No network: what must leave the house is written to
//! the outbox and a job delivers it.

mod error;

pub mod access;
pub mod approve;
pub mod audit;
pub mod audit_books;
pub mod catalogue;
pub mod close_voucher;
pub mod expire_points;
pub mod group_commit;
pub mod ingest;
pub mod merchant;
pub mod prove;
pub mod redeem;
pub mod release_voucher;
pub mod sequence_log;
pub mod settle;
pub mod write_off;

pub use error::{FlowError, FlowResult};
