use std::fmt::Write as _;

use super::super::tests::{read_all, read_with, refusals};
use super::*;
use crate::domain::behaviour::Record;

mod refused_rows;

const HEADER: &str = "vin,time,vehicleStatus,chargeStatus,runMode,speed,mileage,soc\n";
const VIN: &str = "LVTEST00000000001";

fn csv(rows: &[(&str, &str, u32)]) -> String {
    let mut text = HEADER.to_owned();
    for (time, mode, mileage) in rows {
        let _ = writeln!(text, "{VIN},{time},1,3,{mode},300,{mileage},80");
    }
    text
}

fn outcomes(text: &str) -> Vec<Outcome> {
    read_all("gbt-32960", text.as_bytes()).expect("readable").1
}

fn records(text: &str) -> Vec<Record> {
    outcomes(text)
        .into_iter()
        .filter_map(|outcome| match outcome {
            Outcome::Record(_, record) => Some(record),
            _ => None,
        })
        .collect()
}

fn amount(record: &Record, name: &str) -> Option<String> {
    record
        .quantity(name)
        .map(|q| format!("{} {}", q.value, q.unit))
}

#[test]
fn a_vehicles_day_is_one_record() {
    let text = csv(&[
        ("2026-05-01 08:00:00", "1", 100_000),
        ("2026-05-01 08:30:00", "1", 100_200),
        ("2026-05-01 09:00:00", "3", 100_350),
        ("2026-05-02 00:10:00", "1", 100_355),
        ("2026-05-02 00:40:00", "1", 100_400),
    ]);
    let (seen, _) = read_all("gbt-32960", text.as_bytes()).expect("readable");
    let records = records(&text);
    let [first, second] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(amount(first, "distance").as_deref(), Some("20 km"));
    assert_eq!(amount(first, "distance_fuel").as_deref(), Some("15 km"));
    assert_eq!(first.subject, VIN);
    assert_eq!(first.from.to_rfc3339(), "2026-05-01T00:00:00+00:00");
    assert_eq!(first.to.to_rfc3339(), "2026-05-01T01:00:00+00:00");
    for (name, value) in [
        ("day", Some("2026-05-01")),
        ("readings", Some("3")),
        ("longest_gap_s", Some("1800")),
        ("evidence", Some("meter")),
        ("quality", None),
    ] {
        assert_eq!(first.attribute(name), value, "{name}");
    }
    // Ten minutes past midnight is the second day, though in UTC it is the first.
    assert_eq!(amount(second, "distance").as_deref(), Some("4.5 km"));
    assert_eq!(amount(second, "distance_fuel"), None);
    assert_eq!(second.attribute("day"), Some("2026-05-02"));
    let across = seen.totals.first().map(|q| q.value.to_string());
    assert_eq!(across.as_deref(), Some("0.5"));
    assert!(seen.counts.contains(&("vehicle_days", 2)));
}

#[test]
fn the_number_of_the_vehicle_stands_in_the_subject_and_nowhere_else() {
    let text = csv(&[
        ("2026-05-01 08:00:00", "1", 1),
        ("2026-05-01 09:00:00", "1", 2),
    ]);
    let record = records(&text).pop().expect("a record");
    let (vehicle, day) = record.source_id.split_once('@').expect("two parts");
    assert_eq!((vehicle.len(), day), (32, "2026-05-01"));
    assert_eq!(record.attribute("vehicle"), Some(vehicle));
    assert!(!record.source_id.contains(VIN));
    assert!(
        record
            .attributes
            .iter()
            .all(|(_, value)| !value.contains(VIN))
    );
    let lower = records(&text.replace(VIN, &VIN.to_lowercase()));
    assert_eq!(
        lower.first().map(|r| r.source_id.clone()),
        Some(record.source_id)
    );
}

#[test]
fn every_layout_gives_the_same_record() {
    let known = records(&csv(&[
        ("2026-05-01 08:00:00", "1", 1_000),
        ("2026-05-01 08:30:00", "1", 1_200),
    ]));
    let flat = |time: &str, mileage: &str| {
        format!(
            r#"{{"vin":"{VIN}","time":"{time}","vehicleStatus":1,"runMode":1,"mileage":{mileage},"soc":80}}"#
        )
    };
    let (a, b) = (
        flat("26-05-01 08:00:00", "1000"),
        flat("260501083000", "\"1200\""),
    );
    let message = |minute: u32, mileage: u32| {
        format!(
            r#"{{"Cmd":2,"Encrypt":1,"Vin":"{VIN}","Data":{{"Infos":[{{"Type":"Location","Longitude":1}},{{"Type":"Vehicle","Mileage":{mileage},"Mode":1,"Speed":300}}],"Time":{{"Year":26,"Month":5,"Day":1,"Hour":8,"Minute":{minute},"Second":0}}}}}}"#
        )
    };
    let login = format!(
        r#"{{"Cmd":1,"Vin":"{VIN}","Data":{{"ICCID":"1","Time":{{"Year":26,"Month":5,"Day":1,"Hour":7,"Minute":0,"Second":0}}}}}}"#
    );
    for text in [
        format!("{a}\n{b}\n"),
        format!("{b}\n{a}"),
        format!("[{a},{b}]"),
        format!(r#"{{"code":0,"data":[{a},{b}]}}"#),
        format!("{login}\n{}\n{}\n", message(0, 1_000), message(30, 1_200)),
        format!(
            "车架号,数据采集时间,运行模式,累计里程\n{VIN},2026-05-01 08:00:00,纯电,1000\n{VIN},2026-05-01 08:30:00,纯电,1200\n"
        ),
        format!(
            "VIN,Terminal Time,Run_Mode,Total_Mileage\n{VIN},20260501080000,1,1000\n{VIN},2026-05-01T00:30:00Z,1,1200\n"
        ),
    ] {
        assert_eq!(records(&text), known, "{text}");
    }
    let messages = format!("{login}\n{}\n", message(0, 1_000));
    let (seen, outcomes) = read_all("gbt-32960", messages.as_bytes()).expect("readable");
    assert!(seen.counts.contains(&("messages_without_vehicle", 1)));
    assert!(matches!(
        outcomes.as_slice(),
        [Outcome::Held(held)] if held.code == Code::SingleReading && held.place == Place::Line(2)
    ));
}

#[test]
fn kilometres_and_unknown_modes_are_what_the_scene_declares() {
    let mut options = Options::default();
    options.settings.set("mileage", "km");
    let text = format!(
        "vin,time,mileage\n{VIN},2026-05-01 08:00:00,100.1\n{VIN},2026-05-01 09:00:00,120\n"
    );
    let one = |options: &Options| {
        let (_, mut outcomes) = read_with("gbt-32960", text.as_bytes(), options).expect("readable");
        match outcomes.pop() {
            Some(Outcome::Record(_, record)) => record,
            other => panic!("{other:?}"),
        }
    };
    let record = one(&options);
    assert_eq!(amount(&record, "distance").as_deref(), Some("0 km"));
    assert_eq!(amount(&record, "distance_fuel").as_deref(), Some("19.9 km"));
    options.settings.set("unknown_run_mode", "electric");
    let record = one(&options);
    assert_eq!(amount(&record, "distance").as_deref(), Some("19.9 km"));
    for (key, value) in [
        ("mileage", "m"),
        ("unknown_run_mode", "hybrid"),
        ("unit", "km"),
    ] {
        let mut options = Options::default();
        options.settings.set(key, value);
        let problem = (ADAPTER.check)(&options).expect_err(key);
        assert_eq!(problem.param, Some(format!("settings.{key}")));
    }
}

#[test]
fn bad_rows_are_refused_one_by_one_and_bridge_nothing() {
    let text = format!(
        "{HEADER}\
         {VIN},2026-05-01 08:00:00,1,3,1,300,1000,80\n\
         {VIN},2026-05-01 08:10:00,1,3,1,300,4294967295,80\n\
         {VIN},2026-05-01 08:20:00,1,3,1,300,4294967294,80\n\
         {VIN},2026-05-01 25:00:00,1,3,1,300,1100,80\n\
         ,2026-05-01 08:30:00,1,3,1,300,1100,80\n\
         {VIN},,1,3,1,300,1100,80\n\
         {VIN},2026-05-01 08:40:00,1,3,7,300,1100,80\n\
         {VIN},2026-05-01 08:50:00,1,3\n\
         {VIN},2026-05-01 08:00:00,1,3,1,300,1001,80\n\
         {VIN},2026-05-01 09:00:00,255,255,1,65535,1200,255\n"
    );
    let outcomes = outcomes(&text);
    let mut found = refusals(&outcomes);
    found.sort();
    let of = |line: u32, code: &str, param: &str| {
        (format!("line {line}"), code.to_owned(), param.to_owned())
    };
    assert_eq!(
        found,
        [
            of(10, "duplicate_reading", "time"),
            of(3, "quantity_out_of_range", "mileage"),
            of(4, "quantity_out_of_range", "mileage"),
            of(5, "time_invalid", "time"),
            of(6, "missing_field", "vin"),
            of(7, "missing_field", "time"),
            of(8, "invalid_field", "runMode"),
            of(9, "row_malformed", ""),
        ]
    );
    let records = records(&text);
    let distances: Vec<_> = records.iter().map(|r| amount(r, "distance")).collect();
    // The row of 08:40 does not say what drove the vehicle, so the way over it is not electric.
    assert_eq!(distances, [Some("0 km".to_owned())]);
    let fuel: Vec<_> = records.iter().map(|r| amount(r, "distance_fuel")).collect();
    assert_eq!(fuel, [Some("20 km".to_owned())]);
}

#[test]
fn resets_and_jumps_add_nothing_and_are_said() {
    let text = csv(&[
        ("2026-05-01 08:00:00", "1", 9_000_000),
        ("2026-05-01 08:30:00", "1", 9_000_100),
        ("2026-05-01 08:31:00", "1", 0),
        ("2026-05-01 09:00:00", "1", 80),
        ("2026-05-01 09:01:00", "1", 500_000),
        ("2026-05-01 09:30:00", "1", 500_030),
    ]);
    let record = records(&text).pop().expect("a record");
    assert_eq!(amount(&record, "distance").as_deref(), Some("21 km"));
    assert_eq!(
        record.attribute("quality"),
        Some("odometer_reset odometer_jump")
    );
    let (seen, _) = read_all("gbt-32960", text.as_bytes()).expect("readable");
    assert!(seen.counts.contains(&("odometer_resets", 1)));
    assert!(seen.counts.contains(&("odometer_jumps", 1)));
}

#[test]
fn a_day_is_the_same_whether_its_neighbours_are_in_the_file_or_not() {
    let rows = [
        ("2026-05-01 22:00:00", "1", 1_000),
        ("2026-05-01 23:59:50", "1", 1_500),
        ("2026-05-02 00:00:20", "1", 1_504),
        ("2026-05-02 01:00:00", "1", 1_900),
    ];
    let whole = records(&csv(&rows));
    let apart = [records(&csv(&rows[..2])), records(&csv(&rows[2..]))].concat();
    assert_eq!(whole, apart);
    let mut backwards = rows;
    backwards.reverse();
    assert_eq!(records(&csv(&backwards)), whole);
}

#[test]
fn a_torn_or_foreign_file_is_refused_whole() {
    let good = csv(&[("2026-05-01 08:00:00", "1", 1_000)]);
    for (text, code) in [
        (
            good.trim_end_matches(",80\n").to_owned(),
            Code::FileTruncated,
        ),
        ("{\"vin\":\"A\",\"time\"".to_owned(), Code::FileTruncated),
        ("[{\"vin\":\"A\"}".to_owned(), Code::FileTruncated),
        ("vin,time\nA,B\n".to_owned(), Code::FormatMismatch),
        (String::new(), Code::FormatMismatch),
    ] {
        let problem = read_all("gbt-32960", text.as_bytes()).expect_err(&text);
        assert_eq!(problem.code, code, "{text}");
    }
    let rows = "{\"vin\":[1]}\n{\"vin\":\n17\n{\"Data\":{\"Infos\":[{\"Type\":\"Vehicle\"}]},\"Vin\":\"A\"}\n";
    let codes: Vec<_> = refusals(&outcomes(rows))
        .into_iter()
        .map(|(_, code, at)| (code, at))
        .collect();
    let of = |code: &str, at: &str| (code.to_owned(), at.to_owned());
    assert_eq!(
        codes,
        [
            of("invalid_field", "vin"),
            of("row_malformed", ""),
            of("row_malformed", ""),
            of("missing_field", "time")
        ]
    );
}

#[test]
fn more_vehicles_than_are_kept_at_once_refuse_the_file() {
    let mut text = String::from("vin,time,mileage\n");
    for vehicle in 0..=fleet::VEHICLES_MAX {
        let _ = writeln!(text, "{vehicle},260501080000,1");
    }
    let problem = read_all("gbt-32960", text.as_bytes()).expect_err("too many");
    assert_eq!(
        (problem.code, problem.param.as_deref()),
        (Code::BodyTooLarge, Some("vin"))
    );
}
