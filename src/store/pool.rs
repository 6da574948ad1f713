//! Pools of connections, and the only door to a transaction.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel::r2d2::{ManageConnection, R2D2Connection};

use super::conn::{Access, Conn, Target};
use super::error::{StoreError, StoreResult};
use super::tx::Tx;

/// How often a transaction that lost against another one is run before its error is returned.
const TX_ATTEMPTS_MAX: u32 = 16;
/// How long a caller waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many connections each pool may hold.
#[derive(Debug, Clone, Copy)]
pub struct PoolSettings {
    /// Writers: on SQLite always one, because it has one writer anyway.
    pub writers: u32,
    pub readers: u32,
}

impl Default for PoolSettings {
    fn default() -> PoolSettings {
        PoolSettings {
            writers: 4,
            readers: 4,
        }
    }
}

/// Read and write connections to one database; cheap to clone.
#[derive(Clone)]
pub struct Pool {
    target: Target,
    writers: r2d2::Pool<Manager>,
    readers: r2d2::Pool<Manager>,
}

impl Pool {
    /// # Errors
    /// [`StoreError::Unavailable`] if the first connection cannot be made.
    pub fn connect(target: Target, settings: PoolSettings) -> StoreResult<Pool> {
        let writers = match target {
            Target::Postgres(_) => settings.writers,
            Target::Sqlite(_) => 1,
        };
        // The writer comes first: on SQLite it makes the file that readers then open.
        let writers = build(&target, Access::Write, writers)?;
        let readers = build(&target, Access::Read, settings.readers)?;
        Ok(Pool {
            target,
            writers,
            readers,
        })
    }

    /// For looking into a database without changing a byte of it: every write fails.
    ///
    /// # Errors
    /// As [`Pool::connect`].
    pub fn look_into(target: Target) -> StoreResult<Pool> {
        let looking = build(&target, Access::Look, 1)?;
        Ok(Pool {
            target,
            writers: looking.clone(),
            readers: looking,
        })
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Brings the schema up to this program's; returns how many steps were run.
    ///
    /// # Errors
    /// A step failed, or no connection was free.
    pub fn migrate(&self) -> StoreResult<usize> {
        super::migrate::run_migrations(&mut *acquire(&self.writers)?)
    }

    /// Runs `f` on a read connection and waits for it on the calling thread.
    ///
    /// # Errors
    /// What `f` returns, or that no connection was free.
    pub fn read_now<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        f(&mut *acquire(&self.readers)?)
    }

    /// Runs `f` on a read connection, where every query sees the state of one moment, whatever is
    /// written meanwhile.
    ///
    /// # Errors
    /// As [`Pool::read_now`].
    pub fn read_snapshot<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut conn = acquire(&self.readers)?;
        begin_snapshot(&mut conn)?;
        let result = f(&mut conn);
        // Nothing was written: there is nothing to commit.
        rollback(&mut conn);
        result
    }

    /// Runs `f` in a write transaction on the calling thread: `BEGIN IMMEDIATE` on SQLite, READ
    /// COMMITTED on PostgreSQL. A transaction that lost against another one is run again, so `f`
    /// must be repeatable: its ids and its time come from outside.
    ///
    /// # Errors
    /// What `f` returns (the transaction is rolled back), or that the commit failed.
    pub fn write_now<T, E: From<StoreError> + Contended>(
        &self,
        mut f: impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut conn = acquire(&self.writers)?;
        let mut attempt = 1;
        loop {
            match transaction(&mut conn, &mut f) {
                Err(error) if error.is_contended() && attempt < TX_ATTEMPTS_MAX => attempt += 1,
                result => return result,
            }
        }
    }

    /// [`Pool::read_now`] on a blocking thread.
    ///
    /// # Errors
    /// As [`Pool::read_now`].
    pub async fn read<T, E>(
        &self,
        f: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let pool = self.clone();
        off_thread(move || pool.read_now(f)).await
    }

    /// [`Pool::write_now`] on a blocking thread.
    ///
    /// # Errors
    /// As [`Pool::write_now`].
    pub async fn write<T, E>(
        &self,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Contended + Send + 'static,
    {
        let pool = self.clone();
        off_thread(move || pool.write_now(f)).await
    }
}

/// Tells whether running the same transaction again may succeed.
pub trait Contended {
    fn is_contended(&self) -> bool;
}

impl Contended for StoreError {
    fn is_contended(&self) -> bool {
        // Two officers' acts that took the same place in the audit chain: the later one runs again.
        matches!(self, StoreError::Busy) || self.is_constraint("audit_events")
    }
}

async fn off_thread<T, E>(f: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    match tokio::task::spawn_blocking(f).await {
        Ok(result) => result,
        Err(join) => Err(StoreError::Unavailable(Box::new(join)).into()),
    }
}

fn transaction<T, E: From<StoreError>>(
    conn: &mut Conn,
    f: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    begin(conn)?;
    match f(&mut Tx { conn }) {
        Ok(value) => match <Conn as Connection>::TransactionManager::commit_transaction(conn) {
            Ok(()) => Ok(value),
            Err(error) => {
                rollback(conn);
                Err(StoreError::from(error).into())
            }
        },
        Err(error) => {
            rollback(conn);
            Err(error)
        }
    }
}

fn begin(conn: &mut Conn) -> StoreResult<()> {
    let begun = match conn {
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        Conn::Pg(_) => <Conn as Connection>::TransactionManager::begin_transaction(conn),
    };
    Ok(begun?)
}

fn begin_snapshot(conn: &mut Conn) -> StoreResult<()> {
    const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let begun = match conn {
        // In WAL mode a reader keeps the state that its first query saw.
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN DEFERRED"),
        Conn::Pg(c) => AnsiTransactionManager::begin_transaction_sql(c, SNAPSHOT),
    };
    Ok(begun?)
}

fn rollback(conn: &mut Conn) {
    // A connection that cannot even roll back is broken; the pool drops it on its next check.
    if let Err(error) = <Conn as Connection>::TransactionManager::rollback_transaction(conn) {
        tracing::warn!(%error, "rollback failed");
    }
}

fn acquire(pool: &r2d2::Pool<Manager>) -> StoreResult<r2d2::PooledConnection<Manager>> {
    pool.get()
        .map_err(|error| StoreError::Unavailable(Box::new(error)))
}

fn build(target: &Target, access: Access, size: u32) -> StoreResult<r2d2::Pool<Manager>> {
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        .test_on_check_out(false)
        .connection_timeout(ACQUIRE_TIMEOUT)
        .thread_pool(Arc::clone(&REAPERS))
        .build(Manager {
            target: target.clone(),
            access,
        })
        .map_err(|error| StoreError::Unavailable(Box::new(error)))
}

/// One pair of housekeeping threads for all pools of the process.
static REAPERS: std::sync::LazyLock<Arc<scheduled_thread_pool::ScheduledThreadPool>> =
    std::sync::LazyLock::new(|| Arc::new(scheduled_thread_pool::ScheduledThreadPool::new(2)));

struct Manager {
    target: Target,
    access: Access,
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Conn, diesel::r2d2::Error> {
        self.target
            .connect(self.access)
            .map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), diesel::r2d2::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}
