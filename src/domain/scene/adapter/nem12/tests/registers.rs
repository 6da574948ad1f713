//! NEM13: a register's readings.

use super::super::super::Outcome;
use super::super::super::tests::{read_all, refusals};
use super::records;

const READ: &str = "250,NMI0000001,11,1,11,11,S-7,E,006342.8,20251005093055,A,,,007654.9,20260107100333,E64,77,,1312.1,kWh,20260407,20260108100333,\r\n";

fn nem13(rows: &[&str]) -> Vec<Outcome> {
    let file = format!("100,NEM13,202601310900,MDP,RET\r\n{}900", rows.concat());
    read_all("nem12", file.as_bytes()).expect("readable").1
}

#[test]
fn a_register_reading_is_a_record() {
    let all = nem13(&[READ, "550,N,,N,\r\n"]);
    let [record] = records(&all)[..] else {
        panic!("{all:?}");
    };
    assert_eq!(record.source_id, "NMI0000001/11@2025-10-04T23:30:55Z");
    assert_eq!(record.to.to_rfc3339(), "2026-01-07T00:03:33+00:00");
    assert_eq!(
        record
            .quantity("electricity")
            .expect("it")
            .value
            .to_string(),
        "1312.1"
    );
    for (name, value) in [
        ("reading", "register"),
        ("quality", "estimated"),
        ("quality_from", "actual"),
        ("quality_to", "estimated"),
        ("quality_method", "64"),
        ("quality_reason", "77"),
        ("stated_at", "2026-01-08T00:03:33Z"),
    ] {
        assert_eq!(record.attribute(name), Some(value), "{name}");
    }
    let fed_in = nem13(&[&READ.replace(",E,0063", ",I,0063")]);
    assert!(records(&fed_in)[0].quantity("electricity_export").is_some());
}

#[test]
fn a_real_reading_replaces_the_estimate_of_the_same_period() {
    let real = READ
        .replace("20260107100333,E64,77,,1312.1", "20260110080000,A,,,1290.0")
        .replace("20260108100333", "20260111000000");
    let all = nem13(&[READ, &real]);
    let [record] = records(&all)[..] else {
        panic!("{all:?}");
    };
    assert_eq!(record.quantities[0].value.to_string(), "1290");
    assert_eq!(refusals(&all)[0].1, "duplicate_reading");
}

#[test]
fn readings_of_one_register_that_overlap_do_not_both_count() {
    // From 5 October to 7 January: the same register again from 1 December, and from 7 January on.
    let inside = READ.replace("20251005093055", "20251201093055");
    let around = READ
        .replace("20251005093055", "20250901093055")
        .replace("20260107100333", "20260301093055");
    for other in [&inside, &around] {
        let all = nem13(&[READ, other]);
        assert_eq!(records(&all).len(), 1);
        let said = refusals(&all);
        assert_eq!(
            (said[0].1.as_str(), said[0].2.as_str()),
            ("duplicate_reading", "PreviousRegisterReadDateTime")
        );
    }
    let next = READ
        .replace("20260107100333", "20260401093055")
        .replace("20251005093055", "20260107100333");
    let other = inside.replace("11,1,11,11", "11,1,12,11");
    let all = nem13(&[READ, &next, &other]);
    assert_eq!(records(&all).len(), 3, "{all:?}");
    // The estimate's end moves: a longer real reading reaches into the next one.
    let longer = READ
        .replace("20260107100333,E64,77", "20260110080000,A,")
        .replace("20260108100333", "20260111000000");
    assert_eq!(records(&nem13(&[READ, &longer, &next])).len(), 1);
}

#[test]
fn each_broken_register_row_says_its_field_and_rule() {
    for (from, to, code, field) in [
        (",1312.1,", ",-10.0,", "quantity_out_of_range", "Quantity"),
        (",1312.1,", ",,", "missing_field", "Quantity"),
        (",kWh,", ",,", "unit_missing", "UOM"),
        (",kWh,", ",kvarh,", "unit_unsupported", "UOM"),
        (",E,0063", ",X,0063", "invalid_field", "DirectionIndicator"),
        (",E,0063", ",,0063", "missing_field", "DirectionIndicator"),
        (
            "20251005093055",
            "20260107100333",
            "time_invalid",
            "CurrentRegisterReadDateTime",
        ),
        (
            "20251005093055",
            "20201005093055",
            "time_invalid",
            "PreviousRegisterReadDateTime",
        ),
        (
            "20251005093055",
            "",
            "missing_field",
            "PreviousRegisterReadDateTime",
        ),
        (
            ",A,,,",
            ",N,,,",
            "reading_incomplete",
            "PreviousQualityMethod",
        ),
        (",E64,", ",V,", "invalid_field", "CurrentQualityMethod"),
        ("NMI0000001", "", "missing_field", "NMI"),
    ] {
        let all = nem13(&[&READ.replacen(from, to, 1)]);
        let said = refusals(&all);
        assert_eq!(
            (said[0].1.as_str(), said[0].2.as_str()),
            (code, field),
            "{from} {to}"
        );
        assert!(records(&all).is_empty());
    }
}
