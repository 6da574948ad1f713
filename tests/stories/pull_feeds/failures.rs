//! What a source may do wrong, and that nothing is lost or counted twice by it.

use chrono::TimeDelta;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::open_scene::{NewScene, open_scene};

use super::hours::packed;
use super::source::{Reply, Source, ok, status};
use super::{
    at, declare_feed, declare_feed_of, history, officer, outcomes, pull, stand, stand_of, town,
    trips,
};
use crate::partner::METRO;
use crate::world::{ctx_of, noon};

const HOURS: &str = "/trips?end_time={to:hour}";

on_both! {
    fn a_connection_that_is_cut_leaves_the_watermark_and_is_taken_up(pool: Pool) {
        let town = town(pool, &[]);
        let account = town.rider(&["a"]);
        let source = Source::start(|number, asked| match (number, asked.target.ends_with("T01")) {
            // Whole records came through before the end did not.
            (0..=1, true) => Reply::Cut(100_000, trips(&[1, 2, 3]).into()),
            (_, true) => ok(trips(&[1, 2, 3])),
            _ if asked.target.ends_with("T00") => ok(trips(&[0])),
            _ => ok("[]"),
        });
        declare_feed(&town, &source, HOURS, "");
        let first = pull(&town);
        assert_eq!((first.requests, first.sums.accepted), (2, 1), "{:?}", stand(&town));
        let feed = stand(&town);
        assert_eq!((feed.state.as_str(), feed.failures), ("backing_off", 1));
        assert_eq!(feed.watermark.0, at("2026-11-20T01:00:00Z"));
        // The end of the connection is seen in the body, or with the head of the answer.
        let error = feed.last_error.unwrap_or_default();
        let told = ["file_truncated", "pull_failed"].iter().any(|code| error.starts_with(code));
        assert!(told, "{error}");
        let wait = feed.next_at.0 - noon();
        assert!((TimeDelta::seconds(30)..TimeDelta::seconds(46)).contains(&wait), "{wait}");
        assert_eq!(town.wealth(account).0, 468, "nothing of the broken file");
        assert_eq!(history(&town)[1].outcome, "failed");

        assert_eq!(pull(&town).turns, 0, "it waits");
        town.clock.advance(TimeDelta::seconds(46));
        let second = pull(&town);
        assert_eq!((second.sums.accepted, second.sums.replayed), (3, 0));
        let feed = stand(&town);
        assert_eq!((feed.state.as_str(), feed.failures, feed.last_error), ("idle", 0, None));
        assert_eq!((feed.watermark.0, town.wealth(account).0), (noon(), 1872));
        town.assert_audit_is_clean();
    }

    fn a_source_that_fails_is_asked_ever_more_seldom_and_as_it_asks(pool: Pool) {
        let town = town(pool, &[]);
        town.rider(&["a"]);
        let source = Source::start(|number, _| match number {
            0 | 1 => status(500),
            2 => Reply::Whole(503, vec![("Retry-After", "7200".into())], Vec::new()),
            3 => Reply::Whole(429, vec![("Retry-After", "1".into())], Vec::new()),
            _ => ok(trips(&[1])),
        });
        declare_feed(&town, &source, "/all.json", "");
        for (failures, least, most) in [(1, 30, 46), (2, 60, 91), (3, 7_200, 7_201), (4, 240, 361)] {
            assert_eq!(pull(&town).requests, 1);
            let feed = stand(&town);
            assert_eq!((feed.state.as_str(), feed.failures), ("backing_off", failures));
            let wait = (feed.next_at.0 - town.clock.now()).num_seconds();
            assert!((least..most).contains(&wait), "failure {failures}: {wait} s");
            town.clock.advance(TimeDelta::seconds(wait - 1));
            assert_eq!(pull(&town).requests, 0, "not yet");
            town.clock.advance(TimeDelta::seconds(2));
        }
        assert_eq!(pull(&town).sums.accepted, 1);
        let feed = stand(&town);
        assert_eq!((feed.state.as_str(), feed.failures, feed.last_error), ("idle", 0, None));
        let told: Vec<_> = history(&town).into_iter().map(|run| (run.status, run.code)).collect();
        assert_eq!(told[2], (Some(503), Some("pull_failed".into())));
    }

    fn what_is_not_there_yet_is_no_failure(pool: Pool) {
        let town = town(pool, &[]);
        town.rider(&["a"]);
        let source = Source::start(|number, asked| match number {
            0 => status(202),
            1 => Reply::Whole(202, vec![("Retry-After", "600".into())], Vec::new()),
            _ if asked.target.ends_with("T05") => status(404),
            _ => ok(trips(&[1])),
        });
        declare_feed(&town, &source, HOURS, "");
        for wait in [3600, 600] {
            assert_eq!(pull(&town).requests, 1);
            let feed = stand(&town);
            assert_eq!((feed.state.as_str(), feed.failures), ("idle", 0));
            assert_eq!(feed.watermark.0, at("2026-11-20T00:00:00Z"));
            assert_eq!(feed.next_at.0, town.clock.now() + TimeDelta::seconds(wait));
            town.clock.advance(TimeDelta::seconds(wait));
        }
        town.clock.advance(TimeDelta::hours(1));
        assert_eq!(pull(&town).requests, 6);
        let feed = stand(&town);
        assert_eq!((feed.state.as_str(), feed.watermark.0), ("idle", at("2026-11-20T05:00:00Z")));
        assert!(feed.last_error.unwrap().contains("404"));
        // A day later it will not come any more, and somebody must see that.
        town.clock.advance(TimeDelta::hours(25));
        pull(&town);
        assert_eq!(stand(&town).state, "backing_off");
    }

    fn bodies_that_cannot_be_read_store_nothing(pool: Pool) {
        let town = town(pool, &[]);
        town.rider(&["a"]);
        let source = Source::start(|number, _| {
            let gzip = vec![("Content-Encoding", "gzip".to_owned())];
            let whole = packed(trips(&[1, 2]).as_bytes());
            match number {
                0 => ok("hello"),
                1 => ok(trips(&[1, 2]).trim_end_matches(']').to_owned()),
                2 => Reply::Whole(200, gzip, whole[..whole.len() - 9].into()),
                3 => Reply::Whole(200, gzip, packed(&vec![b' '; 3 << 20])),
                4 => ok(vec![b' '; 2 << 20]),
                _ => Reply::Whole(200, vec![("Content-Encoding", "br".to_owned())], whole),
            }
        });
        declare_feed(&town, &source, "/all.json", "max_mib = 1");
        for code in [
            "format_mismatch",
            "file_truncated",
            "file_truncated",
            "body_too_large",
            "body_too_large",
            "unsupported_format",
        ] {
            assert_eq!(pull(&town).sums.rows(), 0);
            let feed = stand(&town);
            assert!(feed.last_error.as_ref().unwrap().starts_with(code), "{code}: {feed:?}");
            assert_eq!(feed.watermark.0, at("2026-11-20T00:00:00Z"));
            town.clock.advance(TimeDelta::hours(2));
        }
        assert_eq!(outcomes(&town), ["failed"; 6]);
        assert_eq!(town.stored(), crate::partner::Stored::default());
    }

    // Each window would be read as a day of its own, and earn the hours before it again.
    fn running_totals_from_zero_are_taken_from_a_whole_file_only(pool: Pool) {
        let town = town(pool, &[]);
        let scales = NewScene {
            code: "scales".into(),
            partner: METRO,
            name_zh: "称重".into(),
            name_en: "Scales".into(),
            adapter: "recycling-weigh".into(),
            methodology: "sz-public-transport".into(),
            exchange_rule: "town".into(),
            zone: "Asia/Shanghai".into(),
            distances: None,
            settings: Some(
                "unit = 'g'\nmass = 'cumulative_day'\nday_start = 'zero'\ndrop_max_kg = 30".into(),
            ),
        };
        let ctx = ctx_of(officer(), noon());
        town.pool
            .write_now::<_, FlowError>(|tx| open_scene(tx, &ctx, &scales, "order 3"))
            .expect("it opens");
        let source = Source::start(|_, _| ok("user,bin,type,weight,time\n"));
        declare_feed_of(&town, "scales", &source, "/drops?since={since}", "");
        assert_eq!(pull(&town).requests, 0);
        let feed = stand_of(&town, "scales");
        assert_eq!(feed.state, "stopped");
        assert!(feed.last_error.unwrap().contains("settings.day_start"));
        declare_feed_of(&town, "scales", &source, "/drops.csv", "");
        assert_eq!(pull(&town).requests, 1);
        assert_eq!(stand_of(&town, "scales").state, "idle");
    }

    fn a_source_that_is_gone_is_waited_for(pool: Pool) {
        let town = town(pool, &[]);
        let source = Source::start(|_, _| ok("[]"));
        declare_feed(&town, &source, "/all.json", "timeout_seconds = 2");
        drop(source);
        assert_eq!(pull(&town).requests, 1);
        let feed = stand(&town);
        assert_eq!((feed.state.as_str(), feed.failures), ("backing_off", 1));
        assert_eq!(history(&town)[0].status, None);
        let slow = Source::start(|_, _| {
            std::thread::sleep(std::time::Duration::from_secs(3));
            ok("[]")
        });
        declare_feed(&town, &slow, "/all.json", "timeout_seconds = 1");
        pull(&town);
        assert!(stand(&town).last_error.unwrap().contains("longer than 1 s"));
    }
}
