//! Corrections at the same time, on PostgreSQL: whoever wins, no credit outlives its cancellation
//! and no reading is overlooked.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tanpuhui::domain::behaviour::{Record, declared_key};
use tanpuhui::flow::ingest::{Answer, SceneView};
use uuid::Uuid;

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

/// Whether a session of the database waits for a lock as often as stated, before `done`.
fn waits(database: &Postgres, sessions: i64, done: impl Fn() -> bool) -> bool {
    let mut conn = PgConnection::establish(&database.url()).unwrap();
    let asked = "(SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock')";
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until && !done() {
        let waiting = diesel::dsl::sql::<diesel::sql_types::BigInt>(asked);
        if diesel::select(waiting).get_result(&mut conn) == Ok(sessions) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

/// A worker has read what a day is computed from and has not written it yet, when a reading of a day
/// that it looks back at comes in, and another worker sets out to compute what that reaches. For
/// that one the last day is not over yet, so they share no row of the queue; and what it computes
/// moves no points, so they share no wallet.
#[test]
fn a_reading_between_two_workers_is_not_overlooked() {
    let Some(database) = Postgres::fresh() else {
        return;
    };
    let (pool, week) = (database.pool(), week());
    let account = household(&pool);
    post(&pool, &week, vec![day(0, 10), day(1, 10), day(3, 20)]);
    close(&pool, &week, 4);
    post(&pool, &week, vec![day(4, 4)]);
    // A third takes the last day's key and keeps the first worker waiting for it.
    let methodology = week.pinned[0].compiled.as_ref().unwrap();
    let text = methodology.claim_texts(&day(4, 4)).unwrap().remove(0);
    let mut third = PgConnection::establish(&database.url()).unwrap();
    let key = hex::encode(declared_key(&text));
    let taken = format!(
        "BEGIN; INSERT INTO claims VALUES ('\\x{key}', '{}', 0)",
        Uuid::nil()
    );
    third.batch_execute(&taken).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| close(&pool, &week, 5));
        let first = waits(&database, 1, || false);
        post(&pool, &week, vec![day(2, 20)]);
        let second = scope.spawn(|| close(&pool, &week, 4));
        waits(&database, 2, || second.is_finished());
        third.batch_execute("ROLLBACK").unwrap();
        assert!(first, "the first worker met the third's claim");
    });
    close(&pool, &week, 5);
    // Only the last day is below the mean of those before: of 10, 10, 20 and 20.
    let found: Vec<i64> = grams_by_day(&pool, account).into_values().collect();
    assert_eq!(found, [11_000_000]);
    books_agree(&pool);
}
