//! Faults of a mapping, found before any file.

use super::*;

#[test]
fn each_fault_of_a_mapping_is_found_before_any_file() {
    assert_eq!(checked(MAPPING), Ok(()));
    let other_signs = "decimal = ','\nthousands = ','\n";
    let circle = "[quantities.distance]\ngreat_circle = ['a', 'b', 'c', 'd']\nunit = 'km'\n";
    let faults: &[(&str, &str, &str, &str)] = &[
        ("format = \"csv\"", "", "missing_field", "settings.format"),
        ("csv", "ods", "invalid_field", "settings.format"),
        (
            "zone = \"America/New_York\"",
            "",
            "missing_field",
            "settings.zone",
        ),
        (
            "America/New_York",
            "New York",
            "invalid_field",
            "settings.zone",
        ),
        ("zone", "zome", "unknown_field", "settings.zome"),
        (
            "zone =",
            "sheet = 'a'\nzone =",
            "invalid_field",
            "settings.sheet",
        ),
        (
            "zone =",
            "delimiter = ',,'\nzone =",
            "invalid_field",
            "settings.delimiter",
        ),
        (
            "zone =",
            "header = -1\nzone =",
            "invalid_field",
            "settings.header",
        ),
        (
            "zone =",
            "header = 0\nzone =",
            "invalid_field",
            "settings.columns.subject",
        ),
        (
            "zone =",
            "datum = 'wgs84'\nzone =",
            "invalid_field",
            "settings.datum",
        ),
        (
            "zone =",
            &format!("{other_signs}zone ="),
            "invalid_field",
            "settings.thousands",
        ),
        (
            "zone =",
            "blank = 'zero'\nzone =",
            "invalid_field",
            "settings.blank",
        ),
        ("id = \"no\"", "", "missing_field", "settings.columns.id"),
        (
            "id = \"no\"",
            "id = []",
            "invalid_field",
            "settings.columns.id",
        ),
        (
            "id = \"no\"",
            "id = 0",
            "invalid_field",
            "settings.columns.id",
        ),
        (
            "id = \"no\"",
            "id = 1.5",
            "invalid_field",
            "settings.columns.id",
        ),
        (
            "subject = \"card\"",
            "",
            "missing_field",
            "settings.columns.subject",
        ),
        (
            "from = \"start\"",
            "",
            "missing_field",
            "settings.columns.from",
        ),
        (
            "from = \"start\"",
            "form = 'start'",
            "unknown_field",
            "settings.columns.form",
        ),
        (
            "from = \"start\"",
            "at = 'start'",
            "invalid_field",
            "settings.columns.at",
        ),
        (
            "length = \"PT1H\"",
            "",
            "missing_field",
            "settings.time.length",
        ),
        ("PT1H", "1h", "invalid_field", "settings.time.length"),
        (
            "PT1H\"",
            "PT1H\"\nuntil = 'next_row'",
            "invalid_field",
            "settings.columns.from",
        ),
        (
            "PT1H\"",
            "PT1H\"\nmidnight = 'ends_day'",
            "invalid_field",
            "settings.time.midnight",
        ),
        (
            "PT1H\"",
            "PT1H\"\nlast = 'included'",
            "invalid_field",
            "settings.time.last",
        ),
        (
            "PT1H\"",
            "PT1H\"\nrepeated = 'both'",
            "invalid_field",
            "settings.time.repeated",
        ),
        (
            "format = \"%d/%m/%Y %H:%M\"",
            "",
            "missing_field",
            "settings.time.format",
        ),
        (
            "%d/%m/%Y %H:%M",
            "%d/%m %H:%M",
            "invalid_field",
            "settings.time.format",
        ),
        (
            "\"%d/%m/%Y %H:%M\"",
            "['%F', 'local']",
            "invalid_field",
            "settings.time.format",
        ),
        (
            "unit = \"kWh\"",
            "",
            "missing_field",
            "settings.quantities.electricity.unit",
        ),
        (
            "kWh",
            "kwh",
            "unit_unsupported",
            "settings.quantities.electricity.unit",
        ),
        (
            "column = \"used\"",
            "",
            "missing_field",
            "settings.quantities.electricity.column",
        ),
        (
            "column = \"used\"",
            "column = 'used'\nvalue = 1",
            "invalid_field",
            "settings.quantities.electricity.column",
        ),
        (
            "column = \"used\"",
            "value = 1\nscale = 2",
            "invalid_field",
            "settings.quantities.electricity.scale",
        ),
        (
            "unit = \"kWh\"",
            "unit = 'kWh'\nscale = 0.5",
            "invalid_field",
            "settings.quantities.electricity.scale",
        ),
        (
            "unit = \"kWh\"",
            "unit = 'kWh'\nscale = '-1'",
            "invalid_field",
            "settings.quantities.electricity.scale",
        ),
        (
            "unit = \"kWh\"",
            "unit = 'kWh'\nfactor = 2",
            "unknown_field",
            "settings.quantities.electricity.factor",
        ),
        (
            "quantities.electricity",
            "quantities.Strom",
            "invalid_field",
            "settings.quantities.Strom",
        ),
        (
            "[attributes]",
            &format!("{circle}[attributes]"),
            "missing_field",
            "settings.datum",
        ),
        (
            "values =",
            "words =",
            "unknown_field",
            "settings.attributes.mode.words",
        ),
        (
            "\"bus\"",
            "1",
            "invalid_field",
            "settings.attributes.mode.values.公交",
        ),
        (
            "evidence = \"meter\"",
            "mode = 'bus'",
            "invalid_field",
            "settings.constants.mode",
        ),
        (
            "evidence",
            "stated_at",
            "invalid_field",
            "settings.attributes.stated_at",
        ),
    ];
    for (good, bad, code, param) in faults {
        assert!(MAPPING.contains(good), "{good}");
        let problem = checked(&MAPPING.replacen(good, bad, 1)).expect_err(bad);
        assert_eq!(
            (problem.code.as_str(), problem.param.as_deref()),
            (*code, Some(*param)),
            "{good} -> {bad}: {problem}"
        );
    }
    let sections = "format = 'csv'\ncolumns = 1";
    let problem = checked(sections).expect_err("not a table");
    assert_eq!(problem.param.as_deref(), Some("settings.columns"));
    let none = MAPPING.split("[quantities").next().expect("the beginning");
    let problem = checked(none).expect_err("no quantity");
    assert_eq!(problem.param.as_deref(), Some("settings.quantities.NAME"));
    let located = MAPPING
        .replacen("zone =", "datum = 'tokyo'\nzone =", 1)
        .replace("[attributes]", &format!("{circle}[attributes]"));
    assert_eq!(
        checked(&located).expect_err("datum").param.as_deref(),
        Some("settings.datum")
    );
}
