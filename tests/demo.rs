//! `tanpuhui demo` as a visitor runs it: the real binary, its real exchange, its last line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use diesel::connection::{Connection, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::query_dsl::RunQueryDsl;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;

const POSTGRES_ENV: &str = "TANPUHUI_TEST_POSTGRES";

fn demo(dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanpuhui"));
    command.arg("demo").arg("--dir").arg(dir).args(more);
    command
}

/// What the last line says, and what must hold of it whatever the figures are.
fn sound(output: &Output) -> Value {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{out}\n{err}");
    let last = out.lines().last().expect("there is a last line");
    let told: Value = serde_json::from_str(last).expect("the last line is JSON");
    let number = |path: &str| {
        told.pointer(path)
            .and_then(Value::as_i64)
            .unwrap_or_else(|| panic!("{path} is missing: {last}"))
    };
    assert_eq!(told["audit_ok"], true, "{last}");
    for path in [
        "/behaviours/accepted",
        "/behaviours/replayed",
        "/behaviours/refused",
        "/behaviours/held",
        "/points/redeemed",
        "/points/expired",
        "/vouchers_written_off",
        "/settlement_fen",
        "/cer/sold_t",
        "/cer/retired_t",
    ] {
        assert!(number(path) > 0, "{path}: {last}");
    }
    // Every reduction has one leaf, every tonne one serial, and no tonne is more than was reduced.
    assert_eq!(number("/log/size"), number("/behaviours/accepted"));
    assert_eq!(told["log"]["root"].as_str().map(str::len), Some(64));
    let serials = number("/cer/last_serial") - number("/cer/first_serial") + 1;
    assert_eq!(number("/cer/issued_t"), serials);
    assert!(number("/cer/issued_t") >= 8, "big enough for whole tonnes");
    assert!(number("/cer/issued_t") * 1_000_000_000 <= number("/reduction_mg"));
    assert!(number("/cer/sold_t") + number("/cer/retired_t") <= number("/cer/issued_t"));
    assert!(number("/points/redeemed") + number("/points/expired") <= number("/points/issued"));
    // One point is 100 g, and the daily cap cuts the roofs' months.
    assert!(number("/points/issued") < number("/reduction_mg") / 100_000);
    told
}

#[test]
fn a_city_is_walked_twice_in_one_directory_and_keeps_off_others() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let dir = scratch.path().join("city");
    let once = || demo(&dir, &["--once"]).output().expect("it runs");
    sound(&once());
    sound(&once());
    a_new_version_is_tried_and_nothing_is_written(&dir);

    let precious = scratch.path().join("precious");
    std::fs::create_dir(&precious).expect("a directory");
    std::fs::write(precious.join("thesis.txt"), "years").expect("a file");
    let refused = demo(&precious, &["--once"]).output().expect("it runs");
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert!(precious.join("thesis.txt").exists());
}

/// The roofs' forty months, under the version in force and under another city's.
fn a_new_version_is_tried_and_nothing_is_written(dir: &Path) {
    let database = dir.join("city.db");
    let before = std::fs::read(&database).expect("the city's database");
    let output = Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
        .args([
            "methodology",
            "diff",
            "distributed-pv@2025.1",
            "sh-distributed-pv@2024.1",
        ])
        .args([
            "--replay",
            "demo-roofs",
            "--from",
            "2026-01-01",
            "--to",
            "2026-12-31",
            "--json",
        ])
        .args(["--database", &format!("sqlite:{}", database.display())])
        .output()
        .expect("it runs");
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let replay = &told["replay"];
    let credited = {
        let mut city =
            SqliteConnection::establish(&database.display().to_string()).expect("it opens");
        diesel::dsl::sql::<diesel::sql_types::BigInt>(
            "SELECT SUM(mg) FROM reductions JOIN scenes ON scenes.id = scene_id WHERE scenes.code = 'demo-roofs'",
        )
        .get_result::<i64>(&mut city)
        .expect("a sum")
    };
    assert_eq!(replay["before"]["reduction_mg"], credited, "{told:#}");
    assert_eq!(
        (&replay["before"]["counted"], &replay["after"]["counted"]),
        (&40.into(), &40.into())
    );
    assert_eq!(replay["less"]["people"], 20);
    assert_eq!(replay["less"]["difference_mg"], replay["difference_mg"]);
    let slots = told["differences"].as_array().expect("a list");
    assert!(
        slots
            .iter()
            .any(|slot| slot["slot"] == "formula.baseline" && slot["part"] == "formula")
    );
    assert_eq!(std::fs::read(&database).expect("the same file"), before);
}

#[test]
fn the_city_is_served_until_it_is_told_to_stop() {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    // Somebody else has the first port, so a free one is taken; or nobody has, and it is taken.
    let mut city = demo(&scratch.path().join("city"), &[]);
    let mut child = Ended(city.stdout(Stdio::piped()).spawn().expect("it starts"));
    let mut out = BufReader::new(child.0.stdout.take().expect("a pipe"));
    let (mut base, mut paths, mut line) = (None, Vec::new(), String::new());
    while !line.starts_with('{') {
        line.clear();
        assert!(out.read_line(&mut line).expect("it speaks") > 0, "it ended");
        if let Some((_, rest)) = line.trim().split_once("http://") {
            let (host, path) = rest.split_once('/').expect("an address has a path");
            base = Some(host.to_owned());
            paths.push(format!("/{path}"));
        }
    }
    let told: Value = serde_json::from_str(&line).expect("JSON");
    let base = base.expect("it says where");
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let page = get(&base, &path);
        // Signing in leads on to the wallet.
        let wanted = if path.starts_with("/login") {
            "303"
        } else {
            "200"
        };
        assert!(
            page.starts_with(&format!("HTTP/1.1 {wanted}")),
            "{path}: {page}"
        );
    }
    let head = get(&base, "/log/checkpoint");
    assert!(
        head.contains(&format!("\n{}\n", told["log"]["size"])),
        "{head}"
    );
    let stopped = Command::new("kill")
        .args(["-INT", &child.0.id().to_string()])
        .status();
    assert!(stopped.expect("kill runs").success());
    assert!(child.0.wait().expect("it ends").success());
    assert!(TcpStream::connect(&base).is_err(), "nobody listens");
}

/// A process that a failing test does not leave behind.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(base: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(base).expect("it listens");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {base}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("it takes it");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    text
}

#[test]
fn the_same_city_stands_on_postgresql() {
    let Ok(server) = std::env::var(POSTGRES_ENV) else {
        eprintln!("SKIPPED, no PostgreSQL: set {POSTGRES_ENV}, or run scripts/test");
        return;
    };
    let name = format!("demo_{}", std::process::id());
    let (base, _) = server.rsplit_once('/').expect("the URL names a database");
    let execute = |sql: String| {
        let mut conn = PgConnection::establish(&server).expect("the test server answers");
        conn.batch_execute(&sql).expect("the statement runs");
    };
    execute(format!("CREATE DATABASE {name}"));
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let url = format!("{base}/{name}");
    let output = demo(
        &scratch.path().join("city"),
        &["--once", "--database", &url],
    )
    .output();
    execute(format!("DROP DATABASE {name} WITH (FORCE)"));
    sound(&output.expect("it runs"));
}
