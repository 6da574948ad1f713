//! Whatever is stated, left, driven and cancelled in whatever order, each has what a calendar of
//! shares says: one line a day, written over only from tomorrow on.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tanpuhui::domain::behaviour::{Quantity, Record, subject_hash};
use tanpuhui::domain::log::leaf::SaltKey;
use tanpuhui::domain::methodology::Library;
use tanpuhui::domain::wallet::ExchangeRule;
use tanpuhui::domain::wallet::sharing::{Share, parts, subject_reference};
use tanpuhui::flow::audit_books::audit_without_log;
use tanpuhui::flow::catalogue::Catalogue;
use tanpuhui::flow::ingest::{LogSettings, Pinned, Row, SceneView, commit, prepare};
use tanpuhui::flow::share_subject::{Named, SharingRules, Wanted, leave_subject, share_subject};
use tanpuhui::store::behaviour::link_subject;
use tanpuhui::store::redemption::saved_mg;

use super::*;

const PARTNER: Uuid = Uuid::from_u128(0x5c);
/// Days of the calendar.
const DAYS: usize = 60;

#[derive(Debug, Clone)]
enum Event {
    /// So many days ahead, these weights of the owner and three members; 0 is none.
    State(usize, [u32; 4]),
    Leave(usize),
    Pass(usize),
    /// So many days ago, so many metres.
    Drive(usize, i64),
    Cancel(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (1_usize..8, 1_u32..5, 0_u32..4, 0_u32..4, 0_u32..4)
            .prop_map(|(ahead, own, a, b, c)| Event::State(ahead, [own, a, b, c])),
        1 => (1_usize..4).prop_map(Event::Leave),
        2 => (1_usize..4).prop_map(Event::Pass),
        4 => (0_usize..6, 1_i64..50_000).prop_map(|(ago, metres)| Event::Drive(ago, metres)),
        1 => (0_usize..20).prop_map(Event::Cancel),
    ]
}

fn car() -> SceneView {
    let text = document("car", "vehicle", "event", CAR);
    let library = Library::load([("car.toml", text.as_str())]).unwrap();
    let pinned = library.methodologies().map(|compiled| Pinned {
        id: 1,
        name: compiled.name(),
        hash: [1; 32],
        exclusive_time: false,
        compiled: Some(Arc::clone(compiled)),
    });
    SceneView {
        id: 1,
        code: "car".into(),
        partner: PARTNER,
        zone: chrono_tz::Asia::Shanghai,
        pinned: pinned.collect(),
        rule_id: 1,
        rule: ExchangeRule::parse(
            "code = 'r'\nversion = '1'\ntitle_zh = '规则'\ntitle_en = 'rule'\n\
             effective_from = 2026-01-01T00:00:00+08:00\nmg_per_point = 1000\n\
             daily_cap_points = 3000\nvalid_months = 24\nsource = 'test'\n",
        )
        .unwrap(),
        exclusive: Vec::new(),
    }
}

fn trip(id: &str, day: usize, metres: Option<i64>) -> Record {
    let from = midnight(i64::try_from(day).unwrap()) + Duration::hours(1);
    Record {
        source_id: id.to_owned(),
        subject: "car".to_owned(),
        from,
        to: from + Duration::minutes(5),
        quantities: metres
            .into_iter()
            .map(|metres| Quantity {
                name: "distance".into(),
                value: rust_decimal::Decimal::new(metres, 3),
                unit: "km".into(),
            })
            .collect(),
        attributes: Vec::new(),
        revises: None,
    }
}

fn post(pool: &Pool, scene: &SceneView, record: Record, now: DateTime<Utc>) {
    let log = LogSettings {
        salt: SaltKey::new(vec![7; 32]).unwrap(),
    };
    let mut ctx = ctx_at(now);
    let batch = ctx.id();
    let prepared = prepare(scene, [Row::Record(record)], [3; 32], now);
    let receipt = pool
        .write_now::<_, FlowError>(|tx| commit(tx, &ctx, batch, scene, &log, &prepared))
        .unwrap();
    assert_eq!((receipt.refused, receipt.held), (0, 0), "{receipt:?}");
}

on_both! {
    fn what_a_cap_had_cut_is_taken_back_without_a_debt(pool: Pool) {
        let (account, scene) = (open_account(&pool), car());
        pool.write_now(|tx| link_subject(tx, &subject_hash(PARTNER, "car"), account, noon().into())).unwrap();
        let now = noon() + Duration::days(8);
        let points = || -> i64 {
            pool.read_now(|conn| tanpuhui::store::wallet::lots_of(conn, account)).unwrap()
                .iter().map(|lot| lot.available).sum()
        };
        // The fifth trip's 17.5 g and 0.8 g carried are cut by the day's cap, 18 g of them; then the
        // remainder grows to half a gram on another day.
        for (at, metres) in [29_258, 6_130, 41_915, 14_605, 175, 13_601].into_iter().enumerate() {
            post(&pool, &scene, trip(&format!("t{at}"), 8, Some(metres)), now);
        }
        post(&pool, &scene, trip("t6", 5, Some(30_781)), now);
        assert_eq!(points(), 6_000);
        let gone = Record { revises: Some("t4".to_owned()), ..trip("x", 8, None) };
        post(&pool, &scene, gone, now);
        // Half a gram comes back and makes a whole point, on a day that has all its cap allows.
        assert_eq!(points(), 6_000);
        for check in pool.read_now(|conn| audit_without_log(conn, |_| ())).unwrap() {
            assert_eq!(check.difference, None, "{}", check.book);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn everybody_has_what_the_calendar_says(events in prop::collection::vec(event(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let pool = crate::world::sqlite(dir.path());
        let people: Vec<Uuid> = (0..4).map(|_| open_account(&pool)).collect();
        let (scene, subject) = (car(), subject_hash(PARTNER, "car"));
        let reference = subject_reference(&subject);
        pool.write_now(|tx| link_subject(tx, &subject, people[0], noon().into())).unwrap();
        let mut calendar: Vec<Vec<Share>> = vec![vec![Share { account: people[0], weight: 1 }]; DAYS];
        let mut trips: Vec<(String, usize, Option<i64>)> = Vec::new();
        let (mut today, first) = (8_usize, date(0).to_epoch_days());
        for (turn, event) in events.into_iter().enumerate() {
            let ctx = ctx_at(noon() + Duration::days(today as i64));
            let day = first + today as i32;
            let post = |record: Record| post(&pool, &scene, record, ctx.now);
            match event {
                Event::State(ahead, weights) => {
                    let all = people.iter().zip(weights).filter(|(_, weight)| *weight > 0);
                    let mut shares: Vec<Share> = all.map(|(account, weight)| Share { account: *account, weight }).collect();
                    let others = shares[1..].iter().map(|share| (Named::Proved(share.account), share.weight));
                    let wanted = Wanted { from: Some(day + ahead as i32), own: weights[0], others: others.collect() };
                    let rules = SharingRules { members_max: 10, today: day };
                    pool.write_now::<_, FlowError>(|tx| {
                        share_subject(tx, &ctx, &Catalogue::default(), rules, people[0], &reference, &wanted)
                    }).unwrap();
                    shares.sort_by_key(|share| share.account);
                    calendar[today + ahead..].fill(shares);
                }
                Event::Leave(who) => {
                    let left = pool.write_now::<_, FlowError>(|tx| {
                        leave_subject(tx, &ctx, people[who], &reference, day)
                    });
                    if left.is_ok() {
                        for shares in &mut calendar[today + 1..] {
                            shares.retain(|share| share.account != people[who]);
                        }
                    }
                    let share = |shares: &Vec<Share>| shares.iter().any(|share| share.account == people[who]);
                    prop_assert!(!calendar[today + 1..].iter().any(share), "whoever cannot leave has nothing to leave");
                }
                Event::Pass(days) => today = (today + days).min(DAYS - 10),
                Event::Drive(ago, metres) => {
                    let id = format!("t{turn}");
                    post(trip(&id, today - ago, Some(metres)));
                    trips.push((id, today - ago, Some(metres)));
                }
                Event::Cancel(at) => {
                    if let Some((id, day, driven)) = trips.get_mut(at).filter(|(_, _, driven)| driven.is_some()) {
                        let gone = Record { revises: Some(id.clone()), ..trip(&format!("x{turn}"), *day, None) };
                        post(gone);
                        *driven = None;
                    }
                }
            }
        }
        let mut expected: BTreeMap<Uuid, i64> = people.iter().map(|account| (*account, 0)).collect();
        for (_, day, metres) in &trips {
            // A tenth of a kilogram a kilometre: 100 mg a metre.
            for part in parts(&calendar[*day], metres.unwrap_or(0) * 100) {
                *expected.get_mut(&part.account).unwrap() += part.mg;
            }
        }
        for (account, mg) in expected {
            prop_assert_eq!(pool.read_now(|conn| saved_mg(conn, account)).unwrap(), mg);
        }
        for check in pool.read_now(|conn| audit_without_log(conn, |_| ())).unwrap() {
            prop_assert_eq!(check.difference, None, "{}", check.book);
        }
    }
}
