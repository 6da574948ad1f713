//! The text of a factor-table document.

use std::fmt::Write;

use super::{SourceFile, Statement};

/// The parts of the document that the source decides.
pub(super) struct Table<'a> {
    pub title_zh: String,
    pub title_en: String,
    pub issuer: &'a str,
    pub note: String,
    pub zone: &'a str,
    pub keys: &'a [&'a str],
    /// For all rows, or each row its own.
    pub unit: Option<&'a str>,
    pub year: i64,
    pub rows: Vec<Row>,
    /// From a key to the wider key that stands in for it.
    pub parents: Vec<(String, String)>,
}

pub(super) struct Row {
    pub key: Vec<String>,
    pub value: String,
    pub unit: Option<&'static str>,
    pub name: String,
}

/// A document that `methodology check` reads.
pub(super) fn document(table: &Table<'_>, stated: &Statement, files: &[SourceFile]) -> String {
    let mut text = String::from("format = 1\nkind = \"factor-table\"\n\n[identity]\n");
    slot(&mut text, "code", &stated.code);
    slot(&mut text, "version", &stated.version);
    slot(&mut text, "title_zh", &table.title_zh);
    slot(&mut text, "title_en", &table.title_en);
    slot(&mut text, "issuer", table.issuer);
    slot(&mut text, "document_no", &stated.document_no);
    slot(&mut text, "published", &stated.published);
    slot(&mut text, "note", &table.note);
    text.push_str("\n[effect]\n");
    slot(&mut text, "from", &stated.from);
    if let Some(to) = &stated.to {
        slot(&mut text, "to", to);
    }
    slot(&mut text, "zone", table.zone);
    text.push_str("\n[table]\nkeys = ");
    let keys: Vec<String> = table.keys.iter().map(|key| quoted(key)).collect();
    let _ = writeln!(text, "[{}]", keys.join(", "));
    if let Some(unit) = table.unit {
        slot(&mut text, "unit", unit);
    }
    let _ = writeln!(text, "year = {}", table.year);
    slot(&mut text, "grade", stated.grade.as_str());
    slot(&mut text, "source", &stated.source);
    slot(&mut text, "document_no", &stated.document_no);
    slot(&mut text, "retrieved", &stated.retrieved);
    slot(&mut text, "evidence_sha256", &stated.evidence_sha256);
    text.push_str("rows = [\n");
    for row in &table.rows {
        write_row(&mut text, row);
    }
    text.push_str("]\n");
    if !table.parents.is_empty() {
        text.push_str("\n[table.parents]\n");
    }
    for (child, parent) in &table.parents {
        let _ = writeln!(text, "{} = {}", quoted(child), quoted(parent));
    }
    for file in files {
        text.push_str("\n[[sources]]\n");
        slot(&mut text, "title", &file.name);
        slot(&mut text, "grade", stated.grade.as_str());
        slot(&mut text, "sha256", &file.sha256);
    }
    text
}

fn write_row(text: &mut String, row: &Row) {
    let key: Vec<String> = row.key.iter().map(|cell| quoted(cell)).collect();
    let _ = write!(
        text,
        "    {{ key = [{}], value = {}",
        key.join(", "),
        quoted(&row.value)
    );
    if let Some(unit) = row.unit {
        let _ = write!(text, ", unit = {}", quoted(unit));
    }
    if !row.name.is_empty() {
        let _ = write!(text, ", name = {}", quoted(&row.name));
    }
    text.push_str(" },\n");
}

fn slot(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name} = {}", quoted(value));
}

/// A basic string of TOML.
fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
