//! Every published or constructed test vector of the methodologies that were studied: in which
//! document it is a worked example, or as which formula it is computed here, or why it is neither.

use std::collections::BTreeSet;

use super::tests::{GIVEN, at, compiled, formula};
use super::*;

enum Where {
    /// Worked examples of a document, whose names begin with the vector's name.
    Example(&'static str),
    /// Formulas, each with the unit and the value that come out.
    Formula(&'static [(&'static str, &'static str, &'static str)]),
}

use Where::{Example, Formula};

/// Name of the vector, where it is, and what of it is left out and why.
const VECTORS: &[(&str, Where, &str)] = &[
    ("TV-01", Example("stationary-combustion"), ""),
    ("TV-02", Example("stationary-combustion"), ""),
    ("TV-03", Example("sh-distributed-pv"), ""),
    (
        "TV-04",
        Example("second-hand-trade"),
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
        "no document: a car's factor for walking is not conservative, and points are an exchange rule's",
    ),
    ("TV-06", Example("wuhan-carbon-planet"), ""),
    (
        "TV-07",
        Example("voluntary-non-driving"),
        "the days are the document's; yuan and the doubling on alert days are an exchange rule's",
    ),
    (
        "TV-08",
        Formula(&[("5.98 kgCO2 - 1.35 kgCO2", "kgCO2", "4.63")]),
        "its factors a kilometre were not published",
    ),
    (
        "TV-09",
        Formula(&[
            (
                "max(0 kgCO2, 100 kg * 1500 kgCO2/kg - 100 kg * 0.8 kgCO2/kg)",
                "kgCO2",
                "149920.0",
            ),
            (
                "max(0 kgCO2, 50 kg * 1000 kgCO2/kg - 50 kg * 0 kgCO2/kg)",
                "kgCO2",
                "50000.0",
            ),
            (
                "max(0 kgCO2, 10.5 kg * 800.5 kgCO2/kg - 10.5 kg * 0.25 kgCO2/kg)",
                "kgCO2",
                "8402.625",
            ),
            (
                "max(0 kgCO2, 100 kg * 1500 kgCO2/kg - 100 kg * 2000 kgCO2/kg)",
                "kgCO2",
                "0.0",
            ),
        ]),
        "its factors are no waste type's: the form of compost-iii-f-engine-test with other numbers",
    ),
    ("TV-10", Example("compost-iii-f-engine-test"), ""),
    ("TV-11", Example("compost-iii-f-engine-test"), ""),
    ("TV-12", Example("landfill-single-period"), ""),
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
    ("TV-14", Example("reusable-parcel-box"), ""),
    ("TV-15", Example("metro-trip"), ""),
    (
        "TV-16",
        Example("luzhou-green-sprout"),
        "its points are an exchange rule's",
    ),
    (
        "TV-17",
        Example("recycling-by-piece"),
        "its points and their caps are an exchange rule's",
    ),
    ("TV-18", Example("wuhan-carbon-rivers"), ""),
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
    ("TV-C01", Example("sz-household-electricity"), ""),
    ("TV-C02", Example("ev-trips"), ""),
    ("TV-C03", Example("sz-public-transport"), ""),
    ("TV-C04", Example("stationary-combustion"), ""),
];

#[test]
fn every_vector_is_tested_where_it_is_said_to_be() {
    let library = Library::embedded().unwrap();
    for (vector, place, _) in VECTORS {
        match place {
            Example(code) => {
                let mut documents = library.methodologies();
                let document = documents.find(|known| known.code() == *code).unwrap();
                let examples = document.run_examples();
                let own = |name: &str| {
                    let rest = name.strip_prefix(vector);
                    rest.is_some_and(|rest| rest.starts_with([':', ' ', ',']))
                };
                let mut own = examples
                    .iter()
                    .filter(|example| own(&example.name))
                    .peekable();
                assert!(own.peek().is_some(), "{vector} is not in {code}");
                assert!(
                    own.all(|example| example.passed),
                    "{vector} fails in {code}"
                );
            }
            Formula(formulas) => {
                for (expression, unit, expected) in *formulas {
                    assert_eq!(value(expression, unit), *expected, "{vector}: {expression}");
                }
            }
        }
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
        }
    }
}
