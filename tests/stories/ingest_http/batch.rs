//! Batches in the platform's own form.

use serde_json::{Value, json};

use crate::partner::{JSON, NDJSON, Town, array, metro, metro_ed25519, trip, trip_with};

fn of(answer: &Value, name: &str) -> Vec<Value> {
    let records = answer["records"].as_array().expect("records");
    records.iter().map(|record| record[name].clone()).collect()
}

on_both! {
    fn both_forms_and_both_algorithms_are_taken_once(pool: Pool) {
        let town = Town::open(pool);
        let (a, b) = (town.rider(&["a"]), town.rider(&["b"]));
        let trips = [trip("t1", "b", 0, "12.5"), trip("t2", "a", 0, "7"), trip("t3", "b", 60, "0.021")];
        let first = town.post_as(&metro(), "metro", JSON, array(&trips).as_bytes());
        assert_eq!(first.status, 200, "{}", first.body);
        let first = first.json();
        assert_eq!(of(&first, "status"), ["accepted"; 3]);
        assert_eq!(of(&first, "mg"), [585_000, 327_600, 982]);
        // The remainder of 982 mg is carried and makes no point yet.
        assert_eq!(of(&first, "points"), [585, 327, 0]);
        assert_eq!(
            (&first["accepted"], &first["reduction_mg"], &first["points"]),
            (&json!(3), &json!(913_582), &json!(912))
        );
        let wealth = (town.wealth(a), town.wealth(b));
        assert_eq!(wealth, ((327, 327_600), (585, 585_982)));
        let stored = town.stored();

        let lines = trips.join("\n");
        let again = town.post_as(&metro_ed25519(), "metro", NDJSON, lines.as_bytes());
        assert_eq!(again.status, 200, "{}", again.body);
        let again = again.json();
        assert_eq!(of(&again, "status"), ["replayed"; 3]);
        for name in ["reduction_id", "mg", "points"] {
            assert_eq!(of(&again, name), of(&first, name), "{name}");
        }
        assert_eq!((&again["replayed"], &again["points"]), (&json!(3), &json!(0)));
        assert_eq!((town.wealth(a), town.wealth(b)), wealth);
        assert_eq!(town.stored(), stored, "a replay stores nothing");

        let document = format!("{{\"records\":{}}}", array(&[trip("t4", "a", 120, "1")]));
        let third = town.post_as(&metro_ed25519(), "metro", JSON, document.as_bytes()).json();
        assert_eq!(of(&third, "mg"), [46_800]);
        town.assert_audit_is_clean();
    }

    fn the_same_id_with_other_content_is_refused(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["a"]);
        town.post(&[trip("t1", "a", 0, "10")]);
        let answer = town.post(&[trip("t1", "a", 0, "90"), trip("t2", "a", 60, "1")]).json();
        assert_eq!(of(&answer, "status"), ["refused", "accepted"]);
        assert_eq!(answer["records"][0]["problem"]["code"], "record_conflict");
        assert_eq!(answer["records"][0]["problem"]["param"], "id");
        assert_eq!(answer["records"][0]["problem"]["detail_zh"], "请提交更正，并写明所更正的记录");
        assert_eq!(town.wealth(account), (514, 514_800));
        // Alone it is answered alike: this goes the way of single posts.
        let answer = town.post(&[trip("t1", "a", 0, "90")]).json();
        assert_eq!(answer["records"][0]["problem"]["code"], "record_conflict");
        assert_eq!(town.wealth(account), (514, 514_800));
        town.assert_audit_is_clean();
    }

    fn good_rows_are_kept_and_bad_ones_are_answered_one_by_one(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["a"]);
        let bad = [
            (trip("b1", "a", 60, "-5"), "quantity_out_of_range", "quantities.distance.value"),
            (trip("b2", "a", 60, "9999999"), "quantity_out_of_range", "quantities.distance"),
            (trip_with("b3", "a", 60, "distance", "5", "vehicle-km", "metro"), "unit_mismatch", "quantities.distance"),
            (trip("b4", "a", 60, "5").replacen('{', "{\"speed\":1,", 1), "unknown_field", "speed"),
            (trip("b5", "a", 36 * 60, "5"), "event_in_future", "to"),
            (r#"{"id":"b6","subject":"a","from":"2026-11-19T00:00:00Z"}"#.into(), "missing_field", "to"),
            (r#"{"subject":"a"}"#.into(), "missing_field", "id"),
            (trip_with("b7", "a", 60, "duration", "5", "min", "metro"), "missing_field", "quantities.distance"),
            (trip_with("b8", "a", 60, "distance", "5", "km", "rocket"), "invalid_field", "attributes.mode"),
            (trip("b9", "a", 60, "1e3"), "invalid_field", "quantities.distance.value"),
        ];
        let mut batch = vec![trip("g1", "a", 0, "10")];
        batch.extend(bad.iter().map(|(row, _, _)| row.clone()));
        batch.push(trip("g2", "a", 60, "1"));
        for (media, body) in [(JSON, array(&batch)), (NDJSON, batch.join("\n"))] {
            let answer = town.post_as(&metro(), "metro", media, body.as_bytes());
            assert_eq!(answer.status, 200, "{}", answer.body);
            let answer = answer.json();
            assert_eq!(answer["refused"], json!(bad.len()), "{media}");
            for (record, (row, code, param)) in answer["records"].as_array().unwrap()[1..].iter().zip(&bad) {
                let problem = &record["problem"];
                assert_eq!((&problem["code"], &problem["param"]), (&json!(code), &json!(param)), "{row} {record}");
                let title = problem["title_zh"].as_str().expect("a Chinese title");
                assert!(!title.is_ascii() && !problem["title"].as_str().unwrap().is_empty());
                if *code == "event_in_future" {
                    assert_eq!(problem["detail_zh"], "行为的结束时间在未来");
                }
                if param == &"attributes.mode" {
                    let told = problem["detail_zh"].as_str().expect("a Chinese sentence");
                    assert!(told.starts_with("“rocket”不在可选值之内："), "{told}");
                }
            }
            assert_eq!(town.wealth(account), (514, 514_800), "{media}");
        }
        town.assert_audit_is_clean();
    }
}
