//! Mappings and tables that tests make; workbooks are built part by part, as none of a
//! spreadsheet's own would have these faults.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::tests::{read_with, refusals};
use super::super::{Options, Outcome, Place, Seen, Settings, by_name};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem};

/// One column of each kind.
const MAPPING: &str = r#"
format = "csv"
zone = "America/New_York"
[columns]
id = "no"
subject = "card"
from = "start"
[time]
format = "%d/%m/%Y %H:%M"
length = "PT1H"
[quantities.electricity]
column = "used"
unit = "kWh"
[attributes]
mode = { column = "kind", values = { "公交" = "bus", "地铁" = "metro" } }
[constants]
evidence = "meter"
"#;

fn options(settings: &str) -> Options {
    Options {
        settings: Settings::parse(settings).expect("settings"),
        ..Options::default()
    }
}

fn checked(settings: &str) -> Result<(), Problem> {
    (by_name("table").expect("an adapter").check)(&options(settings))
}

fn read(settings: &str, bytes: &[u8]) -> Result<(Seen, Vec<Outcome>), Problem> {
    assert_eq!(checked(settings), Ok(()));
    read_with("table", bytes, &options(settings))
}

fn outcomes(settings: &str, text: &str) -> Vec<Outcome> {
    read(settings, text.as_bytes()).expect("readable").1
}

fn records(settings: &str, text: &str) -> Vec<Record> {
    let outcomes = outcomes(settings, text);
    let records = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Record(_, record) => record,
        other => panic!("{other:?}"),
    });
    records.collect()
}

fn values(records: &[Record], name: &str) -> Vec<Option<String>> {
    let value = |record: &Record| record.quantity(name).map(|q| q.value.to_string());
    records.iter().map(value).collect()
}

fn spans(records: &[Record]) -> Vec<(String, String)> {
    let span = |record: &Record| (record.from.to_rfc3339(), record.to.to_rfc3339());
    records.iter().map(span).collect()
}

#[test]
fn a_row_becomes_a_record() {
    let text = "card,kind,no,start,used\nC1,公交,17,1/2/2026 08:00,3.170\n";
    let [record] = records(MAPPING, text).try_into().expect("one");
    assert_eq!(
        (record.source_id.as_str(), record.subject.as_str()),
        ("17", "C1")
    );
    assert_eq!(
        spans(std::slice::from_ref(&record)),
        [(
            "2026-02-01T13:00:00+00:00".to_owned(),
            "2026-02-01T14:00:00+00:00".to_owned()
        )]
    );
    let quantity = record.quantity("electricity").expect("a quantity");
    assert_eq!(
        (quantity.value.to_string().as_str(), quantity.unit.as_ref()),
        ("3.170", "kWh")
    );
    assert_eq!(record.attribute("mode"), Some("bus"));
    assert_eq!(record.attribute("evidence"), Some("meter"));
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let (_, from_gbk) = read(MAPPING, &gbk).expect("readable");
    assert_eq!(from_gbk, outcomes(MAPPING, text));
}

#[test]
fn each_fault_of_a_mapping_is_found_before_any_file() {
    assert_eq!(checked(MAPPING), Ok(()));
    let other_signs = "decimal = ','\nthousands = ','\n";
    let circle = "[quantities.distance]\ngreat_circle = ['a', 'b', 'c', 'd']\nunit = 'km'\n";
    let faults: &[(&str, &str, &str, &str)] = &[
        ("format = \"csv\"", "", "missing_field", "settings.format"),
        ("csv", "ods", "invalid_field", "settings.format"),
        (
            "zone = \"America/New_York\"",
            "",
            "missing_field",
            "settings.zone",
        ),
        (
            "America/New_York",
            "New York",
            "invalid_field",
            "settings.zone",
        ),
        ("zone", "zome", "unknown_field", "settings.zome"),
        (
            "zone =",
            "sheet = 'a'\nzone =",
            "invalid_field",
            "settings.sheet",
        ),
        (
            "zone =",
            "delimiter = ',,'\nzone =",
            "invalid_field",
            "settings.delimiter",
        ),
        (
            "zone =",
            "header = -1\nzone =",
            "invalid_field",
            "settings.header",
        ),
        (
            "zone =",
            "header = 0\nzone =",
            "invalid_field",
            "settings.columns.subject",
        ),
        (
            "zone =",
            "datum = 'wgs84'\nzone =",
            "invalid_field",
            "settings.datum",
        ),
        (
            "zone =",
            &format!("{other_signs}zone ="),
            "invalid_field",
            "settings.thousands",
        ),
        (
            "zone =",
            "blank = 'zero'\nzone =",
            "invalid_field",
            "settings.blank",
        ),
        ("id = \"no\"", "", "missing_field", "settings.columns.id"),
        (
            "id = \"no\"",
            "id = []",
            "invalid_field",
            "settings.columns.id",
        ),
        (
            "id = \"no\"",
            "id = 0",
            "invalid_field",
            "settings.columns.id",
        ),
        (
            "id = \"no\"",
            "id = 1.5",
            "invalid_field",
            "settings.columns.id",
        ),
        (
            "subject = \"card\"",
            "",
            "missing_field",
            "settings.columns.subject",
        ),
        (
            "from = \"start\"",
            "",
            "missing_field",
            "settings.columns.from",
        ),
        (
            "from = \"start\"",
            "form = 'start'",
            "unknown_field",
            "settings.columns.form",
        ),
        (
            "from = \"start\"",
            "at = 'start'",
            "invalid_field",
            "settings.columns.at",
        ),
        (
            "length = \"PT1H\"",
            "",
            "missing_field",
            "settings.time.length",
        ),
        ("PT1H", "1h", "invalid_field", "settings.time.length"),
        (
            "PT1H\"",
            "PT1H\"\nuntil = 'next_row'",
            "invalid_field",
            "settings.columns.from",
        ),
        (
            "PT1H\"",
            "PT1H\"\nmidnight = 'ends_day'",
            "invalid_field",
            "settings.time.midnight",
        ),
        (
            "PT1H\"",
            "PT1H\"\nlast = 'included'",
            "invalid_field",
            "settings.time.last",
        ),
        (
            "PT1H\"",
            "PT1H\"\nrepeated = 'both'",
            "invalid_field",
            "settings.time.repeated",
        ),
        (
            "format = \"%d/%m/%Y %H:%M\"",
            "",
            "missing_field",
            "settings.time.format",
        ),
        (
            "%d/%m/%Y %H:%M",
            "%d/%m %H:%M",
            "invalid_field",
            "settings.time.format",
        ),
        (
            "\"%d/%m/%Y %H:%M\"",
            "['%F', 'local']",
            "invalid_field",
            "settings.time.format",
        ),
        (
            "unit = \"kWh\"",
            "",
            "missing_field",
            "settings.quantities.electricity.unit",
        ),
        (
            "kWh",
            "kwh",
            "unit_unsupported",
            "settings.quantities.electricity.unit",
        ),
        (
            "column = \"used\"",
            "",
            "missing_field",
            "settings.quantities.electricity.column",
        ),
        (
            "column = \"used\"",
            "column = 'used'\nvalue = 1",
            "invalid_field",
            "settings.quantities.electricity.column",
        ),
        (
            "column = \"used\"",
            "value = 1\nscale = 2",
            "invalid_field",
            "settings.quantities.electricity.scale",
        ),
        (
            "unit = \"kWh\"",
            "unit = 'kWh'\nscale = 0.5",
            "invalid_field",
            "settings.quantities.electricity.scale",
        ),
        (
            "unit = \"kWh\"",
            "unit = 'kWh'\nscale = '-1'",
            "invalid_field",
            "settings.quantities.electricity.scale",
        ),
        (
            "unit = \"kWh\"",
            "unit = 'kWh'\nfactor = 2",
            "unknown_field",
            "settings.quantities.electricity.factor",
        ),
        (
            "quantities.electricity",
            "quantities.Strom",
            "invalid_field",
            "settings.quantities.Strom",
        ),
        (
            "[attributes]",
            &format!("{circle}[attributes]"),
            "missing_field",
            "settings.datum",
        ),
        (
            "values =",
            "words =",
            "unknown_field",
            "settings.attributes.mode.words",
        ),
        (
            "\"bus\"",
            "1",
            "invalid_field",
            "settings.attributes.mode.values.公交",
        ),
        (
            "evidence = \"meter\"",
            "mode = 'bus'",
            "invalid_field",
            "settings.constants.mode",
        ),
        (
            "evidence",
            "stated_at",
            "invalid_field",
            "settings.attributes.stated_at",
        ),
    ];
    for (good, bad, code, param) in faults {
        assert!(MAPPING.contains(good), "{good}");
        let problem = checked(&MAPPING.replacen(good, bad, 1)).expect_err(bad);
        assert_eq!(
            (problem.code.as_str(), problem.param.as_deref()),
            (*code, Some(*param)),
            "{good} -> {bad}: {problem}"
        );
    }
    let sections = "format = 'csv'\ncolumns = 1";
    let problem = checked(sections).expect_err("not a table");
    assert_eq!(problem.param.as_deref(), Some("settings.columns"));
    let none = MAPPING.split("[quantities").next().expect("the beginning");
    let problem = checked(none).expect_err("no quantity");
    assert_eq!(problem.param.as_deref(), Some("settings.quantities.NAME"));
    let located = MAPPING
        .replacen("zone =", "datum = 'gcj02'\nzone =", 1)
        .replace("[attributes]", &format!("{circle}[attributes]"));
    assert_eq!(
        checked(&located).expect_err("datum").param.as_deref(),
        Some("settings.datum")
    );
}

#[test]
fn each_fault_of_a_row_is_refused_with_line_and_column() {
    let mapping = MAPPING.replace("unit = \"kWh\"", "unit = \"kWh\"\nmax = 1000");
    let good = "17,C1,1/2/2026 08:00,3.17,公交\n";
    let bad: &[(String, &str, &str)] = &[
        (good.replace("17,C1", ",C1"), "missing_field", "no"),
        (good.replace("C1", ""), "missing_field", "card"),
        (
            good.replace("C1", &"x".repeat(129)),
            "invalid_field",
            "card",
        ),
        (good.replace("C1", "a\u{1}b"), "invalid_field", "card"),
        (good.replace("1/2/2026 08:00", ""), "missing_field", "start"),
        (
            good.replace("1/2/2026 08:00", "2026-02-01"),
            "time_invalid",
            "start",
        ),
        (
            good.replace("1/2/2026 08:00", "8/3/2026 02:30"),
            "time_invalid",
            "start",
        ),
        (
            good.replace("1/2/2026 08:00", "1/11/2026 01:30"),
            "time_invalid",
            "start",
        ),
        (good.replace("3.17", ""), "missing_field", "used"),
        (good.replace("3.17", "3;17"), "invalid_field", "used"),
        (
            good.replace("3.17", "-3.17"),
            "quantity_out_of_range",
            "used",
        ),
        (
            good.replace("3.17", "1000.01"),
            "quantity_out_of_range",
            "used",
        ),
        (good.replace("公交", "出租"), "invalid_field", "kind"),
        (good.replace(",3.17", ""), "row_malformed", ""),
        (good.replace("C1", "\"C1"), "row_malformed", ""),
    ];
    let rows: String = bad.iter().map(|(row, _, _)| row.as_str()).collect();
    let outcomes = outcomes(&mapping, &format!("no,card,start,used,kind\n{rows}{good}"));
    let expected: Vec<_> = (2..)
        .zip(bad)
        .map(|(line, (_, code, param))| {
            (
                format!("line {line}"),
                (*code).to_owned(),
                (*param).to_owned(),
            )
        })
        .collect();
    assert_eq!(refusals(&outcomes), expected);
    assert!(matches!(
        outcomes.last(),
        Some(Outcome::Record(Place::Line(17), _))
    ));
}

#[test]
fn files_without_the_columns_are_refused_whole() {
    let code = |text: &str| read(MAPPING, text.as_bytes()).expect_err(text);
    for text in [
        "",
        "no,card,start,used\n",
        "no,card,start,used,kind,kind\n",
        "a;b\n1;2\n",
    ] {
        assert_eq!(code(text).code, Code::FormatMismatch, "{text}");
    }
    assert!(code("no,card,start,used\n").detail.contains("\"kind\""));
    let torn = code("no,card,start,used,kind\n1,2");
    assert_eq!(torn.code, Code::FileTruncated);
    let below = MAPPING.replace("zone =", "header = 3\nzone =");
    let (seen, outcomes) = read(
        &below,
        "report\n\nno,card,start,used,kind\n1,C,1/1/2026 0:00,1,地铁\n".as_bytes(),
    )
    .expect("readable");
    assert_eq!((seen.counts, outcomes.len()), (vec![("rows", 1)], 1));
}

#[test]
fn letters_and_places_name_columns_where_there_is_no_header() {
    let mapping = MAPPING
        .replace("zone =", "header = 0\ndelimiter = 'tab'\nzone =")
        .replace("\"no\"", "['A', 'C']")
        .replace("\"card\"", "2")
        .replace("\"start\"", "\"c\"")
        .replace("\"used\"", "\"D\"")
        .replace("\"kind\"", "\"E\"");
    let [record] = records(&mapping, "7|%\tC1\t1/2/2026 08:00\t1\t公交\n")
        .try_into()
        .expect("one");
    assert_eq!(record.source_id, "7%7C%25|1/2/2026 08:00");
    assert_eq!(record.subject, "C1");
    let (_, wide) = read(&mapping, b"7\tC\t1/2/2026 08:00\n").expect("readable");
    assert_eq!(refusals(&wide)[0].2, "D");
}

#[test]
fn numbers_are_read_in_their_own_signs_and_scaled_exactly() {
    let mapping = MAPPING
        .replace(
            "zone =",
            "delimiter = ';'\ndecimal = ','\nthousands = '.'\nzone =",
        )
        .replace("unit = \"kWh\"", "unit = 'kg'\nscale = '907.18474'");
    let records = records(
        &mapping,
        "no;card;start;used;kind\n1;C;1/1/2026 0:00;3.258,3;地铁\n",
    );
    assert_eq!(
        values(&records, "electricity"),
        [Some("2955880.038342".to_owned())]
    );
}

#[test]
fn blanks_are_not_zero() {
    let two = "[quantities.mass]\ncolumn = 'kg'\nunit = 'kg'\n[attributes]";
    let skip = MAPPING
        .replace("zone =", "blank = 'skip'\nblank_words = ['n/a']\nzone =")
        .replace("[attributes]", two);
    let text = "no,card,start,used,kind,kg\n1,C,1/1/2026 0:00,,,5\n2,C,1/1/2026 0:00,n/a,,0\n\
                3,C,1/1/2026 0:00,,,n/a\n,,,,,\n";
    let (seen, outcomes) = read(&skip, text.as_bytes()).expect("readable");
    assert_eq!(seen.counts, [("rows", 4), ("blank", 2)]);
    assert_eq!(outcomes.len(), 2);
    let refuse = skip.replace("'skip'", "'refuse'");
    let (seen, outcomes) = read(&refuse, text.as_bytes()).expect("readable");
    assert_eq!(seen.counts, [("rows", 4), ("blank", 1)]);
    assert_eq!(refusals(&outcomes).len(), 3);
}

#[test]
fn rows_that_are_not_meant_are_left_out_and_counted() {
    let mapping = format!("{MAPPING}[only]\nkind = ['公交']\n");
    let text = "no,card,start,used,kind\n1,C,1/1/2026 0:00,1,地铁\n2,C,1/1/2026 0:00,1,公交\n";
    let (seen, outcomes) = read(&mapping, text.as_bytes()).expect("readable");
    assert_eq!(seen.counts, [("rows", 2), ("left_out", 1)]);
    assert_eq!(outcomes.len(), 1);
}

/// A mapping of one meter, with these lines about time.
fn meter(columns: &str, time: &str) -> String {
    format!(
        "format = 'csv'\nzone = 'America/New_York'\n[columns]\nid = 'label'\n{columns}\n[time]\n{time}\n\
         [quantities.electricity]\ncolumn = 'kwh'\nunit = 'kWh'\n[constants]\nsubject = 'm'\nid = 'm'\n"
    )
}

fn starts(settings: &str, labels: &[&str]) -> Vec<String> {
    let rows: String = labels.iter().map(|label| format!("{label},1\n")).collect();
    let records = records(settings, &format!("label,kwh\n{rows}"));
    spans(&records)
        .into_iter()
        .map(|(from, to)| format!("{} {}", &from[5..16], &to[5..16]))
        .collect()
}

#[test]
fn an_interval_may_be_labelled_by_its_end_and_midnight_by_the_day_it_ends() {
    let time = "format = 'local'\nlength = 'PT30M'\nmidnight = 'ends_day'";
    assert_eq!(
        starts(
            &meter("to = 'label'", time),
            &["2026-01-01 23:30", "2026-01-01 00:00", "2026-01-02 00:30"]
        ),
        [
            "01-02T04:00 01-02T04:30",
            "01-02T04:30 01-02T05:00",
            "01-02T05:00 01-02T05:30"
        ]
    );
}

#[test]
fn days_and_months_are_the_calendars() {
    let day = meter("from = 'label'", "format = '%F'\nlength = 'P1D'");
    assert_eq!(
        starts(&day, &["2026-03-08", "2026-11-01"]),
        ["03-08T05:00 03-09T04:00", "11-01T04:00 11-02T05:00"],
        "23 and 25 hours"
    );
    let month = meter(
        "to = 'label'",
        "format = '%Y / %m'\nlength = 'P1M'\nlast = 'included'",
    );
    assert_eq!(starts(&month, &["2026 / 02"]), ["02-01T05:00 03-01T05:00"]);
    let both = "format = 'csv'\nzone = 'Asia/Shanghai'\n[columns]\nid = 'a'\nsubject = 'a'\nfrom = 'a'\nto = 'b'\n\
                [time]\nformat = '%F'\nlast = 'included'\n[quantities.gas]\ncolumn = 'm3'\nunit = 'm3'\n";
    let bill = records(both, "a,b,m3\n2026-01-05,2026-02-04,9\n");
    assert_eq!((bill[0].to - bill[0].from).num_days(), 31);
    let wrong = outcomes(both, "a,b,m3\n2026-01-05,2026-01-03,9\n");
    assert_eq!(
        refusals(&wrong),
        [("line 2".into(), "time_invalid".into(), "b".into())]
    );
}

#[test]
fn the_hour_that_is_lived_twice_is_told_apart_as_declared() {
    let labels = [
        "2026-11-01 00:30",
        "2026-11-01 01:30",
        "2026-11-01 01:30",
        "2026-11-01 02:30",
    ];
    let time = "format = 'local'\nlength = 'PT1H'\nrepeated = 'in_order'";
    assert_eq!(
        starts(&meter("from = 'label'", time), &labels),
        [
            "11-01T04:30 11-01T05:30",
            "11-01T05:30 11-01T06:30",
            "11-01T06:30 11-01T07:30",
            "11-01T07:30 11-01T08:30"
        ]
    );
    for (policy, from) in [("earlier", "11-01T05:30"), ("later", "11-01T06:30")] {
        let time = time.replace("in_order", policy);
        let found = starts(&meter("from = 'label'", &time), &labels[1..2]);
        assert!(found[0].starts_with(from), "{policy} {found:?}");
    }
    let trips = "format = 'csv'\nzone = 'America/New_York'\n[columns]\nid = 'a'\nsubject = 'a'\nfrom = 'a'\nto = 'b'\n\
                 [time]\nformat = 'local'\n[quantities.distance]\ncolumn = 'km'\nunit = 'km'\n";
    // From 00:50 both are possible; from 03:10 neither.
    let both = outcomes(
        trips,
        "a,b,km\n2026-11-01 00:50,2026-11-01 01:10,1\n2026-11-01 03:10,2026-11-01 01:10,1\n",
    );
    assert_eq!(
        refusals(&both),
        [
            ("line 2".into(), "time_invalid".into(), "b".into()),
            ("line 3".into(), "time_invalid".into(), "b".into())
        ]
    );
}

#[test]
fn a_row_may_last_until_the_next() {
    let mapping = meter("from = 'label'", "format = 'rfc3339'\nuntil = 'next_row'")
        .replace("zone =", "blank = 'skip'\nblank_words = ['nan']\nzone =");
    let bills = "label,kwh\n2026-01-01T00:00:00-06:00,5\n2026-02-03T00:00:00-06:00,6\n2026-03-01T00:00:00-06:00,nan\n";
    let records = records(&mapping, bills);
    let days: Vec<_> = records.iter().map(|r| (r.to - r.from).num_days()).collect();
    assert_eq!(days, [33, 26]);
    assert_eq!(records[0].source_id, "m:2026-01-01T00:00:00-06:00");
    // Torn, out of order, unreadable: what it would have ended is refused.
    for (rows, lines) in [
        ("2026-01-01T00:00:00Z,5\n", vec!["line 2"]),
        (
            "2026-01-02T00:00:00Z,5\n2026-01-01T00:00:00Z,nan\n",
            vec!["line 2"],
        ),
        ("2026-01-02T00:00:00Z,5\nsoon,1\n", vec!["line 2", "line 3"]),
        ("2026-01-02T00:00:00Z,5\n1,2,3\n", vec!["line 2", "line 3"]),
    ] {
        let found = refusals(&outcomes(&mapping, &format!("label,kwh\n{rows}")));
        let found: Vec<_> = found.iter().map(|(place, _, _)| place.as_str()).collect();
        assert_eq!(found, lines, "{rows}");
    }
}

#[test]
fn a_distance_may_be_the_great_circle_of_four_columns() {
    let mapping = "format = 'csv'\ndatum = 'wgs84'\nzone = 'UTC'\n[columns]\nid = 'id'\nsubject = 'id'\nat = 't'\n\
        revises = 'old'\nstated_at = 't'\n[time]\nformat = 'unix'\n[constants]\nid = 'x'\n\
        [quantities.distance]\ngreat_circle = ['a', 'b', 'c', 'd']\nunit = 'km'\nmax = 200\n";
    let text = "id,t,a,b,c,d,old\n2,1637676000,0,1,1,1,1\n3,1637676000,0,1,91,1,\n4,1637676000,0,1,,1,\n5,1637676000,0,1,9,1,\n";
    let outcomes = outcomes(mapping, text);
    let Some(Outcome::Record(_, record)) = outcomes.first() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(
        values(std::slice::from_ref(record), "distance"),
        [Some("111.19508".to_owned())]
    );
    assert_eq!(record.revises.as_deref(), Some("x:1"));
    assert_eq!(record.attribute("stated_at"), Some("2021-11-23T14:00:00Z"));
    let found: Vec<_> = refusals(&outcomes)
        .into_iter()
        .map(|(_, code, param)| format!("{code} {param}"))
        .collect();
    assert_eq!(
        found,
        [
            "invalid_field c",
            "missing_field c",
            "quantity_out_of_range a"
        ]
    );
}

/// A workbook of these parts, deflated.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("a part");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

const RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK_RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#;
/// Style 1 is a date.
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>label</t></si><si><t>kwh</t></si><si><t> &#20803;旦 </t></si></sst>"#;

fn book_part(sheets: &str, properties: &str) -> String {
    format!(
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">{properties}<sheets>{sheets}</sheets></workbook>"#
    )
}

fn sheet_part(rows: &str) -> String {
    format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>{rows}</sheetData></worksheet>"#
    )
}

const ONE_SHEET: &str = r#"<sheet name="Data" sheetId="1" r:id="rId1"/>"#;

fn workbook(rows: &str, properties: &str) -> Vec<u8> {
    archive(&[
        ("_rels/.rels", RELS),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/workbook.xml", &book_part(ONE_SHEET, properties)),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", STRINGS),
        ("xl/worksheets/sheet1.xml", &sheet_part(rows)),
    ])
}

fn sheet(time: &str) -> String {
    meter("from = 'label'", time)
        .replace("'csv'", "'xlsx'")
        .replace("America/New_York", "UTC")
}

const EXCEL: &str = "format = 'excel'\nlength = 'PT15M'";

#[test]
fn cells_of_a_workbook_are_read_as_the_sheet_shows_them() {
    let rows = r#"<row r="2"><c r="A2" s="1"><v>43101.010416666664</v></c><c r="B2"><v>0.30000000000000004</v></c></row>
        <row r="3"><c r="A3"><v>43101.020833333336</v></c><c r="B3"><f>SUM(B2:B2)</f><v>3.17</v></c></row>
        <row r="5"><c r="A5" s="1"><v>43101.03125</v></c><c r="B5" t="str"><f>T(1)</f><v>1,5</v></c></row>
        <row r="6"><c r="A6"/><c r="B6"/></row>"#;
    let settings = sheet(EXCEL).replace("zone =", "decimal = ','\nzone =");
    let (seen, outcomes) = read(&settings, &workbook(rows, "")).expect("readable");
    assert_eq!(seen.counts, [("rows", 4), ("blank", 1)]);
    let found: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Record(place, record) => {
                let value = record.quantity("electricity").expect("a quantity").value;
                format!("{place} {} {} {value}", record.source_id, record.from)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            "Data!2 m:2018-01-01T00:15:00 2018-01-01 00:15:00 UTC 0.3",
            "Data!3 m:43101.020833333336 2018-01-01 00:30:00 UTC 3.17",
            "Data!5 m:2018-01-01T00:45:00 2018-01-01 00:45:00 UTC 1.5",
        ]
    );
}

#[test]
fn both_date_systems_are_the_workbooks_own() {
    let rows = r#"<row r="2"><c r="A2" s="1"><v>41639.25</v></c><c r="B2"><v>1</v></c></row>
        <row r="3"><c r="A3"><v>60</v></c><c r="B3"><v>1</v></c></row>"#;
    let y1904 = workbook(rows, r#"<workbookPr date1904="1"/>"#);
    let (_, outcomes) = read(&sheet(EXCEL), &y1904).expect("readable");
    let days: Vec<_> = outcomes.iter().filter_map(started).collect();
    assert_eq!(days, ["2018-01-01 06:00:00 UTC", "1904-03-01 00:00:00 UTC"]);
    let (_, outcomes) = read(&sheet(EXCEL), &workbook(rows, "")).expect("readable");
    let days: Vec<_> = outcomes.iter().filter_map(started).collect();
    assert_eq!(days, ["2013-12-31 06:00:00 UTC"]);
    let no_such_day = ("Data!A3".into(), "time_invalid".into(), "label".into());
    assert_eq!(refusals(&outcomes), [no_such_day]);
}

fn started(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Record(_, record) => Some(record.from.to_string()),
        _ => None,
    }
}

#[test]
fn cells_without_a_value_are_refused_by_their_reference() {
    let rows = r##"<row r="2"><c r="A2"><v>43101</v></c><c r="B2" t="e"><v>#DIV/0!</v></c></row>
        <row r="3"><c r="A3"><v>43101</v></c><c r="B3"><f>SUM(B1)</f></c></row>
        <row r="4"><c r="A4" t="s"><v>2</v></c><c r="B4"><v>1</v></c></row>
        <row r="5"><c r="A5"><v>43101</v></c><c r="B5" s="1"><v>43101</v></c></row>
        <row r="6"><c r="A6"><v>43101</v></c><c r="B6"><v>1E+300</v></c></row>
        <row r="7"><c r="A7"><v>43101</v></c><c r="B7"><v>-1</v></c></row>
        <row r="8"><c r="A8"><v>43101</v></c><c r="B8" t="b"><v>1</v></c></row>
        <row r="9"><c r="A9"><v>43101</v></c></row>
        <row r="10"><c r="A10"><v>1234567890123456789</v></c><c r="B10"><v>1</v></c></row>"##;
    let settings = sheet(EXCEL).replace("zone =", "blank = 'refuse'\nzone =");
    let (_, outcomes) = read(&settings, &workbook(rows, "")).expect("readable");
    let found: Vec<_> = refusals(&outcomes)
        .into_iter()
        .map(|(place, code, _)| format!("{place} {code}"))
        .collect();
    assert_eq!(
        found,
        [
            "Data!B2 invalid_field",
            "Data!B3 invalid_field",
            "Data!A4 time_invalid",
            "Data!B5 invalid_field",
            "Data!B6 invalid_field",
            "Data!B7 quantity_out_of_range",
            "Data!B8 invalid_field",
            "Data!B9 missing_field",
            "Data!A10 time_invalid",
        ]
    );
    // Skipping blanks skips no errors.
    let skip = settings.replace("'refuse'", "'skip'");
    let (_, outcomes) = read(&skip, &workbook(rows, "")).expect("readable");
    assert_eq!(refusals(&outcomes).len(), 8);
}

#[test]
fn an_id_that_a_sheet_keeps_as_a_number_must_be_whole() {
    let rows = r#"<row r="2"><c r="A2"><v>1637676000</v></c><c r="B2"><v>1</v></c></row>
        <row r="3"><c r="A3"><v>1637676000123456789</v></c><c r="B3"><v>1</v></c></row>"#;
    let settings = sheet("format = 'unix'\nlength = 'PT15M'").replace("from = 'label'", "from = 1");
    let (_, outcomes) = read(&settings, &workbook(rows, "")).expect("readable");
    assert_eq!(outcomes.iter().filter_map(started).count(), 1);
    assert_eq!(refusals(&outcomes)[0].0, "Data!A3");
}

#[test]
fn the_sheet_is_named_or_the_only_one() {
    let second = r#"<sheet name="Notes" sheetId="2" r:id="rId2"/>"#;
    let two = archive(&[
        ("_rels/.rels", RELS),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        (
            "xl/workbook.xml",
            &book_part(&format!("{ONE_SHEET}{second}"), ""),
        ),
        ("xl/sharedStrings.xml", STRINGS),
        ("xl/worksheets/sheet1.xml", &sheet_part("")),
        ("xl/worksheets/sheet2.xml", &sheet_part("")),
    ]);
    let problem = read(&sheet(EXCEL), &two).expect_err("which?");
    assert_eq!(problem.code, Code::FormatMismatch);
    assert!(problem.detail.contains("Data, Notes"), "{problem}");
    let named = sheet(EXCEL).replace("zone =", "sheet = 'Notes'\nzone =");
    assert!(read(&named, &two).is_ok());
    let absent = sheet(EXCEL).replace("zone =", "sheet = 'notes'\nzone =");
    assert_eq!(
        read(&absent, &two).expect_err("absent").code,
        Code::FormatMismatch
    );
    let deep = sheet(EXCEL).replace("zone =", "header = 7\nzone =");
    assert_eq!(
        read(&deep, &two.clone()).expect_err("which?").code,
        Code::FormatMismatch
    );
}

#[test]
fn what_is_no_workbook_is_refused_whole() {
    let code = |bytes: &[u8]| read(&sheet(EXCEL), bytes).expect_err("refused").code;
    let good = workbook("", "");
    assert!(read(&sheet(EXCEL), &good).is_ok());
    assert_eq!(code(b""), Code::FormatMismatch);
    assert_eq!(code(b"label,kwh\n"), Code::FormatMismatch);
    assert_eq!(
        code(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1]),
        Code::UnsupportedFormat
    );
    assert_eq!(code(&good[..good.len() / 2]), Code::FileTruncated);
    assert_eq!(code(&archive(&[("a.txt", "x")])), Code::FormatMismatch);
    let backwards =
        r#"<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>"#;
    assert_eq!(code(&workbook(backwards, "")), Code::FormatMismatch);
    let endless = format!(
        r#"<row r="2"><c r="A2" t="str"><v>{}</v></c></row>"#,
        "x".repeat(70_000)
    );
    assert_eq!(code(&workbook(&endless, "")), Code::LineTooLong);
    let torn = workbook("", "").len();
    let cut = archive(&[
        ("_rels/.rels", RELS),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/workbook.xml", &book_part(ONE_SHEET, "")),
        ("xl/sharedStrings.xml", STRINGS),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row r=\"1\">",
        ),
    ]);
    assert!(torn > 0);
    assert_eq!(code(&cut), Code::FileTruncated);
}

#[test]
fn a_small_file_does_not_become_a_large_one() {
    let strings = "<si/>".repeat(7_000_000);
    let bomb = archive(&[("_rels/.rels", RELS), ("xl/sharedStrings.xml", &strings)]);
    assert!(bomb.len() < 1_000_000);
    let problem = read(&sheet(EXCEL), &bomb).expect_err("a bomb");
    assert_eq!(problem.code, Code::BodyTooLarge);
    let mut huge = b"PK\x03\x04".to_vec();
    huge.resize(super::workbook::FILE_MAX + 1, 0);
    let problem = read(&sheet(EXCEL), &huge).expect_err("large");
    assert_eq!(problem.code, Code::BodyTooLarge);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_damage_to_a_workbook_makes_it_panic(
        at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = workbook(r#"<row r="2"><c r="A2" s="1"><v>43101</v></c><c r="B2"><v>1</v></c></row>"#, "");
        for (index, byte) in at {
            let place = index.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read(&sheet(EXCEL), &bytes);
    }

    #[test]
    fn no_xml_in_a_workbook_makes_it_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let _ = read(&sheet(EXCEL), &workbook(&pieces.concat(), ""));
    }

    #[test]
    fn no_table_makes_a_mapping_panic(pieces in prop::collection::vec(prop::sample::select(TEXT_PIECES), 0..40)) {
        let text = pieces.concat();
        for mapping in [MAPPING.to_owned(), meter("from = 'label'", "format = 'excel'\nuntil = 'next_row'\nrepeated = 'in_order'")] {
            let _ = read(&mapping, text.as_bytes());
        }
    }
}

/// Pieces of a sheet.
const PIECES: &[&str] = &[
    "<row r=\"2\">",
    "<row>",
    "<row r=\"9999999999\">",
    "</row>",
    "<c r=\"A2\">",
    "<c r=\"XFE9\">",
    "<c>",
    "<c r=\"\">",
    "<c r=\"1A\" t=\"s\">",
    "<c t=\"e\">",
    "<c t=\"b\">",
    "<c t=\"d\">",
    "<c t=\"inlineStr\">",
    "<c s=\"1\">",
    "<c s=\"99\">",
    "</c>",
    "<v>",
    "</v>",
    "<is><t>",
    "</t></is>",
    "<f>",
    "<f t=\"shared\" si=\"9999999999\" ref=\"A1:B2\">",
    "<f t=\"shared\">",
    "</f>",
    "1",
    "-1",
    "1e999",
    "nan",
    "#N/A",
    "43101.5",
    "2958466",
    "&amp;",
    "&x;",
    "<!--",
    "-->",
    "]]>",
    "</sheetData>",
    "<x/>",
];

/// Pieces of text tables.
const TEXT_PIECES: &[&str] = &[
    "no,card,start,used,kind\n",
    "label,kwh\n",
    "17,C1,1/11/2026 01:30,3.17,公交\n",
    "1,1\n",
    "2,nan\n",
    "61.99999999999999999999999999,1\n",
    "99999999999999999999999999999999,1\n",
    "2958465.999999999999,0\n",
    ",",
    "\"",
    "\n",
    "1",
    "-",
    ".",
    "公交",
    "\u{feff}",
];
