//! Many at once: whatever the order in which they come through, an act counts once.

use std::sync::Barrier;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::partner::{JSON, Signed, Town, array, behaviours, metro, metro_ed25519, trip};
use crate::world::Postgres;

/// Sends all at the same moment and gives the answers in order.
fn at_once(town: &Town, requests: &[Signed]) -> Vec<Value> {
    let start = Barrier::new(requests.len());
    std::thread::scope(|scope| {
        let senders: Vec<_> = requests
            .iter()
            .map(|request| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let answer = request.send(town.url());
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    answer.json()
                })
            })
            .collect();
        senders
            .into_iter()
            .map(|sender| sender.join().expect("an answer"))
            .collect()
    })
}

fn sum(answers: &[Value], name: &str) -> i64 {
    answers
        .iter()
        .map(|answer| answer[name].as_i64().expect("a number"))
        .sum()
}

fn batch(town: &Town, trips: &[String]) -> Signed {
    town.sign(
        &metro(),
        &behaviours("metro"),
        JSON,
        array(trips).as_bytes(),
    )
}

on_both! {
    fn single_posts_in_a_crowd_are_each_taken_once(pool: Pool) {
        const THREADS: i64 = 64;
        const POSTS: i64 = 20;
        let town = Town::open(pool);
        let riders: Vec<Uuid> = (0..THREADS).map(|n| town.rider(&[&format!("r{n}")])).collect();
        std::thread::scope(|scope| {
            for n in 0..THREADS {
                let town = &town;
                scope.spawn(move || {
                    let by = if n % 2 == 0 { metro() } else { metro_ed25519() };
                    for post in 0..POSTS {
                        let one = trip(&format!("t{n}-{post}"), &format!("r{n}"), post * 40, "1");
                        let answer = town.post_as(&by, "metro", JSON, array(&[one]).as_bytes());
                        assert_eq!(answer.json()["accepted"], 1, "{}", answer.body);
                    }
                });
            }
        });
        for rider in riders {
            assert_eq!(town.wealth(rider), (936, 936_000));
        }
        let stored = town.stored();
        assert_eq!((stored.reductions, stored.behaviours), (1_280, 1_280));
        assert!(stored.batches < 1_280, "posts that wait together share a transaction");
        town.assert_audit_is_clean();
    }

    fn the_same_single_post_from_many_counts_once(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["a"]);
        for round in 0..5 {
            let one = [trip(&format!("t{round}"), "a", round * 40, "10")];
            let requests: Vec<Signed> = (0..12).map(|_| batch(&town, &one)).collect();
            let answers = at_once(&town, &requests);
            assert_eq!((sum(&answers, "accepted"), sum(&answers, "replayed")), (1, 11));
            let ids: std::collections::BTreeSet<_> = answers
                .iter()
                .map(|answer| answer["records"][0]["reduction_id"].to_string())
                .collect();
            assert_eq!(ids.len(), 1, "all are told of the same reduction: {ids:?}");
            assert!(answers.iter().all(|answer| answer["records"][0]["mg"] == 468_000));
        }
        assert_eq!(town.wealth(account), (2_340, 2_340_000));
        town.assert_audit_is_clean();
    }
}

#[test]
fn two_clients_with_the_same_batch_share_its_records() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let town = Town::open(database.pool());
    let riders: Vec<Uuid> = (0..40).map(|n| town.rider(&[&format!("r{n}")])).collect();
    for round in 0..4 {
        let trips: Vec<String> = (0..400)
            .map(|n| {
                trip(
                    &format!("t{round}-{n}"),
                    &format!("r{}", n % 40),
                    round * 400 + n / 40 * 40,
                    "1",
                )
            })
            .collect();
        let backwards: Vec<String> = trips.iter().rev().cloned().collect();
        let requests = [
            batch(&town, &trips),
            batch(&town, &backwards),
            batch(&town, &trips),
        ];
        let answers = at_once(&town, &requests);
        assert_eq!(
            (sum(&answers, "accepted"), sum(&answers, "replayed")),
            (400, 800),
            "{}",
            answers[0]
        );
        assert_eq!(sum(&answers, "reduction_mg"), 400 * 46_800);
    }
    for rider in riders {
        assert_eq!(town.wealth(rider), (1_872, 40 * 46_800));
    }
    town.assert_audit_is_clean();
}

#[test]
fn overlapping_trips_from_two_clients_earn_once() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let town = Town::open(database.pool());
    let riders: Vec<Uuid> = (0..50).map(|n| town.rider(&[&format!("r{n}")])).collect();
    for round in 0..4 {
        let trips = |client: &str, late: i64| -> Vec<String> {
            (0..50)
                .map(|n| {
                    trip(
                        &format!("{client}{round}-{n}"),
                        &format!("r{n}"),
                        round * 120 + late,
                        "1",
                    )
                })
                .collect()
        };
        let requests = [
            batch(&town, &trips("x", 0)),
            batch(&town, &trips("y", 20)),
            batch(&town, &trips("z", 29)),
        ];
        let answers = at_once(&town, &requests);
        assert_eq!(
            (sum(&answers, "accepted"), sum(&answers, "refused")),
            (50, 100)
        );
        let refused = answers
            .iter()
            .flat_map(|answer| answer["records"].as_array().unwrap());
        for record in refused.filter(|record| record["status"] == "refused") {
            assert_eq!(record["problem"]["code"], "overlapping_act");
        }
    }
    for rider in riders {
        assert_eq!(town.wealth(rider).1, 4 * 46_800);
    }
    town.assert_audit_is_clean();
}

#[test]
fn a_link_made_while_its_records_arrive_loses_none() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let town = Town::open(database.pool());
    for round in 0..6 {
        let subjects: Vec<String> = (0..8).map(|n| format!("s{round}-{n}")).collect();
        let riders: Vec<Uuid> = subjects.iter().map(|_| town.rider(&[])).collect();
        let trips: Vec<String> = (0..800)
            .map(|n| {
                trip(
                    &format!("t{round}-{n}"),
                    &subjects[n % 8],
                    n as i64 / 8 * 30,
                    "0.1",
                )
            })
            .take(400)
            .collect();
        let mut requests = vec![batch(&town, &trips)];
        for (subject, rider) in subjects.iter().zip(&riders) {
            let code = super::link::code(&town, *rider);
            let body = json!({"subject": subject, "code": code}).to_string();
            requests.push(town.sign(&metro(), "/api/partner/links", JSON, body.as_bytes()));
        }
        at_once(&town, &requests);
        for rider in riders {
            assert_eq!(town.wealth(rider).1, 50 * 4_680, "round {round}");
        }
    }
    town.assert_audit_is_clean();
}
