//! Kilograms that a scene reads as grams, and words that a refusal must not repeat.

use super::*;

#[test]
fn a_scene_may_say_how_light_a_drop_can_be() {
    let settings = "unit = 'g'\nmass = 'drop'\ndrop_max_kg = 30\ndrop_min_kg = '0.005'";
    let all = csv(
        settings,
        "1,u,b,3,0.5,2026-05-01 08:00:00\n2,u,b,3,5,2026-05-01 08:01:00",
    );
    assert_eq!(weighed(&all), [("2".to_owned(), "0.005".to_owned())]);
    match &all[0] {
        Outcome::Refused(refused) => {
            assert_eq!(refused.problem.code, Code::QuantityOutOfRange);
            assert_eq!(refused.problem.param.as_deref(), Some("weight"));
            assert!(refused.problem.detail.zh().contains("0.005 kg"));
        }
        other => panic!("{other:?}"),
    }
    let totals = format!("{TOTALS}\ndrop_min_kg = '0.01'");
    let all = csv(
        &totals,
        "1,u,b,3,1000,2026-05-01 08:00:00\n2,u,b,3,1005,2026-05-01 08:01:00",
    );
    assert_eq!(weighed(&all).len(), 1);
    for wrong in ["'-1'", "30", "40"] {
        let settings = format!("{DROPS}\ndrop_min_kg = {wrong}");
        let check = crate::domain::scene::adapter::by_name("recycling-weigh").expect("known");
        let problem = (check.check)(&options(&settings)).expect_err(wrong);
        assert_eq!(problem.param.as_deref(), Some("settings.drop_min_kg"));
    }
}

#[test]
fn a_type_that_is_not_known_is_not_repeated_in_the_refusal() {
    // Columns that are mixed up put a telephone number where the type should be.
    let all = csv(DROPS, "1,u,b,13800138000,1,2026-05-01 08:00:00");
    match all.as_slice() {
        [Outcome::Refused(refused)] => {
            assert_eq!(refused.problem.param.as_deref(), Some("type"));
            for said in [refused.problem.detail.en(), refused.problem.detail.zh()] {
                assert!(!said.is_empty() && !said.contains("138"), "{said}");
            }
        }
        other => panic!("{other:?}"),
    }
}
