//! Corrections at the same time, on PostgreSQL: whoever wins, no credit outlives its cancellation
//! and no reading is overlooked.

use std::sync::Barrier;

use tanpuhui::domain::behaviour::Record;
use tanpuhui::flow::ingest::{Answer, SceneView};

use crate::periods::{
    PLAIN, books_agree, cancelling, close, day, document, grams, grams_by_day, household, points,
    post, reading, revising, scene, week,
};
use crate::world::{Postgres, sqlite};

fn plain() -> SceneView {
    scene(1, &[document("1", "2020-01-01", "event", PLAIN)])
}

/// Runs both at once, as often as it takes to meet.
fn at_once(rounds: u32, one: impl Fn(u32) + Sync, other: impl Fn(u32) + Sync) {
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        for step in [&one as &(dyn Fn(u32) + Sync), &other] {
            let barrier = &barrier;
            scope.spawn(move || {
                for round in 0..rounds {
                    barrier.wait();
                    step(round);
                }
            });
        }
    });
}

#[test]
fn a_record_and_its_cancellation_arrive_at_once() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let (pool, scene) = (database.pool(), plain());
    let account = household(&pool);
    at_once(
        60,
        |at| drop(post(&pool, &scene, vec![day(at, 10)])),
        |at| {
            let void = cancelling(&format!("void-{at}"), &format!("d{at}"), day(at, 0));
            drop(post(&pool, &scene, vec![void]));
        },
    );
    assert_eq!((points(&pool, account), grams(&pool, account)), (0, 0));
    books_agree(&pool);
}

#[test]
fn two_corrections_of_one_record_at_once_form_a_chain() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let (pool, scene) = (database.pool(), plain());
    let account = household(&pool);
    let rounds = 30;
    post(&pool, &scene, (0..rounds).map(|at| day(at, 10)).collect());
    let revise = |at: u32, name: &str, kwh: i64| {
        let id = format!("{name}-{at}");
        let told = post(
            &pool,
            &scene,
            vec![revising(&id, &format!("d{at}"), day(at, kwh))],
        );
        assert!(
            matches!(told.answers[0], Answer::Accepted { .. }),
            "{told:?}"
        );
    };
    at_once(rounds, |at| revise(at, "x", 3), |at| revise(at, "y", 5));
    // Each ended at 3 or at 5, and only once.
    let left = grams_by_day(&pool, account);
    assert_eq!(left.len(), rounds as usize);
    assert!(
        left.values().all(|mg| [3_000_000, 5_000_000].contains(mg)),
        "{left:?}"
    );
    assert_eq!(points(&pool, account), left.values().sum::<i64>() / 1_000);
    books_agree(&pool);
}

#[test]
fn a_claim_passes_to_one_of_two() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let (pool, scene) = (database.pool(), plain());
    let account = household(&pool);
    let rounds = 30;
    post(&pool, &scene, (0..rounds).map(|at| day(at, 10)).collect());
    let voids = (0..rounds).map(|at| cancelling(&format!("v{at}"), &format!("d{at}"), day(at, 0)));
    post(&pool, &scene, voids.collect());
    // The corrected record under an id of its own, and the cancelled one coming back.
    let fresh = |at: u32| Record {
        source_id: format!("new-{at}"),
        ..day(at, 3)
    };
    at_once(
        rounds,
        |at| drop(post(&pool, &scene, vec![fresh(at)])),
        |at| {
            let back = revising(&format!("back-{at}"), &format!("d{at}"), day(at, 5));
            drop(post(&pool, &scene, vec![back]));
        },
    );
    let left = grams_by_day(&pool, account);
    assert_eq!(left.len(), rounds as usize);
    assert!(
        left.values().all(|mg| [3_000_000, 5_000_000].contains(mg)),
        "{left:?}"
    );
    books_agree(&pool);
}

/// Two workers compute the same household's periods over and over while its readings, and
/// corrections of them, come in: in the end it is as if everything had been known from the start.
#[test]
fn two_workers_and_late_readings_come_to_what_one_would() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let (pool, scene) = (database.pool(), week());
    let account = household(&pool);
    let (days, last) = (24_u32, |at: u32| i64::from((at * 7 + 3) % 19));
    let writing = std::sync::atomic::AtomicUsize::new(2);
    let done = || writing.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while writing.load(std::sync::atomic::Ordering::SeqCst) > 0 {
                    close(&pool, &scene, 50);
                }
            });
        }
        // The later half of the days first, from two sides, so that earlier days reach them.
        for side in 0..2 {
            let (pool, scene, done) = (&pool, &scene, &done);
            scope.spawn(move || {
                let mine: Vec<u32> = (0..days).rev().filter(|at| at % 2 == side).collect();
                for at in &mine {
                    post(
                        pool,
                        scene,
                        vec![reading(&format!("d{at}"), *at, last(*at) + 4)],
                    );
                }
                for at in &mine {
                    let id = format!("d{at}-b");
                    let new = reading(&id, *at, last(*at));
                    post(pool, scene, vec![revising(&id, &format!("d{at}"), new)]);
                }
                done();
            });
        }
    });
    close(&pool, &scene, 50);
    let found = grams_by_day(&pool, account);
    books_agree(&pool);
    let dir = tempfile::tempdir().unwrap();
    let alone = sqlite(dir.path());
    let account = household(&alone);
    post(
        &alone,
        &scene,
        (0..days).map(|at| day(at, last(at))).collect(),
    );
    close(&alone, &scene, 50);
    assert_eq!(found, grams_by_day(&alone, account));
}
