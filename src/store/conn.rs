//! A connection to whichever database this process was started with.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::error::{StoreError, StoreResult};

/// A connection to PostgreSQL or SQLite. Never made by trying one after the other: the variant
/// follows from [`Target`], so that a server that is down cannot become a new SQLite file.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Pg(PgConnection),
    Sqlite(SqliteConnection),
}

/// Which database, as the configuration names it.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A libpq URL, `postgres://…`.
    Postgres(String),
    /// A file.
    Sqlite(PathBuf),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Postgres(_) => f.write_str("Postgres(<redacted>)"),
            Target::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
        }
    }
}

/// How long SQLite waits for another process's write, in milliseconds.
const SQLITE_BUSY_MS: u32 = 10_000;
/// SQLite's page cache per connection, in KiB.
const SQLITE_CACHE_KIB: u32 = 65_536;
/// Pages in the write-ahead log before SQLite checkpoints by itself (16 MiB); larger is faster and
/// makes the slowest commit slower.
const SQLITE_AUTOCHECKPOINT_PAGES: u32 = 4_000;
/// How long PostgreSQL waits before it looks for a deadlock. Batches are sorted, so a deadlock is
/// rare; when one happens a second of stall costs more than the check.
const PG_DEADLOCK_TIMEOUT: &str = "100ms";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    Read,
    /// Into a database that others run, or a copy of one: not a byte of it may change.
    Look,
}

const JOURNAL: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

/// The address by which SQLite opens a file for reading and leaves it as it is. Where the file may
/// not be written and has no log beside it, nobody has it open, and no lock is asked for.
fn as_it_is(path: &Path) -> String {
    let mut address = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'?' | b'#' | b'%' | 0x80.. => address.push_str(&format!("%{byte:02X}")),
            plain => address.push(char::from(*plain)),
        }
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let ours = std::fs::OpenOptions::new().append(true).open(path).is_ok();
    let still = !ours && !Path::new(&log).exists();
    address.push_str(if still { "?immutable=1" } else { "?mode=ro" });
    address
}

impl Target {
    /// `postgres://…`, `postgresql://…`, `sqlite://path` or `sqlite:path`.
    ///
    /// # Errors
    /// [`StoreError::Target`] for anything else.
    pub fn parse(text: &str) -> StoreResult<Target> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Target::Postgres(text.to_owned()));
        }
        let path = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() => Ok(Target::Sqlite(path.into())),
            _ => Err(StoreError::Target),
        }
    }

    /// Opens a connection and sets it up.
    pub(super) fn connect(&self, access: Access) -> Result<Conn, diesel::ConnectionError> {
        match self {
            Target::Postgres(url) => {
                let mut conn = PgConnection::establish(url)?;
                let mode = match access {
                    Access::Write => "off",
                    Access::Read | Access::Look => "on",
                };
                conn.batch_execute(&format!(
                    "SET TIME ZONE 'UTC'; SET default_transaction_read_only = {mode}; \
                     SET statement_timeout = '600s'; SET client_min_messages = warning;"
                ))
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                // Only a superuser may change this one; without it the server's second applies.
                let _ =
                    conn.batch_execute(&format!("SET deadlock_timeout = '{PG_DEADLOCK_TIMEOUT}'"));
                Ok(Conn::Pg(conn))
            }
            Target::Sqlite(path) => {
                let name = match access {
                    Access::Look => as_it_is(path),
                    Access::Write | Access::Read => path.to_string_lossy().into_owned(),
                };
                let mut conn = SqliteConnection::establish(&name)?;
                let (journal, query_only) = match access {
                    Access::Write => (JOURNAL, ""),
                    Access::Read => (JOURNAL, "PRAGMA query_only = ON;"),
                    // The journal's mode stands in the file.
                    Access::Look => ("", "PRAGMA query_only = ON;"),
                };
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = {SQLITE_BUSY_MS}; {journal} PRAGMA foreign_keys = ON; \
                     PRAGMA cache_size = -{SQLITE_CACHE_KIB}; PRAGMA temp_store = MEMORY; \
                     PRAGMA wal_autocheckpoint = {SQLITE_AUTOCHECKPOINT_PAGES}; {query_only}"
                ))
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Sqlite(conn))
            }
        }
    }
}
