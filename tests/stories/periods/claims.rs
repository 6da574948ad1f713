//! What is counted by the day is not counted again by the month, nor the other way round.

use super::*;

const DAYS: &str = "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n[claims]\nexclusivity_keys = [['meter', 'day']]\n";
const MONTHS: &str = "[period]\n[formula]\nreduction = 'kwh * 1 kgCO2/kWh'\nunit = 'kgCO2'\n[claims]\nexclusivity_keys = [['meter', 'month']]\n";

fn by_day() -> SceneView {
    scene(1, &[document("1", "2020-01-01", "day", DAYS)])
}

fn by_month() -> SceneView {
    scene(2, &[document("1", "2020-01-01", "month", MONTHS)])
}

/// The same reading, under an id of the scene's own.
fn sent(pool: &Pool, scene: &SceneView, at: u32) {
    let id = format!("{}-{at}", scene.code);
    let receipt = post(pool, scene, vec![reading(&id, at, 5)]);
    assert_eq!(answer(&receipt), Answer::Held(Code::PeriodOpen));
}

on_both! {
    fn a_month_stands_aside_for_one_of_its_days(pool: Pool) {
        let account = household(&pool);
        let (days, months) = (by_day(), by_month());
        sent(&pool, &days, 3);
        close(&pool, &days, 100);
        sent(&pool, &months, 20);
        close(&pool, &months, 100);
        assert_eq!(grams(&pool, account), 5_000);
        // April is free.
        sent(&pool, &months, 35);
        close(&pool, &months, 100);
        assert_eq!(grams(&pool, account), 10_000);
        books_agree(&pool);
    }

    fn a_day_stands_aside_for_its_month_which_may_be_computed_again(pool: Pool) {
        let account = household(&pool);
        let (days, months) = (by_day(), by_month());
        sent(&pool, &months, 20);
        close(&pool, &months, 100);
        sent(&pool, &days, 3);
        close(&pool, &days, 100);
        assert_eq!(grams(&pool, account), 5_000);
        sent(&pool, &months, 21);
        close(&pool, &months, 100);
        assert_eq!(grams(&pool, account), 10_000);
        books_agree(&pool);
    }
}
