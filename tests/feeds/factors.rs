//! Factor sources through `tanpuhui factors import`, then `tanpuhui methodology check`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tanpuhui::domain::methodology::Library;

use super::shared;

fn tanpuhui(args: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
        .args(args)
        .args(files)
        .output()
        .expect("the command starts")
}

/// Imports and loads the outcome as `methodology check` does; gives the report.
fn imported(args: &[&str], files: &[&Path], out: &Path, report: &Path) -> Value {
    let places = [
        "--out",
        out.to_str().unwrap(),
        "--report",
        report.to_str().unwrap(),
    ];
    let args = [&["factors", "import"], args, &places].concat();
    let output = tanpuhui(&args, files);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let check = tanpuhui(&["methodology", "check"], &[out]);
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stdout)
    );
    serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap()
}

#[test]
fn the_uk_flat_file_becomes_one_table() {
    let Some(folder) = shared("factors-defra-2025") else {
        return;
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "csv"))
        .collect();
    files.sort();
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("uk.toml");
    let args = [
        "uk",
        "--grade",
        "S",
        "--source",
        "a third-party copy of the flat file",
    ];
    let report = imported(&args, &files, &out, &folder.path().join("report.json"));
    assert_eq!(report["rows_read"], 4394);
    assert_eq!(report["groups_that_add_up"], 764);
    // 1,538 totals: 450 blank, the others are rows; every unit has a counterpart.
    assert_eq!(report["rows_written"], 1088);
    assert_eq!(report["blank"].as_array().unwrap().len(), 450);
    assert_eq!(report["parts_read"], 3 * 952);
    assert_eq!(report["unmapped_units"], serde_json::json!({}));
    assert_eq!(report["damaged"].as_array().unwrap().len(), 30);
    let text = std::fs::read_to_string(&out).unwrap();
    let library = Library::load([("uk.toml", text.as_str())]).unwrap();
    let table = library.table("uk-ghg", "2025.1").unwrap();
    let van = [
        "Freighting goods",
        "Vans",
        "Class I (up to 1.305 tonnes)",
        "Diesel",
        "tonne.km",
    ];
    assert_eq!(table.value(&van), Some("0.87423"));
    let blank = [
        "UK electricity T&D for EVs",
        "Cars (by market segment)",
        "Mini",
        "Plug-in Hybrid Electric Vehicle",
        "km",
    ];
    assert_eq!(table.value(&blank), None);
}

#[test]
fn an_annex_of_grid_factors_keeps_its_evidence() {
    let Some(pdf) = shared("evidence/mee-2025-47-grid-emission-factors-2023.pdf") else {
        return;
    };
    let library = Library::embedded().unwrap();
    let known = library.table("grid-factor", "2023.1").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let annex = folder.path().join("annex.csv");
    let regions = [
        ("全国", "CN"),
        ("南方", "CN-GRID-SOUTH"),
        ("广东省", "CN-GD"),
    ];
    let rows = regions.map(|(name, key)| format!("{name},{}\n", known.value(&[key]).unwrap()));
    std::fs::write(&annex, rows.concat()).unwrap();
    let out = folder.path().join("grid.toml");
    let evidence = pdf.to_str().unwrap();
    let args = [
        "grid",
        "--year",
        "2023",
        "--grade",
        "D",
        "--source",
        "the annex",
        "--version",
        "2023.2",
        "--document-no",
        "公告2025年第47号",
        "--evidence",
        evidence,
    ];
    let report = imported(&args, &[&annex], &out, &folder.path().join("report.json"));
    assert_eq!(report["rows_written"], 3);
    assert_eq!(report["missing"].as_array().unwrap().len(), 37);
    let text = std::fs::read_to_string(&out).unwrap();
    // The hash of the PDF is the one that the built-in table of that year states.
    let hash = "d43b60a3eaad9f3fe59ca37c204d3d0e1b6ea52742a092f0d856971a3f018e5a";
    assert!(known.text().contains(hash) && text.contains(hash));
}
