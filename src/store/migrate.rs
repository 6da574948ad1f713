//! Schema migrations, embedded: the same names for both databases.

use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
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

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> diesel::sql_types::Text,
    }
}

/// Whether steps wait to be run. Reads only, so that a probe needs no right to write.
///
/// # Errors
/// The schema's own table cannot be read: no step was ever run, or the database is away.
pub fn pending_migrations(conn: &mut Conn) -> StoreResult<bool> {
    let run: Vec<String> = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(conn)?;
    let known = match conn {
        Conn::Pg(_) => versions::<Pg>(&POSTGRES)?,
        Conn::Sqlite(_) => versions::<Sqlite>(&SQLITE)?,
    };
    Ok(known.iter().any(|version| !run.contains(version)))
}

fn versions<B: Backend>(steps: &EmbeddedMigrations) -> StoreResult<Vec<String>> {
    let steps = MigrationSource::<B>::migrations(steps).map_err(StoreError::Unavailable)?;
    Ok(steps
        .iter()
        .map(|step| step.name().version().to_string())
        .collect())
}
