//! Feeds of hours and of whole files, when all goes well.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use tanpuhui::jobs::pull_feeds::Pulled;

use super::source::{Reply, Source, ok, status};
use super::{at, declare_feed, history, outcomes, pull, stand, town, trips};
use crate::world::noon;

const HOURS: &str = "/trips?end_time={to:hour}";

on_both! {
    fn each_hour_is_asked_for_once_it_is_over_and_late_records_count_once(pool: Pool) {
        let town = town(pool, &[]);
        let account = town.rider(&["a"]);
        let late = Arc::new(Mutex::new(false));
        let lateness = Arc::clone(&late);
        let source = Source::start(move |_, asked| {
            let hour = asked.target.rsplit("T").next().unwrap_or_default().to_owned();
            match (hour.as_str(), *lateness.lock().unwrap()) {
                ("00", _) => ok(trips(&[0])),
                ("02", _) => ok(trips(&[2])),
                ("03", false) => ok(trips(&[3])),
                ("03", true) => ok(trips(&[3, 4])),
                ("05", _) => status(204),
                _ => ok("[]"),
            }
        });
        declare_feed(&town, &source, HOURS, "overlap_minutes = 120");
        let first = pull(&town);
        assert_eq!((first.turns, first.requests, first.sums.accepted), (1, 4, 3), "{first:?}");
        assert_eq!(source.targets()[0], "/trips?end_time=2026-11-20T00");
        let feed = stand(&town);
        assert_eq!((feed.state.as_str(), feed.watermark.0, feed.failures), ("idle", noon(), 0));
        assert_eq!((feed.next_at.0, feed.last_error), (noon() + TimeDelta::hours(1), None));
        assert_eq!(town.wealth(account), (1404, 1_404_000));
        let digest = history(&town)[0].digest.clone().unwrap();
        assert_eq!(digest.len(), 32);

        assert_eq!(pull(&town), Pulled::default(), "nothing is due");
        *late.lock().unwrap() = true;
        town.clock.advance(TimeDelta::hours(1));
        let second = pull(&town);
        assert_eq!((second.requests, second.sums.accepted, second.sums.replayed), (3, 1, 2));
        assert_eq!(source.targets()[4..], ["02", "03", "04"].map(|h| format!("/trips?end_time=2026-11-20T{h}")));
        town.clock.advance(TimeDelta::hours(1));
        let third = pull(&town);
        assert_eq!((third.sums.accepted, third.sums.replayed), (0, 2), "late once, counted once");
        assert_eq!(town.wealth(account), (1872, 1_872_000));
        assert_eq!(stand(&town).watermark.0, at("2026-11-20T06:00:00Z"));
        assert_eq!(outcomes(&town)[9], "empty");
        town.assert_audit_is_clean();
    }

    fn a_file_that_did_not_change_is_not_sent_again(pool: Pool) {
        let town = town(pool, &[]);
        town.rider(&["a"]);
        let source = Source::start(|_, asked| {
            let validators = vec![("ETag", "\"v1\"".to_owned()), ("Last-Modified", "Fri, 20 Nov 2026 01:00:00 GMT".to_owned())];
            match asked.field("if-none-match") {
                Some("\"v1\"") => Reply::Whole(304, validators, Vec::new()),
                _ => Reply::Whole(200, validators, trips(&[1, 2]).into()),
            }
        });
        declare_feed(&town, &source, "/all.json", "");
        assert_eq!(pull(&town).sums.accepted, 2);
        for _ in 0..2 {
            town.clock.advance(TimeDelta::hours(1));
            let again = pull(&town);
            assert_eq!((again.requests, again.sums.rows()), (1, 0));
        }
        assert_eq!(outcomes(&town), ["ingested", "unchanged", "unchanged"]);
        let last = &source.asked()[2];
        assert_eq!(last.field("if-modified-since"), Some("Fri, 20 Nov 2026 01:00:00 GMT"));
        assert_eq!(stand(&town).watermark.0, noon() + TimeDelta::hours(2));
        // What is declared anew is asked for without condition.
        town.clock.advance(TimeDelta::hours(1));
        declare_feed(&town, &source, "/all.json", "");
        assert_eq!(pull(&town).sums.replayed, 2);
        assert_eq!(source.asked()[3].field("if-none-match"), None);
    }

    fn ranges_are_cut_to_their_span_and_packed_bodies_unpacked(pool: Pool) {
        let town = town(pool, &[]);
        town.rider(&["a"]);
        let source = Source::start(|number, asked| {
            assert!(asked.field("accept-encoding").unwrap().contains("gzip"));
            let body = trips(&[i64::try_from(number).unwrap()]);
            let fields = vec![("Content-Encoding", "gzip".to_owned())];
            Reply::Whole(200, fields, packed(body.as_bytes()))
        });
        declare_feed(&town, &source, "/trips?from={from:unix}&to={to:unix}", "span_minutes = 90\ndelay_minutes = 15");
        let done = pull(&town);
        assert_eq!((done.requests, done.sums.accepted), (3, 3));
        assert_eq!(source.targets(), [
            "/trips?from=1795132800&to=1795138200",
            "/trips?from=1795138200&to=1795143600",
            "/trips?from=1795143600&to=1795146300",
        ]);
        assert_eq!(stand(&town).watermark.0, at("2026-11-20T03:45:00Z"));
    }
}

pub(super) fn packed(body: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}
