use super::super::tests::{read_all, refusals};
use super::super::{Outcome, Place};
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;

mod qualities;
mod revisions;

const POINT: &str = r#"<entry><link rel="self" href="/r/UsagePoint/1"/><link rel="related" href="/r/UsagePoint/1/MeterReading"/>
<content><UsagePoint xmlns="http://naesb.org/espi"><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint></content></entry>"#;
const METER: &str = r#"<entry><link rel="self" href="/r/UsagePoint/1/MeterReading/1"/><link rel="up" href="/r/UsagePoint/1/MeterReading"/>
<link rel="related" href="/r/UsagePoint/1/MeterReading/1/IntervalBlock"/><link rel="related" href="/r/ReadingType/7"/><content><MeterReading/></content></entry>"#;
const TYPE: &str = r#"<entry><link rel="self" href="/r/ReadingType/7"/><content><ReadingType><flowDirection>1</flowDirection>
<intervalLength>3600</intervalLength><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom><argument><uom>38</uom></argument></ReadingType></content></entry>"#;
const SUMMARY: &str = r#"<entry><content><ElectricPowerUsageSummary><overallConsumptionLastPeriod><uom>72</uom><value>999999</value></overallConsumptionLastPeriod></ElectricPowerUsageSummary></content></entry>"#;

fn reading(start: &str, duration: &str, value: &str) -> String {
    format!(
        "<IntervalReading><cost>5</cost><ReadingQuality><quality>8</quality></ReadingQuality><timePeriod><duration>{duration}</duration><start>{start}</start></timePeriod><value>{value}</value></IntervalReading>"
    )
}

fn block(readings: &[String]) -> String {
    format!(
        r#"<entry><content><IntervalBlock><interval><duration>86400</duration><start>1</start></interval>{}</IntervalBlock></content>
<link rel="self" href="/r/UsagePoint/1/MeterReading/1/IntervalBlock/9"/><link rel="up" href="/r/UsagePoint/1/MeterReading/1/IntervalBlock"/></entry>"#,
        readings.concat()
    )
}

fn feed(entries: &[&str]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\">{}</feed>",
        entries.concat()
    )
}

fn outcomes(entries: &[&str]) -> Vec<Outcome> {
    read_all("green-button", feed(entries).as_bytes())
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

#[test]
fn readings_become_records_and_summaries_do_not() {
    let block = block(&[
        reading("1293868800", "3600", "450"),
        reading("1293872400", "3600", "430"),
    ]);
    let outcomes = outcomes(&[POINT, METER, TYPE, &block, SUMMARY]);
    let records = records(&outcomes);
    let [first, second] = records.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(
        first.source_id,
        "UsagePoint/1/electricity@2011-01-01T08:00:00Z"
    );
    assert_eq!(first.subject, "UsagePoint/1");
    assert_eq!(first.quantities[0].value.to_string(), "0.45");
    assert_eq!(
        (first.attribute("quality"), first.to),
        (Some("estimated"), second.from)
    );
    let Outcome::Record(Place::Pointer(place), _) = &outcomes[1] else {
        panic!("a pointer")
    };
    assert_eq!(
        place,
        "/feed/entry[4]/content/IntervalBlock[1]/IntervalReading[2]"
    );
}

#[test]
fn prefixes_and_the_order_of_entries_do_not_matter() {
    let block = block(&[reading("1293868800", "", "450")]);
    let plain = outcomes(&[POINT, METER, TYPE, &block]);
    let expected = records(&plain);
    assert_eq!(expected.len(), 1);
    assert_eq!(records(&outcomes(&[&block, TYPE, METER, POINT])), expected);
    let prefixed = feed(&[POINT, METER, TYPE, &block])
        .replace("</", "\u{1}")
        .replace('<', "<e:")
        .replace('\u{1}', "</e:")
        .replace("<e:?", "<?")
        .replace(
            "xmlns=\"http://www.w3.org/2005/Atom\"",
            "xmlns:e=\"urn:any\"",
        );
    let (_, read) = read_all("green-button", prefixed.as_bytes()).expect("readable");
    assert_eq!(records(&read), expected);
}

#[test]
fn bad_readings_are_refused_one_by_one() {
    let block = block(&[
        reading("1293868800", "3600", "450"),
        reading("1293868800", "3600", "450"),
        reading("1293868800", "86400", "9000"),
        reading("1721154384.66136", "3600", "1"),
        reading("", "3600", "1"),
        reading("1293872400", "0", "1"),
        reading("1293872400", "3600", "-1"),
        reading("1293872400", "3600", "1.5"),
        reading("1293872400", "3600", ""),
        reading("-5", "3600", "1"),
        reading("9223372036854775807", "3600", "1"),
        reading("1293872400", "3600", "7"),
    ]);
    let outcomes = outcomes(&[POINT, METER, TYPE, &block]);
    let said: Vec<(String, String)> = refusals(&outcomes)
        .into_iter()
        .map(|(_, code, field)| (code, field))
        .collect();
    let expected = [
        ("duplicate_reading", "timePeriod.start"),
        ("duplicate_reading", "timePeriod.start"),
        ("time_invalid", "timePeriod.start"),
        ("missing_field", "timePeriod.start"),
        ("invalid_field", "timePeriod.duration"),
        ("quantity_out_of_range", "IntervalReading.value"),
        ("invalid_field", "value"),
        ("missing_field", "value"),
        ("time_invalid", "timePeriod.start"),
        ("time_invalid", "timePeriod.start"),
    ]
    .map(|(code, field)| (code.to_owned(), field.to_owned()));
    assert_eq!(said, expected);
    let told: Vec<&str> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Refused(refused) => Some(refused.problem.detail.zh()),
            _ => None,
        })
        .collect();
    let covered = "这段时间已有同一计量点的另一条读数，其陈述较晚或排在前面";
    let instant = "应为 Unix 秒数";
    assert_eq!(
        told,
        [
            covered,
            covered,
            "应为整数",
            "",
            "应为 1 秒至 400 天",
            "为负数",
            "应为整数",
            "",
            instant,
            instant
        ]
    );
    assert_eq!(records(&outcomes).len(), 2);
}

#[test]
fn readings_that_all_begin_at_one_instant_have_no_times() {
    let at = |duration: &str, value: &str| reading("1293868800", duration, value);
    let refused =
        |readings: &[String]| refusals(&outcomes(&[POINT, METER, TYPE, &block(readings)]));
    let months = [
        at("2678400", "9000"),
        at("2419200", "8000"),
        at("2678400", "7000"),
    ];
    let codes: Vec<_> = refused(&months)
        .into_iter()
        .map(|(_, code, param)| (code, param))
        .collect();
    let no_time = ("time_invalid".to_owned(), "timePeriod.start".to_owned());
    assert_eq!(codes, vec![no_time; 3]);
    // The same reading twice is one reading, and one that begins elsewhere gives the others times.
    assert_eq!(
        refused(&[at("3600", "1"), at("3600", "1")])[0].1,
        "duplicate_reading"
    );
    let other = reading("1293872400", "3600", "3");
    assert_eq!(refused(&[at("3600", "1"), at("3600", "2"), other]).len(), 1);
}

#[test]
fn a_reading_of_several_qualities_is_as_good_as_none_of_them_alone() {
    let quality = |codes: &[u8]| {
        let stated: String = codes
            .iter()
            .map(|code| format!("<ReadingQuality><quality>{code}</quality></ReadingQuality>"))
            .collect();
        let old = "<ReadingQuality><quality>8</quality></ReadingQuality>";
        let block = block(&[reading("1293868800", "3600", "450").replace(old, &stated)]);
        let outcomes = outcomes(&[POINT, METER, TYPE, &block]);
        let first = records(&outcomes)[0].attribute("quality");
        first.map(str::to_owned)
    };
    assert_eq!(quality(&[0]).as_deref(), Some("valid"));
    assert_eq!(quality(&[0, 0]).as_deref(), Some("valid"));
    assert_eq!(quality(&[0, 8]).as_deref(), Some("mixed"));
    assert_eq!(quality(&[]), None);
}

#[test]
fn readings_without_a_unit_are_refused() {
    let block = block(&[reading("1293868800", "3600", "450")]);
    let empty = TYPE.replace("<uom>72</uom>", "");
    let garbled = TYPE.replace("<uom>72</uom>", "<uom>Wh</uom>");
    for (entries, code) in [
        (vec![POINT, METER, &block], "unit_missing"),
        (vec![POINT, TYPE, &block], "unit_missing"),
        (vec![POINT, METER, &empty, &block], "unit_missing"),
        (vec![POINT, METER, &garbled, &block], "unit_unsupported"),
    ] {
        let said = refusals(&outcomes(&entries));
        assert_eq!(
            said.iter()
                .map(|(_, code, _)| code.as_str())
                .collect::<Vec<_>>(),
            [code]
        );
    }
}

#[test]
fn a_digit_may_be_written_as_a_character_reference() {
    let block = block(&[reading("&#49;293868800", "3600", "4&#x35;0")]);
    let outcomes = outcomes(&[POINT, METER, TYPE, &block]);
    let [record] = records(&outcomes)[..] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(record.from.timestamp(), 1_293_868_800);
    assert_eq!(record.quantities[0].value.to_string(), "0.45");
}

#[test]
fn entities_torn_and_foreign_files_are_refused_whole() {
    let whole = feed(&[
        POINT,
        METER,
        TYPE,
        &block(&[reading("1293868800", "3600", "450")]),
    ]);
    let code = |text: &str| {
        read_all("green-button", text.as_bytes())
            .expect_err("refused")
            .code
    };
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><feed>&lol2;</feed>";
    assert_eq!(code(bomb), Code::EntityRefused);
    assert_eq!(code("<feed>&lol;</feed>"), Code::EntityRefused);
    for end in [whole.len() - 1, whole.len() - 9, whole.len() - 300, 200] {
        assert_eq!(code(&whole[..end]), Code::FileTruncated, "{end}");
    }
    assert_eq!(code(""), Code::FormatMismatch);
    assert_eq!(code("hello"), Code::FormatMismatch);
    assert_eq!(code("<html></html>"), Code::FormatMismatch);
    assert_eq!(code("<feed></entry>"), Code::FormatMismatch);
    assert_eq!(
        code(&format!("<feed>{}", "<a>".repeat(40))),
        Code::FormatMismatch
    );
    assert_eq!(
        code("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><feed/>"),
        Code::EncodingUnsupported
    );
    assert_eq!(
        code(&format!("<feed><a>{}</a></feed>", "x".repeat(100_000))),
        Code::LineTooLong
    );
    assert_eq!(
        code(&format!("<feed a=\"{}\"/>", "x".repeat(100_000))),
        Code::LineTooLong
    );
}
