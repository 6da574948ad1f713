//! Use cases: one function, one transaction. No network: what must leave the house is written to
//! the outbox and a job delivers it.

mod error;

pub mod access;
pub mod approve;
pub mod audit;
pub mod audit_books;
pub mod catalogue;
pub mod ingest;
pub mod prove;
pub mod sequence_log;

pub use error::{FlowError, FlowResult};
