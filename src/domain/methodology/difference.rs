//! What differs between two documents (方法学比对), slot by slot: a bureau that is asked to approve
//! a new version sees which formula, factor or condition moves, and which is only worded anew.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use toml::{Table, Value};

use super::compiled::Compiled;
use super::library::Library;

/// What a slot belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Scope,
    Formula,
    Factor,
    Input,
    Claim,
    Provenance,
    Text,
    Example,
    Identity,
}

impl Part {
    /// Whether a change here can change what a record earns.
    pub fn moves_numbers(self) -> bool {
        matches!(
            self,
            Part::Scope | Part::Formula | Part::Factor | Part::Input | Part::Claim
        )
    }

    /// Chinese and English.
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Part::Scope => ("适用范围", "scope and time"),
            Part::Formula => ("公式与条件", "formulas and conditions"),
            Part::Factor => ("参数与因子", "parameters and factors"),
            Part::Input => ("监测数据", "inputs"),
            Part::Claim => ("唯一性", "claims and exclusivity"),
            Part::Provenance => ("来源", "provenance"),
            Part::Text => ("文字", "text"),
            Part::Example => ("算例", "examples"),
            Part::Identity => ("标识", "identity"),
        }
    }

    fn of(slot: &str) -> Part {
        let mut names = slot.split(['.', '[']);
        let first = names.next().unwrap_or_default();
        let last = slot.rsplit('.').next().unwrap_or_default();
        if matches!(first, "text" | "sources" | "examples" | "identity") {
            return match first {
                "identity" => Part::Identity,
                "examples" => Part::Example,
                "sources" => Part::Provenance,
                _ => Part::Text,
            };
        }
        match last {
            "source" | "document_no" | "year" | "grade" | "retrieved" | "evidence_sha256" => {
                return Part::Provenance;
            }
            "zh" | "en" | "note" | "note_zh" | "name" | "evidence" => return Part::Text,
            _ => {}
        }
        match first {
            "effect" | "scope" | "period" | "calendars" => Part::Scope,
            "inputs" | "sets" => Part::Input,
            "parameters" | "tables" | "curves" | "evidence" | "conservativeness" => Part::Factor,
            "claims" => Part::Claim,
            "go_live" => Part::Provenance,
            _ => Part::Formula,
        }
    }
}

/// One slot that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub part: Part,
    /// `parameters.b_summer.value`, `tables.grid[CN-GD, 2023-01-01].value`.
    pub slot: String,
    /// Absent where the slot is new.
    pub before: Option<String>,
    /// Absent where the slot is gone.
    pub after: Option<String>,
    /// For two numbers in one unit: the change in per cent of the first, two places, half to even.
    pub percent: Option<Decimal>,
}

/// Every slot that differs, by part, then in the order of the documents. A pinned factor table
/// counts with its rows and with who stands in for whom; a row that is the only one of its key on
/// either side is compared with the other, from whichever day it holds.
pub fn differences(
    (library_before, before): (&Library, &Compiled),
    (library_after, after): (&Library, &Compiled),
) -> Vec<Difference> {
    let mut before = Slots::of(library_before, before);
    let mut after = Slots::of(library_after, after);
    pair_rows(&mut before, &mut after);
    let mut differences = Vec::new();
    for slot in &before.order {
        let (old, new) = (&before.text[slot], after.text.get(slot));
        if new != Some(old) {
            differences.push(difference(slot, Some(old), new, &before, &after));
        }
    }
    let added = after.order.iter();
    for slot in added.filter(|slot| !before.text.contains_key(*slot)) {
        differences.push(difference(
            slot,
            None,
            after.text.get(slot),
            &before,
            &after,
        ));
    }
    differences.sort_by_key(|difference| difference.part);
    differences
}

/// Gives one name to rows that differ in their day alone: `[CN-GD, 2022-01-01 → 2023-01-01]`.
fn pair_rows(before: &mut Slots, after: &mut Slots) {
    let mut names = BTreeMap::new();
    for (row, days) in &before.days {
        let others = after.days.get(row).map(Vec::as_slice);
        let ([old], Some([new])) = (days.as_slice(), others) else {
            continue;
        };
        if old != new {
            let both = format!("{row}, {old} → {new}");
            names.insert(format!("{row}, {old}"), both.clone());
            names.insert(format!("{row}, {new}"), both);
        }
    }
    before.rename(&names);
    after.rename(&names);
}

fn difference(
    slot: &str,
    old: Option<&String>,
    new: Option<&String>,
    before: &Slots,
    after: &Slots,
) -> Difference {
    let one_unit = before.unit_beside(slot) == after.unit_beside(slot);
    Difference {
        part: Part::of(slot),
        slot: slot.to_owned(),
        percent: old
            .zip(new)
            .filter(|_| one_unit && slot.ends_with(".value"))
            .and_then(|(old, new)| percent(old, new)),
        before: old.cloned(),
        after: new.cloned(),
    }
}

fn percent(old: &str, new: &str) -> Option<Decimal> {
    let (old, new): (Decimal, Decimal) = (old.parse().ok()?, new.parse().ok()?);
    let change = new.checked_sub(old)?.checked_mul(Decimal::ONE_HUNDRED)?;
    let change = change.checked_div(old)?;
    Some(change.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven))
}

/// A document's slots and their texts.
#[derive(Debug, Default)]
struct Slots {
    order: Vec<String>,
    text: BTreeMap<String, String>,
    /// The days from which the rows of one key hold: `tables.grid[CN-GD`.
    days: BTreeMap<String, Vec<String>>,
}

impl Slots {
    fn of(library: &Library, methodology: &Compiled) -> Slots {
        let mut slots = Slots::default();
        // A compiled document has been read once already.
        let document: Table = toml::from_str(methodology.text()).unwrap_or_default();
        for (name, value) in &document {
            if matches!(name.as_str(), "format" | "kind") {
                continue;
            }
            slots.add(name.clone(), value);
        }
        for (name, code, version) in pinned(&document) {
            if let Some(table) = library.table(&code, &version) {
                slots.add_pinned(&name, table.text());
            }
        }
        slots
    }

    fn add(&mut self, slot: String, value: &Value) {
        match value {
            Value::Table(table) => self.add_table(&slot, table, &[]),
            Value::Array(items) if items.iter().any(Value::is_table) => {
                for item in items.iter().filter_map(Value::as_table) {
                    let naming = naming(&slot);
                    let name: Vec<String> = naming
                        .iter()
                        .filter_map(|key| item.get(*key))
                        .map(text)
                        .collect();
                    let outer = slot.strip_suffix(".rows").unwrap_or(&slot);
                    if let (Some(&"key"), Some(day), [keys @ .., _]) =
                        (naming.first(), item.get("from"), name.as_slice())
                    {
                        let row = format!("{outer}[{}", keys.join(", "));
                        self.days.entry(row).or_default().push(text(day));
                    }
                    self.add_table(&format!("{outer}[{}]", name.join(", ")), item, naming);
                }
            }
            plain => self.put(slot, text(plain)),
        }
    }

    fn add_table(&mut self, slot: &str, table: &Table, but: &[&str]) {
        for (name, value) in table {
            if !but.contains(&name.as_str()) {
                self.add(format!("{slot}.{name}"), value);
            }
        }
    }

    /// The rows of a factor table, each with the days it holds, and its parents.
    fn add_pinned(&mut self, name: &str, document: &str) {
        let document: Table = toml::from_str(document).unwrap_or_default();
        let inner = |outer: &str, key: &str| document.get(outer)?.get(key).cloned();
        let (from, to) = (inner("effect", "from"), inner("effect", "to"));
        let unit = inner("table", "unit");
        let rows = inner("table", "rows");
        for mut row in rows.iter().filter_map(Value::as_array).flatten().cloned() {
            if let Some(row) = row.as_table_mut() {
                for (key, value) in [("from", &from), ("to", &to), ("unit", &unit)] {
                    if let (false, Some(value)) = (row.contains_key(key), value) {
                        row.insert(key.to_owned(), value.clone());
                    }
                }
            }
            self.add(format!("tables.{name}.rows"), &Value::Array(vec![row]));
        }
        let parents = inner("table", "parents");
        for (child, parent) in parents.iter().filter_map(Value::as_table).flatten() {
            let (slot, parent) = (format!("tables.{name}.parents.{child}"), text(parent));
            // Versions that agree say it once.
            if self.text.get(&slot) != Some(&parent) {
                self.put(slot, parent);
            }
        }
    }

    /// Renames the rows that `names` has: `tables.grid[CN-GD, 2023-01-01`.
    fn rename(&mut self, names: &BTreeMap<String, String>) {
        for slot in &mut self.order {
            let new = slot.rsplit_once("].").and_then(|(row, cell)| {
                let row = names.get(row)?;
                Some(format!("{row}].{cell}"))
            });
            if let Some(new) = new {
                if let Some(text) = self.text.remove(slot) {
                    self.text.insert(new.clone(), text);
                }
                *slot = new;
            }
        }
    }

    /// A name that stands twice is told apart by its place.
    fn put(&mut self, slot: String, text: String) {
        let mut own = slot;
        while self.text.contains_key(&own) {
            own.push('\'');
        }
        self.order.push(own.clone());
        self.text.insert(own, text);
    }

    fn unit_beside(&self, slot: &str) -> Option<&String> {
        let (outer, _) = slot.rsplit_once('.')?;
        let own = self.text.get(&format!("{outer}.unit"));
        let table = outer.split_once('[').map(|(table, _)| table);
        own.or_else(|| self.text.get(&format!("{}.unit", table?)))
    }
}

/// Name, code and version of each factor table that a document pins.
fn pinned(document: &Table) -> Vec<(String, String, String)> {
    let tables = document.get("tables").and_then(Value::as_table);
    let mut pinned = Vec::new();
    for (name, table) in tables.into_iter().flatten() {
        let code = table.get("from").and_then(Value::as_str);
        let versions = table.get("versions").and_then(Value::as_array);
        let versions = versions.into_iter().flatten().filter_map(Value::as_str);
        pinned.extend(
            versions
                .filter_map(|version| Some((name.clone(), code?.to_owned(), version.to_owned()))),
        );
    }
    pinned
}

/// What tells the elements of a list apart.
fn naming(slot: &str) -> &'static [&'static str] {
    match slot.rsplit('.').next().unwrap_or_default() {
        "rows" => &["key", "from"],
        "applicability" => &["reason"],
        "sources" => &["title"],
        "bands" => &["name", "from"],
        "before" => &["at"],
        _ => &["name"],
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let nested = items.iter().any(Value::is_array);
            let items: Vec<String> = items.iter().map(text).collect();
            items.join(if nested { "; " } else { ", " })
        }
        other => other.to_string(),
    }
}

/// The document as if it were in force at any time, to try it on what happened before. Rows of
/// pinned tables keep their own days.
///
/// # Errors
/// The text is no TOML.
pub fn at_any_time(text: &str) -> Result<String, toml::de::Error> {
    let mut document: Table = toml::from_str(text)?;
    if let Some(effect) = document.get_mut("effect").and_then(Value::as_table_mut) {
        effect.insert("from".to_owned(), Value::String("1970-01-01".to_owned()));
        effect.remove("to");
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests;
