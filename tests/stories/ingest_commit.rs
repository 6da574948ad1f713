//! A batch is decided in one transaction: counted once, credited once, whatever is sent again.

use chrono::{DateTime, Duration, Utc};
use tanpuhui::domain::behaviour::{Canonical, declared_key, source_key, subject_hash};
use tanpuhui::domain::log::leaf::SaltKey;
use tanpuhui::domain::problem::Code;
use tanpuhui::domain::wallet::ExchangeRule;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::ingest::{
    Answer, Item, LogSettings, Pinned, Prepared, Receipt, SceneView, commit,
};
use tanpuhui::store::behaviour::link_subject;
use tanpuhui::store::wallet::{lots_of, statement};
use tanpuhui::store::{Pool, Ts};
use uuid::Uuid;

use crate::world::{ctx_at, noon, open_account};

const PARTNER: Uuid = Uuid::from_u128(0x5a);

fn scene() -> SceneView {
    SceneView {
        id: 1,
        code: "metro".into(),
        partner: PARTNER,
        zone: chrono_tz::Asia::Shanghai,
        pinned: vec![Pinned {
            id: 1,
            name: "m@1".into(),
            hash: [1; 32],
            exclusive_time: true,
            compiled: None,
        }],
        rule_id: 1,
        rule: ExchangeRule::parse(
            "code = 'r'\nversion = '1'\ntitle_zh = '规则'\ntitle_en = 'rule'\n\
             effective_from = 2026-01-01T00:00:00+08:00\nmg_per_point = 1000\n\
             daily_cap_points = 900\nvalid_months = 24\nsource = 'test'\n",
        )
        .unwrap(),
        exclusive: vec![1],
    }
}

pub(crate) fn trip(index: usize, id: &str, subject: &str, from: DateTime<Utc>, mg: i64) -> Item {
    Item {
        index,
        source_id: id.into(),
        subject: subject_hash(PARTNER, subject),
        from,
        to: from + Duration::minutes(30),
        day: from
            .with_timezone(&chrono_tz::Asia::Shanghai)
            .date_naive()
            .to_epoch_days(),
        canonical: Canonical {
            content: "{}".into(),
            digest: digest(id, mg),
        },
        source_key: Some(source_key(PARTNER, id)),
        declared_keys: vec![declared_key(id)],
        mg,
        pinned: 0,
        origin: None,
        reading: None,
        revises: None,
        cancels: false,
        stated_at: None,
    }
}

fn digest(id: &str, mg: i64) -> [u8; 32] {
    source_key(PARTNER, &format!("{id}/{mg}"))
}

pub(crate) fn post(pool: &Pool, items: Vec<Item>) -> Receipt {
    let mut ctx = ctx_at(noon());
    let batch = ctx.id();
    let log = LogSettings {
        salt: SaltKey::new(vec![7; 32]).unwrap(),
    };
    let prepared = Prepared {
        items,
        body_digest: [3; 32],
        ..Prepared::default()
    };
    pool.write_now::<_, FlowError>(|tx| commit(tx, &ctx, batch, &scene(), &log, &prepared))
        .unwrap()
}

pub(crate) fn rider(pool: &Pool, subject: &str) -> Uuid {
    let account = open_account(pool);
    pool.write_now(|tx| link_subject(tx, &subject_hash(PARTNER, subject), account, Ts(noon())))
        .unwrap();
    account
}

fn points(pool: &Pool, account: Uuid) -> i64 {
    let lots = pool.read_now(|conn| lots_of(conn, account)).unwrap();
    lots.iter().map(|lot| lot.available).sum()
}

on_both! {
    fn posting_again_changes_nothing_and_says_so(pool: Pool) {
        let account = rider(&pool, "a");
        let file = || vec![
            trip(0, "t1", "a", noon(), 400_700),
            trip(1, "t2", "a", noon() + Duration::hours(1), 100_500),
        ];
        let first = post(&pool, file());
        assert_eq!((first.accepted, first.points, first.reduction_mg), (2, 501, 501_200));
        let again = post(&pool, file());
        assert_eq!((again.accepted, again.replayed), (0, 2));
        let Answer::Accepted { reduction, mg, points: p, .. } = &first.answers[1] else { panic!() };
        assert_eq!(
            again.answers[1],
            Answer::Replayed { reduction: *reduction, mg: *mg, points: *p }
        );
        assert_eq!(points(&pool, account), 501);
        let lines = pool.read_now(|conn| statement(conn, account, None, 10)).unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].entry.reduction_mg, 501_200);
    }

    fn the_remainder_is_carried_and_the_cap_cuts_points_only(pool: Pool) {
        let account = rider(&pool, "a");
        post(&pool, vec![trip(0, "t1", "a", noon(), 1_999)]);
        let second = post(&pool, vec![trip(0, "t2", "a", noon() + Duration::hours(1), 1)]);
        assert_eq!(second.points, 1);
        assert_eq!(points(&pool, account), 2);
        let third = post(&pool, vec![trip(0, "t3", "a", noon() + Duration::hours(2), 5_000_000)]);
        assert_eq!((third.points, third.reduction_mg), (898, 5_000_000));
        assert!(matches!(third.answers[0], Answer::Accepted { capped: true, .. }));
    }

    fn other_content_under_the_same_id_is_refused_and_nothing_else_is_lost(pool: Pool) {
        let account = rider(&pool, "a");
        post(&pool, vec![trip(0, "t1", "a", noon(), 1_000)]);
        let receipt = post(&pool, vec![
            trip(0, "t1", "a", noon(), 9_000),
            trip(1, "t2", "a", noon() + Duration::hours(1), 2_000),
        ]);
        let Answer::Refused(problem) = &receipt.answers[0] else { panic!("{:?}", receipt.answers) };
        assert_eq!(problem.code, Code::RecordConflict);
        assert_eq!((receipt.accepted, receipt.refused), (1, 1));
        assert_eq!(points(&pool, account), 3);
    }

    fn one_act_under_two_ids_counts_once(pool: Pool) {
        rider(&pool, "a");
        rider(&pool, "b");
        let mut twin = trip(1, "t2", "b", noon(), 1_000);
        twin.declared_keys = vec![declared_key("t1")];
        let receipt = post(&pool, vec![trip(0, "t1", "a", noon(), 1_000), twin.clone()]);
        assert_eq!((receipt.accepted, receipt.refused), (1, 1));
        // The loser kept none of its keys: it may claim another act under the same id.
        twin.declared_keys = vec![declared_key("t2")];
        twin.index = 0;
        assert_eq!(post(&pool, vec![twin]).accepted, 1);
    }

    fn overlapping_trips_of_one_person_earn_once(pool: Pool) {
        let account = rider(&pool, "a");
        let receipt = post(&pool, vec![
            trip(0, "t1", "a", noon(), 1_000),
            trip(1, "t2", "a", noon() + Duration::minutes(20), 1_000),
            trip(2, "t3", "a", noon() + Duration::minutes(30), 1_000),
        ]);
        assert_eq!(receipt.answers[1], Answer::Refused(Code::OverlappingAct.into()));
        assert_eq!((receipt.accepted, receipt.refused), (2, 1));
        // Also against what an earlier batch brought.
        let later = post(&pool, vec![trip(0, "t4", "a", noon() - Duration::minutes(10), 1_000)]);
        assert_eq!(later.refused, 1);
        assert_eq!(points(&pool, account), 2);
    }

    fn a_record_of_an_unlinked_subject_is_held_once(pool: Pool) {
        let receipt = post(&pool, vec![trip(0, "t1", "stranger", noon(), 1_000)]);
        assert_eq!(receipt.held, 1);
        let again = post(&pool, vec![trip(0, "t1", "stranger", noon(), 1_000)]);
        assert_eq!((again.held, again.accepted), (1, 0));
        let held = pool
            .read_now(|conn| tanpuhui::store::behaviour::held_of(conn, &subject_hash(PARTNER, "stranger"), 10))
            .unwrap();
        assert_eq!(held.len(), 1);
    }
}
