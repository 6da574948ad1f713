//! Windows of several pages.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;

use super::source::{Reply, Source, ok, status};
use super::{
    at, declare_feed, declare_feed_of, history, outcomes, pull, stand, stand_of, town, trips,
};
use crate::world::noon;

/// The number behind the last `=`, 1 without one.
fn number(target: &str) -> i64 {
    let last = target.rsplit_once("page=").map(|(_, number)| number);
    last.map_or(1, |number| number.parse().unwrap())
}

/// A page of card taps, one trip of 88 points, with whatever stands beside it.
fn taps(number: i64, beside: &str) -> String {
    let tap = |minute: i64, kind: &str, station: &str| {
        format!(
            r#"{{"card_no":"A","deal_date":"2026-11-19 {:02}:{minute:02}:00","deal_type":"{kind}","deal_money":"0","company_name":"地铁一号线","station":"{station}","car_no":"IGT-1"}}"#,
            8 + number
        )
    };
    let rows = [tap(5, "地铁入站", "罗湖"), tap(20, "地铁出站", "老街")];
    format!(r#"{{"total":2,"data":[{}]{beside}}}"#, rows.join(","))
}

on_both! {
    fn links_are_followed_to_the_end(pool: Pool) {
        let town = town(pool, &[]);
        town.rider(&["a"]);
        let source = Source::start(|_, asked| match number(&asked.target) {
            n @ 1..=2 => {
                let next = format!("</first>; rel=\"first\", </trips?x=1,2&page={}>; rel=\"next\"", n + 1);
                Reply::Whole(200, vec![("Link", next), ("ETag", "\"e\"".into())], trips(&[n]).into())
            }
            _ => ok(trips(&[3])),
        });
        declare_feed(&town, &source, "/trips", "page = { kind = 'link' }");
        let done = pull(&town);
        assert_eq!((done.requests, done.sums.accepted), (3, 3));
        assert_eq!(source.targets(), ["/trips", "/trips?x=1,2&page=2", "/trips?x=1,2&page=3"]);
        assert_eq!(stand(&town).watermark.0, noon());
        let pages: Vec<_> = history(&town).iter().map(|run| (run.page, run.accepted)).collect();
        assert_eq!(pages, [(1, 1), (2, 1), (3, 1)]);
        // A first page that did not change would say nothing of the others.
        town.clock.advance(TimeDelta::hours(1));
        pull(&town);
        assert!(source.asked().iter().all(|asked| asked.field("if-none-match").is_none()));
    }

    fn numbers_go_up_until_a_page_is_empty(pool: Pool) {
        let town = town(pool, &[]);
        town.rider(&["a"]);
        let source = Source::start(|_, asked| match number(&asked.target) {
            n @ 0..=1 => ok(trips(&[2 * n, 2 * n + 1])),
            _ => ok("[]"),
        });
        declare_feed(&town, &source, "/trips?page={page}", "page = { kind = 'number', first = 0 }");
        let done = pull(&town);
        assert_eq!((done.requests, done.sums.accepted), (3, 4), "{:?}", stand(&town));
        assert_eq!(source.targets()[2], "/trips?page=2");
        // A source that ignores the number would never end.
        let deaf = Source::start(|_, _| ok(trips(&[1])));
        declare_feed(&town, &deaf, "/trips?page={page}", "page = { kind = 'number' }");
        assert_eq!(pull(&town).requests, 2);
        let told = stand(&town).last_error.unwrap();
        assert!(told.contains("数据源重复给出同一页 · the source repeats a page"), "{told}");
        // One that says "not found" behind its last page ends there.
        let exact = Source::start(|_, asked| match number(&asked.target) {
            1 => ok(trips(&[1])),
            _ => status(404),
        });
        declare_feed(&town, &exact, "/trips?page={page}", "page = { kind = 'number' }");
        assert_eq!(pull(&town).requests, 2);
        assert_eq!(stand(&town).state, "idle");
    }

    fn cursors_and_addresses_in_the_body_are_followed(pool: Pool) {
        let town = town(pool, &[]);
        let account = town.rider(&["A"]);
        let cursors = Source::start(|number, _| ok(match number {
            0 => taps(0, r#","meta":{"next":"a&b/1"}"#),
            1 => taps(1, r#","meta":{"next":42}"#),
            _ => taps(2, r#","meta":{"next":null}"#),
        }));
        let rule = "page = { kind = 'cursor', pointer = '/meta/next', parameter = 'c' }";
        declare_feed_of(&town, "taps", &cursors, "/taps?since={since:unix_ms}", rule);
        let done = pull(&town);
        assert_eq!((done.requests, done.sums.accepted), (3, 3), "{:?}", stand_of(&town, "taps"));
        let first = "/taps?since=1795132800000";
        assert_eq!(cursors.targets(), [first.to_owned(), format!("{first}&c=a%26b%2F1"), format!("{first}&c=42")]);

        let links = Source::start(|_, asked| ok(match number(&asked.target) {
            1 => taps(3, r#","links":[{"next":"?page=2"}]"#),
            _ => taps(4, r#","links":[]"#),
        }));
        let rule = "page = { kind = 'next_url', pointer = '/links/0/next' }";
        declare_feed_of(&town, "taps", &links, "/taps/all", rule);
        assert_eq!(pull(&town).sums.accepted, 2);
        assert_eq!(links.targets(), ["/taps/all", "/taps/all?page=2"]);
        // The same cursor again and again has no end.
        let round = Source::start(|_, _| ok(taps(0, r#","meta":{"next":"x"}"#)));
        let rule = "page = { kind = 'cursor', pointer = '/meta/next', parameter = 'c' }";
        declare_feed_of(&town, "taps", &round, "/taps", rule);
        assert_eq!(pull(&town).requests, 2);
        assert!(stand_of(&town, "taps").last_error.unwrap().starts_with("pull_failed"));
        assert_eq!(town.wealth(account), (444, 5 * 88_920));
        town.assert_audit_is_clean();
    }

    fn a_failing_page_leaves_the_watermark_and_the_pages_before_it_replay(pool: Pool) {
        let town = town(pool, &[]);
        let account = town.rider(&["a"]);
        let broken = Arc::new(Mutex::new(true));
        let state = Arc::clone(&broken);
        let source = Source::start(move |_, asked| match number(&asked.target) {
            1 => Reply::Whole(200, vec![("Link", "<?page=2>; rel=next".into())], trips(&[1]).into()),
            _ if *state.lock().unwrap() => status(502),
            _ => ok(trips(&[2])),
        });
        declare_feed(&town, &source, "/trips", "page = { kind = 'link' }");
        assert_eq!(pull(&town).sums.accepted, 1);
        assert_eq!((stand(&town).watermark.0, stand(&town).failures), (at("2026-11-20T00:00:00Z"), 1));
        *broken.lock().unwrap() = false;
        town.clock.advance(TimeDelta::minutes(1));
        let second = pull(&town);
        assert_eq!((second.sums.accepted, second.sums.replayed), (1, 1));
        assert_eq!(outcomes(&town), ["ingested", "failed", "ingested", "ingested"]);
        assert_eq!((town.wealth(account).0, stand(&town).watermark.0), (936, town.clock.now()));
        town.assert_audit_is_clean();
    }

    fn a_page_at_another_origin_is_not_fetched(pool: Pool) {
        let town = town(pool, &[("metro", "hush")]);
        town.rider(&["a"]);
        let other = Source::start(|_, _| ok("[]"));
        let next = format!("<{}/x>; rel=next", other.url);
        let source = Source::start(move |_, _| {
            Reply::Whole(200, vec![("Link", next.clone())], trips(&[1]).into())
        });
        declare_feed(&town, &source, "/trips", "page = { kind = 'link' }\nauth = { kind = 'bearer', credential = 'metro' }");
        pull(&town);
        let feed = stand(&town);
        assert_eq!(feed.state, "stopped");
        assert!(feed.last_error.unwrap().starts_with("pull_address_refused"));
        assert_eq!(other.asked().len(), 0);
    }
}
