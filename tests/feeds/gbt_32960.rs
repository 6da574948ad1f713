//! No telemetry of vehicles is shared, so the file is written here: a week of a small fleet, with
//! everything that goes wrong on the road.

use std::fmt::Write as _;

use serde_json::json;

use crate::check_json;

#[test]
fn a_fleets_week_is_added_up_exactly() {
    let mut text = String::from("vin,time,vehicleStatus,chargeStatus,runMode,speed,mileage,soc\n");
    // Three vehicles, seven days, a reading each half hour from 8:00 to 18:00: 20 intervals of
    // 5 km. The third is a hybrid whose engine runs from 13:00 on; its odometer starts anew on the
    // fourth day at noon.
    for vehicle in 0..3_u32 {
        for day in 1..=7_u32 {
            for step in 0..=20_u32 {
                let (hour, minute) = (8 + step / 2, step % 2 * 30);
                let mode = if vehicle == 2 && step > 10 { 3 } else { 1 };
                let reset = vehicle == 2 && (day > 4 || (day == 4 && step >= 8));
                let driven = (day - 1) * 1_000 + step * 50;
                let mileage = if reset {
                    driven - 3_400
                } else {
                    500_000 + driven
                };
                let _ = writeln!(
                    text,
                    "LVTEST0000000000{vehicle},26-05-0{day} {hour:02}:{minute:02}:00,1,3,{mode},100,{mileage},80"
                );
            }
        }
    }
    text.push_str("LVTEST00000000009,26-05-01 08:00:00,1,3,1,0,4294967295,255\n");
    text.push_str("LVTEST00000000009,26-05-01 08:01:00,1,3,1,0,1000,80\n");
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("week.csv");
    std::fs::write(&file, text).expect("written");
    // 2 vehicles x 7 days x 100 km; of the hybrid 50 km a day are electric, less one interval.
    assert_eq!(
        check_json(&["--adapter", "gbt-32960"], &[&file]),
        json!({"adapter": "gbt-32960", "records": 21,
            "refused": {"quantity_out_of_range": 1}, "held": {"single_reading": 1},
            "totals": [{"quantity": "distance", "unit": "km", "value": "1745"},
                       {"quantity": "distance_across_midnight", "unit": "km", "value": "0"},
                       {"quantity": "distance_fuel", "unit": "km", "value": "350"}],
            "seen": {"rows": 443, "readings": 442, "messages_without_vehicle": 0, "vehicles": 4,
                "vehicle_days": 21, "odometer_resets": 1, "odometer_jumps": 0}})
    );
}
