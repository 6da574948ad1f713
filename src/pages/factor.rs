//! The values of a document, with unit, year, grade and source, as its text gives them.

use toml::{Table, Value};

/// One value of a document: a parameter, a row of a table, or a point of a curve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Factor {
    /// `parameters.gwp`, `tables.rf [metro]`.
    pub name: String,
    pub value: String,
    pub unit: String,
    pub year: String,
    pub grade: String,
    pub source: String,
    pub document_no: String,
}

/// Every value in a document, in the order of its text's names. A text that is not TOML has none;
/// such a text was never filed.
pub(super) fn factors(document: &str) -> Vec<Factor> {
    let Ok(document) = document.parse::<Table>() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, entry) in tables_in(&document, "parameters") {
        found.push(Factor {
            value: text(entry, "value"),
            ..Factor::of(format!("parameters.{name}"), &[entry])
        });
    }
    for (name, entry) in tables_in(&document, "tables") {
        rows(&format!("tables.{name}"), entry, &mut found);
    }
    if let Some(entry) = document.get("table").and_then(Value::as_table) {
        rows("table", entry, &mut found);
    }
    for (name, entry) in tables_in(&document, "curves") {
        curve(name, entry, &mut found);
    }
    found
}

fn tables_in<'d>(document: &'d Table, name: &str) -> impl Iterator<Item = (&'d String, &'d Table)> {
    let tables = document.get(name).and_then(Value::as_table);
    let entries = tables.into_iter().flatten();
    entries.filter_map(|(name, entry)| Some((name, entry.as_table()?)))
}

fn rows(name: &str, entry: &Table, found: &mut Vec<Factor>) {
    if let Some(from) = entry.get("from").and_then(Value::as_str) {
        let versions = list(entry, "versions");
        found.push(Factor {
            name: name.to_owned(),
            value: format!("{from}@{}", versions.join(", ")),
            ..Factor::default()
        });
    }
    let rows = entry.get("rows").and_then(Value::as_array);
    for row in rows.into_iter().flatten().filter_map(Value::as_table) {
        let key = list(row, "key").join(", ");
        let called = text(row, "name");
        let called = if called.is_empty() {
            key
        } else {
            format!("{key} {called}")
        };
        found.push(Factor {
            value: text(row, "value"),
            ..Factor::of(format!("{name} [{called}]"), &[row, entry])
        });
    }
}

fn curve(name: &str, entry: &Table, found: &mut Vec<Factor>) {
    let points = entry.get("points").and_then(Value::as_array);
    for point in points.into_iter().flatten().filter_map(Value::as_array) {
        let place = |at: usize| point.get(at).and_then(Value::as_str).unwrap_or_default();
        let x_unit = text(entry, "x_unit");
        found.push(Factor {
            value: place(1).to_owned(),
            unit: text(entry, "y_unit"),
            ..Factor::of(format!("curves.{name} [{} {x_unit}]", place(0)), &[entry])
        });
    }
}

impl Factor {
    /// What the first of these entries says that says anything.
    fn of(name: String, entries: &[&Table]) -> Factor {
        let first = |field: &str| {
            let mut texts = entries.iter().map(|entry| text(entry, field));
            texts.find(|text| !text.is_empty()).unwrap_or_default()
        };
        Factor {
            name,
            value: String::new(),
            unit: first("unit"),
            year: first("year"),
            grade: first("grade"),
            source: first("source"),
            document_no: first("document_no"),
        }
    }
}

fn text(entry: &Table, field: &str) -> String {
    match entry.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn list(entry: &Table, field: &str) -> Vec<String> {
    let items = entry.get(field).and_then(Value::as_array);
    let texts = items.into_iter().flatten().filter_map(Value::as_str);
    texts.map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::methodology::EMBEDDED_DOCUMENTS;

    #[test]
    fn a_row_takes_from_its_table_what_it_does_not_say() {
        let document = "[parameters.a]\nvalue = '1'\nunit = 'g'\ngrade = 'D'\n\
             [tables.t]\nunit = 'kg'\nyear = 2021\nsource = 's'\n\
             rows = [{ key = ['x'], value = '2' }, { key = ['y'], value = '3', source = 'own' }]\n";
        let found = factors(document);
        let shown: Vec<_> = found
            .iter()
            .map(|f| {
                (
                    f.name.as_str(),
                    f.value.as_str(),
                    f.unit.as_str(),
                    f.year.as_str(),
                    f.source.as_str(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("parameters.a", "1", "g", "", ""),
                ("tables.t [x]", "2", "kg", "2021", "s"),
                ("tables.t [y]", "3", "kg", "2021", "own"),
            ]
        );
    }

    #[test]
    fn every_document_of_the_program_shows_values_with_sources() {
        for (file, text) in EMBEDDED_DOCUMENTS {
            let found = factors(text);
            assert!(!found.is_empty(), "{file}");
            let bare = found
                .iter()
                .find(|f| !f.value.contains('@') && f.unit.is_empty());
            assert_eq!(bare, None, "{file}");
        }
    }
}
