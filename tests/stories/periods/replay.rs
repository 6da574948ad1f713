//! A new version is tried on what was stored, before anybody approves it.

use chrono::NaiveDate;
use tanpuhui::domain::methodology::{Compiled, Span};
use tanpuhui::flow::replay::{Earned, Person, Question, Replay, replay};

use super::*;

fn compiled(body: &str, period: &str) -> Arc<Compiled> {
    let text = document("2", "1990-01-01", period, body);
    let library = Library::load([("m.toml", text.as_str())]).unwrap();
    library.get("home", "2").cloned().unwrap()
}

/// From one day of March to before another.
fn days(first: u32, out: u32) -> Span {
    let march = |day: u32| NaiveDate::from_ymd_opt(2026, 3, day + 1).unwrap();
    Span {
        first: march(first),
        out: march(out),
    }
}

fn tried(pool: &Pool, scene: &SceneView, after: &Compiled, days: Span) -> Replay {
    let before = scene.pinned[0].compiled.clone().unwrap();
    let question = Question {
        scene,
        before: &before,
        after,
        days,
    };
    pool.read_snapshot::<_, FlowError>(|conn| replay(conn, &question, |_| {}))
        .unwrap()
}

fn earned(mg: i64, counted: usize, refused: usize) -> Earned {
    Earned {
        reduction_mg: mg,
        counted,
        refused,
    }
}

/// Milligrams on the ledger.
fn given(pool: &Pool, account: Uuid) -> i64 {
    reductions(pool, account).iter().map(|row| row.mg).sum()
}

const KG: i64 = 1_000_000;

on_both! {
    fn the_version_in_force_gives_what_the_ledger_gave_and_another_gives_more(pool: Pool) {
        let scene = week();
        let account = household(&pool);
        post(&pool, &scene, [9, 12, 7, 5, 20, 3].into_iter().zip(0..).map(|(kwh, at)| day(at, kwh)).collect());
        close(&pool, &scene, 20);
        post(&pool, &scene, vec![restated(day(3, 6), "2026-04-01T00:00:00Z")]);
        close(&pool, &scene, 20);

        let double = compiled(&WEEK.replace("* 1 kgCO2/kWh", "* 2 kgCO2/kWh"), "day");
        let replay = tried(&pool, &scene, &double, days(0, 20));
        let given = given(&pool, account);
        assert!(given > 0);
        assert_eq!(replay.records, 6);
        let stand = replay.people[&Person::Account(account)];
        assert_eq!(stand.before, earned(given, 4, 2));
        // Twice the unrounded amount: never less than twice the rounded one.
        assert!((0..=4).contains(&(stand.after.reduction_mg - 2 * given)), "{stand:?}");
        assert_eq!(replay.reasons[0], replay.reasons[1]);
        assert_eq!(replay.reasons[0]["history_missing"], 2);
    }

    fn a_day_that_lacks_one_of_two_meters_is_no_saving_in_a_trial_either(pool: Pool) {
        let scene = week();
        let account = household(&pool);
        let second = |at: u32, kwh: i64| Record {
            source_id: format!("second-{at}"),
            attributes: vec![("meter".into(), "M-2".to_owned())],
            ..day(at, kwh)
        };
        post(&pool, &scene, vec![day(0, 5), second(0, 5), day(1, 5), second(1, 5), day(2, 5)]);
        close(&pool, &scene, 20);
        let replay = tried(&pool, &scene, &compiled(WEEK, "day"), days(0, 20));
        assert_eq!(replay.reasons[0]["period_incomplete"], 1);
        assert_eq!(replay.people[&Person::Account(account)].before.reduction_mg, given(&pool, account));
    }

    fn days_before_the_window_are_history_and_earn_nothing(pool: Pool) {
        let scene = week();
        household(&pool);
        post(&pool, &scene, vec![day(0, 10), day(1, 10), day(2, 4), day(3, 4)]);
        let replay = tried(&pool, &scene, &compiled(WEEK, "day"), days(3, 4));
        let [stand] = replay.people.values().copied().collect::<Vec<_>>()[..] else { panic!("one person") };
        assert_eq!(stand.before, earned(4 * KG, 1, 0));
        assert_eq!(stand.after, stand.before);
    }

    fn acts_are_tried_as_they_stand_now_also_for_whom_nobody_has_linked(pool: Pool) {
        let scene = scene(1, &[document("1", "2020-01-01", "event", PLAIN)]);
        let account = household(&pool);
        let other = Record { subject: "stranger".to_owned(), ..day(4, 50) };
        let other = Record { attributes: vec![("meter".into(), "M-2".to_owned())], ..other };
        post(&pool, &scene, vec![day(0, 3), day(1, 4), day(2, 5), other]);
        post(&pool, &scene, vec![revising("d1b", "d1", day(1, 6)), cancelling("d2b", "d2", day(2, 5))]);

        let none_above = format!("[[applicability]]\nrequire = 'kwh < 5 kWh'\notherwise = 'ineligible'\nreason = 'too_much'\n{PLAIN}");
        let replay = tried(&pool, &scene, &compiled(&none_above, "event"), days(0, 20));
        assert_eq!(replay.records, 3);
        let own = replay.people[&Person::Account(account)];
        assert_eq!((own.before, own.after), (earned(given(&pool, account), 2, 0), earned(3 * KG, 1, 1)));
        assert_eq!(own.before.reduction_mg, 9 * KG);
        let stranger = replay.people[&Person::Subject(subject_hash(PARTNER, "stranger"))];
        assert_eq!((stranger.before, stranger.after), (earned(50 * KG, 1, 0), earned(0, 0, 1)));
        assert_eq!(replay.reasons[1]["too_much"], 2);

        // A version that gathers acts into months is tried on the same acts.
        let monthly = compiled(&format!("[period]\n{PLAIN}").replace("['meter', 'from']", "['meter', 'month']"), "month");
        let replay = tried(&pool, &scene, &monthly, Span { first: days(0, 1).first, out: NaiveDate::from_ymd_opt(2026, 4, 1).unwrap() });
        assert_eq!(replay.people[&Person::Account(account)].after, earned(9 * KG, 1, 0));
    }

    fn a_year_that_ends_too_high_is_left_out_of_a_trial_of_the_whole_year(pool: Pool) {
        let scene = scene(1, &[document("1", "2020-01-01", "day", "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n[claims]\nexclusivity_keys = [['meter', 'day']]\n")]);
        let account = household(&pool);
        post(&pool, &scene, vec![day(0, 10), day(1, 20)]);
        let threshold = |most: u32| compiled(&format!(
            "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n[year_end]\nrequire = 'year_sum(kwh) <= {most} kWh'\notherwise = 'reverse'\nreason = 'tier_3'\n[claims]\nexclusivity_keys = [['meter', 'day']]\n"
        ), "day");
        let year = Span { first: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(), out: NaiveDate::from_ymd_opt(2027, 1, 1).unwrap() };
        let after = |most: u32, span: Span| tried(&pool, &scene, &threshold(most), span).people[&Person::Account(account)].after;
        assert_eq!(after(30, year), earned(30 * KG, 2, 0));
        assert_eq!(after(29, year), earned(0, 0, 2));
        // Of a year that is not whole nothing is known yet.
        assert_eq!(after(29, days(0, 20)), earned(30 * KG, 2, 0));
    }
}
