//! A fresh database for each test, on SQLite and on PostgreSQL.

use std::sync::OnceLock;

use chrono::{DateTime, TimeZone, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tanpuhui::domain::context::{Actor, Ctx};
use tanpuhui::store::{Pool, PoolSettings, Target, run_migrations};

/// Names the server that PostgreSQL tests use: `postgres://…/postgres`. `scripts/test` starts one
/// and sets it.
pub const POSTGRES_ENV: &str = "TANPUHUI_TEST_POSTGRES";

/// Runs one test body on both databases: `on_both! { fn name(pool: Pool) { … } }`.
macro_rules! on_both {
    ($(fn $name:ident($pool:ident: Pool) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn story($pool: tanpuhui::store::Pool) $body

            #[test]
            fn sqlite() {
                let dir = tempfile::tempdir().expect("a scratch directory");
                story($crate::world::sqlite(dir.path()));
            }

            #[test]
            fn postgres() {
                if let Some(database) = $crate::world::Postgres::fresh() {
                    story(database.pool());
                }
            }
        })*
    };
}

/// A migrated SQLite database in `dir`.
pub fn sqlite(dir: &std::path::Path) -> Pool {
    migrated(Target::Sqlite(dir.join("test.db")))
}

fn migrated(target: Target) -> Pool {
    let pool = Pool::connect(target, PoolSettings::default()).expect("the test database opens");
    pool.migrate().expect("migrations run");
    pool
}

/// A database of its own on the test server, dropped at the end.
pub struct Postgres {
    server: String,
    name: String,
}

impl Postgres {
    /// A migrated database, or `None` with a loud word when no server is named.
    pub fn fresh() -> Option<Postgres> {
        let Ok(server) = std::env::var(POSTGRES_ENV) else {
            eprintln!("SKIPPED, no PostgreSQL: set {POSTGRES_ENV}, or run scripts/test");
            return None;
        };
        let template = template(&server);
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        execute(
            &server,
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        );
        Some(Postgres { server, name })
    }

    pub fn url(&self) -> String {
        database_url(&self.server, &self.name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where databases are made and dropped.
    pub fn server_url(&self) -> &str {
        &self.server
    }

    pub fn pool(&self) -> Pool {
        Pool::connect(Target::Postgres(self.url()), PoolSettings::default())
            .expect("the test database opens")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        execute(
            &self.server,
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
    }
}

/// Migrates one template database a process; copying it is ten times faster than migrating.
fn template(server: &str) -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("template_{}", uuid::Uuid::now_v7().simple());
        execute(server, &format!("CREATE DATABASE {name}"));
        let mut conn = tanpuhui::store::Conn::Pg(
            PgConnection::establish(&database_url(server, &name)).expect("the template opens"),
        );
        run_migrations(&mut conn).expect("migrations run");
        name
    })
}

fn database_url(server: &str, name: &str) -> String {
    let (base, _) = server
        .rsplit_once('/')
        .expect("the server URL ends in a database name");
    format!("{base}/{name}")
}

fn execute(server: &str, sql: &str) {
    PgConnection::establish(server)
        .expect("the test server answers")
        .batch_execute(sql)
        .expect("the statement runs");
}

/// The instant at which every story starts.
pub fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 4, 0, 0).unwrap()
}

/// The system acting at `now`, with ids that differ from call to call.
pub fn ctx_at(now: DateTime<Utc>) -> Ctx {
    ctx_of(Actor::SYSTEM, now)
}

/// `actor` acting at `now`.
pub fn ctx_of(actor: Actor, now: DateTime<Utc>) -> Ctx {
    let mut seed = [0; 10];
    seed.copy_from_slice(&uuid::Uuid::now_v7().as_bytes()[6..]);
    Ctx::new(actor, now, seed)
}

/// A citizen's account without anything in it.
pub fn open_account(pool: &Pool) -> uuid::Uuid {
    use tanpuhui::store::schema::accounts;
    let id = uuid::Uuid::now_v7();
    pool.write_now::<_, tanpuhui::store::StoreError>(|tx| {
        diesel::insert_into(accounts::table)
            .values((
                accounts::id.eq(tanpuhui::store::Id(id)),
                accounts::kind.eq("citizen"),
                accounts::opened_at.eq(tanpuhui::store::Ts(noon())),
            ))
            .execute(&mut **tx)?;
        Ok(())
    })
    .expect("an account opens");
    id
}
