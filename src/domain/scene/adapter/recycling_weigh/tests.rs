use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::tests::{read_all, read_with, refusals};
use super::*;
use crate::domain::scene::adapter::Settings;

mod lightest;

const DROPS: &str = "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30";
const TOTALS: &str = "unit = 'g'\nmass = 'cumulative_day'\nday_start = 'zero'\ndrop_max_kg = 30";
const HEADER: &str = "id,user,bin,type,weight,time\n";

fn options(settings: &str) -> Options {
    Options {
        settings: Settings::parse(settings).expect("TOML"),
        ..Options::default()
    }
}

fn outcomes(settings: &str, text: &str) -> Vec<Outcome> {
    let read = read_with("recycling-weigh", text.as_bytes(), &options(settings));
    read.expect("readable").1
}

fn csv(settings: &str, rows: &str) -> Vec<Outcome> {
    outcomes(settings, &format!("{HEADER}{rows}\n"))
}

/// Source id and kg of each record.
fn weighed(outcomes: &[Outcome]) -> Vec<(String, String)> {
    let record = |outcome: &Outcome| match outcome {
        Outcome::Record(_, record) => Some((
            record.source_id.clone(),
            record.quantity("mass")?.value.to_string(),
        )),
        _ => None,
    };
    outcomes.iter().filter_map(record).collect()
}

fn kilograms(outcomes: &[Outcome]) -> Vec<String> {
    weighed(outcomes).into_iter().map(|(_, kg)| kg).collect()
}

/// Code and field of the only refusal.
fn refusal(settings: &str, rows: &str) -> (String, String) {
    let outcomes = csv(settings, rows);
    match refusals(&outcomes).as_slice() {
        [(_, code, field)] => (code.clone(), field.clone()),
        other => panic!("{rows} gave {other:?}"),
    }
}

#[test]
fn a_drop_becomes_a_record_in_either_format() {
    let rows = "W1,u7,B3,3,1.250,2026-05-01 08:30:00";
    let json = r#"{"data":[{"id":"W1","user":"u7","bin":"B3","type":3,"weight":1.250,"time":"2026-05-01 08:30:00","x":[1]}]}"#;
    let from_csv = csv(DROPS, rows);
    let Some(Outcome::Record(_, record)) = from_csv.first() else {
        panic!("{from_csv:?}");
    };
    assert_eq!(
        (record.source_id.as_str(), record.subject.as_str()),
        ("W1", "u7")
    );
    assert_eq!(record.from.to_rfc3339(), "2026-05-01T00:30:00+00:00");
    assert_eq!(
        record
            .quantity("mass")
            .map(|q| (q.value.to_string(), q.unit.to_string())),
        Some(("1.25".into(), "kg".into()))
    );
    assert_eq!(record.attribute("material"), Some("recyclable"));
    assert_eq!(record.attribute("bin"), Some("B3"));
    match outcomes(DROPS, json).as_slice() {
        [Outcome::Record(Place::Item("/data", 0), same)] => assert_eq!(same, record),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_without_an_id_is_named_by_who_where_what_and_when_and_shows_nobody() {
    let rows = [
        "13800138000,B,1,2026-05-01 08:30:00",
        "13800138001,B,1,2026-05-01 08:30:00",
        "13800138000,C,1,2026-05-01 08:30:00",
        "13800138000,B,2,2026-05-01 08:30:00",
        "13800138000,B,1,2026-05-01 08:30:01",
    ];
    let id = |row: &str, weight: &str| {
        let row = row.replacen(",2026", &format!(",{weight},2026"), 1);
        let (id, _) = weighed(&csv(DROPS, &format!(",{row}")))
            .pop()
            .expect("a record");
        id
    };
    let ids: std::collections::BTreeSet<_> = rows.iter().map(|row| id(row, "0.5")).collect();
    assert_eq!(ids.len(), rows.len());
    assert!(
        ids.iter()
            .all(|id| id.len() == 32 && !id.contains("138001380"))
    );
    assert_eq!(
        id(rows[0], "0.5"),
        id(rows[0], "0.7"),
        "the weight is no part of it"
    );
}

#[test]
fn grams_and_kilograms_are_what_the_scene_says() {
    let rows = "1,u,B,1,1250,2026-05-01 08:30:00";
    let grams = DROPS.replace("'kg'", "'g'");
    assert_eq!(kilograms(&csv(&grams, rows)), ["1.25"]);
    // Read as kilograms it is heavier than any drop.
    assert_eq!(
        refusal(DROPS, rows),
        ("quantity_out_of_range".into(), "weight".into())
    );
}

#[test]
fn feeds_name_their_columns_and_their_types() {
    let settings = format!(
        "{DROPS}\n[columns]\nuser = '用户'\nbin = '设备'\ntype = '类型'\nweight = '重量'\ntime = '时间'\n[materials]\nPET = 'plastic'"
    );
    let text = "用户,设备,类型,重量,时间\nu,B,PET,0.5,20260501083000\n";
    assert_eq!(kilograms(&outcomes(&settings, text)), ["0.5"]);
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let read = read_with("recycling-weigh", &gbk, &options(&settings)).expect("GBK");
    assert_eq!(kilograms(&read.1), ["0.5"]);
    for (kind, material) in [
        ("1", "dry"),
        ("湿垃圾", "wet"),
        ("厨余垃圾", "wet"),
        ("可回收物", "recyclable"),
        ("有害", "hazardous"),
    ] {
        match csv(DROPS, &format!("1,u,B,{kind},1,2026-05-01 08:30:00")).pop() {
            Some(Outcome::Record(_, record)) => {
                assert_eq!(record.attribute("material"), Some(material));
            }
            other => panic!("{kind}: {other:?}"),
        }
    }
}

#[test]
fn the_vessel_is_taken_off() {
    let settings = format!("{DROPS}\ntare = '0.2'\n[tares]\nB2 = '1.5'");
    let rows = "1,u,B1,3,1,2026-05-01 08:30:00\n2,u,B2,3,2,2026-05-01 08:31:00\n3,u,B2,3,1.5,2026-05-01 08:32:00";
    let read = csv(&settings, rows);
    assert_eq!(kilograms(&read), ["0.8", "0.5"]);
    assert_eq!(
        refusals(&read),
        [(
            "line 4".into(),
            "quantity_out_of_range".into(),
            "weight".into()
        )]
    );
}

#[test]
fn a_drop_that_was_sent_again_is_one() {
    let rows = "A,u,B,3,1,2026-05-01 08:30:00\nA,u,B,3,1,2026-05-01 08:30:00\nA,u,B,3,2,2026-05-01 08:30:00\nA,u,B,3,1,2026-05-01 08:30:00";
    let read = csv(DROPS, rows);
    assert_eq!(weighed(&read), [("A".to_owned(), "1".to_owned())]);
    let codes: Vec<String> = refusals(&read)
        .into_iter()
        .map(|(_, code, _)| code)
        .collect();
    assert_eq!(
        codes,
        ["duplicate_reading", "record_conflict", "duplicate_reading"]
    );
    // Without an id it is known by who, where, what and when; another weight is no other drop.
    let bare = rows.replace("A,u", ",u");
    let read = csv(DROPS, &bare);
    assert_eq!(kilograms(&read), ["1"]);
}

#[test]
fn running_totals_become_differences_and_begin_again_at_midnight() {
    let rows = "\
1,u,B,3,1000,2026-05-01 08:00:00
2,u,B,3,1500,2026-05-01 09:00:00
3,u,B,1,700,2026-05-01 09:30:00
4,v,B,3,400,2026-05-01 09:40:00
5,u,B,3,1400,2026-05-01 10:00:00
6,u,B,3,1600,2026-05-01 11:00:00
7,u,B,3,1600,2026-05-01 12:00:00
8,u,B,3,1650,2026-05-01 10:30:00
9,u,B,3,91600,2026-05-01 13:00:00
10,u,B,3,1700,2026-05-01 14:00:00
11,u,B,3,1800,2026-05-02 00:00:00
12,u,B,3,250,2026-05-02 07:00:00";
    let read = csv(TOTALS, rows);
    assert_eq!(
        kilograms(&read),
        ["1", "0.5", "0.7", "0.4", "0.1", "0.1", "0.1", "0.25"]
    );
    let told: Vec<(String, String)> = refusals(&read)
        .into_iter()
        .map(|(at, code, _)| (at, code))
        .collect();
    assert_eq!(
        told,
        [
            ("line 6".to_owned(), "quantity_out_of_range".to_owned()), // it fell
            ("line 8".to_owned(), "duplicate_reading".to_owned()),     // it did not rise
            ("line 9".to_owned(), "time_invalid".to_owned()),          // out of order
            ("line 10".to_owned(), "quantity_out_of_range".to_owned()), // 90 kg at once
        ]
    );
    // The same day in kilograms of the same scale, and as a sum: nothing is counted twice.
    let first = TOTALS.replace("zero", "first_row");
    assert_eq!(kilograms(&csv(&first, rows)), ["0.5", "0.1", "0.1", "0.1"]);
}

#[test]
fn bad_rows_are_refused_by_column() {
    let good = "1,u,B,3,1,2026-05-01 08:30:00";
    for (from, to, code, field) in [
        (",u,", ",,", "missing_field", "user"),
        (",u,", ",0,", "missing_field", "user"),
        (",B,", ",,", "missing_field", "bin"),
        (",3,", ",5,", "invalid_field", "type"),
        (",3,", ",,", "missing_field", "type"),
        (",1,2", ",,2", "missing_field", "weight"),
        (",1,2", ",-1,2", "quantity_out_of_range", "weight"),
        (",1,2", ",0,2", "quantity_out_of_range", "weight"),
        (",1,2", ",30.001,2", "quantity_out_of_range", "weight"),
        (",1,2", ",1e3,2", "invalid_field", "weight"),
        (",1,2", ",1kg,2", "invalid_field", "weight"),
        ("08:30", "08:60", "time_invalid", "time"),
        ("2026-05-01 08:30:00", "", "missing_field", "time"),
        (
            "2026-05-01 08:30:00",
            "2016-12-31T23:59:60Z",
            "time_invalid",
            "time",
        ),
        (",u", "", "row_malformed", ""),
    ] {
        let row = good.replacen(from, to, 1);
        assert_eq!(
            refusal(DROPS, &row),
            (code.to_owned(), field.to_owned()),
            "{row}"
        );
    }
    let long = format!("1,{},B,3,1,2026-05-01 08:30:00", "u".repeat(129));
    assert_eq!(
        refusal(DROPS, &long),
        ("invalid_field".into(), "user".into())
    );
    for (json, code) in [
        (
            r#"[{"user":{},"bin":"B","type":"1","weight":1,"time":"2026-05-01 08:30:00"}]"#,
            "invalid_field",
        ),
        (r#"[{"user":"u","user":"v"}]"#, "row_malformed"),
        (r#"[17]"#, "row_malformed"),
    ] {
        let refused = refusals(&outcomes(DROPS, json));
        assert_eq!(refused.first().map(|r| r.1.as_str()), Some(code), "{json}");
    }
}

#[test]
fn a_scene_must_say_what_no_file_says() {
    for (settings, param) in [
        ("mass = 'drop'\ndrop_max_kg = 30", "settings.unit"),
        ("unit = 'kg'\ndrop_max_kg = 30", "settings.mass"),
        ("unit = 'kg'\nmass = 'drop'", "settings.drop_max_kg"),
        (
            "unit = 'kg'\nmass = 'cumulative_day'\ndrop_max_kg = 30",
            "settings.day_start",
        ),
        (
            "unit = 'jin'\nmass = 'drop'\ndrop_max_kg = 30",
            "settings.unit",
        ),
        (
            "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 0",
            "settings.drop_max_kg",
        ),
        (
            "unit = 'kg'\nmass = 'cumulative_day'\nday_start = 'zero'\ndrop_max_kg = 30\ntare = 1",
            "settings.tare",
        ),
        (
            "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30\nday_start = 'zero'",
            "settings.day_start",
        ),
        (
            "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30\ntare = '-1'",
            "settings.tare",
        ),
        (
            "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30\n[tares]\nB = true",
            "settings.tares",
        ),
        (
            "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30\n[columns]\nname = 'n'",
            "settings.columns",
        ),
        (
            "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30\n[columns]\nuser = 'bin'",
            "settings.columns",
        ),
        (
            "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30\n[materials]\nx = ''",
            "settings.materials",
        ),
        (
            "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30\ndatum = 'x'",
            "settings.datum",
        ),
    ] {
        let problem = (ADAPTER.check)(&options(settings)).expect_err(settings);
        assert_eq!(problem.param.as_deref(), Some(param), "{settings}");
    }
    (ADAPTER.check)(&options(DROPS)).expect("sound");
    let problem = read_all("recycling-weigh", HEADER.as_bytes()).expect_err("undeclared");
    assert_eq!(problem.param.as_deref(), Some("settings.unit"));
    let told = (problem.detail.zh(), problem.detail.en());
    assert_eq!(told, ("须为 g 或 kg", "g or kg"));
}

#[test]
fn torn_and_foreign_files_are_refused_whole() {
    for (text, code) in [
        ("", Code::FormatMismatch),
        ("user,bin,type,weight\n", Code::FormatMismatch),
        ("id,user,user,bin,type,weight,time\n", Code::FormatMismatch),
        ("id,user,bin,type,weight,time\n1,u,B,3", Code::FileTruncated),
        ("{\"data\":[{\"user\":\"u\"}", Code::FileTruncated),
        ("[{\"user\":\"u\"", Code::FileTruncated),
    ] {
        let read = read_with("recycling-weigh", text.as_bytes(), &options(DROPS));
        assert_eq!(read.expect_err(text).code, code, "{text}");
    }
    // An id column that is declared must be there; the usual one may be missing.
    let declared = format!("{DROPS}\n[columns]\nid = 'no'");
    let text = "user,bin,type,weight,time\nu,B,3,1,2026-05-01 08:30:00\n";
    assert_eq!(kilograms(&outcomes(DROPS, text)), ["1"]);
    let read = read_with("recycling-weigh", text.as_bytes(), &options(&declared));
    assert_eq!(read.expect_err("no id").code, Code::FormatMismatch);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// However totals move, a bin's day never comes to more than its highest total.
    #[test]
    fn the_sum_of_a_day_is_never_more_than_its_highest_total(totals in prop::collection::vec(0u32..40_000, 1..60)) {
        let mut rows = String::new();
        for (minute, total) in totals.iter().enumerate() {
            let _ = writeln!(rows, ",u,B,3,{total},2026-05-01 08:{minute:02}:01");
        }
        let sum: rust_decimal::Decimal = kilograms(&csv(TOTALS, rows.trim_end()))
            .iter()
            .map(|kg| kg.parse::<rust_decimal::Decimal>().expect("a number"))
            .sum();
        let highest = totals.iter().max().copied().unwrap_or(0);
        prop_assert!(sum <= rust_decimal::Decimal::new(highest.into(), 3));
    }

    #[test]
    fn no_damage_makes_it_panic(at in 0usize..200, byte in any::<u8>(), cut in 0usize..200) {
        let csv = format!("{HEADER}1,u,B,3,1,2026-05-01 08:30:00\n2,u,B,干垃圾,2,2026-05-01T08:30:00+08:00\n");
        let json = r#"{"data":[{"id":"W1","user":"u7","bin":"B3","type":3,"weight":1.250,"time":"2026-05-01 08:30:00"}]}"#;
        for text in [csv.as_str(), json] {
            let mut bytes = text.as_bytes().to_vec();
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            let _ = read_with("recycling-weigh", &bytes, &options(DROPS));
            let _ = read_with("recycling-weigh", &bytes, &options(TOTALS));
        }
    }
}

#[test]
fn a_weight_finer_than_our_own_form_is_refused() {
    let row = |weight| format!("W1,u7,B3,3,{weight},2026-05-01 08:30:00");
    let (code, field) = refusal(DROPS, &row("1.0000000000001"));
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("quantity_out_of_range", "weight")
    );
    let late = "W1,u7,B3,3,1,9999-12-31T23:59:59-01:00";
    assert_eq!(refusal(DROPS, late).0, "time_invalid");
}
