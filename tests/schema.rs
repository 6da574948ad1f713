//! Both migrated databases hold exactly the tables and columns that `src/store/schema.rs` names,
//! with the same nullability, and every migration can be taken back and run again.

#![expect(clippy::disallowed_methods, reason = "tests are wiring")]

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use tanpuhui::store::{
    Conn, Pool, PoolSettings, Target, pending_migrations, revert_all, run_migrations,
};

/// Column to whether it may be null, by table.
type Schema = BTreeMap<String, BTreeMap<String, bool>>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

#[test]
fn sqlite_is_as_the_program_believes() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let path = dir.path().join("schema.db");
    let conn = SqliteConnection::establish(&path.to_string_lossy()).expect("the file opens");
    up_down_up(&mut Conn::Sqlite(conn));
}

#[test]
fn postgres_is_as_the_program_believes() {
    let Ok(server) = std::env::var("TANPUHUI_TEST_POSTGRES") else {
        eprintln!("SKIPPED, no PostgreSQL: set TANPUHUI_TEST_POSTGRES, or run scripts/test");
        return;
    };
    let name = format!("schema_{}", uuid::Uuid::now_v7().simple());
    let (base, _) = server
        .rsplit_once('/')
        .expect("the URL ends in a database name");
    let mut admin = PgConnection::establish(&server).expect("the test server answers");
    admin
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .expect("the database is made");
    let outcome = std::panic::catch_unwind(|| {
        let conn = PgConnection::establish(&format!("{base}/{name}")).expect("it opens");
        up_down_up(&mut Conn::Pg(conn));
    });
    admin
        .batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .expect("it is dropped");
    outcome.expect("the schema is as the program believes");
}

#[test]
fn a_database_without_migrations_is_not_ready() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let target = Target::Sqlite(dir.path().join("empty.db"));
    let pool = Pool::connect(target, PoolSettings::default()).expect("the file opens");
    assert!(pool.read_now(pending_migrations).is_err());
    pool.migrate().expect("migrations run");
    assert!(
        !pool
            .read_now(pending_migrations)
            .expect("the table can be read")
    );
}

fn up_down_up(conn: &mut Conn) {
    let steps = run_migrations(conn).expect("every step runs");
    assert_eq!(found(conn), believed());
    assert_eq!(
        revert_all(conn).expect("every step can be taken back"),
        steps
    );
    assert_eq!(found(conn), Schema::new(), "a step left something behind");
    assert_eq!(run_migrations(conn).expect("every step runs again"), steps);
    assert_eq!(found(conn), believed());
}

/// The tables as the database describes them.
fn found(conn: &mut Conn) -> Schema {
    let columns: Vec<Column> = match conn {
        Conn::Pg(c) => diesel::sql_query(
            "SELECT table_name::text, column_name::text, is_nullable = 'YES' AS nullable \
             FROM information_schema.columns WHERE table_schema = 'public'",
        )
        .load(c),
        Conn::Sqlite(c) => diesel::sql_query(
            "SELECT t.name AS table_name, c.name AS column_name, \
             c.\"notnull\" = 0 AND c.pk = 0 AS nullable \
             FROM sqlite_master t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
        )
        .load(c),
    }
    .expect("the database describes itself");
    let mut schema = Schema::new();
    for column in columns
        .into_iter()
        .filter(|c| !c.table_name.starts_with("__diesel"))
    {
        let table = schema.entry(column.table_name).or_default();
        table.insert(column.column_name, column.nullable);
    }
    schema
}

/// The tables as `schema.rs` declares them.
fn believed() -> Schema {
    let text = include_str!("../src/store/schema.rs");
    let mut schema = Schema::new();
    let mut table = String::new();
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name.to_owned();
        } else if line.starts_with("diesel::") {
            // How tables join is not what they hold.
        } else if let Some((column, kind)) = line.split_once(" -> ") {
            let nullable = kind.starts_with("Nullable<");
            schema
                .entry(table.clone())
                .or_default()
                .insert(column.to_owned(), nullable);
        }
    }
    assert!(
        schema.len() > 10,
        "schema.rs is written as this test reads it"
    );
    schema
}
