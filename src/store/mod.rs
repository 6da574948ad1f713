//! All SQL: connections, transactions, rows. A write takes [`Tx`], which only [`Pool::write`]
//! makes; a read takes [`Conn`]. Query text is written once for both databases: the DSL on
//! [`Conn`] first, `each_backend!` for what the enum cannot express, and `bulk` for the few hot
//! statements whose text may differ.

#[macro_use]
mod dialect;

mod conn;
mod error;
mod migrate;
mod pool;
mod tx;
mod types;

pub mod audit;
pub mod behaviour;
pub mod bulk;
pub mod correction;
pub mod idempotency;
pub mod ledger_sums;
pub mod link;
pub mod log;
pub mod market;
pub mod methodology;
pub mod offer;
pub mod outbox;
pub mod party;
pub mod period;
pub mod platform_sums;
pub mod pull;
pub mod redemption;
pub mod reduction;
pub mod registry;
pub mod replay;
pub mod revision;
pub mod scene;
pub mod schema;
pub mod share;
pub mod subject_days;
pub mod totals;
pub mod verification;
pub mod voucher_sums;
pub mod wallet;

pub use conn::{Conn, MultiBackend, Target};
pub use error::{StoreError, StoreResult};
pub use migrate::{pending_migrations, revert_all, run_migrations};
pub use pool::{Contended, Pool, PoolSettings};
pub use tx::Tx;
pub use types::{Id, IdT, Ts, TsT};
