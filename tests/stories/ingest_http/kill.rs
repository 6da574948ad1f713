//! The process dies in the middle of its work; what it answered is kept, and what it did not
//! answer can be sent again.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tanpuhui::config::Clock;
use tanpuhui::store::{Pool, PoolSettings, Target};
use uuid::Uuid;

use crate::partner::{
    JSON, ORIGIN, SEED, Town, array, assert_audit_is_clean, behaviours, metro, rider, settle,
    stored, trip,
};
use crate::wire::try_ask;
use crate::world::noon;

const BATCHES: usize = 30;
const RECORDS: usize = 150;
const RIDERS: usize = 10;

/// The real program on a database of its own; it is killed when this is dropped.
struct Served {
    child: Child,
    url: String,
    clock: Clock,
}

impl Served {
    fn start(database: &Path) -> Served {
        let clock = Clock::running(TimeDelta::zero());
        let offset = (noon() - clock.now()).num_seconds();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
            .arg("serve")
            .env(
                "TANPUHUI_DATABASE_URL",
                format!("sqlite:{}", database.display()),
            )
            .env("TANPUHUI_HTTP_LISTEN", format!("127.0.0.1:{port}"))
            .env("TANPUHUI_HTTP_WORKERS", "2")
            .env("TANPUHUI_LOG_SEED", SEED)
            .env("TANPUHUI_LOG_ORIGIN", ORIGIN)
            .env("TANPUHUI_TIME_OFFSET_SECONDS", offset.to_string())
            .env("TANPUHUI_LOGGING_FILTER", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        clock.advance(TimeDelta::seconds(offset));
        let url = format!("http://127.0.0.1:{port}");
        let served = Served { child, url, clock };
        let until = Instant::now() + Duration::from_secs(30);
        while !try_ask(&served.url, "GET", "/readyz", &[], "").is_ok_and(|a| a.status == 200) {
            assert!(Instant::now() < until, "the program comes up");
            std::thread::sleep(Duration::from_millis(20));
        }
        served
    }

    /// Posts one batch; `None` if no whole answer came.
    fn post(&self, batch: &[String]) -> Option<i64> {
        let (path, body) = (behaviours("metro"), array(batch));
        let signed = metro().sign(&self.url, self.clock.now(), &path, JSON, body.as_bytes());
        let answer = signed.try_send(&self.url).ok()?;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = serde_json::from_str::<serde_json::Value>(&answer.body).ok()?;
        let sum = |name: &str| body[name].as_i64().unwrap_or(0);
        Some(sum("accepted") + sum("replayed"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // SIGKILL; it may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn batches() -> Vec<Vec<String>> {
    let per_rider = RECORDS / RIDERS;
    let one = |batch: usize, n: usize| {
        let minute = (batch * per_rider + n / RIDERS) * 31;
        let km = format!("{}.{}", 1 + n % 7, batch % 10);
        let minute = i64::try_from(minute).unwrap() - 20_000;
        trip(
            &format!("t{batch}-{n}"),
            &format!("r{}", n % RIDERS),
            minute,
            &km,
        )
    };
    (0..BATCHES)
        .map(|batch| (0..RECORDS).map(|n| one(batch, n)).collect())
        .collect()
}

fn riders(pool: &Pool) -> Vec<Uuid> {
    (0..RIDERS)
        .map(|n| rider(pool, &[&format!("r{n}")]))
        .collect()
}

/// Points and milligrams of each rider, by a server of this process.
fn wealth(pool: Pool, riders: &[Uuid]) -> Vec<(i64, i64)> {
    let town = Town::resume(pool);
    riders.iter().map(|rider| town.wealth(*rider)).collect()
}

fn open(path: &Path) -> Pool {
    let pool = Pool::connect(Target::Sqlite(path.into()), PoolSettings::default());
    pool.expect("the database opens")
}

#[test]
fn a_killed_platform_loses_nothing_and_doubles_nothing() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let batches = batches();

    let calm = crate::world::sqlite(dir.path());
    settle(&calm);
    let calm_riders = riders(&calm);
    let town = Town::resume(calm.clone());
    for batch in &batches {
        assert_eq!(town.post(batch).json()["accepted"], RECORDS);
    }
    drop(town);
    let undisturbed = wealth(calm.clone(), &calm_riders);

    let path = dir.path().join("killed.db");
    let pool = open(&path);
    pool.migrate().expect("migrations run");
    settle(&pool);
    let riders = riders(&pool);
    drop(pool);
    let mut answered = 0;
    for stop_after in [3, 9] {
        let mut served = Served::start(&path);
        let done = AtomicUsize::new(0);
        answered = std::thread::scope(|scope| {
            let (url, clock) = (served.url.clone(), served.clock.clone());
            let (done, batches) = (&done, &batches);
            let poster = scope.spawn(move || {
                for (n, batch) in batches.iter().enumerate() {
                    let body = array(batch);
                    let signed = metro().sign(
                        &url,
                        clock.now(),
                        &behaviours("metro"),
                        JSON,
                        body.as_bytes(),
                    );
                    match signed.try_send(&url) {
                        Ok(answer) if answer.status == 200 => done.store(n + 1, Ordering::Release),
                        _ => break,
                    }
                }
            });
            let until = Instant::now() + Duration::from_secs(60);
            while done.load(Ordering::Acquire) < stop_after
                && !poster.is_finished()
                && Instant::now() < until
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(7));
            served.child.kill().expect("it is killed");
            poster.join().expect("the poster ends");
            done.load(Ordering::Acquire)
        });
        assert!(
            (stop_after..BATCHES).contains(&answered),
            "it died in the middle: {answered}"
        );
    }

    let pool = open(&path);
    let kept = stored(&pool);
    let answered = i64::try_from(answered * RECORDS).unwrap();
    assert!(kept.reductions >= answered, "what was answered is kept");
    assert_eq!(
        kept.reductions % i64::try_from(RECORDS).unwrap(),
        0,
        "a batch is whole or absent"
    );
    drop(pool);

    let served = Served::start(&path);
    for batch in &batches {
        assert_eq!(served.post(batch), Some(i64::try_from(RECORDS).unwrap()));
    }
    drop(served);
    let pool = open(&path);
    assert_eq!(wealth(pool.clone(), &riders), undisturbed);
    assert_eq!(stored(&pool).reductions, stored(&calm).reductions);
    assert_audit_is_clean(&pool);
}
