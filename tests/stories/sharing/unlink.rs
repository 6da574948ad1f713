//! A link to the wrong account ends, and the right one takes over.

use super::*;

on_both! {
    fn a_wrong_link_ends_tomorrow_and_the_next_takes_over(pool: Pool) {
        let town = Town::open(&pool);
        let (wrong, right) = (town.owner("car-1"), town.person());
        assert_eq!(wrong.share(&json!({"members": [{"code": town.person().code()}]})).status, 200);
        refused(&town.link(&metro(), "car-1", &right.code()), Code::SubjectLinked);
        refused(&town.unlink(&bus(), "car-1"), Code::SubjectNotLinked);
        refused(&town.unlink(&metro(), "car-9"), Code::SubjectNotLinked);
        let unsigned = ask(town.url(), "DELETE", LINKS, &[("Content-Type", JSON)], "{\"subject\":\"car-1\"}");
        refused(&unsigned, Code::SignatureMissing);

        let ended = town.unlink(&metro(), "car-1");
        assert_eq!((ended.status, ended.json()), (200, json!({"ends_on": date(1)})), "{}", ended.body);
        assert_eq!(town.unlink(&metro(), "car-1").json(), json!({"ends_on": date(1)}));
        assert_eq!(wrong.subject()["ends_on"], json!(date(1)));
        refused(&wrong.share(&json!({"members": []})), Code::LinkEnded);
        // Today is still the first account's; tomorrow is nobody's.
        town.drive(&[drive("t0", "car-1", 0, "10")]);
        town.pass(1);
        assert!(wrong.subjects().is_empty());
        let told = town.drive(&[drive("t1", "car-1", 1, "20"), drive("t0b", "car-1", 0, "5")]);
        assert_eq!((&told["held"], &told["accepted"]), (&json!(1), &json!(1)), "{told}");
        assert_eq!(wrong.saved(), 1_500_000);

        let linked = town.link(&metro(), "car-1", &right.code());
        assert_eq!((linked.status, &linked.json()["released"]), (200, &json!(1)), "{}", linked.body);
        assert_eq!((wrong.saved(), right.saved()), (1_500_000, 2_000_000));
        // What is late for the days before goes where those days are; it can be corrected there.
        let mut gone = drive("t0x", "car-1", 0, "0");
        gone["revises"] = json!("t0");
        gone["quantities"] = json!({});
        let told = town.drive(&[gone, drive("t0c", "car-1", 0, "1"), drive("t1c", "car-1", 1, "1")]);
        assert_eq!(told["refused"], 0, "{told}");
        assert_eq!((wrong.saved(), right.saved()), (600_000, 2_100_000));
        assert_eq!(right.subject()["role"], json!("owner"));
        town.town.assert_audit_is_clean();
    }

    fn periods_after_the_end_wait_for_the_next_link(pool: Pool) {
        let town = Town::open(&pool);
        let (wrong, right) = (town.owner("h-1"), town.person());
        town.post("home", &[members("m", "h-1", -5, 3)]);
        assert_eq!(town.unlink(&metro(), "h-1").status, 200);
        town.pass(3);
        town.post("home", &[kwh("d0", "h-1", 0, 2), kwh("d1", "h-1", 1, 2), kwh("d2", "h-1", 2, 2)]);
        town.close();
        assert_eq!(wrong.saved(), 4_000_000);
        assert_eq!(town.link(&metro(), "h-1", &right.code()).status, 200);
        town.close();
        // The job may have been first; either way every day is counted once, for its own account.
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while right.saved() != 8_000_000 && std::time::Instant::now() < patience {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!((wrong.saved(), right.saved()), (4_000_000, 8_000_000));
        town.town.assert_audit_is_clean();
    }

    fn an_owner_ends_the_link_and_nobody_shares_any_more(pool: Pool) {
        let town = Town::open(&pool);
        let (owner, other) = (town.owner("car-1"), town.person());
        assert_eq!(owner.share(&json!({"members": [{"code": other.code()}]})).status, 200);
        town.pass(1);
        let left = owner.leave();
        assert_eq!((left.status, &left.json()["ends_on"]), (200, &json!(date(2))));
        town.drive(&[drive("t1", "car-1", 1, "10")]);
        town.pass(1);
        let told = town.drive(&[drive("t2", "car-1", 2, "10")]);
        assert_eq!(told["held"], 1, "{told}");
        assert_eq!((owner.saved(), other.saved()), (500_000, 500_000));
        assert!(owner.subjects().is_empty() && other.subjects().is_empty());
        // Linked to the member now, it is the member's alone: the old shares are gone with the link.
        assert_eq!(town.link(&metro(), "car-1", &other.code()).json()["released"], 1);
        assert_eq!((owner.saved(), other.saved()), (500_000, 1_500_000));
        town.town.assert_audit_is_clean();
    }

    fn the_bureau_looks_and_ends_with_a_reason(pool: Pool) {
        let town = Town::open(&pool);
        let (owner, other) = (town.owner("car-1"), town.person());
        assert_eq!(owner.share(&json!({"members": [{"code": other.code()}]})).status, 200);
        let named = |reason: &str| json!({"partner": "metro", "subject": "car-1", "reason": reason});
        refused(&town.bureau("/api/bureau/links/show", &named(" ")), Code::MissingField);
        let nobody = json!({"partner": "metro", "subject": "car-9", "reason": "dispute 7"});
        refused(&town.bureau("/api/bureau/links/show", &nobody), Code::NotFound);
        let seen = town.bureau("/api/bureau/links/show", &named("dispute 7"));
        assert_eq!(seen.status, 200, "{}", seen.body);
        let seen = seen.json();
        assert_eq!((&seen["links"][0]["account"], &seen["reference"]), (&json!(owner.account), &json!(owner.reference())));
        let mut shares: Vec<&str> = seen["statements"][0]["shares"].as_array().unwrap().iter()
            .map(|share| share["account"].as_str().unwrap()).collect();
        let mut expected = [owner.account.to_string(), other.account.to_string()];
        expected.sort();
        shares.sort();
        assert_eq!(shares, expected);
        let ended = town.bureau("/api/bureau/links/end", &named("dispute 7: sold in October"));
        assert_eq!((ended.status, &ended.json()["ends_on"]), (200, &json!(date(1))), "{}", ended.body);
        let seen = town.bureau("/api/bureau/links/show", &named("dispute 7")).json();
        assert_eq!(seen["links"][0]["ended_by"], "bureau");
        let citizen = owner.ask("POST", "/api/bureau/links/end", None, &named("x").to_string());
        assert_eq!(citizen.status, 403);
        town.town.assert_audit_is_clean();
    }
}
