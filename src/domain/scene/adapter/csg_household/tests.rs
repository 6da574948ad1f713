use super::super::tests::{read_all, read_with, refusals};
use super::super::{Options, Outcome, Settings, by_name};
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;

pub(super) const ASKED: &str =
    r#""areaCode":"090000","eleCustNumber":"0900000000000017","meteringPointId":"MP-17""#;

pub(super) fn daily(asked: &str, data: &str) -> String {
    format!(r#"{{{asked},"sta":"00","data":{{{data}}}}}"#)
}

pub(super) fn declared(text: &str) -> Options {
    Options {
        settings: Settings::parse(text).expect("TOML"),
        ..Options::default()
    }
}

pub(super) fn outcomes(text: &str, options: &Options) -> Vec<Outcome> {
    read_with("csg-household", text.as_bytes(), options)
        .expect("read")
        .1
}

pub(super) fn records(outcomes: &[Outcome]) -> Vec<&Record> {
    let records = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Record(_, record) => Some(record),
        _ => None,
    });
    records.collect()
}

pub(super) fn held(outcomes: &[Outcome]) -> Vec<(String, Code)> {
    let held = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Held(held) => Some((held.place.to_string(), held.code)),
        _ => None,
    });
    held.collect()
}

fn kwh(record: &Record) -> String {
    let quantity = record.quantity("electricity").expect("electricity");
    assert_eq!(quantity.unit, "kWh");
    quantity.value.to_string()
}

#[test]
fn a_published_day_is_a_record_and_an_unpublished_one_is_held_not_zero() {
    let data = r#""totalPower":"11.30","result":[{"date":"2026-02-01","power":"5.20"},{"date":"2026-02-02","power":6.10},
        {"date":"2026-02-03","power":null},{"date":"2026-02-04","power":""},{"date":"2026-02-05"},{"date":"2026-02-06","power":"0"}],
        "ladderEle":"2","ladderEleTariff":"0.6","ladderEleSurplus":"12","ladderEleStartDate":"2026-02-01 00:00:00.0""#;
    let asked = format!(r#"{ASKED},"yearMonth":"202602","stated_at":"2026-02-07 06:00:00""#);
    let outcomes = outcomes(&daily(&asked, data), &Options::default());
    let records = records(&outcomes);
    assert_eq!(
        records.iter().map(|r| kwh(r)).collect::<Vec<_>>(),
        ["5.20", "6.10", "0"]
    );
    let first = records.first().expect("a record");
    assert_eq!(first.source_id, "MP-17/day@2026-02-01");
    assert_eq!(first.subject, "0900000000000017");
    assert_eq!(first.from.to_rfc3339(), "2026-01-31T16:00:00+00:00");
    assert_eq!((first.to - first.from).num_hours(), 24);
    // Nothing of the price steps: they are those of the month in which was asked.
    let mut attributes: Vec<_> = first
        .attributes
        .iter()
        .map(|(k, v)| (k.as_ref(), v.as_str()))
        .collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        [
            ("area_code", "090000"),
            ("evidence", "meter"),
            ("meter", "MP-17"),
            ("period", "day"),
            ("stated_at", "2026-02-06T22:00:00Z"),
        ]
    );
    assert_eq!(
        held(&outcomes),
        [2, 3, 4].map(|i| (format!("line 1/data/result/{i}"), Code::ReadingIncomplete))
    );
}

#[test]
fn answers_are_read_in_every_wrapping() {
    let open = format!(r#"{{{ASKED},"result":[{{"date":"20260201","power":"1"}}]}}"#);
    let request = format!(
        r#"{{"request":{{{ASKED}}},"data":{{"result":[{{"date":"2026/2/1","power":1}}],"totalPower":1.0}}}}"#
    );
    let inside = format!(
        r#"{{"data":{{{ASKED},"result":[{{"date":"2026-02-01 00:00:00.0","power":"1"}}]}}}}"#
    );
    let spread = open.replace(',', ",\n");
    let mut expected = None;
    for text in [&open, &request, &inside, &spread] {
        for text in [
            text.clone(),
            format!("[{text}]"),
            format!(r#"{{"data":[{text}]}}"#),
            format!("{text}\n{text}\n"),
        ] {
            let outcomes = outcomes(&text, &Options::default());
            let records = records(&outcomes);
            assert_eq!(records.len(), outcomes.len(), "{text} {outcomes:?}");
            let first = (*records.first().expect("a record")).clone();
            assert_eq!(expected.get_or_insert(first.clone()), &first, "{text}");
        }
    }
}

#[test]
fn a_total_that_the_days_do_not_make_up_leaves_no_day() {
    let of = |total: &str, last: &str| {
        let data = format!(
            r#""totalPower":{total},"result":[{{"date":"2026-02-01","power":"0.1"}},{{"date":"2026-02-02","power":"0.2"}},{{"date":"2026-02-03","power":{last}}}]"#
        );
        let outcomes = outcomes(&daily(ASKED, &data), &Options::default());
        (records(&outcomes).len(), refusals(&outcomes))
    };
    // Exact: in binary 0.1 + 0.2 is not 0.3.
    assert_eq!(of("0.3", "0"), (3, vec![]));
    assert_eq!(of("null", "5"), (3, vec![]));
    assert_eq!(of("\"0.3\"", "null"), (2, vec![]));
    assert_eq!(of("\"7.5\"", "null"), (2, vec![]));
    for (total, last) in [
        ("\"0.31\"", "0"),
        ("\"0.2\"", "null"),
        ("\"131.00\"", "0.7"),
    ] {
        let expected = (
            "line 1".to_owned(),
            "total_mismatch".to_owned(),
            "totalPower".to_owned(),
        );
        assert_eq!(of(total, last), (0, vec![expected]), "{total} {last}");
    }
    assert_eq!(of("\"x\"", "0").1.len(), 1);
}

#[test]
fn bad_days_are_refused_one_by_one() {
    let rows = [
        (r#"{"power":"1"}"#, "missing_field", "date"),
        (
            r#"{"date":"2026-02-30","power":"1"}"#,
            "time_invalid",
            "date",
        ),
        (
            r#"{"date":"2026-01-31","power":"1"}"#,
            "invalid_field",
            "date",
        ),
        (
            r#"{"date":"2026-02-01","power":"1e2"}"#,
            "invalid_field",
            "power",
        ),
        (
            r#"{"date":"2026-02-01","power":"-1"}"#,
            "quantity_out_of_range",
            "power",
        ),
        (
            r#"{"date":"2026-02-01","power":"10000.01"}"#,
            "quantity_out_of_range",
            "power",
        ),
        (
            r#"{"date":"2026-02-28","power":"2"}"#,
            "duplicate_reading",
            "date",
        ),
    ];
    let list: Vec<_> = rows.iter().map(|(row, _, _)| *row).collect();
    let data = format!(
        r#""totalPower":"9","result":[{{"date":"2026-02-28","power":"2"}},{}]"#,
        list.join(",")
    );
    let asked = format!(r#"{ASKED},"yearMonth":"2026-02""#);
    let outcomes = outcomes(&daily(&asked, &data), &Options::default());
    let expected: Vec<_> = rows
        .iter()
        .zip(1..)
        .map(|((_, code, field), i)| {
            (
                format!("line 1/data/result/{i}"),
                (*code).to_owned(),
                (*field).to_owned(),
            )
        })
        .collect();
    assert_eq!(refusals(&outcomes), expected);
    assert_eq!(records(&outcomes).len(), 1);
}

pub(super) fn bills(asked: &str, list: &str) -> String {
    format!(r#"{{{asked},"data":{{"electricAndChargeList":[{list}]}}}}"#)
}

#[test]
fn documents_that_say_nothing_or_contradict_themselves_are_refused() {
    let day = r#""result":[{"date":"2026-02-01","power":"1"}]"#;
    let other = r#""meteringPointId":"MP-18""#;
    for (text, code, field) in [
        (
            daily("\"areaCode\":\"1\"", day),
            "missing_field",
            "eleCustNumber",
        ),
        (
            daily("\"bindingId\":\"1\"", day),
            "missing_field",
            "meteringPointId",
        ),
        (
            daily("\"bindingId\":\"a b\"", day),
            "invalid_field",
            "bindingId",
        ),
        (
            daily(ASKED, &format!("{other},{day}")),
            "invalid_field",
            "meteringPointId",
        ),
        (
            daily(ASKED, "\"totalPower\":\"1\""),
            "missing_field",
            "result",
        ),
        (
            daily(ASKED, &format!("{day},\"electricAndChargeList\":[]")),
            "invalid_field",
            "result",
        ),
        (
            daily(ASKED, day).replace("\"00\"", "\"04\""),
            "invalid_field",
            "sta",
        ),
        (
            daily(&format!("{ASKED},\"yearMonth\":\"26\""), day),
            "time_invalid",
            "yearMonth",
        ),
        (
            daily(&format!("{ASKED},\"stated_at\":\"noon\""), day),
            "time_invalid",
            "stated_at",
        ),
        (daily(ASKED, "\"result\":7"), "row_malformed", ""),
        (
            daily(ASKED, "\"result\":[{\"date\":true}]"),
            "row_malformed",
            "",
        ),
    ] {
        let outcomes = outcomes(&format!("{text}\n"), &Options::default());
        assert_eq!(
            refusals(&outcomes),
            [("line 1".to_owned(), code.to_owned(), field.to_owned())],
            "{text}"
        );
        assert_eq!(outcomes.len(), 1);
    }
}

#[test]
fn a_file_has_one_kind() {
    let day = daily(ASKED, r#""result":[{"date":"2026-02-01","power":"1"}]"#);
    let bill = bills(ASKED, r#"{"yearMonth":"202602","billingElectricity":"1"}"#);
    let both = format!("{day}\n{bill}\n");
    let refused = |options: &Options| refusals(&outcomes(&both, options));
    let as_expected = |line: &str, field: &str| {
        vec![(
            line.to_owned(),
            "invalid_field".to_owned(),
            field.to_owned(),
        )]
    };
    assert_eq!(
        refused(&Options::default()),
        as_expected("line 2", "electricAndChargeList")
    );
    let told = outcomes(&both, &Options::default());
    let Some(Outcome::Refused(bill)) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(
        bill.problem.detail.zh(),
        "该场景或文件已用日电量；两者并用会把同样的日子计两次"
    );
    assert_eq!(
        refused(&declared("kind = 'bills'")),
        as_expected("line 1", "result")
    );
    let (seen, _) = read_all("csg-household", both.as_bytes()).expect("read");
    assert_eq!(seen.counts, [("documents", 2), ("days", 1), ("bills", 0)]);
}

#[test]
fn settings_are_checked_and_torn_files_refused_whole() {
    let adapter = by_name("csg-household").expect("an adapter");
    for (text, param) in [
        ("billing_day = 0", "settings.billing_day"),
        ("billing_day = 32", "settings.billing_day"),
        ("billing_day = '1.5'", "settings.billing_day"),
        ("kind = 'hourly'", "settings.kind"),
        ("day = 1", "settings.day"),
    ] {
        let problem = (adapter.check)(&declared(text)).expect_err(text);
        assert_eq!(problem.param.as_deref(), Some(param));
    }
    assert!((adapter.check)(&declared("billing_day = '31'\nkind = 'bills'")).is_ok());
    let whole = daily(ASKED, r#""result":[{"date":"2026-02-01","power":"1"}]"#);
    let spread = whole.replace(',', ",\n");
    for text in [
        &whole[..whole.len() - 1],
        &spread[..spread.len() - 1],
        &format!("[{whole}"),
    ] {
        let problem = read_all("csg-household", text.as_bytes()).expect_err("torn");
        assert_eq!(problem.code, Code::FileTruncated, "{text}");
    }
    for text in ["", "卡号", "<feed/>"] {
        let problem = read_all("csg-household", text.as_bytes()).expect_err("foreign");
        assert_eq!(problem.code, Code::FormatMismatch, "{text}");
    }
}

#[test]
fn no_part_of_a_file_says_more_than_the_file() {
    let day = daily(
        ASKED,
        r#""totalPower":"3","result":[{"date":"2026-02-01","power":"1"},{"date":"2026-02-02","power":"2"}]"#,
    );
    let bill = bills(
        ASKED,
        r#"{"yearMonth":"202602","billingElectricity":"1","from":"2026-01-16","to":"2026-02-15"}"#,
    );
    for text in [
        format!("{day}\n{day}\n"),
        format!("[{bill},{bill}]"),
        day.replace(',', ",\n"),
    ] {
        let whole = records(&outcomes(&text, &Options::default())).len();
        for end in 0..text.len() {
            let part = &text.as_bytes()[..end];
            if let Ok((_, outcomes)) = read_all("csg-household", part) {
                // Whole lines before the tear.
                assert!(
                    text.as_bytes()[..end].ends_with(b"}")
                        || text.as_bytes()[..end].ends_with(b"\n")
                );
                assert!(records(&outcomes).len() <= whole && refusals(&outcomes).is_empty());
            }
        }
    }
}
