//! Activities that tests make.

use super::super::tests::{read_all, read_with, refusals};
use super::super::{Options, Outcome, Settings, by_name};
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;

const GOOD: &str = r#"{"activityId":"a-1","consignmentIds":["c-7"],"distance":{"actual":"423"},"mass":"87",
"origin":{"city":"Shenzhen","country":"CN","lat":"22.5","lng":"114.1"},"destination":{"city":"Wuhan","country":"CN"},
"departureAt":"2026-05-01T00:00:00Z","arrivalAt":"2026-05-01T09:30:00Z","mode":"Road","loadFactor":"0.8","emptyDistanceFactor":"0",
"energyCarriers":[{"energyCarrier":"Diesel","relativeShare":"0.75"},
{"energyCarrier":"Electric","relativeShare":"0.25","feedstocks":[{"feedstock":"Grid","feedstockPercentage":"0.6"},{"feedstock":"Renewable electricity","feedstockShare":"0.4"}]}],
"packagingOrTrEqType":"Pallet","packagingOrTrEqAmount":3}"#;

fn good() -> String {
    GOOD.replace('\n', "")
}

fn outcome(row: &str) -> Outcome {
    let page = format!("{{\"data\":[{row}]}}");
    let (_, mut outcomes) = read_all("ileap-tad", page.as_bytes()).expect("readable");
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn record(row: &str) -> Record {
    match outcome(row) {
        Outcome::Record(_, record) => record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_activity_becomes_a_record() {
    let record = record(&good());
    assert_eq!(
        (record.source_id.as_str(), record.subject.as_str()),
        ("a-1", "c-7")
    );
    assert_eq!((record.to - record.from).num_minutes(), 570);
    let stated = |name: &str| {
        let quantity = record.quantity(name).expect("a quantity");
        format!("{} {}", quantity.value, quantity.unit)
    };
    assert_eq!(
        (stated("mass").as_str(), stated("distance").as_str()),
        ("87 kg", "423 km")
    );
    let facts: Vec<_> = record
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        facts,
        [
            "mode=road",
            "distance_type=actual",
            "consignment=c-7",
            "origin=Shenzhen",
            "destination=Wuhan",
            "load_factor=0.8",
            "empty_distance_factor=0",
            "energy_carrier=Diesel|Electric",
            "feedstock=Grid|Renewable electricity"
        ]
    );
}

#[test]
fn pages_arrays_and_lines_are_read() {
    let (one, two) = (good(), good().replace("a-1", "a-2"));
    for text in [
        format!("{{\"data\":[{one},{two}]}}"),
        format!("[{one},{two}]"),
        format!("{one}\n{two}\n"),
    ] {
        let (_, outcomes) = read_all("ileap-tad", text.as_bytes()).expect("readable");
        assert_eq!(outcomes.len(), 2);
        assert_eq!(refusals(&outcomes), []);
    }
    let denied = read_all("ileap-tad", b"{\"code\":\"AccessDenied\",\"message\":\"\"}");
    let (_, outcomes) = denied.expect("one line");
    assert_eq!(refusals(&outcomes)[0].1, "missing_field");
    let code = |text: &str| read_all("ileap-tad", text.as_bytes()).expect_err(text).code;
    assert_eq!(code(&format!("[{one}")), Code::FileTruncated);
    assert_eq!(code(&format!("{one}\n{}", &two[..40])), Code::FileTruncated);
    assert_eq!(code("<tad/>"), Code::FormatMismatch);
}

#[test]
fn several_consignments_need_a_declared_subject() {
    let row = good().replace("[\"c-7\"]", "[\"c-7\",\"c-8\"]");
    assert!(matches!(outcome(&row), Outcome::Refused(_)));
    let options = Options {
        settings: Settings::parse("subject = 'shipper-1'").expect("settings"),
        ..Options::default()
    };
    assert_eq!(
        (by_name("ileap-tad").expect("an adapter").check)(&options),
        Ok(())
    );
    let (_, outcomes) = read_with("ileap-tad", row.as_bytes(), &options).expect("readable");
    let [Outcome::Record(_, record)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(record.subject, "shipper-1");
    assert_eq!(record.attribute("consignment"), Some("c-7|c-8"));
    let unknown = Options {
        settings: Settings::parse("subjects = 'x'").expect("settings"),
        ..Options::default()
    };
    assert!((by_name("ileap-tad").expect("an adapter").check)(&unknown).is_err());
}

/// The specification's example of a shipment states 87 kg over 423 km as 3.6801 t·km in its
/// files and as 36.801 in its text: one of them is off by ten.
#[test]
fn an_activity_that_contradicts_itself_is_refused() {
    let with = |more: &str| good().replace("\"mass\":", &format!("{more}\"mass\":"));
    record(&with("\"transportActivity\":\"36.801\","));
    record(&with("\"transportActivity\":\"36.8\","));
    record(&with(
        "\"transportActivity\":\"36.801\",\"co2eIntensityWTW\":\"0.1\",\"co2eWTW\":\"3.6801\",",
    ));
    for (more, field) in [
        ("\"transportActivity\":\"3.6801\",", "transportActivity"),
        ("\"transportActivity\":\"36801\",", "transportActivity"),
        (
            "\"co2eIntensityWTW\":\"0.1\",\"co2eWTW\":\"36.801\",",
            "co2eWTW",
        ),
    ] {
        let Outcome::Refused(refused) = outcome(&with(more)) else {
            panic!("{more} is taken")
        };
        assert_eq!(
            (refused.problem.code, refused.problem.param.as_deref()),
            (Code::InvalidField, Some(field))
        );
    }
}

#[test]
fn every_rule_is_kept_at_its_property() {
    let long = "x".repeat(129);
    let rules: &[(&str, &str, &str, &str)] = &[
        ("\"activityId\":\"a-1\",", "", "missing_field", "activityId"),
        ("\"a-1\"", "\"\"", "invalid_field", "activityId"),
        ("a-1", &long, "invalid_field", "activityId"),
        ("\"a-1\"", "1", "row_malformed", ""),
        ("[\"c-7\"]", "[]", "missing_field", "consignmentIds"),
        ("[\"c-7\"]", "[\"\"]", "invalid_field", "consignmentIds"),
        ("{\"actual\":\"423\"}", "{}", "missing_field", "distance"),
        (
            "{\"actual\":\"423\"}",
            "{\"actual\":\"423\",\"gcd\":\"400\"}",
            "invalid_field",
            "distance",
        ),
        (
            "{\"actual\":\"423\"}",
            "{\"sfd\":\"0\"}",
            "quantity_out_of_range",
            "distance.sfd",
        ),
        (
            "{\"actual\":\"423\"}",
            "{\"gcd\":\"4,2\"}",
            "invalid_field",
            "distance.gcd",
        ),
        (
            "{\"actual\":\"423\"}",
            "{\"road\":\"1\"}",
            "row_malformed",
            "",
        ),
        ("\"mass\":\"87\",", "", "missing_field", "mass"),
        (
            "\"mass\":\"87\",",
            "\"mass\":null,",
            "missing_field",
            "mass",
        ),
        ("\"mass\":\"87\"", "\"mass\":87", "invalid_field", "mass"),
        (
            "\"mass\":\"87\"",
            "\"mass\":\"0.0\"",
            "quantity_out_of_range",
            "mass",
        ),
        (
            "\"mass\":\"87\"",
            "\"mass\":\"-87\"",
            "quantity_out_of_range",
            "mass",
        ),
        (
            "\"mass\":\"87\"",
            "\"mass\":\"8_7\"",
            "invalid_field",
            "mass",
        ),
        (
            "\"mass\":\"87\"",
            "\"mass\":\"1234567890123456789\"",
            "quantity_out_of_range",
            "mass",
        ),
        ("\"0.8\"", "\"0\"", "quantity_out_of_range", "loadFactor"),
        ("\"0.8\"", "\"80\"", "quantity_out_of_range", "loadFactor"),
        (
            "\"emptyDistanceFactor\":\"0\"",
            "\"emptyDistanceFactor\":\"1\"",
            "quantity_out_of_range",
            "emptyDistanceFactor",
        ),
        ("\"city\":\"Wuhan\",", "", "missing_field", "city"),
        ("\"Wuhan\"", "\"\"", "invalid_field", "destination.city"),
        (",\"lng\":\"114.1\"", "", "invalid_field", "origin.lat"),
        (
            "\"114.1\"",
            "\"181\"",
            "quantity_out_of_range",
            "origin.lng",
        ),
        (
            "\"departureAt\":\"2026-05-01T00:00:00Z\",",
            "",
            "missing_field",
            "departureAt",
        ),
        ("T09:30:00Z", "T00:00:00Z", "time_invalid", "arrivalAt"),
        ("T09:30:00Z", "T09:30:00+08:00", "time_invalid", "arrivalAt"),
        ("T09:30:00Z", "T09:30:00", "time_invalid", "arrivalAt"),
        ("\"mode\":\"Road\",", "", "missing_field", "mode"),
        ("\"Road\"", "\"Hub\"", "invalid_field", "mode"),
        ("\"0.75\"", "\"0.7\"", "invalid_field", "energyCarriers"),
        (
            "\"0.75\"",
            "\"75\"",
            "quantity_out_of_range",
            "energyCarriers/0/relativeShare",
        ),
        (
            ",\"relativeShare\":\"0.75\"",
            "",
            "missing_field",
            "energyCarriers/0/relativeShare",
        ),
        (
            "\"Diesel\"",
            "\"Coal\"",
            "invalid_field",
            "energyCarriers/0/energyCarrier",
        ),
        (
            "\"Grid\"",
            "\"Wind\"",
            "invalid_field",
            "energyCarriers/1/feedstocks",
        ),
        (
            "\"0.6\"",
            "\"60\"",
            "quantity_out_of_range",
            "energyCarriers/1/feedstocks",
        ),
        (
            "\"0.6\"",
            "\"0.61\"",
            "quantity_out_of_range",
            "energyCarriers/1/feedstocks",
        ),
        (
            "\"packagingOrTrEqType\"",
            "\"feedstocks\":[],\"packagingOrTrEqType\"",
            "invalid_field",
            "feedstocks",
        ),
    ];
    for (text, broken, code, field) in rules {
        let row = good();
        assert!(row.contains(text), "{text}");
        let Outcome::Refused(refused) = outcome(&row.replacen(text, broken, 1)) else {
            panic!("{text} -> {broken} is taken")
        };
        assert_eq!(
            (
                refused.problem.code.as_str(),
                refused.problem.param.as_deref().unwrap_or_default()
            ),
            (*code, *field),
            "{text} -> {broken}"
        );
    }
}

#[test]
fn a_leap_second_is_no_instant() {
    let leap = good().replace("2026-05-01T09:30:00Z", "2016-12-31T23:59:60Z");
    match outcome(&leap) {
        Outcome::Refused(refused) => {
            assert_eq!(refused.problem.code, Code::TimeInvalid);
            assert_eq!(refused.problem.detail.zh(), "不是带时区的日期时间");
        }
        other => panic!("{other:?}"),
    }
}
