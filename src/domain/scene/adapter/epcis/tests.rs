use serde_json::{Value, json};

use super::super::tests::{read_with, refusals as refusals_of};
use super::*;
use crate::domain::behaviour::Record;
use crate::domain::scene::adapter::{Place, Settings};

mod members;
mod refusals;

const SETTINGS: &str = "subject = 'source:possessing_party'";

fn options(settings: &str) -> Options {
    Options {
        settings: Settings::parse(settings).expect("TOML"),
        ..Options::default()
    }
}

fn event() -> Value {
    json!({
        "eventID": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "type": "ObjectEvent",
        "eventTime": "2026-05-01T09:30:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "recordTime": "2026-05-01T09:31:00+08:00",
        "action": "OBSERVE",
        "bizStep": "collecting",
        "disposition": "in_progress",
        "readPoint": {"id": "urn:epc:id:sgln:6900000.00001.7"},
        "bizTransactionList": [{"type": "po", "bizTransaction": "urn:example:order:9"}],
        "sourceList": [
            {"type": "possessing_party", "source": "urn:example:resident:42"},
            {"type": "location", "source": "urn:epc:id:sgln:6900000.00001.0"}
        ],
        "quantityList": [
            {"epcClass": "urn:epc:class:lgtin:6900000.012345.PET", "quantity": 2.50, "uom": "KGM"}
        ],
    })
}

/// The event with one field replaced (`null` removes it), by RFC 6901 pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = event();
    put(&mut event, pointer, value);
    event
}

fn put(event: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).expect("a parent");
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(key)),
        (Value::Object(members), value) => drop(members.insert(key.to_owned(), value)),
        (Value::Array(items), value) => items[key.parse::<usize>().expect("an index")] = value,
        _ => panic!("no parent at {pointer}"),
    }
}

fn document(events: &[Value]) -> String {
    json!({
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": "2026-05-02T00:00:00Z",
        "epcisBody": {"eventList": events},
    })
    .to_string()
}

fn outcomes(settings: &str, text: &str) -> Vec<Outcome> {
    let read = read_with("epcis", text.as_bytes(), &options(settings));
    read.expect("readable").1
}

fn record_of(settings: &str, event: &Value) -> Record {
    match outcomes(settings, &event.to_string()).pop() {
        Some(Outcome::Record(_, record)) => record,
        other => panic!("{other:?}"),
    }
}

fn amounts(record: &Record) -> Vec<String> {
    let shown =
        |q: &crate::domain::behaviour::Quantity| format!("{} {} {}", q.name, q.value, q.unit);
    record.quantities.iter().map(shown).collect()
}

fn refusal(settings: &str, event: &Value) -> (String, String) {
    let outcomes = outcomes(settings, &event.to_string());
    match refusals_of(&outcomes).pop() {
        Some((_, code, field)) => (code, field),
        None => panic!("{event} gave {outcomes:?}"),
    }
}

#[test]
fn an_event_becomes_a_record() {
    let record = record_of(SETTINGS, &event());
    assert_eq!(
        record.source_id,
        "urn:uuid:00000000-0000-4000-8000-000000000001"
    );
    assert_eq!(record.subject, "urn:example:resident:42");
    assert_eq!(record.from.to_rfc3339(), "2026-05-01T01:30:00+00:00");
    assert_eq!(record.from, record.to);
    assert_eq!(amounts(&record), ["mass 2.5 kg"]);
    assert_eq!(record.revises, None);
    let attributes: Vec<String> = record
        .attributes
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    assert_eq!(
        attributes,
        [
            "event_type=object",
            "action=OBSERVE",
            "biz_step=collecting",
            "disposition=in_progress",
            "read_point=urn:epc:id:sgln:6900000.00001.7",
            "biz_transaction=urn:example:order:9",
            "epc_class=urn:epc:class:lgtin:6900000.012345.PET",
        ]
    );
}

#[test]
fn all_forms_of_a_file_say_the_same() {
    let (one, two) = (event(), with("/eventID", json!("urn:uuid:2")));
    let pretty = serde_json::to_string_pretty(&one).expect("JSON");
    let query = json!({"@context": {}, "epcisBody": {"queryResults": {"queryName": "q", "resultsBody":
        {"eventList": [one, two]}}}, "type": "EPCISQueryDocument", "schemaVersion": "2.0.1",
        "creationDate": "2026-05-02T00:00:00+08:00"});
    let pages = [
        (
            document(&[one.clone(), two.clone()]),
            "/epcisBody/eventList/1",
        ),
        (
            query.to_string(),
            "/epcisBody/queryResults/resultsBody/eventList/1",
        ),
        (json!([one, two]).to_string(), "/1"),
        (format!("{one}\n{two}\n"), "line 2"),
    ];
    for (text, last) in pages {
        match outcomes(SETTINGS, &text).as_slice() {
            [Outcome::Record(_, a), Outcome::Record(place, b)] => {
                assert_eq!(place.to_string(), last);
                assert_eq!(*a, record_of(SETTINGS, &one));
                assert_eq!(*b, record_of(SETTINGS, &two));
            }
            other => panic!("{text} gave {other:?}"),
        }
    }
    match outcomes(SETTINGS, &pretty).as_slice() {
        [Outcome::Record(Place::Line(1), record)] => {
            assert_eq!(*record, record_of(SETTINGS, &one));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(outcomes(SETTINGS, &document(&[])), []);
}

#[test]
fn master_data_beside_the_events_may_be_longer_than_an_event() {
    let long = json!({"vocabularyList": vec!["x".repeat(1_000); 300]});
    let mut whole: Value = serde_json::from_str(&document(&[event()])).expect("JSON");
    put(&mut whole, "/epcisHeader", long.clone());
    put(&mut whole, "/epcisBody/masterData", long);
    let outcomes = outcomes(SETTINGS, &whole.to_string());
    assert!(
        matches!(outcomes[..], [Outcome::Record(..)]),
        "{outcomes:?}"
    );
}

#[test]
fn words_are_one_however_they_are_spelled() {
    for step in [
        "collecting",
        "cbv:BizStep-collecting",
        "https://ref.gs1.org/cbv/BizStep-collecting",
        "urn:epcglobal:cbv:bizstep:collecting",
    ] {
        let record = record_of(
            &format!("{SETTINGS}\nbiz_steps = ['urn:epcglobal:cbv:bizstep:collecting']"),
            &with("/bizStep", json!(step)),
        );
        assert_eq!(record.attribute("biz_step"), Some("collecting"), "{step}");
    }
    let own = record_of(
        SETTINGS,
        &with("/bizStep", json!("https://example.org/step/wash")),
    );
    assert_eq!(
        own.attribute("biz_step"),
        Some("https://example.org/step/wash")
    );
    for step in [
        "recycled",
        "Collecting",
        "cbv:Disp-active",
        "urn:epcglobal:cbv:bizstep:melting",
        "",
    ] {
        let wrong = refusal(SETTINGS, &with("/bizStep", json!(step)));
        assert_eq!(wrong, ("invalid_field".into(), "bizStep".into()), "{step}");
    }
}

#[test]
fn units_are_exact_and_objects_are_counted() {
    for (quantity, uom, expected) in [
        ("2500", "GRM", "mass 2.5 kg"),
        ("0.0125", "TNE", "mass 12.5 kg"),
        ("1", "LBR", "mass 0.45359237 kg"),
        ("16", "ONZ", "mass 0.45359237 kg"),
        ("1.5e2", "KGM", "mass 150 kg"),
        ("250", "LTR", "volume 0.25 m3"),
        ("3", "MTQ", "volume 3 m3"),
        ("12", "EA", "count 12 1"),
        ("0.1", "KGM", "mass 0.1 kg"),
    ] {
        let text = event().to_string().replace(
            "2.5,\"uom\":\"KGM\"",
            &format!("{quantity},\"uom\":\"{uom}\""),
        );
        match outcomes(SETTINGS, &text).pop() {
            Some(Outcome::Record(_, record)) => assert_eq!(amounts(&record), [expected]),
            other => panic!("{quantity} {uom}: {other:?}"),
        }
    }
    let mut both = with(
        "/epcList",
        json!([
            "urn:epc:id:grai:6900000.00002.1",
            "urn:epc:id:grai:6900000.00002.2"
        ]),
    );
    put(&mut both, "/quantityList/0/quantity", json!(4));
    both["quantityList"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"epcClass": "urn:x:y", "quantity": 3}));
    assert_eq!(
        amounts(&record_of(SETTINGS, &both)),
        ["mass 4 kg", "count 5 1"]
    );
}

#[test]
fn a_transformation_tells_what_went_in_from_what_came_out() {
    let mut made = event();
    for (pointer, value) in [
        ("/type", json!("TransformationEvent")),
        ("/action", Value::Null),
        ("/quantityList", Value::Null),
        (
            "/inputQuantityList",
            json!([{"epcClass": "urn:x:bottles", "quantity": 500, "uom": "KGM"}]),
        ),
        (
            "/outputQuantityList",
            json!([{"epcClass": "urn:x:flakes", "quantity": 452, "uom": "KGM"}]),
        ),
    ] {
        put(&mut made, pointer, value);
    }
    assert_eq!(
        amounts(&record_of(SETTINGS, &made)),
        ["mass 452 kg", "input_mass 500 kg"]
    );
    put(&mut made, "/outputQuantityList", Value::Null);
    assert_eq!(
        refusal(SETTINGS, &made),
        ("missing_field".into(), "outputEPCList".into())
    );
}

fn in_error() -> Value {
    with(
        "/errorDeclaration",
        json!({"declarationTime": "2026-05-03T00:00:00+08:00", "reason": "incorrect_data",
            "correctiveEventIDs": ["urn:uuid:2"]}),
    )
}

#[test]
fn an_error_declaration_cancels_the_event_it_repeats() {
    let first = record_of(SETTINGS, &event());
    let cancelled = record_of(SETTINGS, &in_error());
    assert_eq!(cancelled.revises.as_deref(), Some(first.source_id.as_str()));
    assert_ne!(cancelled.source_id, first.source_id);
    assert!(cancelled.quantities.is_empty());
    assert_eq!(cancelled.subject, first.subject);
    assert_eq!(
        cancelled.attribute("stated_at"),
        Some("2026-05-02T16:00:00Z")
    );
    assert_eq!(cancelled.attribute("error_reason"), Some("incorrect_data"));
    assert_eq!(cancelled.attribute("corrected_by"), Some("urn:uuid:2"));
    let text = document(&[event(), in_error()]);
    let (seen, _) = read_with("epcis", text.as_bytes(), &options(SETTINGS)).expect("readable");
    assert_eq!(seen.counts, [("error_declarations", 1)]);
    let total = seen
        .totals
        .first()
        .map(|q| format!("{} {} {}", q.name, q.value, q.unit));
    assert_eq!(total.as_deref(), Some("declared_in_error_mass 2.5 kg"));
}

#[test]
fn an_event_without_an_id_is_found_by_what_it_states() {
    let bare = |mut event: Value| {
        put(&mut event, "/eventID", Value::Null);
        event
    };
    let first = record_of(SETTINGS, &bare(event()));
    assert!(first.source_id.starts_with("sha256:"));
    // Recorded at another time and by another spelling, it is the same event.
    let mut again = bare(with("/recordTime", json!("2026-05-09T00:00:00Z")));
    put(&mut again, "/bizStep", json!("cbv:BizStep-collecting"));
    put(&mut again, "/eventTime", json!("2026-05-01T01:30:00.000Z"));
    assert_eq!(record_of(SETTINGS, &again).source_id, first.source_id);
    assert_eq!(
        record_of(SETTINGS, &bare(in_error())).revises,
        Some(first.source_id.clone())
    );
    for (pointer, value) in [
        ("/quantityList/0/quantity", json!(2.6)),
        ("/eventTime", json!("2026-05-01T09:30:01+08:00")),
        ("/sourceList/0/source", json!("urn:example:resident:43")),
        ("/readPoint/id", json!("urn:epc:id:sgln:6900000.00001.8")),
    ] {
        let other = record_of(SETTINGS, &bare(with(pointer, value)));
        assert_ne!(other.source_id, first.source_id, "{pointer}");
    }
    let long = format!("urn:example:{}", "x".repeat(300));
    let hashed = record_of(SETTINGS, &with("/eventID", json!(long))).source_id;
    assert!(
        hashed.len() <= 128 && hashed.starts_with("sha256:"),
        "{hashed}"
    );
}

#[test]
fn refusals_are_told_in_both_languages() {
    let told = |settings: &str, event: &Value| {
        let outcomes = outcomes(settings, &event.to_string());
        match outcomes.into_iter().next() {
            Some(Outcome::Refused(refused)) => refused.problem.detail,
            other => panic!("{event} gave {other:?}"),
        }
    };
    for (pointer, value, zh, en) in [
        ("/eventID", json!("17"), "应为 URI", "a URI is expected"),
        (
            "/quantityList",
            json!([]),
            "没有写明对象，也没有数量",
            "no object and no quantity is named",
        ),
        (
            "/quantityList/0/uom",
            json!("MTR"),
            "\"MTR\" 不是 UN/ECE Rec 20 的质量、体积或计数单位",
            "\"MTR\" is no mass, volume or count of UN/ECE Rec 20",
        ),
    ] {
        let detail = told(SETTINGS, &with(pointer, value));
        assert_eq!((detail.zh(), detail.en()), (zh, en));
    }
    let adapter = super::super::by_name("epcis").expect("an adapter");
    let undeclared = (adapter.check)(&options(""))
        .expect_err("no subject")
        .detail;
    assert!(undeclared.zh().ends_with(" 或 extension:PREFIX:KEY"));
    assert!(undeclared.en().ends_with(" or extension:PREFIX:KEY"));
}
