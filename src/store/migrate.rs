//! Schema migrations, embedded: the same names for both databases.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::conn::Conn;
use super::error::{StoreError, StoreResult};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Brings the schema up to this program's; returns how many steps were run.
///
/// # Errors
/// A step failed; those before it stay.
pub fn run_migrations(conn: &mut Conn) -> StoreResult<usize> {
    let done = match conn {
        Conn::Pg(c) => c.run_pending_migrations(POSTGRES).map(|steps| steps.len()),
        Conn::Sqlite(c) => c.run_pending_migrations(SQLITE).map(|steps| steps.len()),
    };
    done.map_err(StoreError::Unavailable)
}

/// Takes every step back; for tests of the `down` files.
///
/// # Errors
/// A step failed.
pub fn revert_all(conn: &mut Conn) -> StoreResult<usize> {
    let done = match conn {
        Conn::Pg(c) => c.revert_all_migrations(POSTGRES).map(|steps| steps.len()),
        Conn::Sqlite(c) => c.revert_all_migrations(SQLITE).map(|steps| steps.len()),
    };
    done.map_err(StoreError::Unavailable)
}

/// Whether steps wait to be run.
///
/// # Errors
/// The schema's own table cannot be read.
pub fn pending_migrations(conn: &mut Conn) -> StoreResult<bool> {
    let pending = match conn {
        Conn::Pg(c) => c.has_pending_migration(POSTGRES),
        Conn::Sqlite(c) => c.has_pending_migration(SQLITE),
    };
    pending.map_err(StoreError::Unavailable)
}
