//! The standard publishes no trips, but a model of one: what it requires is required, and each
//! trip type that it lists is known.

use std::path::Path;

use serde_json::{Value, json};

use super::{check_json, shared};

const MODELS: &str = "mds/openapi-v2.0/models";

/// Of our own making, and valid against the model.
fn trip() -> Value {
    json!({"provider_id": "11111111-2222-4333-8444-555555555555",
        "device_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "trip_id": "01234567-89ab-4cde-8f01-23456789abcd",
        "start_time": 1_767_254_400_000u64, "end_time": 1_767_255_000_500u64,
        "start_location": {"lat": 22.54, "lng": 114.05},
        "end_location": {"lat": 22.548, "lng": 114.05},
        "duration": 600, "distance": 1_250, "trip_type": ["rider"]})
}

fn check(trips: &[Value]) -> Value {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("trips.json");
    let page = json!({"version": "2.0.0", "trips": trips});
    std::fs::write(&file, page.to_string()).expect("written");
    check_json(&["--adapter", "mds-trips"], &[&file])
}

/// The words of each YAML list under `key:`, which is all that is needed of the format.
fn lists(file: &Path, key: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(file).expect("readable");
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim) {
        match line.strip_prefix("- ") {
            Some(word) if open => found.last_mut().expect("open").push(word.to_owned()),
            _ => open = line == format!("{key}:"),
        }
        if open && line == format!("{key}:") {
            found.push(Vec::new());
        }
    }
    found
}

#[test]
fn what_the_model_requires_is_required() {
    let Some(model) = shared(&format!("{MODELS}/trip.yaml")) else {
        return;
    };
    let required = lists(&model, "required").swap_remove(0);
    assert_eq!(required.len(), 9, "{required:?}");
    let without = |member: &String| {
        let mut trip = trip();
        assert!(
            trip.as_object_mut()
                .expect("an object")
                .remove(member)
                .is_some()
        );
        trip
    };
    let trips: Vec<Value> = required.iter().map(without).chain([trip()]).collect();
    let said = check(&trips);
    assert_eq!(said["refused"], json!({"missing_field": 9}));
    let totals = json!([{"quantity": "distance", "unit": "km", "value": "1.25"}]);
    assert_eq!((&said["records"], &said["totals"]), (&json!(1), &totals));
}

#[test]
fn every_trip_type_of_the_models_is_known() {
    let mut words = Vec::new();
    for mode in [
        "micromobility",
        "car-share",
        "passenger-services",
        "delivery-robots",
    ] {
        let Some(model) = shared(&format!("{MODELS}/modes/{mode}/trip.yaml")) else {
            return;
        };
        // The first enumeration of each model is the trip type's.
        words.extend(lists(&model, "enum").swap_remove(0));
    }
    words.sort();
    words.dedup();
    assert_eq!(words.len(), 12, "{words:?}");
    let typed = |shape: fn(&String) -> Value| {
        let of = |word| {
            let mut trip = trip();
            trip["trip_type"] = shape(word);
            trip
        };
        words.iter().map(of).collect::<Vec<_>>()
    };
    for trips in [typed(|word| json!(word)), typed(|word| json!([word]))] {
        let said = check(&trips);
        assert_eq!(said["records"], json!(3));
        assert_eq!(said["refused"], json!({"ineligible": 9}));
    }
}
