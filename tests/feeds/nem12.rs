//! AEMO's own example files, NEM12 and NEM13. They are published zipped; the adapter reads the
//! CSV inside, so they are unzipped here. The totals were added up apart from our code.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{check_json, outcomes, records, shared};
use tanpuhui::domain::scene::adapter::Outcome;

/// The one file inside a zip file.
fn unzipped(zip: &Path, into: &Path) -> PathBuf {
    let file = std::fs::File::open(zip).expect("readable");
    let mut archive = zip::ZipArchive::new(file).expect("a zip file");
    assert_eq!(archive.len(), 1, "{}", zip.display());
    let mut text = Vec::new();
    let entry = archive.by_index(0).expect("an entry");
    entry
        .take(1 << 20)
        .read_to_end(&mut text)
        .expect("inflates");
    let name = zip
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .replace(".zip", ".csv");
    let path = into.join(name);
    std::fs::write(&path, text).expect("written");
    path
}

fn said(records: u64, refused: &Value, totals: &[(&str, &str)]) -> Value {
    let totals: Vec<Value> = totals
        .iter()
        .map(|(name, value)| json!({"quantity": name, "unit": "kWh", "value": value}))
        .collect();
    json!({"adapter": "nem12", "records": records, "refused": refused, "held": {}, "totals": totals})
}

const E: &str = "electricity";
const B: &str = "electricity_export";

#[test]
fn the_plain_examples_come_to_the_published_sums() {
    let reactive = json!({"unit_unsupported": 1});
    for (file, expected) in [
        (
            "month_solar",
            said(62, &json!({}), &[(E, "270.738"), (B, "589.172")]),
        ),
        ("actual_interval", said(1, &reactive, &[(E, "53.328")])),
        ("upper_case_units", said(1, &reactive, &[(E, "53.328")])),
    ] {
        let Some(file) = shared(&format!("nem12/Example_NEM12_{file}.csv")) else {
            return;
        };
        assert_eq!(check_json(&["--adapter", "nem12"], &[&file]), expected);
    }
    let Some(file) = shared("nem12/Example_NEM13_consumption_data.csv") else {
        return;
    };
    assert_eq!(
        check_json(&["--adapter", "nem12"], &[&file]),
        said(1, &json!({}), &[(E, "1312.1")])
    );
}

#[test]
fn a_month_of_solar_is_31_days_of_two_channels() {
    let Some(file) = shared("nem12/Example_NEM12_month_solar.csv") else {
        return;
    };
    let records = records("nem12", &file);
    let mut intervals = BTreeMap::new();
    for record in &records {
        assert_eq!((record.to - record.from).num_hours(), 24);
        assert_eq!(record.attribute("quality"), Some("actual"));
        let actual: u32 = record
            .attribute("intervals_actual")
            .and_then(|count| count.parse().ok())
            .expect("a count");
        *intervals
            .entry(record.quantities[0].name.to_string())
            .or_insert(0) += actual;
    }
    assert_eq!(
        intervals,
        BTreeMap::from([(E.to_owned(), 8_928), (B.to_owned(), 8_928)])
    );
    let first = &records[0];
    assert_eq!(first.source_id, "NMI1234567/B1@2023-03-01");
    assert_eq!(first.from.to_rfc3339(), "2023-02-28T14:00:00+00:00");
    assert_eq!(first.attribute("stated_at"), Some("2023-03-02T04:32:18Z"));
}

/// Records, refusals by code, and the totals of E and B (empty for none).
type Example = (&'static str, u64, Refusals, &'static str, &'static str);
type Refusals = &'static [(&'static str, u64)];

const ZIPPED: &[Example] = &[
    (
        "aemo/NEM12#000000000000001#CNRGYMDP#NEMMCO",
        8,
        &[],
        "109075.5",
        "",
    ),
    (
        "aemo/NEM12#000000000000002#CNRGYMDP#NEMMCO",
        8,
        REACTIVE_8,
        "358797.395",
        "0",
    ),
    (
        "aemo/NEM12#000000000000003#CNRGYMDP#NEMMCO",
        4,
        REACTIVE_4,
        "4490.85",
        "",
    ),
    (
        "aemo/NEM12#000000000000004#CNRGYMDP#NEMMCO",
        3,
        &[],
        "94.003",
        "",
    ),
    (
        "aemo/NEM12#000000000000005#CNRGYMDP#NEMMCO",
        4,
        &[],
        "86617.5",
        "",
    ),
    (
        "aemo/NEM12#000000000000006#CNRGYMDP#NEMMCO",
        8,
        &[],
        "2661.21",
        "0",
    ),
    (
        "aemo/NEM12#000000000000007#CNRGYMDP#NEMMCO",
        0,
        REACTIVE_8,
        "",
        "",
    ),
    (
        "aemo/NEM12#000000000000008#CNRGYMDP#NEMMCO",
        2,
        &[],
        "5580",
        "",
    ),
    (
        "aemo/NEM12#000000000000009#CNRGYMDP#NEMMCO",
        7,
        &[],
        "103342.95",
        "",
    ),
    (
        "aemo/NEM12#000000000000010#CNRGYMDP#NEMMCO",
        5,
        &[],
        "2.568",
        "4403.712",
    ),
    (
        "aemo/NEM12#SCENARIO1#UNITEDDP#NEMMCO",
        8,
        &[],
        "258.238",
        "",
    ),
    (
        "aemo/NEM12#SCENARIO2#UNITEDDP#NEMMCO",
        8,
        REACTIVE_8,
        "135.359",
        "132.479",
    ),
    (
        "aemo/NEM12#SCENARIO3#UNITEDDP#NEMMCO",
        4,
        REACTIVE_4,
        "130.319",
        "",
    ),
    ("aemo/NEM12#SCENARIO4#UNITEDDP#NEMMCO", 3, &[], "88.085", ""),
    (
        "aemo/NEM12#SCENARIO5#UNITEDDP#NEMMCO",
        4,
        &[],
        "157.596",
        "",
    ),
    (
        "aemo/NEM12#SCENARIO6#UNITEDDP#NEMMCO",
        8,
        &[],
        "133.15",
        "132.834",
    ),
    (
        "aemo/NEM12#SCENARIO7#UNITEDDP#NEMMCO",
        0,
        REACTIVE_8,
        "",
        "",
    ),
    ("aemo/NEM12#SCENARIO8#UNITEDDP#NEMMCO", 2, &[], "94.438", ""),
    (
        "aemo/NEM12#SCENARIO9#UNITEDDP#NEMMCO",
        7,
        &[],
        "229.952",
        "",
    ),
    (
        "aemo/NEM12#SCENARIO10#UNITEDDP#NEMMCO",
        6,
        &[],
        "104.367",
        "55.98",
    ),
    (
        "aemo-nem13/NEM13#Scenario11#UNITEDDP#NEMMCO",
        1,
        &[],
        "120",
        "",
    ),
    // A register that ran backwards.
    (
        "aemo-nem13/NEM13#Scenario12#UNITEDDP#NEMMCO",
        0,
        &[("quantity_out_of_range", 1)],
        "",
        "",
    ),
    // A register that rolled over: 99,990 to 10 is the stated 20.
    (
        "aemo-nem13/NEM13#Scenario13#UNITEDDP#NEMMCO",
        1,
        &[],
        "20",
        "",
    ),
    (
        "aemo-nem13/NEM13#Scenario14#UNITEDDP#NEMMCO",
        1,
        &[],
        "110",
        "",
    ),
    (
        "aemo-nem13/NEM13#Scenario15#UNITEDDP#NEMMCO",
        2,
        &[],
        "300",
        "",
    ),
    (
        "aemo-nem13/NEM13#Scenario16#UNITEDDP#NEMMCO",
        3,
        &[],
        "600",
        "",
    ),
    (
        "aemo-nem13/NEM13#Scenario17#UNITEDDP#NEMMCO",
        1,
        &[],
        "200",
        "",
    ),
    (
        "aemo-nem13/NEM13#Scenario18#UNITEDDP#NEMMCO",
        2,
        &[],
        "300",
        "",
    ),
];
/// kvarh: reactive energy is no saving.
const REACTIVE_8: Refusals = &[("unit_unsupported", 8)];
const REACTIVE_4: Refusals = &[("unit_unsupported", 4)];

#[test]
fn all_28_zipped_examples_are_read_or_refused_for_their_reason() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, count, refused, taken, fed_in) in ZIPPED {
        let Some(zip) = shared(&format!("nem12/{name}.zip")) else {
            return;
        };
        let file = unzipped(&zip, dir.path());
        let refused: BTreeMap<&str, u64> = refused.iter().copied().collect();
        let totals: Vec<(&str, &str)> = [(E, *taken), (B, *fed_in)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        assert_eq!(
            check_json(&["--adapter", "nem12"], &[&file]),
            said(*count, &json!(refused), &totals),
            "{name}"
        );
    }
}

#[test]
fn quality_is_kept_for_each_day() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some(zip) = shared("nem12/aemo/NEM12#000000000000008#CNRGYMDP#NEMMCO.zip") else {
        return;
    };
    let file = unzipped(&zip, dir.path());
    let days = records("nem12", &file);
    let said = |day: usize, names: &[&str]| -> Vec<Option<String>> {
        let attribute = |name: &&str| days[day].attribute(name).map(str::to_owned);
        names.iter().map(attribute).collect()
    };
    let names = [
        "quality",
        "intervals_actual",
        "intervals_substituted",
        "intervals_final_substituted",
        "quality_method",
        "quality_reason",
    ];
    let words = |words: [Option<&str>; 6]| words.map(|word| word.map(str::to_owned)).to_vec();
    assert_eq!(
        said(0, &names),
        words([
            Some("substituted"),
            Some("10"),
            Some("38"),
            None,
            Some("11,52"),
            Some("21,30")
        ])
    );
    assert_eq!(
        said(1, &names),
        words([
            Some("substituted"),
            Some("8"),
            Some("1"),
            Some("39"),
            Some("52"),
            Some("30,71")
        ])
    );
    let Some(zip) = shared("nem12/aemo-nem13/NEM13#Scenario18#UNITEDDP#NEMMCO.zip") else {
        return;
    };
    for record in records("nem12", &unzipped(&zip, dir.path())) {
        let ends = ["quality", "quality_from", "quality_to"].map(|name| record.attribute(name));
        assert_eq!(
            ends,
            [Some("estimated"), Some("substituted"), Some("estimated")]
        );
    }
}

#[test]
fn a_file_of_a_later_date_states_the_same_days_again() {
    let Some(file) = shared("nem12/Example_NEM12_actual_interval.csv") else {
        return;
    };
    let dir = tempfile::tempdir().expect("a directory");
    let later = dir.path().join("later.csv");
    let text = std::fs::read_to_string(&file).expect("readable");
    let revised = text
        .replacen("1.111", "2.111", 1)
        .replace("20040202120025", "20040209120025");
    std::fs::write(&later, &revised).expect("written");
    let (old, new) = (records("nem12", &file), records("nem12", &later));
    assert_eq!(old[0].source_id, new[0].source_id);
    assert_eq!(old[0].attribute("stated_at"), Some("2004-02-02T02:00:25Z"));
    assert_eq!(new[0].attribute("stated_at"), Some("2004-02-09T02:00:25Z"));
    // Both in one file: the later counts, once.
    let both = dir.path().join("both.csv");
    std::fs::write(&both, format!("{revised}{text}")).expect("written");
    let kept = records("nem12", &both);
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].quantities[0].value.to_string(), "54.328");
    let refused = outcomes("nem12", &both).into_iter().filter(
        |outcome| matches!(outcome, Outcome::Refused(r) if r.problem.code.as_str() == "duplicate_reading"),
    );
    assert_eq!(refused.count(), 1);
}
