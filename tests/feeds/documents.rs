//! Methodology documents and factor tables as an officer gives them: what is wrong is told, and
//! nothing that was given is left aside in silence.

use std::path::Path;
use std::process::Command;

use tanpuhui::store::{Pool, PoolSettings, Target};

/// What the command says, and whether it went well.
fn said(args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
        .args(args)
        .output()
        .expect("the command starts");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("UTF-8");
    (output.status.success(), text)
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("written");
    file.to_str().expect("UTF-8").to_owned()
}

const KNOWN: &str = "sz-public-transport@2021.1";

#[test]
fn a_document_that_is_no_toml_is_told_with_its_line() {
    let folder = tempfile::tempdir().expect("a directory");
    let broken = written(folder.path(), "broken.toml", "format = = 1\n");
    let ways: [&[&str]; 3] = [
        &["diff", &broken, KNOWN],
        &["diff", KNOWN, KNOWN, "--documents", &broken],
        &["explain", KNOWN, "--at", "2026-11-20", "--from", &broken],
    ];
    for args in ways {
        let (well, text) = said(&[&["methodology"], args].concat());
        assert!(!well, "{args:?}");
        assert!(text.contains("broken.toml:1:10："), "{args:?}: {text}");
        assert!(text.contains("broken.toml:1:10: "), "{args:?}: {text}");
    }
}

#[test]
fn what_only_a_replay_reads_needs_one() {
    for given in [
        ["--from", "2026-01-01"],
        ["--to", "2026-01-01"],
        ["--csv", "people.csv"],
        ["--assume", "per_day=1 kgCO2"],
    ] {
        let (well, text) = said(&[&["methodology", "diff", KNOWN, KNOWN], &given[..]].concat());
        assert!(!well && text.contains("--replay"), "{given:?}: {text}");
    }
}

#[test]
fn an_explanations_refusal_has_both_languages_and_names_the_field() {
    let explain = |more: &[&str]| {
        let args = ["methodology", "explain", KNOWN, "--at", "2026-11-20"];
        said(&[&args, more].concat())
    };
    let (well, text) = explain(&["--input", "distance=12.5km"]);
    assert!(!well);
    assert!(text.contains("缺少必填字段 [attributes.mode]"), "{text}");
    assert!(text.contains("missing_field: "), "{text}");
    // What the document does not read is refused in JSON too, as what it cannot compute is.
    let (well, text) = explain(&["--input", "speed=12.5km", "--json"]);
    let refused: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(!well);
    assert_eq!(refused["refused"]["code"], "unknown_field");
    assert_eq!(refused["refused"]["param"], "speed");
    let twice = [
        "--input",
        "distance=5km",
        "--input",
        "distance=6km",
        "--input",
        "mode=metro",
    ];
    let (well, text) = explain(&twice);
    assert!(
        !well && text.contains("`distance` is given twice"),
        "{text}"
    );
}

#[test]
fn a_year_that_the_header_denies_is_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    let flat = "ID,Scope,Level 1,Level 2,Level 3,Level 4,Column Text,UOM,GHG/Unit,GHG Conversion Factor 2025\n\
                1,Scope 3,Water supply,Water supply,Water supply,,,cubic metres,kg CO2e,0.1913\n";
    let file = written(folder.path(), "uk.csv", flat);
    let import = |more: &[&str]| {
        let args = [
            "factors", "import", "uk", &file, "--grade", "S", "--source", "a copy",
        ];
        said(&[&args, more].concat())
    };
    let (well, text) = import(&["--year", "2023"]);
    assert!(!well, "{text}");
    assert!(
        text.contains("2025 年") && text.contains("says 2025"),
        "{text}"
    );
    for more in [&["--year", "2025"][..], &[]] {
        let (well, text) = import(more);
        assert!(well && text.contains("version = \"2025.1\""), "{text}");
    }
}

#[test]
fn a_database_that_cannot_be_replayed_on_says_why() {
    let folder = tempfile::tempdir().expect("a directory");
    let junk = written(folder.path(), "junk.db", "no database at all, but text\n");
    let url = format!("sqlite:{junk}");
    let replay = [
        "--replay",
        "metro",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-31",
        "--database",
        &url,
    ];
    let (well, text) = said(&[&["methodology", "diff", KNOWN, KNOWN], &replay[..]].concat());
    assert!(!well && text.contains("not a database"), "{text}");
}

#[test]
fn a_folder_without_documents_is_not_found_sound() {
    let folder = tempfile::tempdir().expect("a directory");
    let empty = folder.path().to_str().expect("UTF-8");
    let (well, text) = said(&["methodology", "check", empty]);
    assert!(
        !well && text.contains("there is no .toml file in it"),
        "{text}"
    );
}

#[test]
fn a_database_that_is_named_is_looked_into_without_a_replay_too() {
    let folder = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite:{}", folder.path().join("none.db").display());
    let (well, text) = said(&["methodology", "diff", KNOWN, KNOWN, "--database", &url]);
    assert!(!well && text.contains("there is no such file"), "{text}");
}

#[test]
fn a_copy_of_a_database_is_looked_into_and_stays_as_it_was() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("a copy #1 50%?.db");
    let target = Target::Sqlite(path.clone());
    let pool = Pool::connect(target, PoolSettings::default()).expect("it is made");
    pool.migrate().expect("it has a schema");
    drop(pool);
    // A copy by `VACUUM INTO` has no write-ahead log: bytes 18 and 19 of the file say so.
    let mut before = std::fs::read(&path).expect("readable");
    assert_eq!(before[18..20], [2, 2]);
    before[18..20].fill(1);
    std::fs::write(&path, &before).expect("written");
    let url = format!("sqlite:{}", path.display());
    let (well, text) = said(&["feed", "pulls", "--json", "--database", &url]);
    assert!(well, "{text}");
    let days = [
        "--replay",
        "metro",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-31",
    ];
    let diff = ["methodology", "diff", KNOWN, KNOWN, "--database", &url];
    let (_, text) = said(&[&diff[..], &days].concat());
    assert!(text.contains("there is no scene `metro`"), "{text}");
    assert!(std::fs::read(&path).expect("readable") == before);
}
