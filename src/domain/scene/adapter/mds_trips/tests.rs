//! Trips of our own making, in the shape of the standard's OpenAPI model `trip.yaml`.

use rust_decimal::Decimal;

use super::super::tests::{read_with, refusals};
use super::super::{Place, Settings, by_name};
use super::*;
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;

/// Valid against the model of branch `v2.0`.
const GOOD: &str = r#"{"provider_id":"11111111-2222-4333-8444-555555555555","device_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","trip_id":"01234567-89ab-4cde-8f01-23456789abcd","start_time":1767254400000,"end_time":1767255000500,"start_location":{"lat":22.54,"lng":114.05},"end_location":{"lat":22.5489932,"lng":114.05,"horizontal_accuracy":4.5},"duration":600,"distance":1250,"trip_type":["rider"],"publication_time":1767258600000}"#;

fn declared(settings: &str) -> Options {
    Options {
        settings: Settings::parse(settings).expect("TOML"),
        ..Options::default()
    }
}

fn outcomes(text: &str, settings: &str) -> Vec<Outcome> {
    let options = declared(settings);
    (ADAPTER.check)(&options).expect("settings");
    read_with("mds-trips", text.as_bytes(), &options)
        .expect("readable")
        .1
}

fn trip(text: &str, settings: &str) -> Record {
    match outcomes(text, settings).pop() {
        Some(Outcome::Record(_, record)) => record,
        other => panic!("{other:?}"),
    }
}

fn refusal(text: &str, settings: &str) -> (String, String) {
    let outcomes = outcomes(text, settings);
    let [(_, code, field)] = refusals(&outcomes).try_into().expect("one refusal");
    (code, field)
}

#[test]
fn a_trip_becomes_a_record() {
    let page = format!(r#"{{"version":"2.0.0","links":{{"next":null}},"trips":[{GOOD}]}}"#);
    let outcomes = outcomes(&page, "");
    let [Outcome::Record(place, record)] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(*place, Place::Item("/trips", 0));
    assert_eq!(
        record.source_id,
        "11111111-2222-4333-8444-555555555555/01234567-89ab-4cde-8f01-23456789abcd"
    );
    assert_eq!(
        record.subject,
        "vehicle:aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    );
    assert_eq!(record.from.to_rfc3339(), "2026-01-01T08:00:00+00:00");
    assert_eq!(record.to.to_rfc3339(), "2026-01-01T08:10:00.500+00:00");
    let distance = record.quantity("distance").expect("a distance");
    assert_eq!(
        (distance.value, &*distance.unit),
        (Decimal::new(125, 2), "km")
    );
    assert_eq!(record.attribute("trip_type"), Some("rider"));
    assert_eq!(
        record.attribute("stated_at"),
        Some("2026-01-01T09:10:00.000Z")
    );
    assert_eq!(record.attribute("mode"), None);
    assert_eq!(trip(&format!("[{GOOD}]"), ""), *record);
    assert_eq!(trip(&format!("{GOOD}\n"), ""), *record);
    assert!(outcomes_are_empty(r#"{"version":"2.0.0","trips":[]}"#));
}

fn outcomes_are_empty(text: &str) -> bool {
    outcomes(text, "").is_empty()
}

#[test]
fn a_uuid_in_capitals_and_a_number_in_another_spelling_are_the_same_trip() {
    let other = GOOD
        .replace(
            "01234567-89ab-4cde-8f01-23456789abcd",
            "01234567-89AB-4CDE-8F01-23456789ABCD",
        )
        .replace("1767254400000", "1767254400000.0")
        .replace(":600", ":6e2")
        .replace("22.54,", "2.254e1,");
    assert_eq!(trip(&other, ""), trip(GOOD, ""));
}

#[test]
fn the_subject_is_the_field_that_the_scene_names() {
    let joined = GOOD.replacen('{', r#"{"rider":"user-17","number":42,"#, 1);
    assert_eq!(trip(&joined, "subject_field = 'rider'").subject, "user-17");
    assert_eq!(trip(&joined, "subject_field = 'number'").subject, "42");
    let device = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    assert_eq!(trip(&joined, "subject_field = 'device_id'").subject, device);
    let missing = ("missing_field".to_owned(), "rider".to_owned());
    assert_eq!(refusal(GOOD, "subject_field = 'rider'"), missing);
    let twice = joined.replacen('{', r#"{"rider":"user-18","#, 1);
    let malformed = ("row_malformed".to_owned(), String::new());
    assert_eq!(refusal(&twice, "subject_field = 'rider'"), malformed);
    let null = joined.replace("\"user-17\"", "null");
    assert_eq!(refusal(&null, "subject_field = 'rider'"), missing);
    let invalid = ("invalid_field".to_owned(), "rider".to_owned());
    for wrong in ["\" \"", "{}", "1.5", "\"\\u0007\"", "-3", "[]"] {
        let row = joined.replace("\"user-17\"", wrong);
        assert_eq!(refusal(&row, "subject_field = 'rider'"), invalid, "{wrong}");
    }
}

#[test]
fn the_mode_is_declared_or_joined_in_from_the_vehicle() {
    assert_eq!(
        trip(GOOD, "mode = 'shared_ebike'").attribute("mode"),
        Some("shared_ebike")
    );
    for (vehicle, mode) in [
        (
            r#""vehicle_type":"bicycle","propulsion_types":["human"]"#,
            Some("shared_bike"),
        ),
        (
            r#""vehicle_type":"bicycle","propulsion_types":["human","electric_assist"]"#,
            Some("shared_ebike"),
        ),
        (
            r#""vehicle_type":"scooter_standing","propulsion_types":["electric"]"#,
            Some("shared_scooter"),
        ),
        (
            r#""vehicle_type":"car","propulsion_types":["combustion"]"#,
            None,
        ),
        // What burns fuel, or says nothing of its drive, is no cycle.
        (
            r#""vehicle_type":"scooter_seated","propulsion_types":["combustion"]"#,
            None,
        ),
        (
            r#""vehicle_type":"bicycle","propulsion_types":["human","combustion"]"#,
            None,
        ),
        (r#""vehicle_type":"bicycle""#, None),
    ] {
        let joined = GOOD.replacen('{', &format!("{{{vehicle},"), 1);
        assert_eq!(trip(&joined, "").attribute("mode"), mode, "{vehicle}");
    }
}

#[test]
fn trips_without_a_customer_are_refused_in_either_shape() {
    for word in [
        "rebalance",
        "maintenance",
        "empty",
        "reservation",
        "delivery",
        "return",
        "advertising",
        "mapping",
        "roaming",
    ] {
        for shape in [
            format!("[\"{word}\"]"),
            format!("\"{word}\""),
            format!("[\"rider\",\"{word}\"]"),
        ] {
            let row = GOOD.replace("[\"rider\"]", &shape);
            assert_eq!(
                refusal(&row, ""),
                ("ineligible".to_owned(), "trip_type".to_owned()),
                "{shape}"
            );
        }
    }
    for word in ["rider", "private", "shared"] {
        let row = GOOD.replace("[\"rider\"]", &format!("\"{word}\""));
        assert_eq!(trip(&row, "").attribute("trip_type"), Some(word));
    }
    for none in ["null", "[]"] {
        assert_eq!(
            trip(&GOOD.replace("[\"rider\"]", none), "").attribute("trip_type"),
            None
        );
    }
    for unknown in ["\"joyride\"", "[\"rider\",\"rider\"]", "7", "[7]", "\"\""] {
        let row = GOOD.replace("[\"rider\"]", unknown);
        assert_eq!(
            refusal(&row, ""),
            ("invalid_field".to_owned(), "trip_type".to_owned()),
            "{unknown}"
        );
    }
}

#[test]
fn phantoms_and_contradictions_are_refused_with_field() {
    let end = "1767255000500";
    let bad = [
        // A member that the model requires is missing.
        (
            GOOD.replace("\"provider_id\"", "\"x\""),
            "missing_field",
            "provider_id",
        ),
        (
            GOOD.replace("\"device_id\"", "\"x\""),
            "missing_field",
            "device_id",
        ),
        (
            GOOD.replace("\"trip_id\"", "\"x\""),
            "missing_field",
            "trip_id",
        ),
        (
            GOOD.replace("\"start_time\"", "\"x\""),
            "missing_field",
            "start_time",
        ),
        (
            GOOD.replace("\"end_time\"", "\"x\""),
            "missing_field",
            "end_time",
        ),
        (
            GOOD.replace("\"start_location\"", "\"x\""),
            "missing_field",
            "start_location",
        ),
        (
            GOOD.replace("\"end_location\"", "\"x\""),
            "missing_field",
            "end_location",
        ),
        (
            GOOD.replace("\"duration\"", "\"trip_duration\""),
            "missing_field",
            "duration",
        ),
        (GOOD.replace(":1250", ":null"), "missing_field", "distance"),
        // Of the wrong kind.
        (
            GOOD.replace("11111111-2222-4333-8444-555555555555", "acme"),
            "invalid_field",
            "provider_id",
        ),
        (
            GOOD.replace(
                "01234567-89ab-4cde-8f01-23456789abcd",
                "00000000-0000-0000-0000-000000000000",
            ),
            "invalid_field",
            "trip_id",
        ),
        (
            GOOD.replace(":1250", ":1250.5"),
            "invalid_field",
            "distance",
        ),
        (
            GOOD.replace(":1250", ":\"1250\""),
            "invalid_field",
            "distance",
        ),
        (
            GOOD.replace(":1250", ":-1"),
            "quantity_out_of_range",
            "distance",
        ),
        (
            GOOD.replace("{\"lat\":22.54,\"lng\":114.05}", "{\"lat\":0,\"lng\":0}"),
            "invalid_field",
            "start_location",
        ),
        (
            GOOD.replace("{\"lat\":22.54,", "{\"lat\":122.54,"),
            "invalid_field",
            "start_location",
        ),
        (
            GOOD.replace("{\"lat\":22.54,", "{\"lat\":\"22.54\","),
            "invalid_field",
            "start_location",
        ),
        (
            GOOD.replace("{\"lat\":22.54,\"lng\":114.05}", "[22.54,114.05]"),
            "invalid_field",
            "start_location",
        ),
        (
            GOOD.replace("{\"lat\":22.54,\"lng\":114.05}", "[114.05,22.54]"),
            "invalid_field",
            "start_location",
        ),
        // Seconds, microseconds, and text where milliseconds belong.
        (
            GOOD.replace("1767254400000", "1767254400"),
            "time_invalid",
            "start_time",
        ),
        (
            GOOD.replace(end, "1767255000500000"),
            "time_invalid",
            "end_time",
        ),
        (
            GOOD.replace(end, "\"2026-01-01T08:10:00Z\""),
            "time_invalid",
            "end_time",
        ),
        (
            GOOD.replace("1767258600000", "1767258600"),
            "time_invalid",
            "publication_time",
        ),
        // Times that contradict each other.
        (
            GOOD.replace(end, "1767254399999"),
            "invalid_field",
            "end_time",
        ),
        (
            GOOD.replace(":600", ":602"),
            "duration_mismatch",
            "duration",
        ),
        (GOOD.replace(":600", ":10"), "duration_mismatch", "duration"),
        // Phantoms.
        (
            GOOD.replace(end, "1767254459000").replace(":600", ":59"),
            "quantity_out_of_range",
            "duration",
        ),
        (
            GOOD.replace(end, "1767254400000").replace(":600", ":0"),
            "quantity_out_of_range",
            "duration",
        ),
        (
            GOOD.replace(":1250", ":0"),
            "quantity_out_of_range",
            "distance",
        ),
        (
            GOOD.replace(":1250", ":160"),
            "quantity_out_of_range",
            "distance",
        ),
        (
            GOOD.replace("22.5489932", "22.54"),
            "invalid_field",
            "end_location",
        ),
        // Kilometres, and centimetres, where metres belong.
        (
            GOOD.replace(":1250", ":700"),
            "quantity_out_of_range",
            "distance",
        ),
        (
            GOOD.replace(":1250", ":125000"),
            "quantity_out_of_range",
            "distance",
        ),
        (
            GOOD.replace(":1250", ":9223372036854775807"),
            "quantity_out_of_range",
            "distance",
        ),
        // No trip at all.
        ("17".to_owned(), "row_malformed", ""),
        (
            GOOD.replacen('{', "{\"distance\":1,", 1),
            "row_malformed",
            "",
        ),
    ];
    let rows: Vec<&str> = bad.iter().map(|(row, _, _)| row.as_str()).collect();
    let outcomes = outcomes(&format!("[{},{GOOD}]", rows.join(",")), "");
    let expected: Vec<_> = bad
        .iter()
        .enumerate()
        .map(|(at, (_, code, field))| (format!("/{at}"), (*code).to_owned(), (*field).to_owned()))
        .collect();
    assert_eq!(refusals(&outcomes), expected);
    assert!(matches!(outcomes.last(), Some(Outcome::Record(..))));
}

#[test]
fn a_scene_may_move_the_bounds() {
    let short = GOOD
        .replace(":1250", ":900")
        .replace("22.5489932", "22.5405");
    let fast = |km_h: &str| format!("max_speed_kmh = '{km_h}'");
    assert_eq!(refusal(&short, &fast("5")).1, "distance");
    assert_eq!(trip(&short, &fast("6")).quantities.len(), 1);
    match outcomes(&short, "min_distance_m = 901").pop() {
        Some(Outcome::Refused(refused)) => {
            assert_eq!(refused.problem.param.as_deref(), Some("distance"));
            assert_eq!(refused.problem.detail.zh(), "不足 901 m：视为无效行程");
        }
        other => panic!("{other:?}"),
    }
    let round = GOOD.replace("22.5489932", "22.54");
    assert_eq!(trip(&round, "round_trips = 'accept'").quantities.len(), 1);
    // 57 km/h is for what is known to have two wheels: 15 km in 600 s are 90 km/h.
    let car = GOOD.replace(":1250", ":15000");
    assert_eq!(trip(&car, "mode = 'shared_car'").quantities.len(), 1);
    assert_eq!(refusal(&car, "mode = 'shared_ebike'").1, "distance");
    for wrong in [
        "min_distance_m = 0",
        "min_distance_m = '1.5'",
        "round_trips = 'yes'",
        "mode = 7",
        "datum = 'wgs84'",
    ] {
        let problem = (ADAPTER.check)(&declared(wrong)).expect_err(wrong);
        assert!(
            problem
                .param
                .is_some_and(|param| param.starts_with("settings."))
        );
    }
}

#[test]
fn torn_and_foreign_files_are_refused_whole() {
    let code = |text: &str| {
        read_with("mds-trips", text.as_bytes(), &Options::default())
            .expect_err(text)
            .code
    };
    assert_eq!(code(""), Code::FormatMismatch);
    assert_eq!(code("trip_id,distance\n"), Code::FormatMismatch);
    assert_eq!(code(&format!("{{\"trips\":[{GOOD}]")), Code::FileTruncated);
    assert_eq!(
        code(&format!("{GOOD}\n{{\"trip_id\":")),
        Code::FileTruncated
    );
    assert!(by_name("mds-trips").is_some_and(|adapter| adapter.derived.is_empty()));
}
