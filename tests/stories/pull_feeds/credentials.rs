//! Who asks, and who may be asked.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tanpuhui::config::Clock;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::pull::resume;
use tanpuhui::gateway::partner_feed::FeedClient;
use tanpuhui::store::Target;

use super::source::{Reply, Source, ok, status};
use super::{declare_feed, history, officer, outcomes, pull, pull_with, stand, town, trips};
use crate::world::{ctx_of, noon};

on_both! {
    fn each_kind_of_proof_is_sent_and_only_to_its_origin(pool: Pool) {
        let town = town(pool, &[("metro", "hush"), ("pair", "me:hush")]);
        let elsewhere = Source::start(|_, _| ok("[]"));
        let target = format!("{}/there", elsewhere.url);
        let source = Source::start(move |_, asked| match asked.target.as_str() {
            "/moved" => Reply::Whole(302, vec![("Location", target.clone())], Vec::new()),
            "/near" => Reply::Whole(307, vec![("Location", "/here".into())], Vec::new()),
            "/round" => Reply::Whole(302, vec![("Location", "/round".into())], Vec::new()),
            _ => ok("[]"),
        });
        for (auth, field, value) in [
            ("auth = { kind = 'bearer', credential = 'metro' }", "authorization", "Bearer hush"),
            ("auth = { kind = 'basic', credential = 'pair' }", "authorization", "Basic bWU6aHVzaA=="),
            ("auth = { kind = 'header', name = 'X-Api-Key', credential = 'metro' }", "x-api-key", "hush"),
        ] {
            declare_feed(&town, &source, "/near", auth);
            assert_eq!(pull(&town).requests, 1);
            let asked = source.asked();
            let [.., near, here] = asked.as_slice() else { panic!("{asked:?}") };
            assert_eq!((here.target.as_str(), near.field(field), here.field(field)), ("/here", Some(value), Some(value)));
            declare_feed(&town, &source, "/moved", auth);
            pull(&town);
            assert_eq!(stand(&town).state, "idle");
            assert_eq!(elsewhere.asked().last().unwrap().field(field), None);
        }
        declare_feed(&town, &source, "/round", "");
        pull(&town);
        assert_eq!(stand(&town).state, "stopped");
    }

    fn a_refused_credential_stops_the_feed_until_an_officer_resumes_it(pool: Pool) {
        let town = town(pool, &[("metro", "hush")]);
        town.rider(&["a"]);
        let source = Source::start(|number, _| match number {
            0 => status(401),
            1 => status(403),
            _ => ok(trips(&[1])),
        });
        declare_feed(&town, &source, "/all.json", "auth = { kind = 'bearer', credential = 'metro' }");
        for _ in 0..2 {
            assert_eq!(pull(&town).requests, 1);
            let feed = stand(&town);
            assert_eq!(feed.state, "stopped");
            assert!(feed.last_error.unwrap().starts_with("pull_denied"));
            town.clock.advance(TimeDelta::days(2));
            assert_eq!(pull(&town).requests, 0);
            let ctx = ctx_of(officer(), town.clock.now());
            town.pool.write_now::<_, FlowError>(|tx| resume(tx, &ctx, "metro", "a new key")).unwrap();
        }
        assert_eq!(pull(&town).sums.accepted, 1);
        assert_eq!(outcomes(&town), ["denied", "denied", "ingested"]);
        town.assert_audit_is_clean();
    }

    fn a_credential_that_nobody_has_is_asked_for_by_name(pool: Pool) {
        let town = town(pool, &[]);
        let source = Source::start(|_, _| ok("[]"));
        declare_feed(&town, &source, "/all.json", "auth = { kind = 'bearer', credential = 'metro' }");
        assert_eq!(pull(&town).requests, 0);
        let feed = stand(&town);
        assert_eq!(feed.state, "stopped");
        let told = feed.last_error.unwrap();
        assert!(told.starts_with("credential_missing") && told.contains("metro"), "{told}");
        assert_eq!(source.asked().len(), 0);
    }

    fn private_networks_are_not_reached_by_literal_name_or_redirect(pool: Pool) {
        let town = town(pool, &[]);
        let source = Source::start(|_, _| ok("[]"));
        let client = FeedClient::new(false).unwrap();
        let port = source.url.rsplit_once(':').unwrap().1.to_owned();
        for host in ["127.0.0.1", "localhost", "[::1]", "0x7f.1"] {
            let text = format!("url = 'http://{host}:{port}/'\nstart = '2026-11-20T00:00:00Z'\nevery_minutes = 60");
            let ctx = ctx_of(officer(), town.clock.now());
            town.pool.write_now::<_, FlowError>(|tx| {
                tanpuhui::flow::pull::declare(tx, &ctx, "metro", &text, "x")
            }).unwrap();
            pull_with(&town, &client);
            let feed = stand(&town);
            assert!(feed.last_error.as_ref().unwrap().starts_with("pull_address_refused"), "{host}: {feed:?}");
            assert_eq!(feed.state, "stopped", "{host}");
        }
        assert_eq!(source.asked().len(), 0);
        assert!(history(&town).iter().all(|run| run.status.is_none()));
    }

    fn no_secret_is_in_the_log_of_a_platform_that_tells_everything(pool: Pool) {
        const SECRET: &str = "hush-4711-hush";
        let town = town(pool, &[("metro", SECRET)]);
        town.rider(&["a"]);
        let source = Source::start(|number, _| match number {
            0 => ok(trips(&[1])),
            1 => status(500),
            _ => status(401),
        });
        declare_feed(&town, &source, "/all.json", "auth = { kind = 'bearer', credential = 'metro' }");
        let offset = (noon() - Clock::running(TimeDelta::zero()).now()).num_seconds() + 60;
        let url = match town.pool.target() {
            Target::Postgres(url) => url.clone(),
            Target::Sqlite(path) => format!("sqlite:{}", path.display()),
        };
        let mut told = String::new();
        // Each start finds it due: taken in, failed, refused.
        for (runs, more) in [(1, 0), (2, 4_000), (3, 9_000)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("log");
            let mut platform = Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
                .arg("serve")
                .env("TANPUHUI_DATABASE_URL", &url)
                .env("TANPUHUI_HTTP_LISTEN", "127.0.0.1:0")
                .env("TANPUHUI_LOGGING_FILTER", "trace")
                .env("TANPUHUI_PULL_PRIVATE_NETWORKS", "true")
                .env("TANPUHUI_PULL_CREDENTIAL_METRO", SECRET)
                .env("TANPUHUI_TIME_OFFSET_SECONDS", (offset + more).to_string())
                .env("TANPUHUI_LOG_SEED", crate::partner::SEED)
                .env("TANPUHUI_LOG_ORIGIN", crate::partner::ORIGIN)
                .stdout(Stdio::null())
                .stderr(std::fs::File::create(&path).unwrap())
                .spawn()
                .unwrap();
            let deadline = Instant::now() + Duration::from_secs(30);
            while history(&town).len() < runs && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(100));
            }
            std::thread::sleep(Duration::from_millis(300));
            platform.kill().unwrap();
            platform.wait().unwrap();
            told.push_str(&std::fs::read_to_string(&path).unwrap());
        }
        assert_eq!(outcomes(&town), ["ingested", "failed", "denied"], "{told}");
        assert_eq!(source.asked()[2].field("authorization"), Some(format!("Bearer {SECRET}").as_str()));
        assert!(told.contains("a pull feed has stopped"), "{told}");
        assert!(!told.contains(SECRET), "the secret is in the log");
        let rows = format!("{:?} {:?}", stand(&town), history(&town));
        assert!(!rows.contains(SECRET));
    }
}
