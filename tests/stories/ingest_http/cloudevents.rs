//! A file in CloudEvents: one event, a batch, or the file itself with the attributes in its header.

use serde_json::{Value, json};

use crate::partner::{FILE, Stored, Town, array, files, metro, trip};
use crate::wire::Answer;

const EVENT: &str = "application/cloudevents+json; charset=utf-8";
const BATCH: &str = "application/cloudevents-batch+json";

fn event(id: &str, data: &str) -> String {
    let data: Value = serde_json::from_str(data).expect("JSON");
    json!({"specversion": "1.0", "id": id, "source": "/gates/7", "type": "org.example.trip",
        "datacontenttype": "application/json", "data": data})
    .to_string()
}

fn post(town: &Town, media: &str, body: &str) -> Answer {
    let signed = town.sign(&metro(), &files("metro"), media, body.as_bytes());
    signed.send(town.url())
}

fn post_binary(town: &Town, fields: &[(&str, &str)], body: &str) -> Answer {
    let mut signed = town.sign(&metro(), &files("metro"), FILE, body.as_bytes());
    let fields = fields
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    signed.fields.extend(fields);
    signed.send(town.url())
}

/// Accepted, replayed and refused, and the lines before the summary.
#[track_caller]
fn told(answer: &Answer) -> ([i64; 3], Vec<Value>) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let parse = |line| serde_json::from_str(line).expect("a JSON line");
    let mut lines: Vec<Value> = answer.body.lines().map(parse).collect();
    let last = lines.pop().expect("a summary");
    let count = |name: &str| last["summary"][name].as_i64().expect("a number");
    (["accepted", "replayed", "refused"].map(count), lines)
}

on_both! {
    fn an_act_counts_once_whatever_it_is_wrapped_in(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["A"]);
        let (one, two) = (trip("t1", "A", 0, "10"), trip("t2", "A", 60, "10"));
        let (first, lines) = told(&post(&town, EVENT, &event("e-1", &one)));
        assert_eq!(first, [1, 0, 0]);
        assert_eq!(lines[0]["place"], "line 1/data");
        let wealth = town.wealth(account);
        assert!(wealth.1 > 0);

        // The event again, the act in another event, in a batch, in binary mode, and bare.
        assert_eq!(told(&post(&town, EVENT, &event("e-1", &one))).0, [0, 1, 0]);
        assert_eq!(told(&post(&town, EVENT, &event("e-9", &one))).0, [0, 1, 0]);
        assert_eq!(town.wealth(account), wealth);
        let batch = array(&[event("e-1", &one), event("e-2", &two), event("e-2", &two), "{}".into()]);
        let (counts, lines) = told(&post(&town, BATCH, &batch));
        assert_eq!(counts, [1, 1, 2]);
        let codes: Vec<&Value> = lines.iter().map(|line| &line["problem"]["code"]).collect();
        assert_eq!(codes[2..], ["duplicate_reading", "missing_field"]);
        assert_eq!(lines[1]["place"], "/1/data");
        let header = [("ce-specversion", "1.0"), ("ce-id", "e-3"), ("ce-source", "/gates/7"), ("ce-type", "x")];
        assert_eq!(told(&post_binary(&town, &header, &array(&[one.clone(), two]))).0, [0, 2, 0]);
        assert_eq!(told(&post(&town, FILE, &one)).0, [0, 1, 0]);
        town.assert_audit_is_clean();
    }

    fn an_envelope_that_breaks_its_rules_stores_nothing(pool: Pool) {
        let town = Town::open(pool);
        town.rider(&["A"]);
        let one = trip("t1", "A", 0, "10");
        let sound = event("e-1", &one);
        let header = [("ce-specversion", "1.0"), ("ce-id", "e-3"), ("ce-source", "/gates/7"), ("ce-type", "x")];
        let old = [&header[1..], &[("ce-specversion", "0.3")]].concat();
        let twice = [&header[..], &[("ce-datacontenttype", "text/csv")]].concat();
        for (answer, status, code) in [
            (post(&town, BATCH, &sound), 400, "format_mismatch"),
            (post(&town, EVENT, &array(std::slice::from_ref(&sound))), 400, "format_mismatch"),
            (post(&town, EVENT, &sound[..sound.len() - 1]), 400, "file_truncated"),
            (post(&town, "application/cloudevents+avro", &sound), 415, "unsupported_format"),
            (post_binary(&town, &header[1..], &one), 400, "missing_field"),
            (post_binary(&town, &old, &one), 400, "invalid_field"),
            (post_binary(&town, &twice, &one), 400, "invalid_field"),
        ] {
            assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{}", answer.body);
        }
        let refused = told(&post(&town, EVENT, &sound.replace("\"1.0\"", "\"0.3\"")));
        assert_eq!(refused.0, [0, 0, 1]);
        assert_eq!(refused.1[0]["problem"]["param"], "specversion");
        let mut changed = town.sign(&metro(), &files("metro"), EVENT, sound.as_bytes());
        changed.body = sound.replace("t1", "t7").into_bytes();
        assert_eq!(changed.send(town.url()).json()["code"], "digest_mismatch");
        assert_eq!(town.stored().behaviours, Stored::default().behaviours);
    }
}
