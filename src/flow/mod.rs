//! Use cases: one function, one transaction. No network: what must leave the house is written to
//! the outbox and a job delivers it.

mod block;
mod error;
mod period_root;

pub mod access;
pub mod audit;
pub mod audit_books;
pub mod ingest;
pub mod prove;
pub mod sequence_log;
pub mod audit_registry;
pub mod close_period;
pub mod issue;
pub mod list_on_market;
pub mod open_holder;
pub mod retire;
pub mod settle_trade;
pub mod transfer;
pub mod verify_period;

pub use block::Part;
pub use period_root::period_root;

pub use error::{FlowError, FlowResult};
