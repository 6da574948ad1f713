//! Periods are counted when they have closed, and again when what they rest on changes; nothing
//! that was written is edited, and the books agree at every step.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::sync::Arc;
use tanpuhui::domain::behaviour::{Quantity, Record, subject_hash};
use tanpuhui::domain::log::leaf::SaltKey;
use tanpuhui::domain::methodology::Library;
use tanpuhui::domain::problem::Code;
use tanpuhui::domain::reduction::ReductionId;
use tanpuhui::domain::wallet::ExchangeRule;
use tanpuhui::domain::wallet::sharing::Share;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::audit_books::audit_without_log;
use tanpuhui::flow::ingest::{
    Answer, LogSettings, Pinned, Receipt, Row, SceneView, commit, prepare,
};
use tanpuhui::flow::quantify_periods::{Quantified, judge_year, quantify_periods};
use tanpuhui::store::behaviour::link_subject;
use tanpuhui::store::correction::{correction, correction_against};
use tanpuhui::store::period::{due_subjects, due_years};
use tanpuhui::store::reduction::{ReductionRow, of_batch};
use tanpuhui::store::share::{StatementRow, append_statement};
use tanpuhui::store::wallet::{lots_of, statement};
use tanpuhui::store::{Id, Pool, Ts};
use uuid::Uuid;

use crate::world::{ctx_at, open_account};

mod claims;
mod replay;

pub(crate) const PARTNER: Uuid = Uuid::from_u128(0x5b);

pub(crate) const HEAD: &str = "format = 1\nkind = 'methodology'\n[identity]\ncode = 'home'\nversion = 'VERSION'\ntitle_zh = '测试'\ntitle_en = 'test'\n\
    [effect]\nfrom = 'FROM'\nzone = 'Asia/Shanghai'\n[scope]\nregion = 'CN'\nscene = 's'\nsubject = 'household'\nquantity_kind = 'co2'\nperiod = 'PERIOD'\n\
    [inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n[inputs.meter]\ntype = 'text'\nrequired = false\n";
/// A kilogram for each kWh below the mean of the week before, or below 10 kWh without one.
pub(crate) const WEEK: &str = "[period]\n[derived]\nmean = 'trailing_mean(kwh, days = 7, min_count = 2)'\n\
    [formula]\nreduction = 'max(0 kWh, mean - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n[claims]\nexclusivity_keys = [['meter', 'day']]\n";
pub(crate) const PLAIN: &str = "[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n[claims]\nexclusivity_keys = [['meter', 'from']]\n";

pub(crate) fn document(version: &str, from: &str, period: &str, body: &str) -> String {
    let head = HEAD
        .replace("VERSION", version)
        .replace("FROM", from)
        .replace("PERIOD", period);
    format!("{head}{body}")
}

/// A scene of these documents, the one in force last first.
pub(crate) fn scene(id: i32, documents: &[String]) -> SceneView {
    let named: Vec<(&str, &str)> = documents
        .iter()
        .map(|text| ("m.toml", text.as_str()))
        .collect();
    let library = Library::load(named).unwrap();
    let mut pinned: Vec<Pinned> = library
        .methodologies()
        .enumerate()
        .map(|(at, compiled)| Pinned {
            id: i32::try_from(at).unwrap() + 1,
            name: compiled.name(),
            hash: [1; 32],
            exclusive_time: false,
            compiled: Some(Arc::clone(compiled)),
        })
        .collect();
    pinned.reverse();
    SceneView {
        id,
        code: format!("home-{id}"),
        partner: PARTNER,
        zone: chrono_tz::Asia::Shanghai,
        pinned,
        rule_id: 1,
        rule: ExchangeRule::parse(
            "code = 'r'\nversion = '1'\ntitle_zh = '规则'\ntitle_en = 'rule'\n\
             effective_from = 2026-01-01T00:00:00+08:00\nmg_per_point = 1000\n\
             daily_cap_points = 1000000\nvalid_months = 24\nsource = 'test'\n",
        )
        .unwrap(),
        exclusive: Vec::new(),
    }
}

pub(crate) fn week() -> SceneView {
    scene(1, &[document("1", "2020-01-01", "day", WEEK)])
}

pub(crate) fn midnight(day: u32) -> DateTime<Utc> {
    let first = DateTime::parse_from_rfc3339("2026-03-01T00:00:00+08:00").unwrap();
    first.with_timezone(&Utc) + TimeDelta::days(i64::from(day))
}

pub(crate) fn reading(id: &str, day: u32, kwh: i64) -> Record {
    Record {
        source_id: id.to_owned(),
        subject: "h".to_owned(),
        from: midnight(day),
        to: midnight(day + 1),
        quantities: vec![Quantity {
            name: "kwh".into(),
            value: kwh.into(),
            unit: "kWh".into(),
        }],
        attributes: vec![("meter".into(), "M-1".to_owned())],
        revises: None,
    }
}

pub(crate) fn day(day: u32, kwh: i64) -> Record {
    reading(&format!("d{day}"), day, kwh)
}

pub(crate) fn restated(record: Record, at: &str) -> Record {
    let mut record = record;
    record.attributes.push(("stated_at".into(), at.to_owned()));
    record
}

pub(crate) fn revising(id: &str, revised: &str, record: Record) -> Record {
    Record {
        source_id: id.to_owned(),
        revises: Some(revised.to_owned()),
        ..record
    }
}

pub(crate) fn cancelling(id: &str, revised: &str, record: Record) -> Record {
    Record {
        quantities: Vec::new(),
        ..revising(id, revised, record)
    }
}

/// Where everything happens long after March.
pub(crate) fn now() -> DateTime<Utc> {
    midnight(200)
}

pub(crate) fn log() -> LogSettings {
    LogSettings {
        salt: SaltKey::new(vec![7; 32]).unwrap(),
    }
}

pub(crate) fn post(pool: &Pool, scene: &SceneView, records: Vec<Record>) -> Receipt {
    let mut ctx = ctx_at(now());
    let batch = ctx.id();
    let rows: Vec<Row> = records.into_iter().map(Row::Record).collect();
    let prepared = prepare(scene, rows, [3; 32], now());
    pool.write_now::<_, FlowError>(|tx| commit(tx, &ctx, batch, scene, &log(), &prepared))
        .unwrap()
}

/// Everything that is due `today`, days after the first of March.
pub(crate) fn close(pool: &Pool, scene: &SceneView, today: u32) -> Quantified {
    let today = midnight(today)
        .with_timezone(&scene.zone)
        .date_naive()
        .to_epoch_days();
    let due = pool
        .read_now(|conn| due_subjects(conn, scene.id, today, &[], 100))
        .unwrap();
    let mut ctx = ctx_at(now());
    pool.write_now::<_, FlowError>(|tx| quantify_periods(tx, &mut ctx, scene, &log(), &due, today))
        .unwrap()
}

pub(crate) fn household(pool: &Pool) -> Uuid {
    let account = open_account(pool);
    link(pool, "h", account);
    account
}

pub(crate) fn link(pool: &Pool, subject: &str, account: Uuid) {
    pool.write_now(|tx| link_subject(tx, &subject_hash(PARTNER, subject), account, Ts(now())))
        .unwrap();
}

pub(crate) fn points(pool: &Pool, account: Uuid) -> i64 {
    let lots = pool.read_now(|conn| lots_of(conn, account)).unwrap();
    lots.iter().map(|lot| lot.available).sum()
}

/// All reductions of an account, by day and then as they were written.
pub(crate) fn reductions(pool: &Pool, account: Uuid) -> Vec<ReductionRow> {
    let lines = pool
        .read_now(|conn| statement(conn, account, None, 1_000))
        .unwrap();
    let mut batches: Vec<Uuid> = lines.iter().map(|line| line.transfer).collect();
    batches.sort();
    batches.dedup();
    let mut rows: Vec<ReductionRow> = batches
        .into_iter()
        .flat_map(|batch| pool.read_now(|conn| of_batch(conn, batch)).unwrap())
        .filter(|row| row.account_id.0 == account)
        .collect();
    rows.sort_by_key(|row| (row.day, row.batch_id, row.pos));
    rows
}

pub(crate) fn grams(pool: &Pool, account: Uuid) -> i64 {
    reductions(pool, account)
        .iter()
        .map(|row| row.mg)
        .sum::<i64>()
        / 1_000
}

pub(crate) fn books_agree(pool: &Pool) {
    let checks = pool
        .read_now(|conn| audit_without_log(conn, |_| ()))
        .unwrap();
    for check in checks {
        assert_eq!(check.difference, None, "{}", check.book);
    }
}

pub(crate) fn answer(receipt: &Receipt) -> Answer {
    assert_eq!(receipt.answers.len(), 1);
    receipt.answers[0].clone()
}

on_both! {
    fn a_day_is_counted_when_it_has_closed(pool: Pool) {
        let account = household(&pool);
        let scene = week();
        let receipt = post(&pool, &scene, vec![day(0, 10), day(1, 8), day(2, 5)]);
        assert_eq!(receipt.answers, vec![Answer::Held(Code::PeriodOpen); 3]);
        assert_eq!(post(&pool, &scene, vec![day(1, 8)]).answers, [Answer::Held(Code::PeriodOpen)]);
        // The third is still running: only the first two are looked at, and know too little.
        assert_eq!(close(&pool, &scene, 2), Quantified { periods: 2, changed: 2, ..Quantified::default() });
        let done = close(&pool, &scene, 3);
        assert_eq!((done.changed, done.reduction_mg, done.points), (1, 4_000_000, 4_000));
        assert_eq!(points(&pool, account), 4_000);
        assert_eq!(close(&pool, &scene, 9), Quantified::default());
        books_agree(&pool);
    }

    fn a_late_reading_moves_its_own_day_and_every_day_that_looks_back_at_it(pool: Pool) {
        let account = household(&pool);
        let scene = week();
        post(&pool, &scene, vec![day(0, 10), day(1, 8), day(2, 5), day(3, 6)]);
        close(&pool, &scene, 9);
        // 9 - 5, and 23/3 - 6 rounded toward zero.
        assert_eq!(reductions(&pool, account).iter().map(|row| row.mg).collect::<Vec<_>>(), [4_000_000, 1_666_666]);
        // Six more kilowatt-hours of the second day turn up.
        post(&pool, &scene, vec![reading("late", 1, 6)]);
        let done = close(&pool, &scene, 9);
        assert_eq!((done.taken_back, done.changed), (2, 2));
        let rows = reductions(&pool, account);
        // (10 + 14) / 2 - 5 = 7 and 29/3 - 6: the old rows, their counter-entries, the new ones.
        let mut third: Vec<i64> = rows.iter().filter(|row| row.day == rows[0].day).map(|row| row.mg).collect();
        third.sort_unstable();
        assert_eq!(third, [-4_000_000, 4_000_000, 7_000_000]);
        assert_eq!(grams(&pool, account), 7_000 + 3_666);
        let counter = rows.iter().find(|row| row.mg == -4_000_000).unwrap();
        let tie = pool.read_now(|conn| correction(conn, counter.id())).unwrap().expect("it says what it takes back");
        let old = rows.iter().find(|row| row.mg == 4_000_000).unwrap();
        assert_eq!((tie.reversed_batch, tie.reversed_pos), (old.batch_id, old.pos));
        let stands = rows.iter().find(|row| row.mg == 7_000_000).unwrap();
        assert_eq!((tie.replaced_batch, tie.replaced_pos), (Some(stands.batch_id), Some(stands.pos)));
        assert_eq!(tie.reason, "recomputed");
        assert_eq!(close(&pool, &scene, 9), Quantified::default());
        books_agree(&pool);
    }

    fn a_reading_is_stated_anew_and_the_older_statement_no_longer_counts(pool: Pool) {
        let account = household(&pool);
        let scene = week();
        let stated = |kwh, at| restated(day(2, kwh), at);
        post(&pool, &scene, vec![day(0, 10), day(1, 8), stated(5, "2026-03-04T00:00:00Z")]);
        close(&pool, &scene, 9);
        assert_eq!(grams(&pool, account), 4_000);
        assert_eq!(post(&pool, &scene, vec![stated(7, "2026-03-05T00:00:00Z")]).answers, [Answer::Held(Code::PeriodOpen)]);
        close(&pool, &scene, 9);
        assert_eq!(grams(&pool, account), 2_000);
        // The first one again, and an even older one: neither comes back.
        let Answer::Refused(problem) = answer(&post(&pool, &scene, vec![stated(3, "2026-03-03T00:00:00Z")])) else { panic!() };
        assert_eq!(problem.code, Code::Superseded);
        // The same values, stated later still, are no news.
        let again = post(&pool, &scene, vec![stated(7, "2026-03-06T00:00:00Z")]);
        assert!(matches!(answer(&again), Answer::Replayed { .. }), "{again:?}");
        assert_eq!(close(&pool, &scene, 9).changed, 0);
        assert_eq!(grams(&pool, account), 2_000);
        books_agree(&pool);
    }

    fn a_cancelled_reading_takes_its_day_with_it(pool: Pool) {
        let account = household(&pool);
        let scene = week();
        post(&pool, &scene, vec![day(0, 10), day(1, 8), day(2, 5), day(3, 6)]);
        close(&pool, &scene, 9);
        post(&pool, &scene, vec![cancelling("void", "d2", day(2, 0))]);
        close(&pool, &scene, 9);
        // The third day is gone; the fourth is compared with 10 and 8 alone.
        assert_eq!(grams(&pool, account), 3_000);
        books_agree(&pool);
    }

    fn one_meters_day_counts_once_whoever_sends_it(pool: Pool) {
        let account = household(&pool);
        let (one, other) = (week(), scene(2, &[document("1", "2020-01-01", "day", WEEK)]));
        for scene in [&one, &other] {
            let prefix = scene.code.clone();
            let named = |at, kwh| Record { source_id: format!("{prefix}-{at}"), ..day(at, kwh) };
            post(&pool, scene, vec![named(0, 10), named(1, 8), named(2, 5)]);
            close(&pool, scene, 9);
        }
        assert_eq!(grams(&pool, account), 4_000);
        books_agree(&pool);
    }

    fn what_was_recorded_before_the_link_is_counted_after_it(pool: Pool) {
        let scene = week();
        post(&pool, &scene, vec![day(0, 10), day(1, 8), day(2, 5)]);
        assert_eq!(close(&pool, &scene, 9), Quantified::default());
        let account = household(&pool);
        // Whoever links queues the days again; the flow of linking does so.
        let days = pool.read_now(|conn| tanpuhui::store::period::recorded_days(conn, &subject_hash(PARTNER, "h"))).unwrap();
        assert_eq!(days.len(), 3);
        let rows: Vec<_> = days.into_iter().map(|(scene_id, day, out)| tanpuhui::store::period::QueuedRow {
            scene_id, subject: subject_hash(PARTNER, "h").to_vec(), day, until_day: day, due_day: out,
        }).collect();
        pool.write_now(|tx| tanpuhui::store::period::queue_periods(tx, rows.clone())).unwrap();
        close(&pool, &scene, 9);
        assert_eq!(grams(&pool, account), 4_000);
        books_agree(&pool);
    }

    fn a_household_shares_to_the_milligram(pool: Pool) {
        let (first, second) = (household(&pool), open_account(&pool));
        let stated = StatementRow {
            subject: subject_hash(PARTNER, "h").to_vec(),
            seq: 1,
            link_seq: 1,
            from_day: 0,
            stated_day: -1,
            stated_at: Ts(now()),
            stated_by: Id(first),
        };
        let shares = [(first, 2), (second, 1)].map(|(account, weight)| Share { account, weight });
        pool.write_now(|tx| append_statement(tx, &stated, &shares)).unwrap();
        let scene = week();
        post(&pool, &scene, vec![day(0, 10), day(1, 8), day(2, 5)]);
        close(&pool, &scene, 9);
        let mg = |account| reductions(&pool, account).iter().map(|row| row.mg).sum::<i64>();
        assert_eq!((mg(first), mg(second)), (2_666_667, 1_333_333));
        post(&pool, &scene, vec![reading("late", 2, 1)]);
        close(&pool, &scene, 9);
        assert_eq!((mg(first), mg(second)), (2_000_000, 1_000_000));
        books_agree(&pool);
    }

    fn the_years_end_takes_back_and_gives_again(pool: Pool) {
        let account = household(&pool);
        let body = "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n\
            [year_end]\nrequire = 'year_sum(kwh) <= 20 kWh'\notherwise = 'reverse'\nreason = 'third_tier'\n";
        let scene = scene(1, &[document("1", "2020-01-01", "day", body)]);
        let judge = || {
            let due = pool.read_now(|conn| due_years(conn, scene.id, 2027, 100)).unwrap();
            for (subject, year) in due {
                let ctx = ctx_at(now());
                pool.write_now::<_, FlowError>(|tx| judge_year(tx, &ctx, &scene, &subject, year)).unwrap();
            }
        };
        post(&pool, &scene, vec![day(0, 9), restated(day(1, 12), "2026-03-03T00:00:00Z")]);
        close(&pool, &scene, 9);
        assert_eq!(grams(&pool, account), 21_000);
        judge();
        let done = close(&pool, &scene, 400);
        assert_eq!((done.taken_back, done.reduction_mg), (2, -21_000_000));
        assert_eq!((grams(&pool, account), points(&pool, account)), (0, 0));
        let reversed = reductions(&pool, account);
        let tie = pool.read_now(|conn| correction_against(conn, reversed[0].id())).unwrap().unwrap();
        assert_eq!((tie.reason.as_str(), tie.replaced_batch), ("third_tier", None));
        books_agree(&pool);
        // The utility corrects the second day: the household was below after all.
        post(&pool, &scene, vec![restated(day(1, 8), "2027-02-01T00:00:00Z")]);
        close(&pool, &scene, 400);
        judge();
        close(&pool, &scene, 400);
        assert_eq!((grams(&pool, account), points(&pool, account)), (17_000, 17_000));
        books_agree(&pool);
    }

    fn two_versions_stand_beside_each_other(pool: Pool) {
        let account = household(&pool);
        let half = PLAIN.replace("1 kgCO2/kWh", "0.5 kgCO2/kWh");
        let scene = scene(1, &[
            document("1", "2020-01-01", "event", PLAIN),
            document("2", "2026-03-03", "event", &half),
        ]);
        // The later day is sent first: what counts is when it happened.
        post(&pool, &scene, vec![day(2, 10), day(0, 10), day(1, 10)]);
        let rows = reductions(&pool, account);
        let of: Vec<(i64, i32)> = rows.iter().map(|row| (row.mg, row.methodology_id)).collect();
        assert_eq!(of, [(10_000_000, 1), (10_000_000, 1), (5_000_000, 2)]);
        books_agree(&pool);
    }

    fn an_act_is_revised_by_a_counter_entry_and_a_new_one(pool: Pool) {
        let account = household(&pool);
        let scene = scene(1, &[document("1", "2020-01-01", "event", PLAIN)]);
        post(&pool, &scene, vec![day(0, 10), day(1, 3)]);
        let revision = revising("d0b", "d0", day(0, 7));
        let receipt = post(&pool, &scene, vec![revision.clone()]);
        let Answer::Accepted { mg, points: gave, reduction, .. } = answer(&receipt) else { panic!("{receipt:?}") };
        assert_eq!((mg, gave), (7_000_000, 7_000));
        assert_eq!(points(&pool, account), 10_000);
        // Sent again it is a replay, and so is what it replaced.
        let replay = Answer::Replayed { reduction, mg, points: gave };
        assert_eq!(answer(&post(&pool, &scene, vec![revision])), replay);
        assert!(matches!(answer(&post(&pool, &scene, vec![day(0, 10)])), Answer::Replayed { mg: 10_000_000, .. }));
        // The revision is revised; then all of it is cancelled.
        post(&pool, &scene, vec![revising("d0c", "d0b", day(0, 8))]);
        assert_eq!(points(&pool, account), 11_000);
        let gone = post(&pool, &scene, vec![cancelling("d0x", "d0", day(0, 0))]);
        let Answer::Accepted { mg, points: gave, .. } = answer(&gone) else { panic!("{gone:?}") };
        assert_eq!((mg, gave), (-8_000_000, -8_000));
        assert_eq!((points(&pool, account), grams(&pool, account)), (3_000, 3_000));
        books_agree(&pool);
    }

    fn a_revision_of_what_is_not_known_is_refused_and_keeps_no_key(pool: Pool) {
        household(&pool);
        let other = open_account(&pool);
        link(&pool, "other", other);
        let scene = scene(1, &[document("1", "2020-01-01", "event", PLAIN)]);
        post(&pool, &scene, vec![day(0, 10)]);
        let refused = |record: Record| match answer(&post(&pool, &scene, vec![record])) {
            Answer::Refused(problem) => problem.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(revising("r", "nobody", day(0, 7))), Code::RevisedUnknown);
        let foreign = Record { subject: "other".into(), ..revising("r", "d0", day(0, 7)) };
        assert_eq!(refused(foreign), Code::RevisedUnknown);
        // Another act's key cannot be taken on the way.
        post(&pool, &scene, vec![day(1, 1)]);
        assert_eq!(refused(revising("r", "d0", day(1, 7))), Code::AlreadyClaimed);
        // The id is still free.
        assert!(matches!(answer(&post(&pool, &scene, vec![revising("r", "d0", day(0, 7))])), Answer::Accepted { .. }));
        books_agree(&pool);
    }

    fn what_is_spent_already_is_owed_and_paid_by_later_credits(pool: Pool) {
        let account = household(&pool);
        let scene = scene(1, &[document("1", "2020-01-01", "event", PLAIN)]);
        post(&pool, &scene, vec![day(0, 10)]);
        let offer = crate::redemption::offer_of(&pool, 9_000, 1);
        crate::redemption::redeemed(&pool, account, offer.id);
        assert_eq!(points(&pool, account), 1_000);
        post(&pool, &scene, vec![cancelling("x", "d0", day(0, 0))]);
        assert_eq!(points(&pool, account), 0);
        let owed = || pool.read_now(|conn| tanpuhui::store::correction::owed_by(conn, &[account])).unwrap();
        assert_eq!(owed(), [(account, 9_000)]);
        post(&pool, &scene, vec![day(1, 4)]);
        assert_eq!((points(&pool, account), owed()), (0, vec![(account, 5_000)]));
        post(&pool, &scene, vec![day(2, 6)]);
        assert_eq!((points(&pool, account), owed()), (1_000, vec![]));
        books_agree(&pool);
    }
}

/// One thing that can happen to a household's readings.
#[derive(Debug, Clone)]
enum Event {
    Read(u32, i64),
    Restate(u32, i64),
    Cancel(u32),
    Close,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0_u32..12, 0_i64..40).prop_map(|(day, kwh)| Event::Read(day, kwh)),
        2 => (0_u32..12, 0_i64..40).prop_map(|(day, kwh)| Event::Restate(day, kwh)),
        1 => (0_u32..12).prop_map(Event::Cancel),
        2 => Just(Event::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever comes in whatever order, in the end the household has what it would have had if
    /// the last word on every day had been known from the start.
    #[test]
    fn the_end_is_the_same_as_if_everything_had_been_known(events in prop::collection::vec(event(), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let pool = crate::world::sqlite(dir.path());
        let account = household(&pool);
        let scene = week();
        let mut standing: std::collections::BTreeMap<u32, (String, i64)> = Default::default();
        for (turn, event) in events.iter().enumerate() {
            match event {
                Event::Read(at, kwh) if !standing.contains_key(at) => {
                    let id = format!("r{turn}");
                    post(&pool, &scene, vec![reading(&id, *at, *kwh)]);
                    standing.insert(*at, (id, *kwh));
                }
                Event::Restate(at, kwh) => if let Some((id, known)) = standing.get_mut(at) {
                    let new = format!("r{turn}");
                    post(&pool, &scene, vec![revising(&new, id, reading(&new, *at, *kwh))]);
                    (*id, *known) = (new, *kwh);
                },
                Event::Cancel(at) => if let Some((id, _)) = standing.remove(at) {
                    post(&pool, &scene, vec![cancelling(&format!("r{turn}"), &id, reading("x", *at, 0))]);
                },
                Event::Close => { close(&pool, &scene, 50); }
                Event::Read(..) => {}
            }
        }
        close(&pool, &scene, 50);
        let found = grams_by_day(&pool, account);
        let fresh = tempfile::tempdir().unwrap();
        let other = crate::world::sqlite(fresh.path());
        let account = household(&other);
        let records: Vec<Record> = standing.iter().map(|(at, (_, kwh))| day(*at, *kwh)).collect();
        if !records.is_empty() {
            post(&other, &scene, records);
        }
        close(&other, &scene, 50);
        prop_assert_eq!(found, grams_by_day(&other, account));
        books_agree(&pool);
    }
}

pub(crate) fn grams_by_day(pool: &Pool, account: Uuid) -> std::collections::BTreeMap<i32, i64> {
    let mut sums: std::collections::BTreeMap<i32, i64> = Default::default();
    for row in reductions(pool, account) {
        *sums.entry(row.day).or_default() += row.mg;
    }
    sums.retain(|_, mg| *mg != 0);
    sums
}

/// A stranger can find the record behind a period's reduction and compute it again.
#[test]
fn a_periods_record_explains_itself() {
    let dir = tempfile::tempdir().unwrap();
    let pool = crate::world::sqlite(dir.path());
    let account = household(&pool);
    let scene = week();
    post(&pool, &scene, vec![day(0, 10), day(1, 8), day(2, 5)]);
    close(&pool, &scene, 9);
    let row = reductions(&pool, account).remove(0);
    let id: ReductionId = row.behaviour();
    let stored = pool
        .read_now(|conn| tanpuhui::store::behaviour::behaviour(conn, id))
        .unwrap();
    assert_eq!(stored.source_id, "home-1:2026-03-03");
    let record = Record::from_stored(
        &stored.source_id,
        stored.from_at.0,
        stored.to_at.0,
        &stored.content,
    )
    .unwrap();
    let compiled = scene.pinned[0].compiled.as_ref().unwrap();
    let explained = compiled.explain(&record).unwrap();
    assert_eq!(explained.reduction_mg, row.mg);
    assert_eq!(explained.look_backs[0].periods.len(), 2);
}
