//! Corrections in every order in which a partner can send them: nothing is lost, nothing counts
//! twice, and each answer says what became of the record.

use tanpuhui::domain::behaviour::{Record, subject_hash};
use tanpuhui::domain::problem::Code;
use tanpuhui::flow::ingest::{Answer, Receipt, SceneView};
use tanpuhui::store::correction::correction;
use tanpuhui::store::revision::awaited;

use crate::partner::{JSON, Town, array, metro, trip};
use crate::periods::{
    PARTNER, PLAIN, answer, books_agree, cancelling, close, day, document, grams, household, link,
    points, post, reading, reductions, restated, revising, scene, week,
};
use crate::world::open_account;

fn plain() -> SceneView {
    scene(1, &[document("1", "2020-01-01", "event", PLAIN)])
}

#[track_caller]
fn refused(receipt: &Receipt) -> Code {
    match answer(receipt) {
        Answer::Refused(problem) => problem.code,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn accepted(answer: &Answer) -> (i64, i64) {
    match answer {
        Answer::Accepted { mg, points, .. } => (*mg, *points),
        other => panic!("{other:?}"),
    }
}

fn named(id: &str, record: Record) -> Record {
    Record {
        source_id: id.to_owned(),
        ..record
    }
}

on_both! {
    fn a_cancellation_that_comes_first_is_kept_and_the_record_earns_nothing(pool: Pool) {
        let account = household(&pool);
        let scene = plain();
        let void = cancelling("void", "d0", day(0, 0));
        for _ in 0..2 {
            assert_eq!(post(&pool, &scene, vec![void.clone()]).answers, [Answer::Held(Code::RevisedAwaited)]);
        }
        // A second cancellation of the same record replaces the first, and changes nothing.
        let again = post(&pool, &scene, vec![cancelling("void-2", "d0", day(0, 0))]);
        assert_eq!(accepted(&answer(&again)), (0, 0));
        let key = tanpuhui::domain::behaviour::source_key(PARTNER, "d0");
        assert!(pool.read_now(|conn| awaited(conn, &key)).unwrap().is_some());
        for _ in 0..2 {
            let late = post(&pool, &scene, vec![day(0, 10)]);
            assert_eq!(refused(&late), Code::RecordCancelled);
        }
        assert_eq!((points(&pool, account), grams(&pool, account)), (0, 0));
        // The corrected record has an id of its own and the same claim, which nobody took.
        let corrected = post(&pool, &scene, vec![named("d0-b", day(0, 7))]);
        assert_eq!(accepted(&answer(&corrected)), (7_000_000, 7_000));
        books_agree(&pool);
    }

    fn a_cancellation_that_came_first_is_one_subjects(pool: Pool) {
        household(&pool);
        link(&pool, "other", open_account(&pool));
        let scene = plain();
        post(&pool, &scene, vec![cancelling("void", "d0", day(0, 0))]);
        let foreign = Record { subject: "other".into(), ..day(0, 10) };
        assert_eq!(refused(&post(&pool, &scene, vec![foreign])), Code::RecordConflict);
        // A replacement of what is not here would count beside it: it is sent again later.
        let replacing = revising("d1-b", "d1", day(1, 3));
        assert_eq!(refused(&post(&pool, &scene, vec![replacing.clone()])), Code::RevisedUnknown);
        post(&pool, &scene, vec![day(1, 10)]);
        assert_eq!(accepted(&answer(&post(&pool, &scene, vec![replacing]))), (3_000_000, 3_000));
        books_agree(&pool);
    }

    fn a_cancellation_before_its_reading_keeps_the_day_out(pool: Pool) {
        let account = household(&pool);
        let scene = week();
        let first = post(&pool, &scene, vec![cancelling("void", "d2", day(2, 0))]);
        assert_eq!(answer(&first), Answer::Held(Code::RevisedAwaited));
        let rest = post(&pool, &scene, vec![day(0, 10), day(1, 8), day(2, 5), day(3, 6)]);
        assert!(matches!(&rest.answers[2], Answer::Refused(problem) if problem.code == Code::RecordCancelled));
        close(&pool, &scene, 9);
        // As if the third day had been counted and cancelled: 9 - 6.
        assert_eq!(grams(&pool, account), 3_000);
        books_agree(&pool);
    }

    fn what_a_cancelled_record_had_claimed_passes_to_the_corrected_one(pool: Pool) {
        let account = household(&pool);
        let scene = plain();
        // In one file, the corrected one even before the cancellation.
        let all = vec![day(0, 10), named("d0-b", day(0, 7)), cancelling("void", "d0", day(0, 0))];
        let told = post(&pool, &scene, all.clone()).answers;
        let said: Vec<(i64, i64)> = told.iter().map(accepted).collect();
        assert_eq!(said, [(10_000_000, 10_000), (7_000_000, 7_000), (-10_000_000, -10_000)]);
        assert_eq!(points(&pool, account), 7_000);
        // Sent again, each is told what it was told.
        let Answer::Accepted { reduction: Some(counter), .. } = told[2] else { panic!("{told:?}") };
        let tie = pool.read_now(|conn| correction(conn, counter)).unwrap().expect("the counter-entry");
        assert_eq!(tie.reason, "cancelled");
        let replayed = post(&pool, &scene, all).answers;
        assert_eq!(replayed[2], Answer::Replayed { reduction: Some(counter), mg: -10_000_000, points: -10_000 });
        assert!(matches!(replayed[1], Answer::Replayed { mg: 7_000_000, .. }), "{replayed:?}");
        // In files of their own.
        post(&pool, &scene, vec![day(1, 4)]);
        assert_eq!(refused(&post(&pool, &scene, vec![named("d1-b", day(1, 3))])), Code::AlreadyClaimed);
        post(&pool, &scene, vec![cancelling("void-1", "d1", day(1, 0))]);
        assert_eq!(accepted(&answer(&post(&pool, &scene, vec![named("d1-b", day(1, 3))]))), (3_000_000, 3_000));
        // The cancelled one cannot come back beside it.
        let back = post(&pool, &scene, vec![revising("d1-c", "d1", day(1, 4))]);
        assert_eq!(refused(&back), Code::AlreadyClaimed);
        assert_eq!((points(&pool, account), grams(&pool, account)), (10_000, 10_000));
        books_agree(&pool);
    }

    fn a_chain_of_revisions_in_one_file_ends_where_its_last_word_does(pool: Pool) {
        let account = household(&pool);
        let scene = plain();
        let receipt = post(&pool, &scene, vec![
            revising("b", "a", day(0, 8)),
            revising("c", "b", day(0, 6)),
            named("a", day(0, 10)),
            revising("e", "c", day(0, 5)),
            cancelling("void", "e", day(0, 0)),
            revising("f", "void", day(0, 4)),
            named("other", day(1, 1)),
        ]);
        let said: Vec<i64> = receipt.answers.iter().map(|answer| accepted(answer).0 / 1_000_000).collect();
        assert_eq!(said, [8, 6, 10, 5, -5, 4, 1]);
        assert_eq!(receipt.points, 8_000 + 6_000 + 10_000 + 5_000 - 5_000 + 4_000 + 1_000);
        assert_eq!((points(&pool, account), grams(&pool, account)), (5_000, 5_000));
        assert_eq!(reductions(&pool, account).len(), 10);
        books_agree(&pool);
    }

    fn a_cancellation_of_what_gave_nothing_names_no_reduction(pool: Pool) {
        let scene = plain();
        assert_eq!(answer(&post(&pool, &scene, vec![day(0, 10)])), Answer::Held(Code::SubjectNotLinked));
        let void = cancelling("void", "d0", day(0, 0));
        let first = answer(&post(&pool, &scene, vec![void.clone()]));
        assert_eq!(first, Answer::Accepted { reduction: None, mg: 0, points: 0, capped: false });
        let again = answer(&post(&pool, &scene, vec![void]));
        assert_eq!(again, Answer::Replayed { reduction: None, mg: 0, points: 0 });
        let waiting = pool.read_now(|conn| tanpuhui::store::behaviour::held_of(conn, &subject_hash(PARTNER, "h"), 9));
        assert!(waiting.unwrap().is_empty());
        books_agree(&pool);
    }

    fn what_stands_twice_in_a_file_is_told_the_same(pool: Pool) {
        household(&pool);
        let scene = plain();
        post(&pool, &scene, vec![day(0, 10)]);
        let void = cancelling("void", "d0", day(0, 0));
        let told = post(&pool, &scene, vec![named("b", day(0, 7)), named("b", day(0, 7)), void.clone(), void]);
        let Answer::Accepted { reduction, mg, points: gave, .. } = told.answers[0] else { panic!("{told:?}") };
        assert_eq!(told.answers[1], Answer::Replayed { reduction, mg, points: gave });
        assert_eq!(accepted(&told.answers[2]).0, -10_000_000);
        assert!(matches!(told.answers[3], Answer::Replayed { mg: -10_000_000, .. }), "{told:?}");
        books_agree(&pool);
    }

    fn a_restatement_with_claims_of_its_own_is_no_conflict(pool: Pool) {
        let account = household(&pool);
        let scene = plain();
        for (at, kwh) in [("2026-03-02T00:00:00Z", 10), ("2026-03-03T00:00:00Z", 7), ("2026-03-04T00:00:00Z", 8)] {
            let told = answer(&post(&pool, &scene, vec![restated(day(0, kwh), at)]));
            assert_eq!(accepted(&told).0, kwh * 1_000_000);
        }
        assert_eq!(points(&pool, account), 8_000);
        books_agree(&pool);
    }

    fn a_household_with_two_meters_is_counted_by_both(pool: Pool) {
        let account = household(&pool);
        let scene = week();
        let of = |meter: &str, at: u32, kwh: i64| Record {
            attributes: vec![("meter".into(), meter.to_owned())],
            ..reading(&format!("{meter}-{at}"), at, kwh)
        };
        post(&pool, &scene, vec![
            of("M-1", 0, 6), of("M-2", 0, 4), of("M-1", 1, 5), of("M-2", 1, 3), of("M-1", 2, 2),
        ]);
        // The third day lacks a meter: 2 kWh are no saving against 9.
        close(&pool, &scene, 9);
        assert_eq!(grams(&pool, account), 0);
        post(&pool, &scene, vec![of("M-2", 2, 3)]);
        close(&pool, &scene, 9);
        assert_eq!(grams(&pool, account), 4_000);
        // Another scene that knows one of the meters cannot count its day once more.
        let other = scene_two();
        let alone = |at: u32, kwh: i64| Record { source_id: format!("again-{at}"), ..of("M-2", at, kwh) };
        post(&pool, &other, vec![alone(0, 4), alone(1, 3), alone(2, 1)]);
        close(&pool, &other, 9);
        assert_eq!(grams(&pool, account), 4_000);
        books_agree(&pool);
    }

    fn a_single_post_can_revise_and_cancel(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["a"]);
        assert_eq!(town.post(&[trip("t1", "a", 0, "10")]).json()["accepted"], 1);
        let revised = trip("t1-b", "a", 0, "5").replacen('{', r#"{"revises":"t1","#, 1);
        let told = town.post(&[revised]);
        assert_eq!((told.status, &told.json()["records"][0]["mg"]), (200, &234_000.into()), "{}", told.body);
        let void = r#"{"id":"t1-x","revises":"t1","subject":"a","from":"2026-11-18T16:00:00Z","to":"2026-11-18T16:30:00Z","quantities":{},"attributes":{"mode":"metro"}}"#;
        let told = town.post_as(&metro(), "metro", JSON, array(&[void.to_owned()]).as_bytes());
        assert_eq!((told.status, &told.json()["records"][0]["mg"]), (200, &(-234_000).into()), "{}", told.body);
        assert_eq!(town.wealth(account), (0, 0));
        town.assert_audit_is_clean();
    }
}

fn scene_two() -> SceneView {
    let body = crate::periods::WEEK;
    scene(2, &[document("1", "2020-01-01", "day", body)])
}
