//! Periods as an auditor would try to break them: what came late, moved, was said anew or fell on
//! an edge ends in the same books as if all of it had been known from the start.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tanpuhui::domain::behaviour::{Quantity, Record};
use tanpuhui::domain::problem::Code;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::ingest::{Answer, SceneView};
use tanpuhui::flow::quantify_periods::judge_year;
use tanpuhui::store::Pool;
use tanpuhui::store::period::due_years;
use uuid::Uuid;

use crate::periods::{
    answer, books_agree, cancelling, close, day, document, grams, grams_by_day, household, link,
    midnight, now, post, reading, reductions, revising, scene,
};
use crate::world::{ctx_at, open_account, sqlite};

const MONTH_BODY: &str = "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";

/// Long after everything.
const LATE: u32 = 199;

fn mean(body: &str) -> String {
    format!(
        "[period]\n[formula]\nreduction = 'max(0 kWh, {body} - kwh) * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
    )
}

/// A reading of several days.
fn bill(id: &str, from: u32, out: u32, kwh: i64) -> Record {
    Record {
        to: midnight(out),
        ..reading(id, from, kwh)
    }
}

fn stating(id: &str, day: u32, name: &'static str, value: i64) -> Record {
    Record {
        quantities: vec![Quantity {
            name: name.into(),
            value: value.into(),
            unit: "1".into(),
        }],
        attributes: Vec::new(),
        to: midnight(day),
        ..reading(id, day, 0)
    }
}

fn saying(id: &str, day: u32, tariff: &str) -> Record {
    Record {
        quantities: Vec::new(),
        attributes: vec![("tariff".into(), tariff.to_owned())],
        to: midnight(day),
        ..reading(id, day, 0)
    }
}

/// What the household has by day after these posts, each followed by a run of the job.
fn books(scene: &SceneView, posts: &[Vec<Record>]) -> BTreeMap<i32, i64> {
    let dir = tempfile::tempdir().unwrap();
    let pool = sqlite(dir.path());
    let account = household(&pool);
    for records in posts {
        post(&pool, scene, records.clone());
        close(&pool, scene, LATE);
    }
    books_agree(&pool);
    assert_eq!(
        close(&pool, scene, LATE).changed,
        0,
        "nothing is left to do"
    );
    grams_by_day(&pool, account)
}

/// In these steps, it ends as if everything had come at once.
fn ends_as_if_known(scene: &SceneView, posts: &[Vec<Record>]) {
    let at_once = books(scene, &[posts.concat()]);
    assert!(!at_once.is_empty(), "it shows nothing");
    assert_eq!(books(scene, posts), at_once);
    let backwards: Vec<Vec<Record>> = posts.iter().rev().cloned().collect();
    assert_eq!(books(scene, &backwards), at_once);
}

#[test]
fn a_late_reading_reaches_as_far_as_the_next_version_looks_back() {
    let scene = scene(
        1,
        &[
            document(
                "1",
                "2020-01-01",
                "day",
                &mean("trailing_mean(kwh, days = 7, min_count = 2)"),
            ),
            document(
                "2",
                "2026-03-05",
                "day",
                &mean("trailing_mean(kwh, days = 30, min_count = 2)"),
            ),
        ],
    );
    let mut days: Vec<Record> = (0..19).map(|at| day(at, 10)).collect();
    days.push(day(19, 3));
    ends_as_if_known(&scene, &[days, vec![reading("late", 0, 19)]]);
}

#[test]
fn a_late_bill_reaches_a_bill_that_began_late_in_a_later_month() {
    let by = |body: &str| scene(1, &[document("1", "2020-01-01", "billing", &mean(body))]);
    // From the first of March, and from 25 April; then up to 30 June.
    let bills = [vec![bill("b", 55, 85, 10)], vec![bill("a", 0, 30, 30)]];
    ends_as_if_known(&by("trailing_mean(kwh, months = 1, min_count = 1)"), &bills);
    let three = [
        vec![bill("b", 31, 60, 20), bill("d", 121, 150, 5)],
        vec![bill("a", 0, 29, 30), bill("c", 61, 90, 20)],
    ];
    ends_as_if_known(
        &by("history_mean(kwh, min_months = 3, max_months = 3)"),
        &three,
    );
}

#[test]
fn a_month_whose_first_day_had_a_statement_waits_for_its_end() {
    let body = "[inputs.members]\ntype = 'quantity'\nunit = '1'\nas_of = 'start'\n[period]\n\
        [formula]\nreduction = 'kwh / members * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";
    let scene = scene(1, &[document("1", "2020-01-01", "month", body)]);
    let dir = tempfile::tempdir().unwrap();
    let pool = sqlite(dir.path());
    let account = household(&pool);
    post(&pool, &scene, vec![stating("m", 0, "members", 2)]);
    post(&pool, &scene, vec![day(0, 10)]);
    for today in [1, 2, 30, 31, 32] {
        close(&pool, &scene, today);
    }
    assert_eq!(grams(&pool, account), 5_000);
    books_agree(&pool);
}

#[test]
fn what_is_stated_in_a_period_or_at_its_end_reaches_that_period() {
    let body = "[inputs.members]\ntype = 'quantity'\nunit = '1'\nas_of = 'end'\n[period]\n\
        [formula]\nreduction = 'kwh / members * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";
    for (period, said) in [
        ("month", 10),
        ("month", 31),
        ("day", 4),
        ("day", 5),
        ("billing", 12),
        ("billing", 30),
    ] {
        let scene = scene(1, &[document("1", "2020-01-01", period, body)]);
        let read = if period == "billing" {
            bill("b", 0, 30, 10)
        } else {
            day(4, 10)
        };
        let known = vec![stating("m", 0, "members", 1), read];
        ends_as_if_known(&scene, &[known, vec![stating("n", said, "members", 2)]]);
    }
}

#[test]
fn members_who_change_in_mid_month_count_from_the_next_day_on() {
    let body = "[inputs.members]\ntype = 'quantity'\nunit = '1'\nas_of = 'start'\n[period]\n\
        [formula]\nreduction = 'kwh / members * 1 kgCO2/kWh'\nunit = 'kgCO2'\n";
    let scene = scene(1, &[document("1", "2020-01-01", "day", body)]);
    let days: Vec<Record> = (10..20).map(|at| day(at, 12)).collect();
    let said = vec![
        stating("m", 3, "members", 3),
        stating("n", 14, "members", 4),
    ];
    ends_as_if_known(&scene, &[said.clone(), days.clone()]);
    let found = books(&scene, &[days, said]);
    let grams: Vec<i64> = found.values().map(|mg| mg / 1_000_000).collect();
    assert_eq!(grams, [4, 4, 4, 4, 3, 3, 3, 3, 3, 3]);
}

const TARIFF: &str = "[inputs.tariff]\ntype = 'enum'\nvalues = ['one', 'two']\nas_of = 'start'\n[period]\n\
    [formula]\nreduction = 'kwh * (case tariff when \"one\" then 1 kgCO2/kWh when \"two\" then 2 kgCO2/kWh)'\nunit = 'kgCO2'\n";

#[test]
fn a_statement_of_words_alone_can_be_corrected_and_cancelled() {
    let scene = scene(1, &[document("1", "2020-01-01", "day", TARIFF)]);
    let said = vec![saying("t", 0, "one"), day(3, 10)];
    let found = books(
        &scene,
        &[
            said.clone(),
            vec![revising("u", "t", saying("u", 0, "two"))],
        ],
    );
    assert_eq!(found.values().copied().collect::<Vec<_>>(), [20_000_000]);
    // Again, and back.
    let twice = vec![revising("v", "u", saying("v", 0, "one"))];
    let found = books(
        &scene,
        &[
            said.clone(),
            vec![revising("u", "t", saying("u", 0, "two"))],
            twice,
        ],
    );
    assert_eq!(found.values().copied().collect::<Vec<_>>(), [10_000_000]);
    let gone = Record {
        attributes: Vec::new(),
        ..cancelling("x", "t", saying("x", 0, "one"))
    };
    assert_eq!(books(&scene, &[said, vec![gone]]), BTreeMap::new());
}

fn year_end(limit: u32) -> SceneView {
    let body = format!(
        "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n\
         [year_end]\nrequire = 'year_sum(kwh) <= {limit} kWh'\notherwise = 'reverse'\nreason = 'third_tier'\n"
    );
    scene(1, &[document("1", "2020-01-01", "day", &body)])
}

fn judge(pool: &Pool, scene: &SceneView) {
    let due = pool
        .read_now(|conn| due_years(conn, scene.id, 2027, 100))
        .unwrap();
    for (subject, year) in due {
        let ctx = ctx_at(now());
        pool.write_now::<_, FlowError>(|tx| judge_year(tx, &ctx, scene, &subject, year))
            .unwrap();
    }
    close(pool, scene, 400);
}

on_both! {
    fn a_years_threshold_moves_only_the_day_that_changed(pool: Pool) {
        let account = household(&pool);
        let scene = year_end(1_000);
        post(&pool, &scene, (0..10).map(|at| day(at, 5)).collect());
        close(&pool, &scene, LATE);
        post(&pool, &scene, vec![day(20, 5)]);
        close(&pool, &scene, LATE);
        post(&pool, &scene, vec![reading("late", 3, 2)]);
        let done = close(&pool, &scene, LATE);
        assert_eq!((done.changed, done.taken_back, done.reduction_mg), (1, 1, 2_000_000));
        assert_eq!(grams(&pool, account), 57_000);
        books_agree(&pool);
    }

    fn who_meets_the_threshold_exactly_stays_in_and_every_later_word_is_judged_again(pool: Pool) {
        let account = household(&pool);
        let scene = year_end(20);
        post(&pool, &scene, vec![day(0, 9), day(1, 11)]);
        close(&pool, &scene, LATE);
        judge(&pool, &scene);
        assert_eq!(grams(&pool, account), 20_000);
        // A late watt too many; a correction of it; a correction of that; its end.
        for (record, left) in [
            (reading("late", 5, 1), 0),
            (revising("late-2", "late", reading("late-2", 5, 0)), 20_000),
            (revising("late-3", "late-2", reading("late-3", 6, 2)), 0),
            (cancelling("late-4", "late", reading("late-4", 6, 0)), 20_000),
            (cancelling("gone", "d1", day(1, 0)), 9_000),
            (reading("again", 1, 11), 20_000),
        ] {
            let id = record.source_id.clone();
            post(&pool, &scene, vec![record]);
            close(&pool, &scene, 400);
            judge(&pool, &scene);
            judge(&pool, &scene);
            assert_eq!(grams(&pool, account), left, "{id}");
            books_agree(&pool);
        }
    }

    fn a_day_cancelled_for_one_household_can_be_counted_for_another(pool: Pool) {
        let one = household(&pool);
        let other = open_account(&pool);
        link(&pool, "other", other);
        let body = "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n[claims]\nexclusivity_keys = [['meter', 'day']]\n";
        let scene = scene(1, &[document("1", "2020-01-01", "day", body)]);
        post(&pool, &scene, vec![day(0, 10)]);
        close(&pool, &scene, LATE);
        post(&pool, &scene, vec![cancelling("x", "d0", day(0, 0))]);
        close(&pool, &scene, LATE);
        let right = Record { subject: "other".into(), ..reading("right", 0, 10) };
        post(&pool, &scene, vec![right]);
        close(&pool, &scene, LATE);
        assert_eq!((grams(&pool, one), grams(&pool, other)), (0, 10_000));
        // And not for both.
        post(&pool, &scene, vec![reading("again", 0, 10)]);
        close(&pool, &scene, LATE);
        assert_eq!((grams(&pool, one), grams(&pool, other)), (0, 10_000));
        books_agree(&pool);
    }

    fn a_day_without_the_meter_that_it_is_claimed_by_is_not_counted(pool: Pool) {
        let account = household(&pool);
        let body = "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n[claims]\nexclusivity_keys = [['meter', 'day']]\n";
        let documents = [document("1", "2020-01-01", "day", body)];
        for scene in [scene(1, &documents), scene(2, &documents)] {
            let bare = Record { attributes: Vec::new(), ..reading(&scene.code, 0, 10) };
            post(&pool, &scene, vec![bare]);
            close(&pool, &scene, LATE);
        }
        assert_eq!(grams(&pool, account), 0);
        books_agree(&pool);
    }

    fn two_bills_from_one_day_are_not_told_apart(pool: Pool) {
        let account = household(&pool);
        let scene = scene(1, &[document("1", "2020-01-01", "billing", MONTH_BODY)]);
        post(&pool, &scene, vec![bill("long", 0, 30, 100)]);
        close(&pool, &scene, LATE);
        assert_eq!(grams(&pool, account), 100_000);
        post(&pool, &scene, vec![bill("short", 0, 15, 40)]);
        close(&pool, &scene, LATE);
        assert_eq!(grams(&pool, account), 0);
        post(&pool, &scene, vec![cancelling("x", "short", bill("x", 0, 15, 0))]);
        close(&pool, &scene, LATE);
        assert_eq!(grams(&pool, account), 100_000);
        books_agree(&pool);
    }
}

fn told(pool: &Pool, scene: &SceneView, record: Record) -> Result<(), Code> {
    match answer(&post(pool, scene, vec![record])) {
        Answer::Refused(problem) => Err(problem.code),
        Answer::Held(Code::PeriodOpen) => Ok(()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_month_that_began_before_any_version_is_refused_and_not_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let pool = sqlite(dir.path());
    let account = household(&pool);
    let scene = scene(1, &[document("1", "2026-03-15", "month", MONTH_BODY)]);
    assert_eq!(
        told(&pool, &scene, day(3, 1)),
        Err(Code::MethodologyNotInForce)
    );
    assert_eq!(
        told(&pool, &scene, day(20, 10)),
        Err(Code::MethodologyNotInForce)
    );
    assert_eq!(told(&pool, &scene, day(31, 10)), Ok(()));
    close(&pool, &scene, LATE);
    assert_eq!(grams(&pool, account), 10_000);
}

#[test]
fn a_month_is_not_counted_again_by_the_days_of_the_next_version() {
    let dir = tempfile::tempdir().unwrap();
    let pool = sqlite(dir.path());
    let account = household(&pool);
    let to_days = scene(
        1,
        &[
            document("1", "2020-01-01", "month", MONTH_BODY),
            document("2", "2026-03-16", "day", MONTH_BODY),
        ],
    );
    // The month is cut in two by another kind of period, and gives nothing; its later days do.
    post(&pool, &to_days, vec![day(3, 1), day(20, 10)]);
    close(&pool, &to_days, LATE);
    assert_eq!(grams(&pool, account), 10_000);
    let to_months = scene(
        2,
        &[
            document("1", "2020-01-01", "day", MONTH_BODY),
            document("2", "2026-03-16", "month", MONTH_BODY),
        ],
    );
    assert_eq!(
        told(&pool, &to_months, reading("m20", 20, 5)),
        Err(Code::MethodologyNotInForce)
    );
    assert_eq!(told(&pool, &to_months, reading("m3", 3, 5)), Ok(()));
    assert_eq!(told(&pool, &to_months, reading("m40", 40, 5)), Ok(()));
    close(&pool, &to_months, LATE);
    assert_eq!(grams(&pool, account), 20_000);
}

#[test]
fn a_month_runs_on_under_the_version_in_force_when_it_began() {
    let half = MONTH_BODY.replace("1 kgCO2/kWh", "0.5 kgCO2/kWh");
    let scene = scene(
        1,
        &[
            document("1", "2020-01-01", "month", MONTH_BODY),
            document("2", "2026-03-16", "month", &half),
        ],
    );
    let posts = [vec![day(3, 1)], vec![day(20, 10)], vec![day(40, 10)]];
    ends_as_if_known(&scene, &posts);
    let found = books(&scene, &posts);
    assert_eq!(
        found.values().copied().collect::<Vec<_>>(),
        [11_000_000, 5_000_000]
    );
}

#[test]
fn the_versions_days_begin_in_the_documents_zone_whatever_the_scenes() {
    let dir = tempfile::tempdir().unwrap();
    let pool = sqlite(dir.path());
    let account = household(&pool);
    let half = MONTH_BODY.replace("1 kgCO2/kWh", "0.5 kgCO2/kWh");
    let mut scene = scene(
        1,
        &[
            document("1", "2020-01-01", "day", MONTH_BODY),
            document("2", "2026-03-03", "day", &half),
        ],
    );
    for zone in [chrono_tz::Australia::Sydney, chrono_tz::America::New_York] {
        scene.zone = zone;
        scene.id += 10;
        let named = |at| reading(&format!("{zone}-{at}"), at, 10);
        post(&pool, &scene, vec![named(1), named(2)]);
        close(&pool, &scene, LATE);
    }
    let mut found: Vec<i64> = reductions(&pool, account)
        .iter()
        .map(|row| row.mg)
        .collect();
    found.sort_unstable();
    assert_eq!(found, [5_000_000, 5_000_000, 10_000_000, 10_000_000]);
}

/// One record of a household.
#[derive(Debug, Clone)]
enum Said {
    Read(u32, i64),
    Bill(u32, u32, i64),
    Members(i64),
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        6 => (0_u32..36, 0_i64..40).prop_map(|(day, kwh)| Said::Read(day, kwh)),
        1 => (0_u32..36, 1_u32..40, 0_i64..400).prop_map(|(day, days, kwh)| Said::Bill(day, days, kwh)),
        2 => (1_i64..6).prop_map(Said::Members),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Any order and any batching of the same records, with runs of the job between, ends in the
    /// same books, under two versions that look back unequally far.
    #[test]
    fn the_order_does_not_matter(
        records in prop::collection::btree_map(0_u32..40, said(), 8..28),
        order in prop::collection::vec((any::<u32>(), any::<bool>(), 0_u32..120), 28),
        period in prop_oneof![Just("day"), Just("month")],
        as_of in prop_oneof![Just("start"), Just("end")],
    ) {
        let body = |look: &str| format!(
            "[inputs.members]\ntype = 'quantity'\nunit = '1'\nas_of = '{as_of}'\n\
             [period]\n[formula]\nreduction = 'max(0 kWh, {look} - kwh) / members * 1 kgCO2/kWh'\nunit = 'kgCO2'\n"
        );
        let looks = match period {
            "day" => ["trailing_mean(kwh, days = 3, min_count = 1)", "trailing_mean(kwh, days = 21, min_count = 2)"],
            _ => ["trailing_mean(kwh, months = 1, min_count = 1)", "history_mean(kwh, min_months = 1, max_months = 3)"],
        };
        let spread = |text: String| text.replace("unit = 'kWh'\n", "unit = 'kWh'\nspread = 'days'\n");
        let scene = scene(1, &[
            spread(document("1", "2020-01-01", period, &body(looks[0]))),
            spread(document("2", "2026-03-12", period, &body(looks[1]))),
        ]);
        // A statement's instant is its own: of two at once nobody can say which is the later.
        let records: Vec<Record> = records.iter().map(|(at, said)| match said {
            Said::Read(day, kwh) => reading(&format!("r{at}"), *day, *kwh),
            Said::Bill(day, days, kwh) => bill(&format!("b{at}"), *day, day + days, *kwh),
            Said::Members(members) => stating(&format!("m{at}"), *at, "members", *members),
        }).collect();
        let mut keyed: Vec<_> = records.iter().cloned().zip(&order).collect();
        keyed.sort_by_key(|(_, (key, ..))| *key);
        let dir = tempfile::tempdir().unwrap();
        let pool = sqlite(dir.path());
        let account: Uuid = household(&pool);
        for (record, (_, run, today)) in keyed {
            post(&pool, &scene, vec![record]);
            if *run {
                close(&pool, &scene, *today);
            }
        }
        close(&pool, &scene, LATE);
        books_agree(&pool);
        prop_assert_eq!(grams_by_day(&pool, account), books(&scene, &[records]));
    }
}
