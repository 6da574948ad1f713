//! What happens when a file states the same more than once: revisions, doubled hours, summaries.

use super::super::super::tests::{read_with, refusals};
use super::super::super::{Options, Outcome, Settings, xml};
use super::super::feed::Feed;
use super::super::summary::Summaries;
use super::super::walk::Walk;
use super::{METER, POINT, TYPE, feed, outcomes, reading, records};
use crate::domain::problem::Code;

const LOCAL: &str = r#"<entry><link rel="self" href="/r/LocalTimeParameters/1"/><content><LocalTimeParameters>
<dstEndRule>B40E2000</dstEndRule><dstOffset>3600</dstOffset><dstStartRule>360E2000</dstStartRule><tzOffset>-28800</tzOffset>
</LocalTimeParameters></content></entry>"#;

/// A block of its own entry, stated at a time.
fn stated(updated: &str, readings: &[String]) -> String {
    format!(
        r#"<entry><link rel="self" href="/r/UsagePoint/1/MeterReading/1/IntervalBlock/9"/><link rel="up" href="/r/UsagePoint/1/MeterReading/1/IntervalBlock"/>
<updated>{updated}</updated><content><IntervalBlock>{}</IntervalBlock></content></entry>"#,
        readings.concat()
    )
}

fn summary(start: &str, duration: &str, value: &str) -> String {
    format!(
        r#"<entry><link rel="self" href="/r/UsagePoint/1/UsageSummary/1"/><link rel="up" href="/r/UsagePoint/1/UsageSummary"/><updated>2026-02-03T00:00:00Z</updated>
<content><UsageSummary><billingPeriod><duration>{duration}</duration><start>{start}</start></billingPeriod><billLastPeriod>99</billLastPeriod>
<overallConsumptionLastPeriod><powerOfTenMultiplier>3</powerOfTenMultiplier><uom>72</uom><value>{value}</value></overallConsumptionLastPeriod>
<currentBillingPeriodOverAllConsumption><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>38</uom><value>7</value></currentBillingPeriodOverAllConsumption>
<qualityOfReading>17</qualityOfReading><statusTimeStamp>1770000000</statusTimeStamp></UsageSummary></content></entry>"#
    )
}

fn by_bills(entries: &[&str]) -> Vec<Outcome> {
    let mut settings = Settings::default();
    settings.set("summaries", "billing_periods");
    let options = Options {
        settings,
        ..Options::default()
    };
    let file = feed(entries);
    read_with("green-button", file.as_bytes(), &options)
        .expect("readable")
        .1
}

fn values(outcomes: &[Outcome]) -> Vec<String> {
    let records = records(outcomes);
    records
        .iter()
        .map(|r| r.quantities[0].value.to_string())
        .collect()
}

#[test]
fn the_reading_stated_last_wins_wherever_it_stands() {
    let hour = |value| [reading("1767225600", "3600", value)];
    let (old, new) = ("2026-01-02T00:00:00Z", "2026-01-02T01:00:00+00:30");
    let (first, second) = (stated(old, &hour("100")), stated(new, &hour("200")));
    for (blocks, place) in [
        ([&first, &second], "entry[4]"),
        ([&second, &first], "entry[5]"),
    ] {
        let all = outcomes(&[POINT, METER, TYPE, blocks[0], blocks[1]]);
        assert_eq!(values(&all), ["0.2"]);
        let record = records(&all)[0];
        assert_eq!(record.attribute("stated_at"), Some("2026-01-02T00:30:00Z"));
        assert_eq!(
            record.source_id,
            "UsagePoint/1/electricity@2026-01-01T00:00:00Z"
        );
        let said = refusals(&all);
        assert_eq!((said.len(), said[0].1.as_str()), (1, "duplicate_reading"));
        assert!(said[0].0.contains(place), "{said:?}");
    }
}

#[test]
fn what_does_not_say_when_it_was_stated_was_stated_first() {
    let hour = |value| [reading("1767225600", "3600", value)];
    for silent in ["", "2026-07-16T10:26:24", "yesterday"] {
        let silent = stated(silent, &hour("100"));
        let said = stated("2026-01-02T00:00:00Z", &hour("200"));
        let all = outcomes(&[POINT, METER, TYPE, &silent, &said]);
        assert_eq!(values(&all), ["0.2"]);
        let alone = outcomes(&[POINT, METER, TYPE, &silent]);
        assert_eq!(records(&alone)[0].attribute("stated_at"), None);
    }
}

#[test]
fn a_revision_that_leaves_a_reading_out_does_not_cancel_it() {
    let both = [
        reading("1767225600", "3600", "1"),
        reading("1767229200", "3600", "2"),
    ];
    let old = stated("2026-01-02T00:00:00Z", &both);
    let new = stated(
        "2026-01-03T00:00:00Z",
        &[reading("1767225600", "3600", "5")],
    );
    let all = outcomes(&[POINT, METER, TYPE, &old, &new]);
    assert_eq!(values(&all), ["0.002", "0.005"]);
}

#[test]
fn a_series_stated_later_does_not_displace_the_first_one() {
    // An hourly series, and a daily one of the same meter with a later date.
    let daily = METER.replace("MeterReading/1", "MeterReading/2");
    let hours = stated(
        "2026-01-02T00:00:00Z",
        &[reading("1767225600", "3600", "7")],
    );
    let day = stated(
        "2026-01-09T00:00:00Z",
        &[reading("1767225600", "86400", "9000")],
    )
    .replace("MeterReading/1", "MeterReading/2");
    let all = outcomes(&[POINT, METER, &daily, TYPE, &hours, &day]);
    assert_eq!(values(&all), ["0.007"]);
}

#[test]
fn a_revised_reading_type_counts_wherever_it_stands() {
    let new = TYPE
        .replace(
            "<content>",
            "<updated>2026-01-03T00:00:00Z</updated><content>",
        )
        .replace("Multiplier>0<", "Multiplier>3<");
    let old = TYPE.replace(
        "<content>",
        "<updated>2026-01-02T00:00:00Z</updated><content>",
    );
    let block = stated(
        "2026-01-02T00:00:00Z",
        &[reading("1767225600", "3600", "2")],
    );
    for types in [[&old, &new], [&new, &old]] {
        let all = outcomes(&[POINT, METER, types[0], types[1], &block]);
        assert_eq!(values(&all), ["2"]);
    }
}

#[test]
fn the_hour_lived_twice_in_november_is_two_readings() {
    // 2026-11-01, 00:00 PDT to 02:00 PST: three hours by the clock's face, four in the world.
    let hours: Vec<String> = (0..4)
        .map(|hour| reading(&(1_793_516_400 + hour * 3_600).to_string(), "3600", "1"))
        .collect();
    let all = outcomes(&[POINT, METER, TYPE, LOCAL, &stated("", &hours)]);
    assert_eq!(records(&all).len(), 4);
    // A feed that writes the second 1 o'clock with the first one's start says it twice.
    let doubled = [hours[1].clone(), hours[1].clone(), hours[3].clone()];
    let all = outcomes(&[POINT, METER, TYPE, LOCAL, &stated("", &doubled)]);
    assert_eq!(
        (records(&all).len(), refusals(&all)[0].1.as_str()),
        (2, "duplicate_reading")
    );
}

#[test]
fn days_of_23_and_25_hours_are_each_counted_once() {
    // Starts at local midnight (PST, PDT) around the change of 2026-03-08.
    let spring = [
        1_772_870_400i64,
        1_772_956_800,
        1_773_039_600,
        1_773_126_000,
    ];
    let days: Vec<String> = spring
        .iter()
        .map(|start| reading(&start.to_string(), "86400", "1"))
        .collect();
    let point = POINT.replace(
        "<content>",
        r#"<link rel="related" href="/r/LocalTimeParameters/1"/><content>"#,
    );
    let all = outcomes(&[&point, METER, TYPE, LOCAL, &stated("", &days)]);
    let hours: Vec<i64> = records(&all)
        .iter()
        .map(|r| (r.to - r.from).num_hours())
        .collect();
    assert_eq!(hours, [24, 23, 24, 24]);
    // Without local time the day after the change overlaps and is refused.
    let all = outcomes(&[POINT, METER, TYPE, &stated("", &days)]);
    assert_eq!((records(&all).len(), refusals(&all).len()), (3, 1));
    let autumn =
        [1_793_516_400i64, 1_793_606_400].map(|start| reading(&start.to_string(), "86400", "1"));
    let long = reading("1793516400", "90000", "1");
    let all = outcomes(&[&point, METER, TYPE, LOCAL, &stated("", &autumn)]);
    assert_eq!(records(&all).len(), 2);
    let all = outcomes(&[
        &point,
        METER,
        TYPE,
        LOCAL,
        &stated("", &[long, autumn[1].clone()]),
    ]);
    assert_eq!(records(&all).len(), 2);
}

#[test]
fn a_summary_beside_its_intervals_is_silent() {
    let hour = stated("", &[reading("1767225600", "3600", "450")]);
    let bill = summary("1767139200", "2592000", "31");
    let other = summary("1764547200", "2592000", "31");
    for all in [
        outcomes(&[POINT, METER, TYPE, &hour, &bill]),
        outcomes(&[POINT, METER, TYPE, &hour, &other]),
        outcomes(&[&bill, POINT, METER, TYPE, &hour]),
        by_bills(&[POINT, METER, TYPE, &hour, &bill]),
    ] {
        assert_eq!((values(&all), all.len()), (vec!["0.45".to_owned()], 1));
    }
    // A billing period before the intervals begin is another amount.
    let all = by_bills(&[POINT, METER, TYPE, &hour, &other]);
    assert_eq!(values(&all), ["0.45", "31"]);
}

#[test]
fn a_summary_alone_is_held_unless_the_scene_pays_by_billing_periods() {
    let bill = summary("1767139200", "2592000", "31");
    let all = outcomes(&[POINT, &bill]);
    assert!(matches!(&all[..], [Outcome::Held(held)] if held.code == Code::SummaryOnly));
    let all = by_bills(&[POINT, &bill]);
    let [record] = records(&all)[..] else {
        panic!("{all:?}");
    };
    assert_eq!(
        record.source_id,
        "UsagePoint/1/electricity/billing@2025-12-31T00:00:00Z"
    );
    assert_eq!((record.to - record.from).num_days(), 30);
    assert_eq!(values(&all), ["31"]);
    for (name, value) in [
        ("meter", "UsagePoint/1"),
        ("quality", "validated"),
        ("reading", "billing_period"),
        ("stated_at", "2026-02-03T00:00:00Z"),
    ] {
        assert_eq!(record.attribute(name), Some(value), "{name}");
    }
    // Only money: nothing to hold.
    let money = bill.replace("overallConsumptionLastPeriod", "somethingElse");
    assert!(outcomes(&[POINT, &money]).is_empty());
}

#[test]
fn summaries_that_cannot_be_counted_say_why() {
    let good = summary("1767139200", "2592000", "31");
    let again = summary("1766793600", "2592000", "30");
    for (bills, code, field) in [
        (
            vec![good.clone(), again],
            "duplicate_reading",
            "billingPeriod.start",
        ),
        (
            vec![summary("1769000000", "2592000", "3")],
            "reading_incomplete",
            "statusTimeStamp",
        ),
        (
            vec![summary("", "2592000", "31")],
            "missing_field",
            "billingPeriod.start",
        ),
        (
            vec![summary("1767139200", "0", "31")],
            "invalid_field",
            "billingPeriod.duration",
        ),
        (
            vec![summary("1767139200", "2592000", "x")],
            "invalid_field",
            "overallConsumptionLastPeriod.value",
        ),
        (
            vec![summary("1767139200", "2592000", "-3")],
            "quantity_out_of_range",
            "overallConsumptionLastPeriod.value",
        ),
        (
            vec![good.replace("<uom>72", "<uom>38")],
            "unit_unsupported",
            "overallConsumptionLastPeriod.uom",
        ),
    ] {
        let mut entries = vec![POINT];
        entries.extend(bills.iter().map(String::as_str));
        let all = by_bills(&entries);
        let said = refusals(&all);
        assert_eq!((said[0].1.as_str(), said[0].2.as_str()), (code, field));
        assert_eq!(records(&all).len(), bills.len() - 1);
    }
}

#[test]
fn only_the_known_settings_are_taken() {
    let adapter = super::super::ADAPTER;
    let checked = |text: &str| {
        (adapter.check)(&Options {
            settings: Settings::parse(text).expect("TOML"),
            ..Options::default()
        })
    };
    assert_eq!(checked("summaries = 'held'"), Ok(()));
    assert_eq!(checked(""), Ok(()));
    assert_eq!(
        checked("summaries = 'both'").expect_err("both").code,
        Code::InvalidField
    );
    assert_eq!(
        checked("summary = 'held'").expect_err("key").code,
        Code::UnknownField
    );
}

/// What a file gives if only so much may wait.
fn outcomes_in(room: usize, entries: &[&str]) -> Vec<Outcome> {
    let file = feed(entries);
    let mut joined = Feed::with_room(Summaries::Held, room);
    let mut all = Vec::new();
    let mut source = file.as_bytes();
    let mut take = |entry| joined.take(entry, &mut |outcome| all.push(outcome));
    xml::read(&mut source, &mut Walk::new(&mut take)).expect("readable");
    joined.finish(&mut |outcome| all.push(outcome));
    all
}

#[test]
fn a_file_longer_than_what_may_wait_counts_nothing_twice() {
    let hour = |start: i64, value| [reading(&start.to_string(), "3600", value)];
    let one = stated("2026-01-02T00:00:00Z", &hour(1_767_225_600, "1"));
    let two = stated("2026-01-02T00:00:00Z", &hour(1_767_229_200, "2"));
    let revised = stated("2026-01-03T00:00:00Z", &hour(1_767_225_600, "9"));
    let entries = [POINT, METER, TYPE, &one, &two, &revised];
    assert_eq!(values(&outcomes_in(1_000, &entries)), ["0.002", "0.009"]);
    for room in [0, 1, 8] {
        let all = outcomes_in(room, &entries);
        assert_eq!(values(&all), ["0.001", "0.002"], "{room}");
        assert_eq!(refusals(&all)[0].1, "duplicate_reading");
    }
    // Blocks whose ReadingType comes too late are refused, not guessed.
    let all = outcomes_in(11, &[POINT, METER, &one, &two, TYPE, &revised]);
    let codes: Vec<String> = refusals(&all)
        .into_iter()
        .map(|(_, code, _)| code)
        .collect();
    assert_eq!(codes, ["unit_missing", "unit_missing"]);
    assert_eq!(values(&all), ["0.009"]);
}
