//! Every published or constructed test vector of the methodologies that were studied: in which
//! document it is a worked example, or as which formula it is computed here, or why it is neither.

use std::collections::BTreeSet;

use super::tests::{GIVEN, at, compiled, formula};
use super::*;

enum Where {
    /// Worked examples of a document, whose names begin with the vector's name, and what they
    /// give: the printed numbers, in order, or a refusal.
    Example(&'static str, &'static [&'static str]),
    /// The same over several documents, of which each has its part.
    Examples(&'static [(&'static str, &'static [&'static str])]),
    /// Formulas, each with the unit and the value that come out.
    Formula(&'static [(&'static str, &'static str, &'static str)]),
}

use Where::{Example, Examples, Formula};

/// Name of the vector, where it is, and what of it is left out and why.
const VECTORS: &[(&str, Where, &str)] = &[
    (
        "TV-01",
        Example("stationary-combustion", &["2.15400005 kgCO2"]),
        "",
    ),
    (
        "TV-02",
        Example("stationary-combustion", &["3.17100006 tCO2"]),
        "",
    ),
    ("TV-03", Example("sh-distributed-pv", &["462.0 tCO2"]), ""),
    (
        "TV-04",
        Example("second-hand-trade", &["methodology_draft"]),
        "its inputs were not published: the example shows that it is refused, not that 51.903 comes out",
    ),
    (
        "TV-05",
        Formula(&[
            ("12 km * 0.19567 kgCO2/km", "kgCO2", "2.34804"),
            // Kilograms rounded before they become points, and not: 235 and 234.
            (
                "round(12 km * 0.19567 kgCO2/km, half_up, 0.01 kgCO2) * 100",
                "kgCO2",
                "235.0",
            ),
            (
                "floor(12 km * 0.19567 kgCO2/km * 100, 1 kgCO2)",
                "kgCO2",
                "234.0",
            ),
        ]),
        "no document: a car's factor for walking is not conservative; wallet/vectors.rs has the points, which are floored, not rounded before",
    ),
    (
        "TV-06",
        Example("wuhan-carbon-planet-steps", &["145.0 gCO2"]),
        "",
    ),
    (
        "TV-07",
        Example("voluntary-non-driving", &["2.0 kgCO2", "0.0 kgCO2"]),
        "the reward in yuan is no reduction and in no document: a test below computes it",
    ),
    (
        "TV-08",
        Formula(&[("5.98 kgCO2 - 1.35 kgCO2", "kgCO2", "4.63")]),
        "its factors a kilometre were not published",
    ),
    (
        "TV-09",
        Formula(&[]),
        "its factors are no waste type's: a test below puts them into compost-iii-f-engine-test",
    ),
    (
        "TV-10",
        Example("compost-iii-f-engine-test", &["43.9152 kgCO2e"]),
        "",
    ),
    (
        "TV-11",
        Example(
            "compost-iii-f-engine-test",
            &["0.905557 kgCO2e", "0.698505 kgCO2e", "0.439691 kgCO2e"],
        ),
        "",
    ),
    (
        "TV-12",
        Example("landfill-single-period", &["2008.53 tCO2e", "2009 tCO2e"]),
        "",
    ),
    (
        "TV-13",
        Formula(&[
            (
                "(40 t + 42 t) * (1.8 tCO2/t + 5 % * 0.3 tCO2/t)",
                "tCO2",
                "148.83",
            ),
            (
                "(12 MWh + 13 MWh) * 0.45 tCO2/MWh + (5 GJ + 6 GJ) * 0.07 tCO2/GJ",
                "tCO2",
                "12.02",
            ),
            (
                "100 t * 25 km * 0.00012 tCO2/t-km + 8 t * 0.32 tCO2/t",
                "tCO2",
                "2.86",
            ),
            ("148.83 tCO2 - 12.02 tCO2 - 2.86 tCO2", "tCO2", "133.95"),
        ]),
        "a third party's form, not that of ams-iii-aj",
    ),
    (
        "TV-14",
        Example("reusable-parcel-box", &["0.283024 kgCO2e_footprint"]),
        "",
    ),
    (
        "TV-15",
        Formula(&[("0.5419 kgCO2 * 2399000000", "tCO2", "1300018.1")]),
        "an aggregate by substitution, where metro-trip has the mean method; printed 1.30 Mt, and 1.24 Mt by the mean, in the test of printed places",
    ),
    (
        "TV-16",
        Examples(&[
            ("luzhou-green-sprout-steps", &["8.2 gCO2"]),
            ("luzhou-green-sprout", &["80.0 gCO2", "144.0 gCO2"]),
        ]),
        "its points are in wallet/vectors.rs",
    ),
    (
        "TV-17",
        Example(
            "recycling-by-piece",
            &["4500.0 gCO2", "4200.0 gCO2", "50000.0 gCO2"],
        ),
        "its points are in wallet/vectors.rs; the caps of a month are not in the exchange rule, which has one a day",
    ),
    (
        "TV-18",
        Example("wuhan-carbon-rivers", &["40.0 gCO2", "170.0 gCO2"]),
        "",
    ),
    (
        "TV-19",
        Formula(&[("9600 tCO2 + 315000 tCO2", "tCO2", "324600.0")]),
        "an aggregate: neither the households nor the inputs of household-biogas were published",
    ),
    (
        "TV-20",
        Formula(&[(
            "round(516800 tCO2 / 9683000000 km * 1 km, half_up, 0.01 gCO2)",
            "gCO2",
            "53.37",
        )]),
        "an aggregate of bicycles and e-bikes",
    ),
    (
        "TV-C01",
        Example(
            "sz-household-electricity",
            &["0.6324 kgCO2", "0.2648 kgCO2", "0.0 kgCO2"],
        ),
        "",
    ),
    ("TV-C02", Example("ev-trips", &["9.9615 kgCO2"]), ""),
    (
        "TV-C03",
        Example("sz-public-transport", &["585.0 gCO2", "196.37 gCO2"]),
        "",
    ),
    (
        "TV-C04",
        Example("stationary-combustion", &["8.616 kgCO2"]),
        "",
    ),
];

#[test]
fn every_vector_is_tested_where_it_is_said_to_be() {
    let library = Library::embedded().unwrap();
    for (vector, place, _) in VECTORS {
        match place {
            Example(code, given) => has_examples(&library, vector, code, given),
            Examples(parts) => {
                for (code, given) in *parts {
                    has_examples(&library, vector, code, given);
                }
            }
            Formula(formulas) => {
                for (expression, unit, expected) in *formulas {
                    assert_eq!(value(expression, unit), *expected, "{vector}: {expression}");
                }
            }
        }
    }
}

fn has_examples(library: &Library, vector: &str, code: &str, given: &[&str]) {
    let mut documents = library.methodologies();
    let document = documents.find(|known| known.code() == code).unwrap();
    let own = |name: &str| {
        let rest = name.strip_prefix(vector);
        rest.is_some_and(|rest| rest.starts_with([':', ' ', ',']))
    };
    let examples = document.run_examples();
    for example in examples.iter().filter(|example| own(&example.name)) {
        assert!(example.passed, "{vector} in {code}: {}", example.detail);
    }
    // What passes is the number of the vector, not another.
    let stated = document.examples.iter().map(toml::Spanned::get_ref);
    let stated = stated.filter(|example| own(&example.name));
    let stated: Vec<&str> = stated
        .map(|example| match (&example.result, &example.refused) {
            (Some(result), _) => result.get_ref().as_str(),
            (None, refused) => refused.as_deref().unwrap_or_default(),
        })
        .collect();
    assert_eq!(stated, given, "{vector} in {code}");
}

/// The implementer's own numbers in the document of its form.
#[test]
fn the_engine_test_of_composting_takes_the_implementers_numbers() {
    let name = "methodologies/compost-iii-f-engine-test/1.0.2.toml";
    let mut documents = EMBEDDED_DOCUMENTS.iter();
    let (_, text) = documents.find(|(file, _)| *file == name).unwrap();
    let text = &text[..text.find("[[examples]]").unwrap()];
    for (mass, factor, excess, milligrams) in [
        ("100 kg", "1500", "0.8 kgCO2e/kg", 149_920_000_000),
        ("50 kg", "1000", "0 kgCO2e/kg", 50_000_000_000),
        ("10.5 kg", "800.5", "0.25 kgCO2e/kg", 8_402_625_000),
        ("100 kg", "1500", "2000 kgCO2e/kg", 0),
    ] {
        let text = text.replace("\"0.459152\"", &format!("\"{factor}\""));
        let library = Library::load([(name, text.as_str())]).unwrap();
        let document = library.get("compost-iii-f-engine-test", "1.0.2").unwrap();
        let given = [
            ("mass", mass),
            ("waste", "food"),
            ("baseline_kind", "flared"),
            ("excess", excess),
            ("batch", "B"),
        ];
        let record = document.record(at(2026), given).unwrap();
        let quantified = document.quantify(&record, &mut Scratch::default());
        assert_eq!(
            quantified.unwrap().reduction_mg.0,
            milligrams,
            "TV-09: {mass}"
        );
    }
}

/// TV-07, the reward: half a yuan a whole day of a small car, twice that on days of alert.
#[test]
fn days_without_the_car_are_paid_by_class_and_alert() {
    let slots = r#"
[calendars.alert]
form = "dates"
otherwise = "none"
bands = [{ name = "red", dates = ["2024-12-02"] }]
[inputs.idle]
type = "quantity"
unit = "h"
[derived]
reward = 'floor(idle / 24 h) * 1 day * 0.5 yuan/day * (if alert == "red" then 2 else 1)'
[formula]
reduction = 'reward / 1 yuan * 1 kgCO2'
unit = "kgCO2"
"#;
    let methodology = compiled(slots);
    for (day, idle, yuan) in [
        ("2024-12-01", "49 h", "1.0"),
        ("2024-12-02", "49 h", "2.0"),
        ("2024-12-01", "23 h", "0.0"),
    ] {
        let from = parse_time(day, chrono_tz::Asia::Shanghai).unwrap();
        let record = methodology.record(from, [("idle", idle)]).unwrap();
        let paid = methodology.explain(&record).unwrap().result.value;
        assert_eq!(paid, yuan, "{idle} on {day}");
    }
}

/// Published at few places: TV-15, and TV-20 seen from the other side.
#[test]
fn what_is_printed_at_few_places_rounds_to_what_is_computed() {
    for (expression, printed) in [
        (
            "round(0.5419 kgCO2 * 2399000000, half_up, 10000 tCO2)",
            "1300000.0",
        ),
        (
            "round(0.5155 kgCO2 * 2399000000, half_up, 10000 tCO2)",
            "1240000.0",
        ),
        (
            "round(53.37 gCO2/km * 9683000000 km, half_up, 100 tCO2)",
            "516800.0",
        ),
    ] {
        assert_eq!(value(expression, "tCO2"), printed, "{expression}");
    }
}

/// Of a formula whose reduction is declared in `unit`.
fn value(expression: &str, unit: &str) -> String {
    let slots = formula(expression);
    let slots = slots.replace("'''\nunit = \"kgCO2\"", &format!("'''\nunit = \"{unit}\""));
    let methodology = compiled(&slots);
    let record = methodology.record(at(2024), GIVEN).unwrap();
    methodology.explain(&record).unwrap().result.value
}

#[test]
fn no_vector_is_forgotten() {
    let numbered = (1..=20).map(|number| format!("TV-{number:02}"));
    let ours = (1..=4).map(|number| format!("TV-C{number:02}"));
    let all: BTreeSet<String> = numbered.chain(ours).collect();
    let listed: Vec<String> = VECTORS
        .iter()
        .map(|(vector, ..)| (*vector).to_owned())
        .collect();
    assert_eq!(listed.len(), all.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), all);
}

#[test]
fn every_draft_says_what_to_obtain() {
    let library = Library::embedded().unwrap();
    for methodology in library.methodologies() {
        for blocker in methodology.blockers(&SignOffs::new()) {
            let told = blocker.reviewer_needed || !blocker.obtain.is_empty();
            assert!(told, "{} does not say what to obtain", blocker.item);
            let both = blocker.obtain.is_empty() || blocker.obtain_zh != blocker.obtain;
            assert!(both, "{} does not say it in Chinese", blocker.item);
        }
    }
}
