//! A person lets a partner's records reach the account, once, by a code.

use chrono::Duration;
use serde_json::json;
use tanpuhui::domain::problem::Code;
use uuid::Uuid;

use crate::partner::{JSON, Town, bus, metro, trip};
use crate::wire::{Answer, ask};
use crate::world::open_account;

const LINKS: &str = "/api/partner/links";

pub(super) fn code(town: &Town, account: Uuid) -> String {
    let bearer = format!("Bearer {}", town.token(account));
    let path = "/api/citizen/link-codes";
    let answer = ask(town.url(), "POST", path, &[("Authorization", &bearer)], "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["code"].as_str().expect("a code").to_owned()
}

fn link(town: &Town, subject: &str, code: &str) -> Answer {
    let body = json!({"subject": subject, "code": code}).to_string();
    town.sign(&metro(), LINKS, JSON, body.as_bytes())
        .send(town.url())
}

#[track_caller]
fn refused(answer: &Answer, code: Code) {
    assert_eq!(answer.json()["code"], code.as_str(), "{}", answer.body);
}

on_both! {
    fn what_was_held_is_credited_once_when_its_subject_is_linked(pool: Pool) {
        let town = Town::open(pool.clone());
        let account = open_account(&pool);
        let trips = [trip("t1", "a", 0, "12.5"), trip("t2", "a", 60, "1"), trip("t3", "z", 0, "1")];
        let held = town.post(&trips).json();
        assert_eq!(held["held"], 3, "{held}");
        assert_eq!(held["records"][0]["reason"], "subject_not_linked");
        assert_eq!(town.wealth(account), (0, 0));

        let good = code(&town, account);
        let linked = link(&town, "a", &good);
        assert_eq!(linked.status, 200, "{}", linked.body);
        let expected = json!({"released": 2, "reduction_mg": 631_800, "points": 631});
        assert_eq!(linked.json(), expected);
        assert_eq!(town.wealth(account), (631, 631_800));

        // What was held is now a replay of what it gave; the stranger's still waits.
        let again = town.post(&trips).json();
        assert_eq!((&again["replayed"], &again["held"], &again["accepted"]), (&json!(2), &json!(1), &json!(0)));
        assert_eq!(again["records"][0]["mg"], 585_000);
        let more = town.post(&[trip("t4", "a", 120, "1")]).json();
        assert_eq!(more["accepted"], 1, "{more}");
        assert_eq!(town.wealth(account), (678, 678_600));

        refused(&link(&town, "other", &good), Code::LinkCodeInvalid);
        refused(&link(&town, "a", &code(&town, open_account(&pool))), Code::SubjectLinked);
        assert_eq!(town.wealth(account), (678, 678_600));
        town.assert_audit_is_clean();
    }

    fn a_code_that_is_not_ours_or_has_lapsed_links_nobody(pool: Pool) {
        let town = Town::open(pool.clone());
        let account = open_account(&pool);
        town.post(&[trip("t1", "a", 0, "12.5")]);
        let good = code(&town, account);
        let mut bent = good.clone().into_bytes();
        bent[3] = if bent[3] == b'A' { b'B' } else { b'A' };
        refused(&link(&town, "a", &String::from_utf8(bent).unwrap()), Code::LinkCodeInvalid);
        for text in ["", "A", "not a code", &"A".repeat(54)] {
            refused(&link(&town, "a", text), Code::LinkCodeInvalid);
        }
        let body = json!({"subject": "a", "code": good, "account": account}).to_string();
        let answer = town.sign(&metro(), LINKS, JSON, body.as_bytes()).send(town.url());
        assert_eq!(answer.status, 400, "{}", answer.body);
        let unsigned = ask(town.url(), "POST", LINKS, &[("Content-Type", JSON)], &body);
        refused(&unsigned, Code::SignatureMissing);
        town.clock.advance(Duration::minutes(11));
        refused(&link(&town, "a", &good), Code::LinkCodeInvalid);
        assert_eq!(town.wealth(account), (0, 0));

        // Another partner's person of the same name is another person.
        let fresh = json!({"subject": "a", "code": code(&town, account)}).to_string();
        let answer = town.sign(&bus(), LINKS, JSON, fresh.as_bytes()).send(town.url());
        assert_eq!(answer.json()["released"], 0, "{}", answer.body);
        assert_eq!(town.wealth(account), (0, 0));
        // Codes of one second are one code, and that one is used.
        town.clock.advance(Duration::seconds(1));
        assert_eq!(link(&town, "a", &code(&town, account)).json()["released"], 1);
    }
}
