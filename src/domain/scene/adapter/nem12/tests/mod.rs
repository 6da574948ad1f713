use super::super::tests::{read_all, read_with, refusals};
use super::super::{Options, Outcome};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem};

mod registers;

const CHANNEL: &str = "200,NMI0000001,E1B1,1,E1,N1,S-7,kWh,60,\r\n";

/// A file of these rows.
fn nem12(rows: &[&str]) -> String {
    format!("100,NEM12,202601310900,MDP,RET\r\n{}900\r\n", rows.concat())
}

/// A day of 24 hours with this in each, and what follows the values.
fn day(date: &str, value: &str, after: &str) -> String {
    format!("300,{date},{}{after}\r\n", format!("{value},").repeat(24))
}

fn outcomes(rows: &[&str]) -> Vec<Outcome> {
    read_all("nem12", nem12(rows).as_bytes())
        .expect("readable")
        .1
}

fn records(outcomes: &[Outcome]) -> Vec<&Record> {
    outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Record(_, record) => Some(record),
            _ => None,
        })
        .collect()
}

/// Code, field and detail of the only refusal.
fn refusal(rows: &[&str]) -> (String, String, String) {
    let problem = refused(rows);
    (
        problem.code.as_str().to_owned(),
        problem.param.unwrap_or_default(),
        problem.detail.en().to_owned(),
    )
}

/// The only refusal.
fn refused(rows: &[&str]) -> Problem {
    let outcomes = outcomes(rows);
    let mut refused = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Refused(refused) => Some(refused),
        _ => None,
    });
    let (Some(only), None) = (refused.next(), refused.next()) else {
        panic!("one refusal: {outcomes:?}");
    };
    only.problem.clone()
}

#[test]
fn a_day_of_a_channel_is_a_record() {
    let day = day("20260120", ".048", "A,,,20260121020000,20260121040000");
    let outcomes = outcomes(&[CHANNEL, &day, "500,O,S1,20260121020000,\r\n"]);
    let [record] = records(&outcomes)[..] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(record.source_id, "NMI0000001/E1@2026-01-20");
    assert_eq!(record.subject, "NMI0000001");
    assert_eq!(record.from.to_rfc3339(), "2026-01-19T14:00:00+00:00");
    assert_eq!((record.to - record.from).num_hours(), 24);
    let quantity = record.quantity("electricity").expect("electricity");
    assert_eq!(
        (quantity.value.to_string(), quantity.unit.as_ref()),
        ("1.152".into(), "kWh")
    );
    for (name, value) in [
        ("meter", "NMI0000001/E1"),
        ("evidence", "meter"),
        ("quality", "actual"),
        ("intervals_actual", "24"),
        ("serial", "S-7"),
        ("stated_at", "2026-01-20T16:00:00Z"),
    ] {
        assert_eq!(record.attribute(name), Some(value), "{name}");
    }
    assert_eq!(record.attribute("quality_method"), None);
}

#[test]
fn generation_is_export_and_units_scale() {
    let export = CHANNEL.replace(",E1,N1", ",B1,N1").replace("kWh", "WH");
    let all = outcomes(&[&export, &day("20260120", "500", "A,,,,")]);
    let export = records(&all)[0]
        .quantity("electricity_export")
        .expect("export");
    assert_eq!(export.value.to_string(), "12");
    let mwh = CHANNEL.replace("kWh", "mWh");
    let all = outcomes(&[&mwh, &day("20260120", "0.0005", "A,,,,")]);
    let taken = records(&all)[0]
        .quantity("electricity")
        .expect("electricity");
    assert_eq!(taken.value.to_string(), "12");
    // Without an UpdateDateTime the file's own date counts.
    assert_eq!(
        records(&all)[0].attribute("stated_at"),
        Some("2026-01-30T23:00:00Z")
    );
}

#[test]
fn the_scenes_zone_gives_the_standard_offset() {
    let file = nem12(&[CHANNEL, &day("20260120", "1", "A,,,,")]);
    let options = Options {
        zone: Some(chrono_tz::Australia::Sydney),
        ..Options::default()
    };
    let (_, all) = read_with("nem12", file.as_bytes(), &options).expect("readable");
    assert_eq!(
        records(&all)[0].from.to_rfc3339(),
        "2026-01-19T14:00:00+00:00"
    );
}

#[test]
fn a_variable_day_is_as_good_as_its_worst_interval() {
    let day = day("20260120", "1", "V,,,20260121020000,");
    let all = outcomes(&[
        CHANNEL,
        &day,
        "400,1,10,A,,\r\n",
        "400,11,20,S52,30,wet\r\n",
        "400,21,24,F11,71,\r\n",
    ]);
    let [record] = records(&all)[..] else {
        panic!("{all:?}");
    };
    for (name, value) in [
        ("quality", "substituted"),
        ("intervals_actual", "10"),
        ("intervals_substituted", "10"),
        ("intervals_final_substituted", "4"),
        ("quality_method", "11,52"),
        ("quality_reason", "30,71"),
    ] {
        assert_eq!(record.attribute(name), Some(value), "{name}");
    }
    assert_eq!(record.attribute("intervals_estimated"), None);
}

#[test]
fn a_400_row_can_only_worsen_a_day_of_one_flag() {
    let day = day("20260120", "1", "A,,,,");
    let all = outcomes(&[CHANNEL, &day, "400,5,6,E52,,\r\n"]);
    let record = records(&all)[0];
    assert_eq!(record.attribute("quality"), Some("estimated"));
    assert_eq!(record.attribute("intervals_actual"), Some("22"));
}

#[test]
fn days_with_a_gap_are_refused_with_the_count() {
    let full = day("20260120", "1", "A,,,,");
    for (day, count) in [
        (full.replacen(",1,1,", ",,1,", 1), "23 of 24"),
        (full.replacen(",1,1,", ",1,", 1), "23 of 24"),
        (day("20260120", "", "N,,,,"), "0 of 24"),
        (day("20260120", "0", "N,,,,"), "0 of 24"),
        (format!("300,20260120,{}\r\n", "1,".repeat(7)), "7 of 24"),
    ] {
        let (code, field, detail) = refusal(&[CHANNEL, &day]);
        assert_eq!(
            (code.as_str(), field.as_str()),
            ("reading_incomplete", "IntervalValue")
        );
        assert!(detail.contains(count), "{detail}");
    }
    let null = day("20260120", "0", "V,,,,");
    let (code, _, detail) = refusal(&[CHANNEL, &null, "400,1,20,A,,\r\n400,21,24,N,,\r\n"]);
    assert_eq!(code, "reading_incomplete");
    assert!(detail.contains("20 of 24"), "{detail}");
}

#[test]
fn refusals_are_told_in_both_languages() {
    let full = day("20260120", "1", "A,,,,");
    let spoken = day("20260120", "0", "V,,,,");
    for (rows, zh, en) in [
        (
            [CHANNEL, &full.replacen(",1,1,", ",,1,", 1), ""],
            "24 个时段中只有 23 个有值",
            "23 of 24 intervals have a value",
        ),
        (
            [CHANNEL, &spoken, "400,1,25,A,,\r\n"],
            "第 4 行：应为 1 至 24",
            "line 4: 1 to 24",
        ),
        ([CHANNEL, &spoken, "400,,24,A,,\r\n"], "第 4 行", "line 4"),
        (
            [CHANNEL, &full, &full],
            "另一行陈述了同一内容，且较晚或排在前面：第 3 行",
            "line 3 states the same, and later or first",
        ),
    ] {
        let detail = refused(&rows).detail;
        assert_eq!((detail.zh(), detail.en()), (zh, en));
    }
}

#[test]
fn each_broken_day_says_its_field_and_rule() {
    let full = day("20260120", "1", "A,,,,");
    let long = day("20260120", "1", "1,A,,,,");
    let negative = full.replacen(",1,", ",-1,", 1);
    let word = full.replacen(",1,", ",1x,", 1);
    let huge = full.replacen(",1,", ",1000000000,", 1);
    for (day, code, field) in [
        (&long, "row_malformed", ""),
        (&negative, "quantity_out_of_range", "IntervalValue1"),
        (&word, "invalid_field", "IntervalValue1"),
        (&huge, "quantity_out_of_range", "IntervalValue1"),
        (
            &full.replace("20260120", "20260132"),
            "time_invalid",
            "IntervalDate",
        ),
        (
            &full.replace("A,,,,", "X,,,,"),
            "invalid_field",
            "QualityMethod",
        ),
        (
            &full.replace("A,,,,", ",,,,"),
            "missing_field",
            "QualityMethod",
        ),
        (
            &full.replace("A,,,,", "A,x,,,"),
            "invalid_field",
            "ReasonCode",
        ),
        (
            &full.replace("A,,,,", "A,,,2026,"),
            "time_invalid",
            "UpdateDateTime",
        ),
        (
            &full.replace("A,,,,", "V,,,,"),
            "missing_field",
            "QualityMethod",
        ),
        (&full.replace("300,", "\"300,"), "row_malformed", ""),
    ] {
        let (said, param, _) = refusal(&[CHANNEL, day]);
        assert_eq!((said.as_str(), param.as_str()), (code, field), "{day}");
    }
}

#[test]
fn broken_events_refuse_their_day() {
    let day = day("20260120", "1", "V,,,,");
    for (events, code, field) in [
        ("400,1,25,A,,\r\n", "invalid_field", "EndInterval"),
        ("400,0,24,A,,\r\n", "invalid_field", "StartInterval"),
        ("400,1,,A,,\r\n", "missing_field", "EndInterval"),
        ("400,1,24,V,,\r\n", "invalid_field", "QualityMethod"),
        ("400,1,24,,,\r\n", "missing_field", "QualityMethod"),
        (
            "400,1,12,A,,\r\n400,12,24,A,,\r\n",
            "invalid_field",
            "StartInterval",
        ),
        (
            "400,1,12,A,,\r\n400,14,24,A,,\r\n",
            "missing_field",
            "QualityMethod",
        ),
        ("400,1,12,A,,\r\n", "missing_field", "QualityMethod"),
        ("400,13,24,A,,\r\n", "missing_field", "QualityMethod"),
    ] {
        let (said, param, _) = refusal(&[CHANNEL, &day, events]);
        assert_eq!((said.as_str(), param.as_str()), (code, field), "{events}");
    }
}

#[test]
fn streams_that_are_not_counted_refuse_each_of_their_days() {
    let reactive = CHANNEL.replace(",E1,N1", ",Q1,").replace("kWh", "kVArh");
    let (one, two) = (day("20260120", "1", "A,,,,"), day("20260121", "1", "V,,,,"));
    let all = outcomes(&[&reactive, &one, &two, "400,1,24,A,,\r\n", CHANNEL, &one]);
    let said = refusals(&all);
    let expected = ["line 3", "line 4"].map(|place| {
        (
            place.to_owned(),
            "unit_unsupported".to_owned(),
            "UOM".to_owned(),
        )
    });
    assert_eq!(said, expected);
    assert_eq!(records(&all).len(), 1);
}

#[test]
fn rows_that_belong_to_nothing_are_refused_one_by_one() {
    let broken = CHANNEL.replace(",60,", ",7,");
    let day = day("20260120", "1", "A,,,,");
    let all = outcomes(&[
        &day,
        "400,1,24,A,,\r\n",
        "500,O,,,\r\n",
        "250,x\r\n",
        "777\r\n",
        &broken,
        &day,
        CHANNEL,
        "400,1,24,A,,\r\n",
        &day,
    ]);
    let codes: Vec<(String, String)> = refusals(&all)
        .into_iter()
        .map(|(place, code, _)| (place, code))
        .collect();
    let expected = [
        ("line 2", "row_malformed"),
        ("line 3", "row_malformed"),
        ("line 4", "row_malformed"),
        ("line 5", "row_malformed"),
        ("line 6", "row_malformed"),
        ("line 7", "invalid_field"),
        ("line 8", "invalid_field"),
        ("line 10", "row_malformed"),
    ]
    .map(|(place, code)| (place.to_owned(), code.to_owned()));
    assert_eq!(codes, expected);
    assert_eq!(records(&all).len(), 1);
}

#[test]
fn of_two_statements_of_a_day_the_later_counts() {
    let at = |value: &str, stated: &str| day("20260120", value, &format!("A,,,{stated},"));
    let (early, late) = (at("1", "20260121000000"), at("2", "20260122000000"));
    for (rows, kept, refused) in [
        ([CHANNEL, &early, &late], "48", "line 3"),
        ([CHANNEL, &late, &early], "48", "line 4"),
        ([CHANNEL, &early, &early], "24", "line 4"),
    ] {
        let all = outcomes(&rows);
        let [record] = records(&all)[..] else {
            panic!("{all:?}");
        };
        assert_eq!(record.quantities[0].value.to_string(), kept);
        let said = refusals(&all);
        assert_eq!(said.len(), 1);
        assert_eq!(
            (said[0].0.as_str(), said[0].1.as_str()),
            (refused, "duplicate_reading")
        );
    }
    // Across blocks of one file too.
    let twice = format!("{}{}", nem12(&[CHANNEL, &early]), nem12(&[CHANNEL, &late]));
    let (_, all) = read_all("nem12", twice.as_bytes()).expect("readable");
    assert_eq!(records(&all).len(), 1);
}

#[test]
fn files_of_another_kind_and_torn_files_are_refused_whole() {
    let code = |text: &str| read_all("nem12", text.as_bytes()).expect_err(text).code;
    let whole = nem12(&[CHANNEL, &day("20260120", "1", "A,,,,")]);
    assert_eq!(code(""), Code::FormatMismatch);
    assert_eq!(code("hello\n"), Code::FormatMismatch);
    assert_eq!(
        code("100,NEM14,202601310900,MDP,RET\n900\n"),
        Code::FormatMismatch
    );
    assert_eq!(code(CHANNEL), Code::FormatMismatch);
    assert_eq!(code(&format!("{whole}{CHANNEL}")), Code::FormatMismatch);
    assert_eq!(
        code(&whole.replace("900\r\n", "100,NEM12,,,\r\n")),
        Code::FormatMismatch
    );
    for end in [whole.len() - 3, whole.len() - 5, whole.len() - 20, 100, 40] {
        assert_eq!(code(&whole[..end]), Code::FileTruncated, "{end}");
    }
    let open = whole.trim_end();
    assert!(
        read_all("nem12", open.as_bytes()).is_ok(),
        "the last line needs no end"
    );
}
