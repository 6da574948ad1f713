use super::super::tests::{read_all, refusals};
use super::*;
use crate::domain::scene::adapter::by_name;

const HEADER: &str = "tripduration,starttime,stoptime,start station id,start station name,start station latitude,start station longitude,end station id,end station name,end station latitude,end station longitude,bikeid,usertype,birth year,gender\n";

fn row(duration: &str, start: &str, stop: &str) -> String {
    format!("{duration},{start},{stop},1,\"A, B\",40.70,-74.00,2,C,40.71,-74.00,77,Customer,,0\n")
}

fn outcomes(body: &str) -> Vec<Outcome> {
    let file = format!("{HEADER}{body}");
    read_all("citibike-csv", file.as_bytes())
        .expect("readable")
        .1
}

fn trip(body: &str) -> Record {
    match outcomes(body).pop() {
        Some(Outcome::Record(Place::Line(2), record)) => record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_becomes_a_trip() {
    let record = trip(&row(
        "600",
        "2018-03-01 08:00:00.5000",
        "2018-03-01 08:10:00.6000",
    ));
    assert_eq!(record.source_id, "77@2018-03-01T13:00:00.500Z");
    assert_eq!(record.subject, "bike:77");
    assert_eq!(record.from.to_rfc3339(), "2018-03-01T13:00:00.500+00:00");
    assert_eq!(
        record
            .quantity("distance")
            .map(|q| q.value.to_string())
            .as_deref(),
        Some("1.111951")
    );
    assert_eq!(record.attribute("mode"), Some("shared_bike"));
}

#[test]
fn quoted_files_and_american_dates_are_read() {
    let quoted = format!(
        "{HEADER}{}",
        row("120", "9/1/2015 00:00:04", "9/1/2015 00:02:04")
    );
    let quoted: String = quoted
        .replace("\"A, B\"", "A")
        .lines()
        .map(|line| format!("\"{}\"\r\n", line.replace(',', "\",\"")))
        .collect();
    let (_, outcomes) = read_all("citibike-csv", quoted.as_bytes()).expect("readable");
    assert!(
        matches!(outcomes.as_slice(), [Outcome::Record(..)]),
        "{outcomes:?}"
    );
    trip(&row("61", "1/1/2015 0:01", "1/1/2015 0:02"));
}

#[test]
fn the_published_duration_decides_between_the_two_meanings_of_a_doubled_hour() {
    // 00:50 EDT to 01:10: ten minutes apart is 01:10 EDT, 80 minutes apart is 01:10 EST.
    let short = trip(&row("1200", "2015-11-01 00:50:00", "2015-11-01 01:10:00"));
    let long = trip(&row("4800", "2015-11-01 00:50:00", "2015-11-01 01:10:00"));
    assert_eq!((long.to - short.to).num_seconds(), 3600);
    let backwards = trip(&row("600", "2015-11-01 01:55:00", "2015-11-01 01:05:00"));
    assert_eq!((backwards.to - backwards.from).num_seconds(), 600);
}

#[test]
fn bad_rows_are_refused_one_by_one_with_line_and_field() {
    let good = row("60", "2015-09-01 00:00:00", "2015-09-01 00:01:00");
    let bad = [
        (
            good.replacen("60", "58", 1),
            "duration_mismatch",
            "Trip Duration",
        ),
        (
            good.replacen("60", "-1", 1),
            "invalid_field",
            "Trip Duration",
        ),
        (
            good.replace("00:01:00", "00:01:xx"),
            "time_invalid",
            "Stop Time",
        ),
        (
            row("60", "2016-03-13 02:30:00", "2016-03-13 03:31:00"),
            "time_invalid",
            "Start Time",
        ),
        (
            good.replace("40.70", ""),
            "missing_field",
            "Start Station Latitude",
        ),
        (
            good.replace("40.70,-74.00", "0.0,0.0"),
            "invalid_field",
            "Start Station Latitude",
        ),
        (
            good.replace("40.71", "4.071"),
            "quantity_out_of_range",
            "End Station Latitude",
        ),
        (good.replace(",77,", ",,"), "missing_field", "Bike ID"),
        (good.replace(",,0", ",0"), "row_malformed", ""),
        (good.replace("\"A", "\"\"A"), "row_malformed", ""),
    ];
    let body: String = bad.iter().map(|(row, _, _)| row.as_str()).collect();
    let expected: Vec<_> = bad
        .iter()
        .zip(2u64..)
        .map(|((_, code, field), line)| {
            (
                format!("line {line}"),
                (*code).to_owned(),
                (*field).to_owned(),
            )
        })
        .collect();
    let outcomes = outcomes(&format!("{body}{good}"));
    assert_eq!(refusals(&outcomes), expected);
    assert!(matches!(
        outcomes.last(),
        Some(Outcome::Record(Place::Line(12), _))
    ));
}

#[test]
fn other_files_and_torn_files_are_refused_whole() {
    let code = |bytes: &[u8]| read_all("citibike-csv", bytes).expect_err("refused").code;
    assert_eq!(code(b""), Code::FormatMismatch);
    assert_eq!(code(b"ride_id,rideable_type\n1,2\n"), Code::FormatMismatch);
    assert_eq!(code(b"{\"data\":[]}"), Code::FormatMismatch);
    let twice = HEADER.replace(",gender", ",bikeid");
    let twice = read_all("citibike-csv", twice.as_bytes()).expect_err("refused");
    assert_eq!(twice.code, Code::FormatMismatch);
    assert_eq!(twice.detail.zh(), "列 \"Bike ID\" 重复出现");
    let torn = format!("{HEADER}{}", "60,2015-09-01 00:00:00,2015-");
    assert_eq!(code(torn.as_bytes()), Code::FileTruncated);
    let whole = format!(
        "{HEADER}{}",
        row("60", "2015-09-01 00:00:00", "2015-09-01 00:01:00")
    );
    assert!(read_all("citibike-csv", whole.trim_end().as_bytes()).is_ok());
    let zone = by_name("citibike-csv").map(|adapter| adapter.default_zone);
    assert_eq!(zone, Some(chrono_tz::America::New_York));
}
