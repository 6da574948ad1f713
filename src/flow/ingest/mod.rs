//! Ingestion: a batch of records becomes claims, behaviours, reductions, credits and log leaves,
//! all in one transaction.
//!
//! The work is in two halves. [`prepare`] is pure: it quantifies, canonicalises and hashes, and
//! needs no database. [`commit`] decides what is new, whose it is, what overlaps and what it
//! earns, and writes it. The order of its steps is the order in which rows are locked, and is the
//! same for every batch: claims by key, then lots by account.

mod adjust;
mod answer;
mod batch;
mod commit;
mod leaves;
mod overlap;
mod prepare;
mod revise;
mod scene;
mod shared;
mod single;
mod whole_file;

pub(crate) use adjust::{Batches, Fresh, Ground, Reversal, adjust};
pub use answer::{Answer, Receipt};
pub use batch::{Item, Prepared, Reading};
pub use commit::{LogSettings, commit};
pub use prepare::{Row, prepare};

pub use scene::{Pinned, SceneView};
pub use single::{SinglePost, SingleQueue, start_single_queue};
pub use whole_file::{Sums, Wrapped, check_whole, ingest_whole};

/// The most records in one batch; larger files are cut into batches by whoever reads them.
pub const RECORDS_MAX: usize = 10_000;
