//! Freight activity data through the command. iLEAP publishes no activity data of its own, so the
//! file here is this test's; its second activity repeats the tenfold contradiction of the
//! specification's example of a shipment (87 kg over 423 km as 3.6801 t·km).

use serde_json::json;

use crate::{check_json, feed_check};

fn activity(id: &str, more: &str) -> serde_json::Value {
    let mut activity = json!({
        "activityId": id, "consignmentIds": ["c-1"], "mass": "87", "distance": {"actual": "423"}, "mode": "Rail",
        "origin": {"city": "Shenzhen", "country": "CN"}, "destination": {"city": "Changsha", "country": "CN"},
        "departureAt": "2026-05-01T00:00:00Z", "arrivalAt": "2026-05-01T08:00:00Z",
    });
    activity["transportActivity"] = json!(more);
    activity
}

#[test]
fn a_page_of_activities_is_read_and_a_contradiction_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("tad.json");
    let page = json!({"data": [activity("a-1", "36.801"), activity("a-2", "3.6801")]});
    std::fs::write(&file, page.to_string()).expect("written");
    let args = ["--adapter", "ileap-tad"];
    assert_eq!(
        check_json(&args, &[&file]),
        json!({"adapter": "ileap-tad", "records": 1, "refused": {"invalid_field": 1}, "held": {},
            "totals": [{"quantity": "distance", "unit": "km", "value": "423"},
                       {"quantity": "mass", "unit": "kg", "value": "87"}]})
    );
    let text = feed_check(&args, &[&file]);
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    assert!(
        text.contains("/data/1") && text.contains("not 3.6801"),
        "{text}"
    );
}
