//! GS1's example documents of EPCIS 2.0.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{check_json, feed_check, shared};

const SUBJECT: [&str; 4] = ["--adapter", "epcis", "--set", "subject=readPoint"];

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.extension() {
            None if path.is_dir() => documents(&path, found),
            Some(extension) if extension == "jsonld" => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn all_47_documents_are_read_and_each_refusal_has_its_reason() {
    let Some(folder) = shared("epcis/JSON") else {
        return;
    };
    let mut files = Vec::new();
    documents(&folder, &mut files);
    files.sort();
    assert_eq!(files.len(), 47);
    let (mut records, mut cancelled) = (0, 0);
    let mut refused = BTreeMap::new();
    for file in &files {
        let said = check_json(&SUBJECT, &[file]);
        records += said["records"].as_u64().expect("a count");
        cancelled += said["seen"]["error_declarations"]
            .as_u64()
            .expect("a count");
        let name = file.file_stem().expect("a name").to_string_lossy();
        for (code, count) in said["refused"].as_object().expect("an object") {
            refused.insert(name.clone().into_owned(), (code.clone(), count.clone()));
        }
        assert_eq!(said["held"], json!({}));
    }
    assert_eq!((records, cancelled), (52, 9));
    let missing = ("missing_field".to_owned(), json!(1));
    assert_eq!(
        refused.into_iter().collect::<Vec<_>>(),
        [
            ("AssociationEvent-d".to_owned(), missing.clone()),
            (
                "AssociationEvent-h".to_owned(),
                ("row_malformed".to_owned(), json!(1))
            ),
            ("SensorDataExample1b".to_owned(), missing.clone()),
            ("SensorDataExample3".to_owned(), missing),
        ]
    );
}

#[test]
fn the_error_declaration_takes_452_kg_back_and_500_stand() {
    let Some(file) =
        shared("epcis/JSON/WithErrorDeclaration/ErrorDeclarationAndCorrectiveEvent.jsonld")
    else {
        return;
    };
    assert_eq!(
        check_json(&SUBJECT, &[&file]),
        json!({"adapter": "epcis", "records": 2, "refused": {}, "held": {},
            "totals": [
                {"quantity": "count", "unit": "1", "value": "1"},
                {"quantity": "declared_in_error_count", "unit": "1", "value": "1"},
                {"quantity": "declared_in_error_mass", "unit": "kg", "value": "452"},
                {"quantity": "input_count", "unit": "1", "value": "1"},
                {"quantity": "input_mass", "unit": "kg", "value": "500"},
                {"quantity": "mass", "unit": "kg", "value": "500"}],
            "seen": {"error_declarations": 1}})
    );
}

#[test]
fn without_knowing_who_the_person_is_nothing_is_read() {
    let Some(file) = shared("epcis/JSON/Example_9.6.2-ObjectEvent.jsonld") else {
        return;
    };
    let output = feed_check(&["--adapter", "epcis"], &[&file]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("missing_field") && said.contains("settings.subject"),
        "{said}"
    );
}
