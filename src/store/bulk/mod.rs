//! The few hot statements whose text may differ between the databases. One test feeds both the
//! same rows and compares what the tables then hold.

pub(super) mod places;
pub(super) mod postgres;
pub(super) mod sqlite;

/// Rows in one `INSERT … VALUES`: 12 columns of them stay below SQLite's 32,766 binds and
/// PostgreSQL's 65,535.
pub(super) const ROWS_PER_INSERT: usize = 2_500;
