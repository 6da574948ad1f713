use super::super::tests::{read_all, read_with, refusals};
use super::super::{Outcome, Place};
use super::*;
use crate::domain::behaviour::Record;

mod credits;

/// A CDR of 2.2.1, of an invented session in Shenzhen.
const CDR: &str = r#"{"country_code":"cn","party_id":"sZx","id":"c-1","start_date_time":"2026-05-01T01:00:00Z","end_date_time":"2026-05-01T03:00:00","session_id":"s-1","cdr_token":{"uid":"u","type":"APP_USER","contract_id":"cn-Szx-1"},"auth_method":"WHITELIST","cdr_location":{"id":"L1","country":"CHN","coordinates":{"latitude":"22.54","longitude":"114.06"},"evse_uid":"E1","evse_id":"CN*SZX*E1","connector_power_type":"DC"},"meter_id":"m-1","currency":"CNY","charging_periods":[{"start_date_time":"2026-05-01T01:00:00Z","dimensions":[{"type":"ENERGY","volume":20.5},{"type":"TIME","volume":1.5}]}],"total_cost":{"excl_vat":12.30},"total_energy":20.5,"total_time":2,"total_parking_time":0.5,"last_updated":"2026-05-01T03:01:00Z"}"#;

/// A CDR of 2.1.1.
const OLD: &str = r#"{"id":"c-2","start_date_time":"2026-05-01T01:00:00Z","stop_date_time":"2026-05-01T02:00:00Z","auth_id":"cn-Szx-1","auth_method":"WHITELIST","location":{"id":"L1","country":"CHN","coordinates":{"latitude":"22.54","longitude":"114.06"},"evses":[{"uid":"E1","connectors":[{"id":"1","power_type":"AC_3_PHASE"}]}]},"currency":"CNY","charging_periods":[{"start_date_time":"2026-05-01T01:00:00Z","dimensions":[{"type":"TIME","volume":1}]}],"total_cost":4.00,"total_energy":7,"total_time":1.0,"last_updated":"2026-05-01T03:01:00Z"}"#;

fn one(text: &str) -> Record {
    record(read_all("ocpi-cdr", text.as_bytes()))
}

fn record(read: Result<(Seen, Vec<Outcome>), Problem>) -> Record {
    let (_, mut outcomes) = read.expect("readable");
    match (outcomes.pop(), outcomes.len()) {
        (Some(Outcome::Record(Place::Line(1), record)), 0) => record,
        other => panic!("{other:?}"),
    }
}

fn refusal(text: &str) -> (String, String) {
    let (_, outcomes) = read_all("ocpi-cdr", text.as_bytes()).expect("readable");
    match refusals(&outcomes).as_slice() {
        [(_, code, param)] => (code.clone(), param.clone()),
        other => panic!("{other:?} of {text}"),
    }
}

fn amounts(record: &Record) -> Vec<(String, String)> {
    let of = record.quantities.iter();
    of.map(|q| (q.name.to_string(), format!("{} {}", q.value, q.unit)))
        .collect()
}

fn declared() -> Options {
    let mut options = Options::default();
    options.settings.set("country_code", "cn");
    options.settings.set("party_id", "szx");
    options
}

#[test]
fn a_cdr_is_what_was_charged_to_whom() {
    let record = one(CDR);
    assert_eq!(record.source_id, "CN*SZX*C-1");
    assert_eq!(record.subject, "CN-SZX-1");
    assert_eq!(record.from.to_rfc3339(), "2026-05-01T01:00:00+00:00");
    // Without a zone it is UTC, whatever the scene's zone is.
    assert_eq!(record.to.to_rfc3339(), "2026-05-01T03:00:00+00:00");
    let two = [("electricity", "20.5 kWh"), ("duration", "1.5 h")];
    assert_eq!(amounts(&record), two.map(|(a, b)| (a.into(), b.into())));
    for (name, value) in [
        ("power", Some("dc")),
        ("evse", Some("CN*SZX*E1")),
        ("location", Some("L1")),
        ("meter", Some("m-1")),
        ("session", Some("s-1")),
        ("evidence", Some("platform")),
        ("quality", None),
        ("home_charging_compensation", None),
        ("mode", None),
    ] {
        assert_eq!(record.attribute(name), value, "{name}");
    }
    let zoned = Options {
        zone: Some(chrono_tz::Asia::Shanghai),
        ..Options::default()
    };
    let again = self::record(read_with("ocpi-cdr", CDR.as_bytes(), &zoned));
    assert_eq!(again, record);
}

#[test]
fn every_layout_gives_the_same_record() {
    let record = one(CDR);
    let spread = CDR.replace(",\"", ",\n\"");
    assert_eq!(one(&spread), record);
    assert_eq!(
        one(&format!("{{\"status_code\":1000,\"data\":{CDR}}}")),
        record
    );
    let answer = format!("{{\n\"data\": {spread},\n\"status_code\":1000}}");
    assert_eq!(one(&answer), record);
    for (text, places) in [
        (format!("[{CDR},{CDR}]"), ["/0", "/1"]),
        (
            format!("{{\"status_code\":1000,\"data\":[{spread},{CDR}],\"timestamp\":\"x\"}}"),
            ["/data/0", "/data/1"],
        ),
        (format!("{CDR}\n\n{CDR}"), ["line 1", "line 3"]),
    ] {
        let (seen, outcomes) = read_all("ocpi-cdr", text.as_bytes()).expect("readable");
        let found: Vec<String> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Record(place, found) if *found == record => place.to_string(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found, places);
        assert_eq!(seen.counts.first(), Some(&("rows", 2)));
    }
    let (_, none) = read_all("ocpi-cdr", br#"{"data":[],"status_code":1000}"#).expect("readable");
    assert!(none.is_empty());
}

#[test]
fn the_old_shape_needs_the_scene_to_say_whose_it_is() {
    let (code, param) = refusal(OLD);
    assert_eq!(
        (code.as_str(), param.as_str()),
        ("missing_field", "/country_code")
    );
    let record = record(read_with("ocpi-cdr", OLD.as_bytes(), &declared()));
    assert_eq!(record.source_id, "CN*SZX*C-2");
    // A string, not a CiString: its case is kept.
    assert_eq!(record.subject, "cn-Szx-1");
    assert_eq!(record.attribute("power"), Some("ac"));
    assert_eq!(record.attribute("evse"), Some("E1"));
    let stated = OLD.replacen('{', r#"{"country_code":"DE","party_id":"AAA","#, 1);
    assert_eq!(one(&stated).source_id, "DE*AAA*C-2");
    let (seen, _) = read_with(
        "ocpi-cdr",
        format!("{OLD}\n{CDR}\n").as_bytes(),
        &declared(),
    )
    .expect("readable");
    assert_eq!(
        seen.counts.get(1..4),
        Some(&[("ocpi_2_1_1", 1), ("ocpi_2_2_1", 1), ("ocpi_2_3_0", 0)][..])
    );
}

#[test]
fn the_new_shape_is_told_by_its_taxes() {
    let new = CDR.replace(
        r#"{"excl_vat":12.30}"#,
        r#"{"before_taxes":12.30,"taxes":[]}"#,
    );
    let (seen, outcomes) = read_all("ocpi-cdr", new.as_bytes()).expect("readable");
    assert!(matches!(outcomes.as_slice(), [Outcome::Record(..)]));
    assert_eq!(seen.counts.get(3), Some(&("ocpi_2_3_0", 1)));
}

#[test]
fn a_credit_cdr_cancels_and_adds_nothing() {
    // Energy stays positive in it, the cost is negative: neither is read.
    let credit = CDR
        .replace(r#""id":"c-1""#, r#""id":"c-1-C1""#)
        .replace("12.30", "-12.30")
        .replacen('{', r#"{"credit":true,"credit_reference_id":"C-1","#, 1);
    let record = one(&credit);
    assert_eq!(record.source_id, "CN*SZX*C-1-C1");
    assert_eq!(record.revises.as_deref(), Some(one(CDR).source_id.as_str()));
    assert!(record.quantities.is_empty());
    assert_eq!(record.subject, one(CDR).subject);
    for (from, to, refused) in [
        (
            r#""credit_reference_id":"C-1","#,
            "",
            ("missing_field", "/credit_reference_id"),
        ),
        (
            r#""credit":true"#,
            r#""credit":false"#,
            ("invalid_field", "/credit"),
        ),
        (
            r#""credit":true"#,
            r#""credit":"yes""#,
            ("invalid_field", "/credit"),
        ),
        (
            r#""C-1""#,
            r#""c-1-c1""#,
            ("invalid_field", "/credit_reference_id"),
        ),
    ] {
        let (code, param) = refusal(&credit.replace(from, to));
        assert_eq!((code.as_str(), param.as_str()), refused, "{to}");
    }
    // A negative cost on anything else is a correction that names nothing.
    for amount in ["-12.30", "\"-0.01\""] {
        let (code, param) = refusal(&CDR.replace("12.30", amount));
        assert_eq!(
            (code.as_str(), param.as_str()),
            ("quantity_out_of_range", "/total_cost")
        );
    }
}

#[test]
fn energy_fed_back_is_a_quantity_of_its_own() {
    let text = CDR
        .replace(
            r#"{"type":"ENERGY","volume":20.5}"#,
            r#"{"type":"ENERGY","volume":-4.25}"#,
        )
        .replace(r#""total_energy":20.5"#, r#""total_energy":-4.25"#)
        // Who feeds back is paid: here a negative cost is no correction.
        .replace("12.30", "-1");
    let record = one(&text);
    let of = |name| record.quantity(name).map(|q| q.value.to_string());
    assert_eq!(of("electricity").as_deref(), Some("0"));
    assert_eq!(of("electricity_export").as_deref(), Some("4.25"));
}

#[test]
fn what_is_odd_and_harmless_is_said_in_a_word() {
    let swapped = CDR
        .replace("\"22.54\"", "\"x\"")
        .replace("\"114.06\"", "\"22.54\"")
        .replace("\"x\"", "\"114.06\"");
    assert_eq!(
        one(&swapped).attribute("quality"),
        Some("coordinates_swapped")
    );
    let early = swapped.replace("2026-05-01T03:01:00Z", "2026-05-01T02:00:00Z");
    let record = one(&early);
    let both = Some("coordinates_swapped updated_before_end");
    assert_eq!(record.attribute("quality"), both);
    assert_eq!(
        record.quantity("electricity"),
        one(CDR).quantity("electricity")
    );
    let (seen, _) = read_all("ocpi-cdr", early.as_bytes()).expect("readable");
    assert_eq!(seen.counts.last(), Some(&("coordinates_swapped", 1)));
    let home = CDR.replacen(
        '{',
        r#"{"home_charging_compensation":true,"signed_data":{},"#,
        1,
    );
    let record = one(&home);
    assert_eq!(record.attribute("home_charging_compensation"), Some("true"));
    assert_eq!(record.attribute("evidence"), Some("meter"));
}

#[test]
fn every_member_that_is_needed_is_asked_for_by_pointer() {
    let parsed: serde_json::Value = serde_json::from_str(CDR).expect("JSON");
    for (pointer, code) in [
        ("/country_code", "missing_field"),
        ("/party_id", "missing_field"),
        ("/id", "missing_field"),
        ("/start_date_time", "missing_field"),
        ("/end_date_time", "missing_field"),
        ("/cdr_token", "missing_field"),
        ("/cdr_token/contract_id", "missing_field"),
        ("/cdr_location", "missing_field"),
        ("/cdr_location/connector_power_type", "missing_field"),
        ("/charging_periods", "missing_field"),
        ("/charging_periods/0/dimensions", "missing_field"),
        ("/charging_periods/0/dimensions/0/volume", "missing_field"),
        ("/total_energy", "missing_field"),
        ("/total_time", "missing_field"),
        ("/last_updated", "missing_field"),
    ] {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let mut cdr = parsed.clone();
        let object = cdr.pointer_mut(parent).and_then(|v| v.as_object_mut());
        object.expect("an object").remove(key).expect("a member");
        assert_eq!(
            refusal(&cdr.to_string()),
            (code.to_owned(), pointer.to_owned())
        );
        // Of a wrong type it is refused at the same place, and so it is within an answer.
        let mut cdr = parsed.clone();
        *cdr.pointer_mut(pointer).expect("a member") = serde_json::json!([{}, true]);
        let answer = format!("{{\"status_code\":1000,\"data\":{cdr}}}");
        let (_, param) = refusal(&answer);
        assert!(param.starts_with(&format!("/data{pointer}")), "{param}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_rule() {
    for (from, to, code, param) in [
        ("\"cn\"", "\"C_\"", "invalid_field", "/country_code"),
        ("\"sZx\"", "\"SZXX\"", "invalid_field", "/party_id"),
        (
            "\"cn-Szx-1\"",
            "\"#NA\"",
            "missing_field",
            "/cdr_token/contract_id",
        ),
        ("\"c-1\"", "\"编号\"", "invalid_field", "/id"),
        (
            "03:00:00\"",
            "00:00:00\"",
            "invalid_field",
            "/end_date_time",
        ),
        (
            "01:00:00Z\",\"end",
            "01:00:00+08:00\",\"end",
            "time_invalid",
            "/start_date_time",
        ),
        (
            "\"total_time\":2",
            "\"total_time\":2.1",
            "duration_mismatch",
            "/total_time",
        ),
        (
            "\"total_time\":2",
            "\"total_time\":-2",
            "quantity_out_of_range",
            "/total_time",
        ),
        (
            "_time\":0.5",
            "_time\":2.5",
            "duration_mismatch",
            "/total_parking_time",
        ),
        (
            "_energy\":20.5",
            "_energy\":21",
            "invalid_field",
            "/total_energy",
        ),
        (
            "_energy\":20.5",
            "_energy\":\"20,5\"",
            "invalid_field",
            "/total_energy",
        ),
        ("20.5", "20500", "quantity_out_of_range", "/total_energy"),
        (
            "\"DC\"",
            "\"XC\"",
            "invalid_field",
            "/cdr_location/connector_power_type",
        ),
        (
            r#"{"excl_vat":12.30}"#,
            r#"{"excl_vat":"a"}"#,
            "invalid_field",
            "/total_cost",
        ),
        (
            r#""id":"c-1","#,
            r#""id":"c-1","id":"c-2","#,
            "row_malformed",
            "",
        ),
    ] {
        let text = CDR.replace(from, to);
        assert_ne!(text, CDR, "{from}");
        let (found, at) = refusal(&text);
        assert_eq!((found.as_str(), at.as_str()), (code, param), "{to}");
    }
}

#[test]
fn other_objects_of_the_standard_are_named_and_refused() {
    for (text, param) in [
        (r#"{"id":"1","kwh":1.0,"status":"ACTIVE"}"#, "/kwh"),
        (r#"{"id":"1","elements":[]}"#, "/elements"),
        (
            r#"{"uid":"1","contract_id":"1","whitelist":"ALWAYS"}"#,
            "/whitelist",
        ),
        (r#"{"id":"1","coordinates":{}}"#, "/coordinates"),
    ] {
        let (code, at) = refusal(text);
        assert_eq!((code.as_str(), at.as_str()), ("format_mismatch", param));
    }
    let (code, at) = refusal(r#"{"status_code":2001,"status_message":"no"}"#);
    assert_eq!((code.as_str(), at.as_str()), ("missing_field", "/data"));
    let (code, at) = refusal("{}");
    assert_eq!(
        (code.as_str(), at.as_str()),
        ("missing_field", "/country_code")
    );
}

#[test]
fn one_bad_row_costs_one_row_and_a_torn_file_is_refused() {
    let file = format!("{CDR}\n{{\"id\":\n17\n{CDR}\n");
    let (_, outcomes) = read_all("ocpi-cdr", file.as_bytes()).expect("readable");
    let records = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Record(..)));
    assert_eq!(records.count(), 2);
    let places: Vec<_> = refusals(&outcomes)
        .into_iter()
        .map(|(place, code, _)| (place, code))
        .collect();
    let bad = |line: &str| (line.to_owned(), "row_malformed".to_owned());
    assert_eq!(places, [bad("line 2"), bad("line 3")]);
    for text in [
        format!("{CDR}\n{}", &CDR[..200]),
        format!("[{CDR},"),
        CDR.replace(",\"", ",\n\"")[..500].to_owned(),
    ] {
        let problem = read_all("ocpi-cdr", text.as_bytes()).expect_err("torn");
        assert_eq!(problem.code, Code::FileTruncated);
    }
}

#[test]
fn a_scene_declares_both_or_neither() {
    let check = |pairs: &[(&str, &str)]| {
        let mut options = Options::default();
        for (key, value) in pairs {
            options.settings.set(key, value);
        }
        (ADAPTER.check)(&options).map_err(|problem| problem.param.unwrap_or_default())
    };
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(
        check(&[("country_code", "CN"), ("party_id", "SZX")]),
        Ok(())
    );
    for (pairs, param) in [
        (&[("country_code", "CN")][..], "settings.party_id"),
        (&[("party_id", "SZX")], "settings.country_code"),
        (
            &[("country_code", "CHN"), ("party_id", "SZX")],
            "settings.country_code",
        ),
        (
            &[("country_code", "CN"), ("party_id", "SZ-X")],
            "settings.party_id",
        ),
        (&[("country", "CN")], "settings.country"),
    ] {
        assert_eq!(check(pairs), Err(param.to_owned()));
    }
}
