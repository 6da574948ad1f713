//! A car's trips: single acts follow the same rule as periods, by the day on which they begin.

use super::*;

on_both! {
    fn a_trip_of_a_shared_car_is_credited_in_parts(pool: Pool) {
        let town = Town::open(&pool);
        let (owner, other) = (town.owner("car-1"), town.person());
        assert_eq!(owner.share(&json!({"weight": 1, "members": [{"code": other.code(), "weight": 2}]})).status, 200);
        town.pass(1);
        // Yesterday's trip comes late and is the owner's; today's is shared.
        let told = town.drive(&[drive("t0", "car-1", 0, "10"), drive("t1", "car-1", 1, "10")]);
        assert_eq!((&told["accepted"], &told["reduction_mg"]), (&json!(2), &json!(2_000_000)), "{told}");
        assert_eq!((owner.saved(), other.saved()), (1_000_000 + 333_333, 666_667));
        let record = &told["records"][1];
        assert_eq!((&record["mg"], &record["points"]), (&json!(1_000_000), &json!(999)), "{record}");

        // Sent again it is a replay of the whole.
        let again = town.drive(&[drive("t1", "car-1", 1, "10")]);
        assert_eq!((&again["replayed"], &again["records"][0]["mg"]), (&json!(1), &json!(1_000_000)), "{again}");
        assert_eq!(again["records"][0]["points"], 999);
        refused_record(&town.drive(&[drive("t1", "car-1", 1, "11")]), Code::RecordConflict);

        // A revision takes both parts back and gives both anew; then all of it is cancelled.
        let mut longer = drive("t1b", "car-1", 1, "20");
        longer["revises"] = json!("t1");
        let told = town.drive(&[longer.clone()]);
        assert_eq!(told["records"][0]["mg"], 2_000_000, "{told}");
        assert_eq!((owner.saved(), other.saved()), (1_000_000 + 666_667, 1_333_333));
        let replay = town.drive(&[longer]);
        assert_eq!((&replay["replayed"], &replay["records"][0]["mg"]), (&json!(1), &json!(2_000_000)), "{replay}");
        for (person, part) in [(&owner, 666_667), (&other, 1_333_333)] {
            let rows = person.reductions(date(1));
            let newest = rows.iter().find(|row| row.mg == part).expect("the new part");
            let told = person.explained(&newest.id().to_string());
            assert_eq!((&told["agrees"], &told["share"]["whole_mg"]), (&json!(true), &json!(2_000_000)));
            let counter = rows.iter().find(|row| row.mg < 0).expect("a counter-entry");
            let told = person.explained(&counter.id().to_string());
            assert_eq!(told["correction"]["replaced_by"], json!(newest.id().to_string()));
        }
        let mut gone = drive("t1x", "car-1", 1, "0");
        gone["revises"] = json!("t1b");
        gone["quantities"] = json!({});
        let told = town.drive(&[gone]);
        assert_eq!(told["records"][0]["mg"], -2_000_000, "{told}");
        assert_eq!((owner.saved(), other.saved()), (1_000_000, 0));
        town.town.assert_audit_is_clean();
    }

    fn many_trips_of_several_cars_come_in_one_batch(pool: Pool) {
        let town = Town::open(&pool);
        let (one, two, third) = (town.owner("car-1"), town.owner("car-2"), town.person());
        let lone = town.owner("car-3");
        for owner in [&one, &two] {
            assert_eq!(owner.share(&json!({"members": [{"code": third.code()}]})).status, 200);
        }
        town.pass(1);
        let cars = ["car-1", "car-2", "car-3", "car-4"];
        let trips: Vec<Value> = (0..40)
            .map(|at| drive(&format!("t{at}"), cars[at % 4], 1, "0.00001"))
            .collect();
        let told = town.drive(&trips);
        assert_eq!((&told["accepted"], &told["held"]), (&json!(30), &json!(10)), "{told}");
        // A milligram cannot be halved: it goes whole to one of the two, trip by trip the same.
        assert_eq!(lone.saved(), 10);
        assert_eq!(one.saved() + two.saved() + third.saved(), 20);
        town.town.assert_audit_is_clean();
    }

    fn a_persons_own_trips_are_not_shared(pool: Pool) {
        let town = Town::open(&pool);
        // One name for the rider and for the rider's car.
        let (owner, other) = (town.owner("u-1"), town.person());
        assert_eq!(owner.share(&json!({"members": [{"code": other.code()}]})).status, 200);
        town.pass(1);
        let ride = crate::partner::trip("m1", "u-1", 36 * 60, "10");
        let told = town.post("metro", &[ride]);
        assert_eq!(told["accepted"], 1, "{told}");
        let metro = owner.saved();
        assert!(metro > 0);
        town.drive(&[drive("t1", "u-1", 1, "10")]);
        assert_eq!((owner.saved() - metro, other.saved()), (500_000, 500_000));
        let scenes = owner.subject()["scenes"].clone();
        let told: Vec<(&str, bool)> = scenes.as_array().unwrap().iter()
            .map(|scene| (scene["code"].as_str().unwrap(), scene["shared"].as_bool().unwrap())).collect();
        assert_eq!(told, [("car", true), ("metro", false)]);
        assert_eq!(scenes[0]["last_day"], json!(date(1)));
        town.town.assert_audit_is_clean();
    }
}

#[track_caller]
fn refused_record(told: &Value, code: Code) {
    assert_eq!(
        told["records"][0]["problem"]["code"],
        code.as_str(),
        "{told}"
    );
}
