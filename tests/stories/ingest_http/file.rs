//! Whole files in the form in which their source writes them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::partner::{FILE, Stored, Town, files, metro};
use crate::wire::Answer;

fn tap(card: &str, time: &str, kind: &str, station: &str) -> String {
    format!(
        r#"{{"card_no":"{card}","deal_date":"2026-11-19 {time}","deal_type":"{kind}","deal_money":"0","company_name":"地铁一号线","station":"{station}","car_no":"IGT-1"}}"#
    )
}

fn page(taps: &[String]) -> String {
    format!(r#"{{"total":{},"data":[{}]}}"#, taps.len(), taps.join(","))
}

/// The answers by place, and the summary.
#[track_caller]
fn lines(answer: &Answer) -> (BTreeMap<String, Value>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.field("Content-Type"), Some("application/x-ndjson"));
    let mut lines: Vec<Value> = answer
        .body
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let last = lines.pop().expect("a last line");
    let by_place = lines
        .into_iter()
        .map(|line| (line["place"].as_str().expect("a place").to_owned(), line))
        .collect();
    (by_place, last["summary"].clone())
}

fn xml(readings: usize, head: &str) -> String {
    let reading = "<IntervalReading><timePeriod><duration>3600</duration><start>1700000000</start></timePeriod><value>9</value></IntervalReading>";
    format!(
        "<?xml version=\"1.0\"?>{head}<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><content><IntervalBlock>{}</IntervalBlock></content></entry></feed>",
        reading.repeat(readings)
    )
}

on_both! {
    fn card_taps_become_trips_once(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["A"]);
        let file = page(&[
            tap("A", "08:05:30", "地铁入站", "罗湖"),
            tap("A", "08:20:00", "地铁出站", "老街站"),
            tap("B", "08:05:30", "地铁入站", "老街"),
            tap("B", "08:40:00", "地铁出站", "布吉"),
            tap("C", "08:40:00", "地铁出站", "布吉"),
            tap("D", "08:05:30", "地铁入站", "罗湖"),
            tap("D", "08:40:00", "地铁出站", "布吉"),
            tap("", "08:40:00", "地铁出站", "布吉"),
        ]);
        let (answers, summary) = lines(&town.post_file("taps", file.as_bytes()));
        assert_eq!(
            summary,
            json!({"accepted": 1, "replayed": 0, "refused": 1, "held": 3, "reduction_mg": 88_920, "points": 88})
        );
        let mut accepted = answers.values().filter(|line| line["status"] == "accepted");
        let trip = accepted.next().expect("one trip").clone();
        assert_eq!((&trip["place"], &trip["mg"]), (&json!("/data/1"), &json!(88_920)));
        let reasons: Vec<_> = answers.values().filter_map(|line| line["reason"].as_str()).collect();
        assert_eq!(reasons.len(), 3);
        for reason in ["subject_not_linked", "unpaired_tap", "distance_unknown"] {
            assert!(reasons.contains(&reason), "{reasons:?}");
        }
        assert_eq!(answers["/data/7"]["problem"]["code"], "missing_field");
        assert_eq!(town.wealth(account), (88, 88_920));
        let stored = town.stored();

        let (answers, summary) = lines(&town.post_file("taps", file.as_bytes()));
        assert_eq!(
            summary,
            json!({"accepted": 0, "replayed": 1, "refused": 1, "held": 3, "reduction_mg": 0, "points": 0})
        );
        assert_eq!(answers["/data/1"]["reduction_id"], trip["reduction_id"]);
        assert_eq!(town.stored(), stored);
        assert_eq!(town.wealth(account), (88, 88_920));
        town.assert_audit_is_clean();
    }

    fn a_file_that_is_broken_as_a_whole_stores_nothing(pool: Pool) {
        let town = Town::open(pool);
        town.rider(&["A"]);
        let taps = page(&[
            tap("A", "08:05:30", "地铁入站", "罗湖"),
            tap("A", "08:20:00", "地铁出站", "老街站"),
        ]);
        let mut changed = town.sign(&metro(), &files("taps"), FILE, taps.as_bytes());
        changed.body = taps.replace("老街站", "罗湖站").into_bytes();
        let bomb = xml(1, "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]>");
        let whole = xml(40, "");
        let answers = [
            (changed.send(town.url()), "digest_mismatch"),
            (town.post_file("taps", &taps.as_bytes()[..taps.len() - 1]), "file_truncated"),
            (town.post_file("taps", b"hello"), "format_mismatch"),
            (town.post_file("meter", bomb.as_bytes()), "entity_refused"),
            (town.post_file("meter", &whole.as_bytes()[..whole.len() / 2]), "file_truncated"),
        ];
        for (answer, code) in answers {
            assert_eq!(answer.json()["code"], code, "{}", answer.body);
            assert_eq!(answer.field("Content-Type"), Some("application/problem+json"));
        }
        assert_eq!(town.stored(), Stored::default());
        assert_eq!(town.post_file("meter", whole.as_bytes()).status, 200, "whole, it is read");
    }

    fn real_taps_of_2018_are_answered_one_by_one(pool: Pool) {
        let Some(path) = crate::partner::shared("szt-metro-taps/page1x100.json") else { return };
        let town = Town::open(pool);
        let bytes = std::fs::read(path).expect("readable");
        let (answers, summary) = lines(&town.post_file("taps", &bytes));
        assert_eq!((&summary["accepted"], &summary["held"]), (&json!(0), &json!(86)), "{summary}");
        assert_eq!(summary["refused"], json!(8), "{summary}");
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for line in answers.values() {
            let reason = line["reason"].as_str().or_else(|| line["problem"]["code"].as_str());
            *reasons.entry(reason.expect("a reason")).or_default() += 1;
        }
        let expected = [("bus_without_alighting", 10), ("methodology_not_in_force", 6), ("missing_field", 2), ("unpaired_tap", 76)];
        assert_eq!(reasons, BTreeMap::from(expected));
        assert_eq!((town.stored().claims, town.stored().behaviours), (0, 0));
    }
}
