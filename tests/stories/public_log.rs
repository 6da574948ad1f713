//! The public log: committed batches get their place, heads are signed, proofs convince, and the
//! audit finds what was changed behind the log's back.

use std::collections::HashMap;

use chrono::Duration;
use diesel::connection::SimpleConnection;
use ed25519_dalek::SigningKey;
use tanpuhui::domain::log::checkpoint::Checkpoint;
use tanpuhui::domain::log::leaf::SaltKey;
use tanpuhui::domain::log::note::NoteSigner;
use tanpuhui::domain::log::proof::{verify_consistency, verify_inclusion};
use tanpuhui::flow::FlowError;
use tanpuhui::flow::audit_books::{Check, LogGround, audit};
use tanpuhui::flow::ingest::Answer;
use tanpuhui::flow::prove::{consistency, inclusion};
use tanpuhui::flow::sequence_log::sequence_log;
use tanpuhui::store::Pool;
use tanpuhui::store::log::checkpoints;

use crate::ingest_commit::{post, rider, trip};
use crate::world::{ctx_at, noon};

const ORIGIN: &str = "log.example/tanpuhui";

fn sequence(pool: &Pool) -> u64 {
    let signer = NoteSigner::new(ORIGIN, SigningKey::from_bytes(&[9; 32])).unwrap();
    let ctx = ctx_at(noon());
    pool.write_now::<_, FlowError>(|tx| sequence_log(tx, &ctx, ORIGIN, &signer))
        .unwrap()
        .size
}

fn books(pool: &Pool) -> Vec<Check> {
    let salt = SaltKey::new(vec![7; 32]).unwrap();
    let scenes = HashMap::from([(1, "metro".to_owned())]);
    let methodologies = HashMap::from([(1, ("m@1".to_owned(), [1; 32]))]);
    let ground = LogGround {
        salt: &salt,
        scenes: &scenes,
        methodologies: &methodologies,
    };
    pool.read_now::<_, FlowError>(|conn| audit(conn, &ground, |_| ()))
        .unwrap()
}

fn first_difference(pool: &Pool) -> Option<&'static str> {
    books(pool)
        .into_iter()
        .find_map(|check| check.difference.map(|difference| difference.book))
}

on_both! {
    fn every_reduction_is_provably_in_a_log_that_only_grows(pool: Pool) {
        rider(&pool, "a");
        let mut ids = Vec::new();
        let mut sizes = Vec::new();
        for batch in 0..5_i64 {
            let items = (0..90_i64)
                .map(|at| {
                    let start = noon() - Duration::hours(batch * 90 + at);
                    trip(at as usize, &format!("{batch}/{at}"), "a", start, 1_000 + at)
                })
                .collect();
            for answer in post(&pool, items).answers {
                let Answer::Accepted { reduction, .. } = answer else { panic!("{answer:?}") };
                ids.push(reduction);
            }
            sizes.push(sequence(&pool));
        }
        assert_eq!(sizes, [90, 180, 270, 360, 450]);
        let verifier = NoteSigner::new(ORIGIN, SigningKey::from_bytes(&[9; 32])).unwrap().verifier();
        for id in ids.iter().step_by(37) {
            let proof = pool.read_now::<_, FlowError>(|conn| inclusion(conn, id.expect("an id"))).unwrap();
            let head = Checkpoint::open(&proof.checkpoint, &verifier).unwrap();
            assert_eq!(head.size, 450);
            verify_inclusion(&proof.leaf, proof.index, proof.size, &proof.proof, &head.root).unwrap();
        }
        let heads = pool.read_now(|conn| checkpoints(conn, i64::MAX, 10)).unwrap();
        let newest = &heads[0];
        for older in &heads[1..] {
            let (old, new) = (older.size as u64, newest.size as u64);
            let proof = pool.read_now::<_, FlowError>(|conn| consistency(conn, old, new)).unwrap();
            let root = |row: &tanpuhui::store::log::CheckpointRow| row.root.clone().try_into().unwrap();
            verify_consistency(old, new, &root(older), &root(newest), &proof).unwrap();
        }
        assert_eq!(first_difference(&pool), None);
    }

    fn the_audit_names_what_was_changed_behind_its_back(pool: Pool) {
        rider(&pool, "a");
        post(&pool, vec![
            trip(0, "t1", "a", noon(), 5_000),
            trip(1, "t2", "a", noon() + Duration::hours(1), 5_000),
        ]);
        sequence(&pool);
        assert_eq!(first_difference(&pool), None);
        for (statement, book) in [
            ("UPDATE lots SET available = available + 1", "lots = entries"),
            ("UPDATE entries SET available = available + 1 WHERE bucket = 0", "every transfer adds up to nothing"),
            ("UPDATE reductions SET points = points + 1 WHERE pos = 0", "credits = reductions"),
            ("UPDATE batches SET reduction_mg = reduction_mg + 1", "batches = reductions"),
            ("UPDATE reductions SET day = day + 1 WHERE pos = 0", "credits = reductions"),
            ("UPDATE reductions SET methodology_id = 2 WHERE pos = 1", "log leaves = reductions, head = leaves"),
            ("UPDATE behaviours SET pos = 7 WHERE pos = 1", "every reduction has a behaviour"),
        ] {
            let undone = pool.write_now::<(), FlowError>(|tx| {
                tx.batch_execute(statement).expect("the tampering runs");
                let salt = SaltKey::new(vec![7; 32]).unwrap();
                let scenes = HashMap::from([(1, "metro".to_owned())]);
                let methodologies = HashMap::from([(1, ("m@1".to_owned(), [1; 32]))]);
                let ground = LogGround { salt: &salt, scenes: &scenes, methodologies: &methodologies };
                // What breaks the tables' joins altogether is an error of a later check.
                let found = audit(tx, &ground, |_| ()).map(|checks| {
                    checks.into_iter().find_map(|check| check.difference.map(|found| found.book))
                });
                match found {
                    Ok(found) => assert_eq!(found, Some(book), "{statement}"),
                    Err(error) => assert!(statement.contains("behaviours"), "{statement}: {error}"),
                }
                Err(FlowError::from(tanpuhui::domain::problem::Code::NotFound))
            });
            assert!(undone.is_err(), "the tampering is rolled back");
        }
        assert_eq!(first_difference(&pool), None);
    }
}
