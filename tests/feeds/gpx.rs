//! Tracks of four recorders and planners.

use serde_json::{Value, json};

use super::{check_json, shared};

fn check(file: &str, settings: &[&str]) -> Option<Value> {
    let file = shared(&format!("gpx-walk-cycle/{file}.gpx"))?;
    let mut args = vec!["--adapter", "gpx"];
    for setting in settings {
        args.extend(["--set", setting]);
    }
    Some(check_json(&args, &[&file]))
}

fn said(records: u32, refused: Value, km: &str, seen: [u32; 4]) -> Value {
    let totals = match records {
        0 => json!([]),
        _ => json!([{"quantity": "distance", "unit": "km", "value": km}]),
    };
    json!({"adapter": "gpx", "records": records, "refused": refused, "held": {}, "totals": totals,
        "seen": {"tracks": seen[0], "points": seen[1], "routes": seen[2], "waypoints": seen[3]}})
}

const WALK: &[&str] = &["subject=user-17", "mode=walk"];

#[test]
fn a_stroll_of_988_points_is_12_821_m() {
    let Some(stroll) = check("garmin-activity", WALK) else {
        return;
    };
    let whole = said(1, json!({}), "12.821", [1, 988, 1, 0]);
    assert_eq!(stroll, whole);
    // The recorder calls it running; without a person it is nobody's.
    assert_eq!(check("garmin-activity", &["subject=user-17"]), Some(whole));
    let nobody = json!({"missing_field": 1});
    let expected = said(0, nobody, "", [1, 988, 1, 0]);
    assert_eq!(check("garmin-activity", &[]), Some(expected));
    // Many a minute of it is faster than 5 km/h.
    let slow = check("garmin-activity", &[WALK, &["max_speed_kmh=5"]].concat());
    let expected = said(0, json!({"quantity_out_of_range": 1}), "", [1, 988, 1, 0]);
    assert_eq!(slow, Some(expected));
}

#[test]
fn a_planned_tour_has_the_length_that_its_planner_states() {
    // The file says of itself: trackLengthMeter 6998.29996147978.
    if let Some(tour) = check("gpsies_example", WALK) {
        assert_eq!(tour, said(1, json!({}), "6.998", [1, 41, 0, 0]));
    }
}

#[test]
fn three_points_at_one_place_are_no_way() {
    if let Some(still) = check("wikipedia_example", WALK) {
        assert_eq!(still, said(1, json!({}), "0", [1, 3, 0, 0]));
    }
}

#[test]
fn a_drawn_track_and_waypoints_earn_nothing() {
    if let Some(drawn) = check("mousehole_to_paul", WALK) {
        let refused = json!({"ineligible": 2, "missing_field": 1});
        assert_eq!(drawn, said(0, refused, "", [1, 111, 0, 2]));
    }
}
