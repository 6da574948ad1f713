//! The examples that the OCPI standard publishes: the one CDR among them is read, and every other
//! object is refused for what it is.

use serde_json::json;

use crate::{check_json, feed_check, records, shared};

const EXAMPLES: &str = "ocpi/2.2.1";

#[test]
fn the_standards_cdr_is_15_342_kwh_for_its_contract() {
    let Some(file) = shared(&format!("{EXAMPLES}/cdr_example.json")) else {
        return;
    };
    let said = check_json(&["--adapter", "ocpi-cdr"], &[&file]);
    assert_eq!(said["records"], json!(1));
    assert_eq!(said["refused"], json!({}));
    assert_eq!(
        said["totals"],
        json!([{"quantity": "duration", "unit": "h", "value": "1.973"},
               {"quantity": "electricity", "unit": "kWh", "value": "15.342"}])
    );
    let records = records("ocpi-cdr", &file);
    let [cdr] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(cdr.source_id, "BE*BEC*12345");
    assert_eq!(cdr.subject, "DE8ACC12E46L89");
    assert_eq!(cdr.attribute("power"), Some("ac"));
    // Both defects that the example is known for.
    let quality = Some("coordinates_swapped updated_before_end");
    assert_eq!(cdr.attribute("quality"), quality);
    assert_eq!(cdr.revises, None);
}

#[test]
fn every_other_example_is_refused_for_what_it_is() {
    let Some(folder) = shared(EXAMPLES) else {
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 30, "{}", files.len());
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let (code, what) = match name.as_ref() {
            "cdr_example.json" => continue,
            // Parts of objects, which have nothing that tells what they are parts of.
            "location_patch_example_tariff.json"
            | "session_patch_example_total_cost.json"
            | "token_patch_example.json" => ("missing_field", "/country_code"),
            "transport_and_format_get_token_example.json" => ("format_mismatch", "/data/whitelist"),
            name if name.starts_with("location") => ("format_mismatch", "/evses"),
            name if name.starts_with("session") => ("format_mismatch", "/kwh"),
            name if name.starts_with("tariff") => ("format_mismatch", "/elements"),
            _ => ("format_mismatch", "/whitelist"),
        };
        let rows = if name.contains("token_list") { 3 } else { 1 };
        let said = check_json(&["--adapter", "ocpi-cdr"], &[file]);
        assert_eq!(said["records"], json!(0), "{name}");
        assert_eq!(said["refused"], json!({code: rows}), "{name}");
        let text = feed_check(&["--adapter", "ocpi-cdr"], &[file]);
        let text = String::from_utf8_lossy(&text.stdout);
        assert!(text.contains(what), "{name}: {text}");
    }
}
