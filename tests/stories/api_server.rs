//! The web server as a whole: strangers' mistakes, limits, readiness and a clean end.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tanpuhui::config::{Clock, Config, Quota};
use tanpuhui::server::{Running, start_on};
use tanpuhui::store::{Pool, StoreError};

use crate::wire::{ask, get, try_ask};
use crate::world::{self, noon};

fn config() -> Config {
    let mut config = Config::default();
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.http.workers = 2;
    config
}

fn serve(pool: Pool, config: Config) -> Running {
    start_on(pool, config, Clock::fixed(noon())).expect("the platform starts")
}

on_both! {
    fn a_ready_platform_answers_and_then_ends(pool: Pool) {
        let running = serve(pool, config());
        let url = running.base_url.clone();
        assert_eq!(get(&url, "/healthz").json()["status"], "ok");
        assert_eq!(get(&url, "/readyz").status, 200);
        let home = get(&url, "/?large=1");
        assert!(home.body.contains("lang=\"zh-CN\" class=\"large\""), "{}", home.body);
        assert!(home.field("Set-Cookie").is_some_and(|cookie| cookie.starts_with("large=1")));
        let numbers = get(&url, "/metrics").body;
        assert!(numbers.contains("http_requests_total{method=\"GET\",route=\"/readyz\""));
        running.stop().expect("it ends");
        assert!(try_ask(&url, "GET", "/healthz", &[], "").is_err(), "nobody answers any more");
    }
}

#[test]
fn mistakes_are_answered_with_problems() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let running = serve(world::sqlite(dir.path()), config());
    let unknown = get(&running.base_url, "/api/nothing/here");
    assert_eq!(
        (unknown.status, unknown.json()["code"].as_str()),
        (404, Some("not_found"))
    );
    assert_eq!(
        unknown.field("Content-Type"),
        Some("application/problem+json")
    );
    let method = ask(&running.base_url, "DELETE", "/api/problems", &[], "");
    assert_eq!((method.status, method.field("Allow")), (405, Some("GET")));
    let version = ask(
        &running.base_url,
        "GET",
        "/api/problems",
        &[("API-Version", "1999-01-01")],
        "",
    );
    assert_eq!(
        (version.status, version.json()["code"].as_str()),
        (400, Some("version_unknown"))
    );
    let told = version.json();
    assert_eq!(told["detail_zh"], "支持的版本：2026-11-21");
    assert_eq!(told["detail"], "served: 2026-11-21");
    assert!(version.field("API-Version").is_some());
    let kept = |name: &str, value: &str| {
        let answer = ask(&running.base_url, "GET", "/problems", &[(name, value)], "");
        answer.field("Cache-Control").map(str::to_owned)
    };
    assert_eq!(kept("Cookie", "session=x").as_deref(), Some("no-store"));
    assert_eq!(
        kept("Authorization", "Bearer x").as_deref(),
        Some("no-store")
    );
    assert_eq!(kept("Cookie", "large=1"), None);
    let page = get(&running.base_url, "/problems");
    assert!(
        page.body.contains("id=\"version_unknown\""),
        "the page explains the code"
    );
    assert!(
        page.field("Content-Security-Policy")
            .is_some_and(|p| p.starts_with("default-src 'self'"))
    );
}

#[test]
fn the_reader_of_the_description_loads_nothing_from_outside() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let running = serve(world::sqlite(dir.path()), config());
    let page = get(&running.base_url, "/docs/");
    assert_eq!(page.status, 200);
    for line in page
        .body
        .lines()
        .filter(|l| l.contains("src=") || l.contains("href="))
    {
        assert!(!line.contains("//"), "{line}");
    }
    assert_eq!(
        get(&running.base_url, "/openapi.json").json()["openapi"],
        "3.1.0"
    );
}

#[test]
fn a_caller_that_asks_too_often_is_told_when_to_come_back() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut config = config();
    config.limits.address = Quota { per_minute: 3 };
    let running = serve(world::sqlite(dir.path()), config);
    let left: Vec<_> = (0..3)
        .map(|_| get(&running.base_url, "/api/problems"))
        .collect();
    assert!(left.iter().all(|answer| answer.status == 200));
    assert_eq!(
        left[0].field("RateLimit-Policy"),
        Some("\"address\";q=3;w=60")
    );
    assert_eq!(left[2].field("RateLimit"), Some("\"address\";r=0;t=0"));
    let refused = get(&running.base_url, "/api/problems");
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (429, Some("too_many_requests"))
    );
    let wait: u32 = refused
        .field("Retry-After")
        .and_then(|s| s.parse().ok())
        .expect("a number");
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(
        get(&running.base_url, "/healthz").status,
        200,
        "probes are not limited"
    );
}

#[test]
fn a_token_has_a_limit_of_its_own() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut config = config();
    config.limits.caller = Quota { per_minute: 1 };
    let running = serve(world::sqlite(dir.path()), config);
    let by = |token: &str| {
        let field = format!("Bearer {token}");
        ask(
            &running.base_url,
            "GET",
            "/api/problems",
            &[("Authorization", &field)],
            "",
        )
        .status
    };
    assert_eq!([by("a"), by("a"), by("b")], [200, 429, 200]);
}

#[test]
fn a_platform_without_its_database_is_not_ready() {
    let Some(database) = world::Postgres::fresh() else {
        return;
    };
    let running = serve(database.pool(), config());
    assert_eq!(get(&running.base_url, "/readyz").status, 200);
    let (server, name) = (database.server_url(), database.name());
    PgConnection::establish(server)
        .expect("the test server answers")
        .batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .expect("the database goes away");
    let answer = get(&running.base_url, "/readyz");
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (503, Some("unavailable"))
    );
    assert!(answer.field("Retry-After").is_some());
    assert_eq!(
        get(&running.base_url, "/healthz").status,
        200,
        "the process itself lives"
    );
}

#[test]
fn an_open_request_is_finished_before_the_end() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let pool = world::sqlite(dir.path());
    let running = serve(pool.clone(), config());
    let url = running.base_url.clone();
    let held = Duration::from_millis(700);
    std::thread::scope(|scope| {
        // Every read connection is busy, so the request below waits for one.
        for _ in 0..4 {
            let pool = &pool;
            scope.spawn(move || {
                pool.read_now::<(), StoreError>(|_| {
                    std::thread::sleep(held);
                    Ok(())
                })
            });
        }
        std::thread::sleep(Duration::from_millis(150));
        let waiting = scope.spawn(|| get(&url, "/readyz"));
        std::thread::sleep(Duration::from_millis(150));
        let started = Instant::now();
        running.stop().expect("it ends");
        assert!(started.elapsed() < Duration::from_secs(10));
        assert_eq!(waiting.join().expect("it was answered").status, 200);
    });
}
