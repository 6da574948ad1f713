//! Real files through `tanpuhui feed check`, and the numbers that their publishers or an
//! independent reader say they hold. A file a feed; the oldest ones are here.

#![allow(unreachable_pub, clippy::unwrap_used)]

mod documents;
mod factors;
mod gbt_32960;
mod household;
mod ocpi;
mod taps;
mod waybill;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tanpuhui::domain::behaviour::Record;
use tanpuhui::domain::scene::adapter::{self, Options, Outcome};

mod cloudevents;
mod epcis;
mod gpx;
mod green_button;
mod ileap_tad;
mod mds_trips;
mod nem12;
mod recycling_weigh;
mod sz_bike_order;
mod table;

/// The shared data, which is not part of the repository; without it the test says so and passes.
pub(crate) fn shared(file: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TANPUHUI_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")),
        PathBuf::from,
    );
    let path = root.join(file);
    if !path.exists() {
        eprintln!("SKIPPED, no shared data: {}", path.display());
        return None;
    }
    Some(path)
}

pub(crate) fn feed_check(args: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
        .args(["feed", "check"])
        .args(args)
        .args(files)
        .output()
        .expect("the command starts")
}

pub(crate) fn check_json(args: &[&str], files: &[&Path]) -> Value {
    let output = feed_check(&[args, &["--json"]].concat(), files);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

pub(crate) fn outcomes(name: &str, path: &Path) -> Vec<Outcome> {
    let adapter = adapter::by_name(name).expect("an adapter");
    let mut source = BufReader::new(std::fs::File::open(path).expect("readable"));
    let mut outcomes = Vec::new();
    (adapter.read)(&mut source, &Options::default(), &mut |outcome| {
        outcomes.push(outcome);
    })
    .expect("readable");
    outcomes
}

pub(crate) fn records(name: &str, path: &Path) -> Vec<Record> {
    outcomes(name, path)
        .into_iter()
        .filter_map(|outcome| match outcome {
            Outcome::Record(_, record) => Some(record),
            _ => None,
        })
        .collect()
}

const CITIBIKE: &str = "citibike-jc/JC-201509-citibike-tripdata.csv";
const TAPS: &str = "szt-metro-taps/page1x100.json";
const DAILY: &str = "greenbutton/Coastal_Multi_Family_Daily_2011_RetailCustomer_4.xml";
const NINE_DAYS: &str = "greenbutton/TestGBDataHourlyNineDaysBinnedDaily.xml";

#[test]
fn citibike_trips_come_to_7073_km() {
    let Some(file) = shared(CITIBIKE) else { return };
    assert_eq!(
        check_json(&["--adapter", "citibike-csv"], &[&file]),
        json!({"adapter": "citibike-csv", "records": 6668, "refused": {}, "held": {},
            "totals": [{"quantity": "distance", "unit": "km", "value": "7073.001"}]})
    );
}

#[test]
fn citibike_records_carry_what_the_rules_need() {
    let Some(file) = shared(CITIBIKE) else { return };
    let records = records("citibike-csv", &file);
    let distance = |record: &Record| record.quantity("distance").expect("a distance").value;
    let exact: Decimal = records.iter().map(distance).sum();
    // 7,073,001.02 m before quantisation; half a millimetre a trip at most either way.
    let off = (exact - Decimal::new(7_073_001_023, 6)).abs();
    assert!(off < Decimal::new(6_668 * 5, 7), "off by {off} km");
    let still = records
        .iter()
        .filter(|record| distance(record).is_zero())
        .count();
    assert_eq!(still, 731);
    let long = records
        .iter()
        .filter(|r| (r.to - r.from).num_hours() >= 24)
        .count();
    assert_eq!(long, 9);
    let good = records
        .iter()
        .filter(|r| !distance(r).is_zero() && (r.to - r.from).num_hours() < 24);
    assert_eq!(good.count(), 5_930);
    let ids: std::collections::BTreeSet<_> = records.iter().map(|r| &r.source_id).collect();
    assert_eq!(ids.len(), 6_668);
}

#[test]
fn every_row_that_is_no_record_can_be_listed() {
    let Some(file) = shared(TAPS) else { return };
    let output = feed_check(&["--adapter", "shenzhen-tong", "--list"], &[&file]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    let of = |begin: &str| text.lines().filter(|line| line.starts_with(begin)).count();
    assert_eq!(of("refused missing_field /data/27 station ("), 1);
    assert_eq!(of("refused missing_field /data/"), 2);
    assert_eq!(of("held unpaired_tap /data/"), 76);
    assert_eq!(of("held bus_without_alighting /data/"), 10);
}

#[test]
fn taps_are_counted_paired_and_held() {
    let Some(file) = shared(TAPS) else { return };
    assert_eq!(
        check_json(&["--adapter", "shenzhen-tong"], &[&file]),
        json!({"adapter": "shenzhen-tong", "records": 6, "refused": {"missing_field": 2},
            "held": {"bus_without_alighting": 10, "unpaired_tap": 76},
            "totals": [{"quantity": "distance", "unit": "km", "value": "0"},
                       {"quantity": "fare", "unit": "fen", "value": "5395"}],
            "seen": {"rows": 100, "entries": 64, "exits": 26, "bus": 10, "cards": 93}})
    );
    let text = feed_check(&["--adapter", "shenzhen-tong"], &[&file]);
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    let refused = outcomes("shenzhen-tong", &file);
    let places: Vec<String> = refused
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Refused(refused) => Some(refused.place.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(places.len(), 2);
    for place in places {
        assert!(
            text.contains(&format!(
                "{place} station (car_no 也缺失 · car_no is missing too)"
            )),
            "{text}"
        );
    }
}

#[test]
fn taps_in_gbk_say_the_same() {
    let Some(file) = shared(TAPS) else { return };
    let text = std::fs::read_to_string(&file).expect("readable");
    let (gbk, _, _) = encoding_rs::GBK.encode(&text);
    let dir = tempfile::tempdir().expect("a directory");
    let copy = dir.path().join("gbk.json");
    std::fs::write(&copy, &gbk).expect("written");
    let args = ["--adapter", "shenzhen-tong"];
    assert_eq!(check_json(&args, &[&copy]), check_json(&args, &[&file]));
}

#[test]
fn green_button_totals_are_exact() {
    for (file, records, total) in [(DAILY, 8_760, "4425.305"), (NINE_DAYS, 216, "199.563")] {
        let Some(file) = shared(file) else { return };
        assert_eq!(
            check_json(&["--adapter", "green-button"], &[&file]),
            json!({"adapter": "green-button", "records": records, "refused": {}, "held": {},
                "totals": [{"quantity": "electricity", "unit": "kWh", "value": total}]})
        );
    }
}

/// The start, seconds and value of each reading that an independent reader printed.
fn expected(path: &Path, unit: &str) -> BTreeMap<String, (i64, Decimal)> {
    let text = std::fs::read_to_string(path).expect("readable");
    let mut readings = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("    ")) {
        let (when, rest) = line.trim().split_once(", ").expect("a time");
        let (length, value) = rest.split_once(": ").expect("a length");
        assert_eq!(length, "1:00:00");
        let value = value.split_once(unit).expect("the unit").0.trim();
        let value: Decimal = value.parse().expect("a number");
        let start = when.replace(' ', "T");
        readings.insert(start, (3_600, value / Decimal::from(1_000)));
    }
    readings
}

#[test]
fn every_green_button_reading_equals_an_independent_readers() {
    for (file, text, count) in [
        (
            DAILY,
            "greenbutton/expected/Coastal_Multi_Family_Daily_Jan_1_2011_to_Jan_1_2012_RetailCustomer_4.txt",
            8_760,
        ),
        (
            NINE_DAYS,
            "greenbutton/expected/TestGBDataHourlyNineDaysBinnedDaily.txt",
            216,
        ),
        (
            "greenbutton/electric_containerized.xml",
            "greenbutton/expected/electric_containerized.txt",
            8,
        ),
    ] {
        let (Some(file), Some(text)) = (shared(file), shared(text)) else {
            return;
        };
        let ours: BTreeMap<String, (i64, Decimal)> = records("green-button", &file)
            .iter()
            .map(|record| {
                let quantity = record.quantity("electricity").expect("electricity");
                let seconds = (record.to - record.from).num_seconds();
                (record.from.to_rfc3339(), (seconds, quantity.value))
            })
            .collect();
        assert_eq!(ours.len(), count);
        assert_eq!(ours, expected(&text, "Wh"), "{}", file.display());
    }
}

#[test]
fn gas_readings_at_one_instant_without_a_unit_are_refused() {
    let Some(file) = shared("greenbutton/gas_containerized.xml") else {
        return;
    };
    assert_eq!(
        check_json(&["--adapter", "green-button"], &[&file]),
        json!({"adapter": "green-button", "records": 0, "refused": {"unit_missing": 3}, "held": {}, "totals": []})
    );
}

#[test]
fn several_files_are_summed() {
    let (Some(a), Some(b)) = (shared(DAILY), shared(NINE_DAYS)) else {
        return;
    };
    let said = check_json(&["--adapter", "green-button"], &[&a, &b]);
    assert_eq!(said["records"], json!(8_976));
    assert_eq!(said["totals"][0]["value"], json!("4624.868"));
}

#[test]
fn a_truncated_file_is_refused_whole_in_two_languages() {
    let dir = tempfile::tempdir().expect("a directory");
    for (adapter, file) in [
        ("green-button", NINE_DAYS),
        ("shenzhen-tong", TAPS),
        ("citibike-csv", CITIBIKE),
    ] {
        let Some(file) = shared(file) else { return };
        let bytes = std::fs::read(&file).expect("readable");
        let torn = dir.path().join(adapter);
        std::fs::write(&torn, &bytes[..bytes.len() / 2 - 7]).expect("written");
        let output = feed_check(&["--adapter", adapter], &[&torn]);
        assert_eq!(output.status.code(), Some(1), "{adapter}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("file_truncated") && said.contains("文件不完整"),
            "{said}"
        );
        assert!(said.contains(&torn.display().to_string()) && output.stdout.is_empty());
    }
}

#[test]
fn native_lines_and_wrong_usage() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("rows.ndjson");
    let mut rows = String::new();
    for i in 0..3 {
        let _ = writeln!(
            rows,
            r#"{{"id":"r{i}","subject":"s","at":"2026-11-20T08:00:00+08:00","quantities":{{"distance":{{"value":0.1,"unit":"km"}}}}}}"#
        );
    }
    rows.push_str("{\"id\":\"x\"}\n");
    std::fs::write(&file, rows).expect("written");
    assert_eq!(
        check_json(&["--adapter", "native"], &[&file]),
        json!({"adapter": "native", "records": 3, "refused": {"missing_field": 1}, "held": {},
            "totals": [{"quantity": "distance", "unit": "km", "value": "0.3"}]})
    );
    for args in [
        &["--adapter", "fax"][..],
        &["--adapter", "native", "--zone", "Mars/Base"],
        &[],
    ] {
        assert_eq!(
            feed_check(args, &[&file]).status.code(),
            Some(2),
            "{args:?}"
        );
    }
    let absent = feed_check(&["--adapter", "native"], &[Path::new("/nowhere/at/all")]);
    assert_eq!(absent.status.code(), Some(1));
}
