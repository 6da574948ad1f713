//! The points of published test vectors: each act through its document, and then through an
//! exchange rule of that programme.

use super::{Earner, ExchangeRule};
use crate::domain::methodology::{Library, Scratch, parse_time};

fn rule(mg_per_point: i64) -> ExchangeRule {
    let text = format!(
        "code = 'r'\nversion = '1'\ntitle_zh = '规则'\ntitle_en = 'rule'\n\
         effective_from = 2020-01-01T00:00:00+08:00\nmg_per_point = {mg_per_point}\n\
         daily_cap_points = 1000\nvalid_months = 24\nsource = 'test'\n"
    );
    ExchangeRule::parse(&text).unwrap()
}

fn points(mg: i64, mg_per_point: i64) -> i64 {
    let mut earner = Earner::new(0);
    earner.turn_to(1, 0);
    earner.credit(&rule(mg_per_point), mg).points
}

#[test]
fn programmes_points_come_out() {
    let library = Library::embedded().unwrap();
    let at = parse_time("2024-11-01", chrono_tz::Asia::Shanghai).unwrap();
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], i64, i64);
    let luzhou = "luzhou-green-sprout@2024.1";
    let pieces = "recycling-by-piece@2022.1";
    let cases: [Case<'_>; 7] = [
        // A gram a point.
        (
            "TV-06",
            "wuhan-carbon-planet-steps@2022.1",
            &[("mode", "walk"), ("steps", "7250 step")],
            1_000,
            145,
        ),
        // Each scene of the programme has a rate of its own.
        (
            "TV-16",
            "luzhou-green-sprout-steps@2024.1",
            &[("mode", "walk"), ("steps", "500 step")],
            8_200,
            1,
        ),
        ("TV-16", luzhou, &[("behaviour", "bus")], 8_000, 10),
        ("TV-16", luzhou, &[("behaviour", "clean-plate")], 28_800, 5),
        // Some 4.6 points a kilogram, by the item.
        (
            "TV-17",
            pieces,
            &[("item", "clothes"), ("mass", "1.9 kg"), ("order", "1")],
            214_285,
            21,
        ),
        (
            "TV-17",
            pieces,
            &[("item", "books"), ("mass", "3.2 kg"), ("order", "2")],
            233_333,
            18,
        ),
        (
            "TV-17",
            pieces,
            &[("item", "phone"), ("count", "2 item"), ("order", "3")],
            221_238,
            226,
        ),
    ];
    for (vector, name, given, mg_per_point, wanted) in cases {
        let (code, version) = name.split_once('@').unwrap();
        let document = library.get(code, version).unwrap();
        let record = document.record(at, given.iter().copied()).unwrap();
        let quantified = document.quantify(&record, &mut Scratch::default()).unwrap();
        let found = points(quantified.reduction_mg.0, mg_per_point);
        assert_eq!(found, wanted, "{vector}: {given:?}");
    }
}

/// TV-05: 2.34804 kg at a hundred points a kilogram. Points are floored and the rest is carried;
/// the 235 of a source that rounds the kilograms first are not given.
#[test]
fn kilograms_are_not_rounded_before_they_become_points() {
    assert_eq!(points(2_348_040, 10_000), 234);
    assert_eq!(points(2_350_000, 10_000), 235);
}
