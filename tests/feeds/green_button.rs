//! Green Button files of which no independent reader's result is stored, and what files say
//! beside their readings.

use serde_json::json;

use crate::{check_json, records, shared};

#[test]
fn quarter_hours_of_the_official_fixture_add_up() {
    let Some(file) = shared("greenbutton/test_usage_data_01.xml") else {
        return;
    };
    assert_eq!(
        check_json(&["--adapter", "green-button"], &[&file]),
        json!({"adapter": "green-button", "records": 96, "refused": {}, "held": {},
            "totals": [{"quantity": "electricity", "unit": "kWh", "value": "93.846"}]})
    );
    let records = records("green-button", &file);
    assert!(records.iter().all(|r| (r.to - r.from).num_minutes() == 15));
    assert!(
        records
            .iter()
            .all(|r| r.attribute("stated_at") == Some("2012-10-24T00:00:00Z"))
    );
}

#[test]
fn each_day_says_when_it_was_stated() {
    let Some(file) = shared("greenbutton/TestGBDataHourlyNineDaysBinnedDaily.xml") else {
        return;
    };
    let mut stated: Vec<String> = records("green-button", &file)
        .iter()
        .filter_map(|record| record.attribute("stated_at").map(str::to_owned))
        .collect();
    assert_eq!(stated.len(), 216);
    stated.dedup();
    assert_eq!(stated.len(), 9, "{stated:?}");
}

#[test]
fn a_file_of_which_only_the_summary_is_left_is_held_or_counted_as_declared() {
    let Some(file) = shared("greenbutton/test_usage_data_01.xml") else {
        return;
    };
    let text = std::fs::read_to_string(&file).expect("readable");
    let dir = tempfile::tempdir().expect("a directory");
    let bill = dir.path().join("bill.xml");
    std::fs::write(&bill, text.replace("IntervalReading>", "NoReading>")).expect("written");
    assert_eq!(
        check_json(&["--adapter", "green-button"], &[&bill]),
        json!({"adapter": "green-button", "records": 0, "refused": {}, "held": {"summary_only": 1}, "totals": []})
    );
    let args = [
        "--adapter",
        "green-button",
        "--set",
        "summaries=billing_periods",
    ];
    assert_eq!(
        check_json(&args, &[&bill]),
        json!({"adapter": "green-button", "records": 1, "refused": {}, "held": {},
            "totals": [{"quantity": "electricity", "unit": "kWh", "value": "1298.64"}]})
    );
}
