//! The cases are those that the CloudEvents conformance suite names for the JSON format, written
//! anew, and the rules of the text that it has no case for.

use std::io::BufReader;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::tests::{read_all, refusals};
use super::*;
use crate::domain::scene::adapter::{Settings, by_name};

mod rules;

fn event() -> Json {
    json!({"specversion": "1.0", "id": "e-1", "source": "/gates/7", "type": "org.example.ride"})
}

fn with(name: &str, value: Json) -> Json {
    let mut event = event();
    event[name] = value;
    event
}

fn ride(id: &str) -> Json {
    json!({"id": id, "subject": "s", "at": "2026-05-01T08:00:00+08:00",
        "quantities": {"distance": {"value": 1.5, "unit": "km"}}})
}

fn read(envelope: Envelope, adapter: &str, text: &str) -> Result<(Seen, Vec<Outcome>), Problem> {
    let adapter = by_name(adapter).expect("an adapter");
    let mut outcomes = Vec::new();
    let options = Options {
        settings: match adapter.name {
            "epcis" => Settings::parse("subject = 'readPoint'").expect("TOML"),
            _ => Settings::default(),
        },
        ..Options::default()
    };
    let mut source = BufReader::with_capacity(61, text.as_bytes());
    let seen = envelope.read(&adapter, &mut source, &options, &mut |o| outcomes.push(o))?;
    Ok((seen, outcomes))
}

/// Place and source id of each record.
fn records(outcomes: &[Outcome]) -> Vec<(String, String)> {
    let record = |outcome: &Outcome| match outcome {
        Outcome::Record(place, record) => Some((place.to_string(), record.source_id.clone())),
        _ => None,
    };
    outcomes.iter().filter_map(record).collect()
}

#[test]
fn data_comes_out_as_it_went_in() {
    let data = |event: &Json| {
        let text = serde_json::to_string_pretty(event).expect("JSON");
        let event = Event::parse(&text).expect("sound");
        event
            .data
            .map(|data| String::from_utf8(data.into_owned()).expect("UTF-8"))
    };
    assert_eq!(data(&event()), None);
    assert_eq!(data(&with("data", Json::Null)).as_deref(), Some("null"));
    // Of JSON a string stays a JSON string, and a value is on one line.
    assert_eq!(data(&with("data", json!("{}"))).as_deref(), Some("\"{}\""));
    let object = data(&with("data", json!({"a": [1, "x\ny"]}))).expect("data");
    assert!(!object.contains('\n'), "{object}");
    assert_eq!(
        serde_json::from_str::<Json>(&object).expect("JSON"),
        json!({"a": [1, "x\ny"]})
    );
    let mut csv = with("data", json!("a,b\n1,2\n"));
    csv["datacontenttype"] = json!("text/csv");
    assert_eq!(data(&csv).as_deref(), Some("a,b\n1,2\n"));
    assert_eq!(
        data(&with("data_base64", json!("YSxi"))).as_deref(),
        Some("a,b")
    );
    for kind in ["application/json", "application/ld+json; x=y", "TEXT/JSON"] {
        let mut event = with("data", json!("s"));
        event["datacontenttype"] = json!(kind);
        assert_eq!(data(&event).as_deref(), Some("\"s\""), "{kind}");
    }
}

#[test]
fn the_adapter_reads_what_the_envelope_holds() {
    let (one, mut two) = (
        with("data", ride("r1")),
        with("data", json!([ride("r2"), ride("r3")])),
    );
    two["id"] = json!("e-2");
    let batch = json!([one, two]).to_string();
    let lines = format!("{one}\n{two}\n");
    let pretty = serde_json::to_string_pretty(&one).expect("JSON");
    let owned = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
        rows.iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    };
    for (envelope, text, expected) in [
        (
            Envelope::Batch,
            &batch,
            [("/0/data", "r1"), ("/1/data/0", "r2"), ("/1/data/1", "r3")],
        ),
        (
            Envelope::Events,
            &batch,
            [("/0/data", "r1"), ("/1/data/0", "r2"), ("/1/data/1", "r3")],
        ),
        (
            Envelope::Events,
            &lines,
            [
                ("line 1/data", "r1"),
                ("line 2/data/0", "r2"),
                ("line 2/data/1", "r3"),
            ],
        ),
    ] {
        let (_, outcomes) = read(envelope, "native", text).expect("readable");
        assert_eq!(records(&outcomes), owned(&expected), "{envelope:?}");
    }
    for envelope in [Envelope::Event, Envelope::Events] {
        let (_, outcomes) = read(envelope, "native", &pretty).expect("readable");
        assert_eq!(records(&outcomes), owned(&[("line 1/data", "r1")]));
    }
    // The record is the one that the adapter reads without an envelope.
    let (_, bare) = read_all("native", ride("r1").to_string().as_bytes()).expect("readable");
    let (_, wrapped) = read(Envelope::Event, "native", &pretty).expect("readable");
    match (bare.as_slice(), wrapped.as_slice()) {
        ([Outcome::Record(_, a)], [Outcome::Record(_, b)]) => assert_eq!(a, b),
        other => panic!("{other:?}"),
    }
    // No envelope: the adapter's own format.
    let (_, outcomes) = read(Envelope::None, "native", &ride("r1").to_string()).expect("readable");
    assert_eq!(records(&outcomes), owned(&[("line 1", "r1")]));
}

#[test]
fn any_adapter_can_be_wrapped() {
    let taps = json!({"data": [
        {"card_no": "A", "deal_date": "2026-11-19 08:05:30", "deal_type": "地铁入站", "deal_money": "0", "company_name": "一号线", "station": "罗湖", "car_no": "x"},
        {"card_no": "A", "deal_date": "2026-11-19 08:25:30", "deal_type": "地铁出站", "deal_money": "7", "company_name": "一号线", "station": "罗湖", "car_no": "x"}]});
    let (first, mut second) = (with("data", taps.clone()), with("data", taps));
    second["id"] = json!("e-2");
    let text = json!([first, second]).to_string();
    let (seen, outcomes) = read(Envelope::Batch, "shenzhen-tong", &text).expect("readable");
    assert_eq!(records(&outcomes).len(), 2);
    assert_eq!(seen.counts.first(), Some(&("rows", 4)));
    assert_eq!(
        seen.totals
            .first()
            .map(|fare| fare.value.to_string())
            .as_deref(),
        Some("14")
    );

    let header = "tripduration,starttime,stoptime,start station id,start station latitude,start station longitude,end station id,end station latitude,end station longitude,bikeid,usertype\n";
    let csv = format!(
        "{header}60,2015-09-01 00:00:00,2015-09-01 00:01:00,1,40.7,-74,2,40.71,-74,7,x\nbad\n"
    );
    let mut as_text = with("data", json!(csv));
    as_text["datacontenttype"] = json!("text/csv");
    let as_bytes = with("data_base64", json!(STANDARD.encode(&csv)));
    for event in [as_text, as_bytes] {
        let (_, outcomes) =
            read(Envelope::Event, "citibike-csv", &event.to_string()).expect("readable");
        assert_eq!(
            records(&outcomes),
            [(
                "line 1/data line 2".to_owned(),
                "7@2015-09-01T04:00:00Z".to_owned()
            )]
        );
        assert_eq!(
            refusals(&outcomes).first().map(|r| r.0.as_str()),
            Some("line 1/data line 3")
        );
    }
}

#[test]
fn an_event_that_is_sent_again_counts_once() {
    let first = with("data", ride("r1"));
    let other = with("data", ride("r2"));
    let mut elsewhere = with("data", ride("r3"));
    elsewhere["source"] = json!("/gates/8");
    let text = json!([first, first, other, elsewhere]).to_string();
    let (_, outcomes) = read(Envelope::Batch, "native", &text).expect("readable");
    let ids: Vec<String> = records(&outcomes).into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids, ["r1", "r3"]);
    let told: Vec<_> = refusals(&outcomes)
        .into_iter()
        .map(|(at, code, _)| (at, code))
        .collect();
    assert_eq!(
        told,
        [
            ("/1".to_owned(), "duplicate_reading".to_owned()),
            ("/2".to_owned(), "record_conflict".to_owned())
        ]
    );
    // In another event the act has the same id: the ledger sees a replay.
    let mut again = first.clone();
    again["id"] = json!("e-9");
    let (_, outcomes) = read(Envelope::Event, "native", &again.to_string()).expect("readable");
    assert_eq!(
        records(&outcomes),
        [("line 1/data".to_owned(), "r1".to_owned())]
    );
}

#[test]
fn bad_events_of_a_batch_cost_themselves() {
    let good = with("data", ride("r1"));
    let mut old = event();
    old["specversion"] = json!("0.9");
    let mut torn = with("data", json!("citibike"));
    torn["id"] = json!("e-3");
    let mut half = with("data", json!([ride("r7"), {"id": 1}]));
    half["id"] = json!("e-4");
    let mut hollow = event();
    hollow["id"] = json!("e-5");
    let text = json!(["not an object", old, good, torn, half, hollow]).to_string();
    let (_, outcomes) = read(Envelope::Batch, "native", &text).expect("readable");
    let ids: Vec<String> = records(&outcomes).into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids, ["r1", "r7"]);
    let told: Vec<_> = refusals(&outcomes);
    let told: Vec<_> = told
        .iter()
        .map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("/0", "row_malformed", ""),
            ("/1", "invalid_field", "specversion"),
            ("/3", "format_mismatch", "data: byte 0"),
            ("/4/data/1", "missing_field", "subject"),
            ("/5", "missing_field", "data"),
        ]
    );
    assert_eq!(read(Envelope::Batch, "native", "[]").expect("empty").1, []);
}

#[test]
fn running_totals_from_zero_do_not_come_in_events() {
    let adapter = by_name("recycling-weigh").expect("an adapter");
    let rows = json!([
        {"user": "u", "bin": "B", "type": 3, "weight": 1, "time": "2026-05-01 08:00:00"},
        {"user": "u", "bin": "B", "type": 3, "weight": 3, "time": "2026-05-01 09:00:00"}]);
    let text = with("data", rows).to_string();
    let read = |settings: &str| {
        let settings = format!("unit = 'kg'\ndrop_max_kg = 30\n{settings}");
        let options = Options {
            settings: Settings::parse(&settings).expect("TOML"),
            ..Options::default()
        };
        let mut count = 0;
        let mut take = |outcome| count += usize::from(matches!(outcome, Outcome::Record(..)));
        let read = Envelope::Event.read(&adapter, &mut text.as_bytes(), &options, &mut take);
        read.map(|_| count).map_err(|problem| problem.param)
    };
    let zero = "mass = 'cumulative_day'\nday_start = 'zero'";
    assert_eq!(read(zero), Err(Some("settings.day_start".to_owned())));
    assert_eq!(
        read("mass = 'cumulative_day'\nday_start = 'first_row'"),
        Ok(1)
    );
    assert_eq!(read("mass = 'drop'"), Ok(2));
}

#[test]
fn files_that_are_no_events_are_refused_whole() {
    let one = with("data", ride("r1")).to_string();
    let batch = format!("[{one}]");
    for (envelope, text, code) in [
        (Envelope::Batch, one.as_str(), Code::FormatMismatch),
        (Envelope::Event, batch.as_str(), Code::FormatMismatch),
        (Envelope::Events, "<event/>", Code::FormatMismatch),
        (Envelope::Events, "", Code::FormatMismatch),
        (
            Envelope::Batch,
            &batch[..batch.len() - 1],
            Code::FileTruncated,
        ),
        (Envelope::Event, &one[..one.len() - 1], Code::FileTruncated),
        (Envelope::Events, &one[..one.len() - 1], Code::FileTruncated),
        (
            Envelope::Event,
            &format!("{one}{one}"),
            Code::FormatMismatch,
        ),
        (
            Envelope::Event,
            &with("data", json!("x".repeat(70_000))).to_string(),
            Code::LineTooLong,
        ),
    ] {
        let refused = read(envelope, "native", text).expect_err(text);
        assert_eq!(refused.code, code, "{envelope:?} {text:.60}");
    }
}

#[test]
fn the_content_type_announces_the_envelope() {
    for (content_type, envelope) in [
        ("application/cloudevents+json", Envelope::Event),
        (
            "Application/CloudEvents+JSON; charset=UTF-8",
            Envelope::Event,
        ),
        ("application/cloudevents-batch+json", Envelope::Batch),
        ("application/octet-stream", Envelope::None),
        ("application/json", Envelope::None),
        ("", Envelope::None),
    ] {
        assert_eq!(Envelope::of_content_type(content_type), Ok(envelope));
    }
    for content_type in ["application/cloudevents+avro", "application/cloudevents"] {
        let problem = Envelope::of_content_type(content_type).expect_err(content_type);
        assert_eq!(problem.code, Code::UnsupportedFormat);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_damage_makes_it_panic(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
        let mut bytes = json!([with("data", ride("r1")), with("data_base64", json!("e30="))]).to_string().into_bytes();
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        for adapter in super::super::all() {
            for envelope in [Envelope::Event, Envelope::Batch, Envelope::Events] {
                let _ = envelope.read(adapter, &mut bytes.as_slice(), &Options::default(), &mut |_| {});
            }
        }
    }
}
