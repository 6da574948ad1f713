use proptest::prelude::*;

use super::*;
use crate::domain::behaviour::Quantity;
use chrono::DateTime;
use rust_decimal::Decimal;

const GOOD: &str = r#"{"id":"r1","subject":"s1","from":"2026-11-20T08:00:00+08:00","to":"2026-11-20T08:20:00+08:00","quantities":{"distance":{"value":"12.50","unit":"km"}},"attributes":{"mode":"metro"}}"#;

fn problem(row: &str) -> (String, String) {
    let problem = parse_record(row).expect_err(row);
    (
        problem.code.as_str().to_owned(),
        problem.param.unwrap_or_default(),
    )
}

#[test]
fn a_record_is_read_exactly() {
    let record = parse_record(GOOD).expect("good");
    assert_eq!(record.source_id, "r1");
    assert_eq!(record.from.to_rfc3339(), "2026-11-20T00:00:00+00:00");
    assert_eq!(
        record
            .quantity("distance")
            .map(|q| q.value.to_string())
            .as_deref(),
        Some("12.50")
    );
    assert_eq!(record.attribute("mode"), Some("metro"));
    let at = r#"{"id":"r\u0031","subject":"s","at":"2026-11-20T08:00:00.25Z","quantities":{"electricity":{"value":0.1234567890123456,"unit":"kWh"}},"revises":"r0"}"#;
    assert_eq!(
        problem(at),
        (
            "quantity_out_of_range".into(),
            "quantities.electricity.value".into()
        )
    );
    let record = parse_record(&at.replace("1234567890123456", "123456789012")).expect("good");
    assert_eq!((record.source_id.as_str(), record.from), ("r1", record.to));
    assert_eq!(record.quantities[0].value.to_string(), "0.123456789012");
    assert_eq!(record.revises.as_deref(), Some("r0"));
}

#[test]
fn each_broken_rule_is_named_with_its_field() {
    let long = "x".repeat(129);
    let many: String = (0..17)
        .map(|i| format!(r#""q{i}":{{"value":1,"unit":"1"}},"#))
        .collect();
    let cases = [
        (GOOD.replace("\"id\":\"r1\",", ""), "missing_field", "id"),
        (GOOD.replace("r1", ""), "invalid_field", "id"),
        (GOOD.replace("r1", &long), "invalid_field", "id"),
        (GOOD.replace("s1", "a\\u0000"), "invalid_field", "subject"),
        (GOOD.replace("\"s1\"", "7"), "invalid_field", "subject"),
        (
            GOOD.replace("\"id\"", "\"foo\":1,\"id\""),
            "unknown_field",
            "foo",
        ),
        (GOOD.replace("08:20", "07:20"), "invalid_field", "to"),
        (GOOD.replace("\"to\"", "\"at\""), "invalid_field", "at"),
        (
            GOOD.replace("\"from\":\"2026-11-20T08:00:00+08:00\",", ""),
            "missing_field",
            "from",
        ),
        (
            GOOD.replace(":00+08:00\",\"to", ":00\",\"to"),
            "time_invalid",
            "from",
        ),
        (GOOD.replace("08:20:00", "23:59:60"), "time_invalid", "to"),
        (
            GOOD.replace("2026-11-20T08:20:00+08:00", "9999-12-31T23:59:59-01:00"),
            "time_invalid",
            "to",
        ),
        (
            GOOD.replace("11-20T08:20", "02-30T08:20"),
            "time_invalid",
            "to",
        ),
        (
            GOOD.replace("12.50", "-12.50"),
            "quantity_out_of_range",
            "quantities.distance.value",
        ),
        (
            GOOD.replace("12.50", "1000000000000000000"),
            "quantity_out_of_range",
            "quantities.distance.value",
        ),
        (
            GOOD.replace("12.50", "1.0000000000001"),
            "quantity_out_of_range",
            "quantities.distance.value",
        ),
        (
            GOOD.replace("12.50", "1e3"),
            "invalid_field",
            "quantities.distance.value",
        ),
        (
            GOOD.replace("\"12.50\"", "[]"),
            "invalid_field",
            "quantities.distance.value",
        ),
        (
            GOOD.replace("12.50", ""),
            "invalid_field",
            "quantities.distance.value",
        ),
        (
            GOOD.replace("\"unit\":\"km\"", "\"unit\":\"\""),
            "invalid_field",
            "quantities.distance.unit",
        ),
        (
            GOOD.replace(",\"unit\":\"km\"", ""),
            "missing_field",
            "quantities.distance.unit",
        ),
        (
            GOOD.replace("\"unit\"", "\"x\":1,\"unit\""),
            "unknown_field",
            "quantities.distance.x",
        ),
        (
            GOOD.replace("\"distance\":", &format!("{many}\"distance\":")),
            "invalid_field",
            "quantities",
        ),
        (
            GOOD.replace("distance", "Distance"),
            "invalid_field",
            "quantities",
        ),
        (
            GOOD.replace("\"metro\"", "1"),
            "invalid_field",
            "attributes.mode",
        ),
        (
            GOOD.replace("\"mode\":\"metro\"", "\"mode\":\"metro\",\"mode\":\"bus\""),
            "row_malformed",
            "",
        ),
        (
            GOOD.replace("\"id\":\"r1\"", "\"id\":\"r1\",\"id\":\"r2\""),
            "row_malformed",
            "",
        ),
        ("[]".to_owned(), "row_malformed", ""),
        ("{".to_owned(), "row_malformed", ""),
    ];
    for (row, code, field) in cases {
        assert_eq!(problem(&row), (code.to_owned(), field.to_owned()), "{row}");
    }
}

#[test]
fn a_broken_rule_is_told_in_both_languages() {
    let told = |row: &str| parse_record(row).expect_err(row).detail;
    for (row, zh, en) in [
        (GOOD.replace("08:20", "07:20"), "早于 from", "before from"),
        (
            GOOD.replace("r1", ""),
            "应为 1 至 128 字节，不含控制字符",
            "1 to 128 bytes without control characters",
        ),
        (
            GOOD.replace("\"s1\"", "7"),
            "应为字符串",
            "a string is expected",
        ),
    ] {
        let detail = told(&row);
        assert_eq!((detail.zh(), detail.en()), (zh, en), "{row}");
    }
}

#[test]
fn a_batch_keeps_its_good_rows_in_every_layout() {
    let bad = GOOD.replace("\"s1\"", "7");
    let (array, wrapped) = (
        format!("[{GOOD},{bad},{GOOD}]"),
        format!("{{\"records\":[{GOOD},{bad},{GOOD}]}}"),
    );
    let lines = format!("\u{feff}{GOOD}\r\n{bad}\n\n{GOOD}");
    for (text, format, places) in [
        (array, Format::Json, ["/0", "/1", "/2"]),
        (
            wrapped,
            Format::Json,
            ["/records/0", "/records/1", "/records/2"],
        ),
        (lines, Format::Ndjson, ["line 1", "line 2", "line 4"]),
    ] {
        let rows = parse_batch(text.as_bytes(), format).expect("a batch");
        let said: Vec<_> = rows.iter().map(|(place, _)| place.to_string()).collect();
        assert_eq!(said, places);
        assert!(rows[0].1.is_ok() && rows[1].1.is_err() && rows[2].1.is_ok());
    }
}

#[test]
fn the_fast_pass_and_the_slow_pass_agree() {
    let far = GOOD.replace("12.50", "-1");
    let text = format!("[{GOOD},{far}]");
    let row::Document::Rows(fast) = row::parse_document(&text) else {
        panic!("the fast pass reads it");
    };
    let slow = parse_rows(JsonRows::new(text.as_bytes(), DOCUMENT).expect("frame")).expect("rows");
    assert_eq!(fast, slow);
}

#[test]
fn an_array_is_no_record_and_no_quantity() {
    let text = format!(r#"[{GOOD},["t2","u1","2026-11-20T08:00:00Z"]]"#);
    assert!(matches!(row::parse_document(&text), row::Document::Unclear));
    let rows = parse_batch(text.as_bytes(), Format::Json).expect("a batch");
    let codes: Vec<_> = rows
        .iter()
        .map(|(_, row)| row.as_ref().err().map(|problem| problem.code))
        .collect();
    assert_eq!(codes, [None, Some(Code::RowMalformed)]);
    let pair = r#"{"id":"t1","subject":"u1","at":"2026-11-20T08:00:00Z","quantities":{"distance":["12.5","km"]}}"#;
    let expected = ("invalid_field".to_owned(), "quantities.distance".to_owned());
    assert_eq!(problem(pair), expected);
}

#[test]
fn whole_batches_are_refused_for_their_own_reasons() {
    let rows = |n: usize| format!("[{}]", vec![GOOD; n].join(","));
    let of = |text: &str, format| {
        parse_batch(text.as_bytes(), format)
            .map(|rows| rows.len())
            .map_err(|p| p.code)
    };
    assert_eq!(of(&rows(BATCH_MAX), Format::Json), Ok(BATCH_MAX));
    assert_eq!(
        of(&rows(BATCH_MAX + 1), Format::Json),
        Err(Code::BatchTooLarge)
    );
    let lines = format!("{GOOD}\n").repeat(BATCH_MAX + 1);
    assert_eq!(of(&lines, Format::Ndjson), Err(Code::BatchTooLarge));
    let mixed = format!("[7,{}", &rows(BATCH_MAX)[1..]);
    assert_eq!(of(&mixed, Format::Json), Err(Code::BatchTooLarge));
    assert_eq!(
        of(&"x".repeat(70_000), Format::Ndjson),
        Err(Code::LineTooLong)
    );
    assert_eq!(of("", Format::Json), Err(Code::FormatMismatch));
    assert_eq!(of("7", Format::Json), Err(Code::FormatMismatch));
    assert_eq!(
        of("{\"records\":[],\"more\":1}", Format::Json),
        Err(Code::UnknownField)
    );
    assert_eq!(of("{\"record\":[]}", Format::Json), Err(Code::UnknownField));
    assert_eq!(of(&rows(2)[..300], Format::Json), Err(Code::FileTruncated));
    assert_eq!(
        of(&format!("{GOOD}\n{}", &GOOD[..50]), Format::Ndjson),
        Err(Code::FileTruncated)
    );
    assert_eq!(
        parse_batch(&[b'[', 0xff, b']'], Format::Json)
            .expect_err("bytes")
            .code,
        Code::EncodingUnsupported
    );
    assert_eq!(of("[]", Format::Json), Ok(0));
}

fn any_record() -> impl Strategy<Value = Record> {
    let name = "[a-z0-9_]{1,12}";
    let quantity = (0u64..1_000_000_000_000, 0u32..=12, "[a-zA-Z3²·/]{1,8}");
    (
        "[^\\p{Cc}]{1,20}",
        "[^\\p{Cc}]{1,20}",
        (0i64..4_000_000_000, 0u32..1_000_000, 0i64..100_000),
        prop::collection::btree_map(name, quantity, 0..5),
        prop::collection::btree_map(name, ".{0,20}", 0..5),
        prop::option::of("[!-~]{1,20}"),
    )
        .prop_map(
            |(id, subject, (second, micro, span), quantities, attributes, revises)| {
                let from = DateTime::from_timestamp(second, micro * 1_000).expect("in range");
                Record {
                    source_id: id,
                    subject,
                    from,
                    to: from + chrono::TimeDelta::seconds(span),
                    quantities: quantities
                        .into_iter()
                        .map(|(name, (digits, scale, unit))| Quantity {
                            name: name.into(),
                            value: Decimal::new(i64::try_from(digits).expect("small"), scale),
                            unit: unit.into(),
                        })
                        .collect(),
                    attributes: attributes.into_iter().map(|(n, v)| (n.into(), v)).collect(),
                    revises,
                }
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(record in any_record()) {
        prop_assert_eq!(parse_record(&write(&record)), Ok(record.clone()));
        let batch = format!("[{}]", write(&record));
        let rows = parse_batch(batch.as_bytes(), Format::Json);
        prop_assert_eq!(rows, Ok(vec![(Place::Item("", 0), Ok(record))]));
    }

    #[test]
    fn damaged_rows_never_panic_and_never_pass_silently(at in 0usize..190, byte in any::<u8>()) {
        let mut bytes = GOOD.as_bytes().to_vec();
        if let Some(slot) = bytes.get_mut(at) { *slot = byte; }
        for format in [Format::Json, Format::Ndjson] {
            let body = [b"[", &bytes[..], b"]"].concat();
            let _ = parse_batch(if format == Format::Json { &body } else { &bytes }, format);
        }
    }
}
