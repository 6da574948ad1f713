//! The flat file of the UK Government's conversion factors, whole or split by category: four rows
//! an activity, a total in kg CO2e and its parts by gas.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::writer::{Row, Table, document};
use super::{Imported, SourceFile, Statement, Tally};
use crate::domain::problem::{Code, Detail, Problem, detail};

const HEADER: [&str; 9] = [
    "ID",
    "Scope",
    "Level 1",
    "Level 2",
    "Level 3",
    "Level 4",
    "Column Text",
    "UOM",
    "GHG/Unit",
];
const FACTOR: &str = "GHG Conversion Factor ";
const TOTAL: &str = "kg CO2e";
const PARTS: [&str; 3] = [
    "kg CO2e of CO2 per unit",
    "kg CO2e of CH4 per unit",
    "kg CO2e of N2O per unit",
];
/// Four numbers rounded to five places each.
const TOLERANCE: Decimal = Decimal::from_parts(2, 0, 0, false, 5);

/// Unit of the source, our unit for direct emissions, and for those of a supply chain. Net or gross
/// calorific value stays in the key.
const UNITS: [(&str, &str, &str); 12] = [
    ("km", "kgCO2e/vehicle-km", "kgCO2e_footprint/vehicle-km"),
    (
        "miles",
        "kgCO2e/vehicle-mile",
        "kgCO2e_footprint/vehicle-mile",
    ),
    (
        "passenger.km",
        "kgCO2e/person-km",
        "kgCO2e_footprint/person-km",
    ),
    ("tonne.km", "kgCO2e/t-km", "kgCO2e_footprint/t-km"),
    ("tonnes", "kgCO2e/t", "kgCO2e_footprint/t"),
    ("litres", "kgCO2e/L", "kgCO2e_footprint/L"),
    ("cubic metres", "kgCO2e/m3", "kgCO2e_footprint/m3"),
    ("million litres", "kgCO2e/ML", "kgCO2e_footprint/ML"),
    ("kWh", "kgCO2e/kWh", "kgCO2e_footprint/kWh"),
    ("kWh (Net CV)", "kgCO2e/kWh", "kgCO2e_footprint/kWh"),
    ("kWh (Gross CV)", "kgCO2e/kWh", "kgCO2e_footprint/kWh"),
    ("GJ", "kgCO2e/GJ", "kgCO2e_footprint/GJ"),
];

/// One activity in one unit.
#[derive(Default)]
struct Group {
    total: Option<String>,
    parts: BTreeMap<&'static str, String>,
}

type Key = [String; 5];

/// Reads the flat file, in one piece or several. The table's keys are category (Level 1), group
/// (Level 2), item (Levels 3 and 4), column and unit as printed; each row has its own unit.
/// Factors of fuel production (WTT) and of materials are footprints, all others are not.
///
/// # Errors
/// `invalid_field` for another header, a row of another form, a value that is no decimal number,
/// one key with two values, or parts that do not add up to their total within rounding;
/// `missing_field` if no row is left.
pub fn uk_flat(files: &[SourceFile], stated: &Statement) -> Result<Imported, Problem> {
    let mut tally = Tally::default();
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    let mut year = None;
    for file in files {
        year = Some(read(file, year, &mut groups, &mut tally)?);
    }
    let none = || Problem::at(Code::MissingField, "file", detail!("没有文件", "no file"));
    let year = year.ok_or_else(none)?;
    let mut rows = Vec::new();
    for (key, group) in groups {
        adds_up(&key, &group, &mut tally)?;
        rows.extend(row(key, group, &mut tally));
    }
    if rows.is_empty() {
        let detail = detail!(
            "其中没有可列入因子表的因子",
            "there is no factor in it that a table can have"
        );
        return Err(Problem::at(Code::MissingField, "file", detail));
    }
    tally.rows_written = rows.len();
    let table = Table {
        title_zh: format!("英国政府温室气体转换因子 {year}"),
        title_en: format!("UK Government GHG conversion factors {year}"),
        issuer: "UK Department for Energy Security and Net Zero",
        note: format!(
            "Imported: {} factors, {} blank ones left out (not available is not zero), {} parts by gas compared with their totals.",
            rows.len(),
            tally.blank.len(),
            tally.parts_read
        ),
        zone: "Europe/London",
        keys: &["category", "group", "item", "column", "uom"],
        unit: None,
        year,
        rows,
        parents: Vec::new(),
    };
    let document = document(&table, stated, files);
    Ok(Imported { document, tally })
}

fn wrong(file: &SourceFile, place: impl std::fmt::Display, rule: Detail) -> Problem {
    Problem::at(Code::InvalidField, format!("{}: {place}", file.name), rule)
}

fn unreadable(error: &csv::Error) -> Detail {
    detail!("无法解析：{error}", "{error}")
}

/// Reads one file into the groups; the year is the header's and that of the files before.
fn read(
    file: &SourceFile,
    before: Option<i64>,
    groups: &mut BTreeMap<Key, Group>,
    tally: &mut Tally,
) -> Result<i64, Problem> {
    let text = file.text.trim_start_matches('\u{feff}');
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|error| wrong(file, "header", unreadable(&error)))?;
    let fixed = header.iter().take(HEADER.len()).eq(HEADER);
    let last = header
        .get(HEADER.len())
        .and_then(|name| name.strip_prefix(FACTOR));
    let year = last.and_then(|year| year.trim().parse().ok());
    let (true, Some(year)) = (fixed, year) else {
        let detail = detail!(
            "表头不是英国政府 flat file 的表头",
            "it is not that of the UK flat file"
        );
        return Err(wrong(file, "header", detail));
    };
    if before.is_some_and(|before| before != year) {
        let detail = detail!("各文件的年份不同", "the files are of two years");
        return Err(wrong(file, "header", detail));
    }
    for (place, row) in reader.records().enumerate() {
        let place = place + 2;
        let row = row.map_err(|error| wrong(file, place, unreadable(&error)))?;
        tally.rows_read += 1;
        take(file, place, &row, groups, tally)?;
    }
    Ok(year)
}

fn take(
    file: &SourceFile,
    place: usize,
    row: &csv::StringRecord,
    groups: &mut BTreeMap<Key, Group>,
    tally: &mut Tally,
) -> Result<(), Problem> {
    let cell = |place: usize| row.get(place).unwrap_or("").trim();
    let item = match cell(5) {
        "" => cell(4).to_owned(),
        more => format!("{} / {more}", cell(4)),
    };
    let key = [
        cell(2).to_owned(),
        cell(3).to_owned(),
        item,
        cell(6).to_owned(),
        cell(7).to_owned(),
    ];
    let value = cell(9);
    let plain = value
        .bytes()
        .all(|c| c.is_ascii_digit() || c == b'.' || c == b'-');
    if !value.is_empty() && (!plain || Decimal::from_str_exact(value).is_err()) {
        return Err(wrong(
            file,
            place,
            detail!("`{value}` 不是十进制数值", "`{value}` is no decimal number"),
        ));
    }
    let name = key.join(" | ");
    let group = groups.entry(key).or_default();
    let slot = match (cell(8), PARTS.iter().find(|part| **part == cell(8))) {
        (TOTAL, _) => &mut group.total,
        (_, Some(part)) => {
            tally.parts_read += 1;
            if group.parts.contains_key(part) {
                let detail = detail!("该分项出现了两次", "the part is there twice");
                return Err(wrong(file, place, detail));
            }
            group.parts.insert(part, value.to_owned());
            return Ok(());
        }
        (other, None) => {
            return Err(wrong(
                file,
                place,
                detail!(
                    "`{other}` 不是 flat file 中的气体",
                    "`{other}` is no gas of the flat file"
                ),
            ));
        }
    };
    match slot {
        Some(known) if known == value => tally.repeated.push(name),
        Some(known) => {
            let detail = detail!("{known} 和 {value} 两个值", "{known} and {value}");
            return Err(wrong(file, place, detail));
        }
        None => *slot = Some(value.to_owned()),
    }
    Ok(())
}

/// The parts of a complete group add up to its total.
fn adds_up(key: &Key, group: &Group, tally: &mut Tally) -> Result<(), Problem> {
    let number = |text: &String| Decimal::from_str_exact(text).ok();
    let parts: Vec<Decimal> = group.parts.values().filter_map(number).collect();
    let Some(total) = group.total.as_ref().and_then(number) else {
        return Ok(());
    };
    if parts.len() < PARTS.len() {
        return Ok(());
    }
    let sum = parts
        .iter()
        .try_fold(Decimal::ZERO, |sum, part| sum.checked_add(*part));
    let apart = sum.and_then(|sum| sum.checked_sub(total));
    if apart.is_none_or(|apart| apart.abs() > TOLERANCE) {
        let detail = match sum {
            Some(sum) => detail!(
                "各分项之和为 {sum}，合计为 {total}",
                "the parts add up to {sum}, the total is {total}"
            ),
            None => detail!(
                "各分项之和超出可表示的范围，合计为 {total}",
                "the parts add up to more than can be written, the total is {total}"
            ),
        };
        return Err(Problem::at(Code::InvalidField, key.join(" | "), detail));
    }
    tally.groups_that_add_up += 1;
    Ok(())
}

fn row(key: Key, group: Group, tally: &mut Tally) -> Option<Row> {
    let name = key.join(" | ");
    if key
        .iter()
        .any(|cell| cell.contains(char::REPLACEMENT_CHARACTER))
    {
        tally.damaged.push(name.clone());
    }
    let Some(value) = group.total else {
        tally.missing.push(format!("{name}: no total"));
        return None;
    };
    let [category, .., uom] = &key;
    let Some((_, direct, footprint)) = UNITS.iter().find(|(known, ..)| known == uom) else {
        *tally.unmapped_units.entry(uom.clone()).or_default() += 1;
        return None;
    };
    if value.is_empty() {
        tally.blank.push(name);
        return None;
    }
    let chain = category.starts_with("WTT") || category == "Material use";
    Some(Row {
        unit: Some(if chain { footprint } else { direct }),
        key: key.to_vec(),
        value,
        name: String::new(),
    })
}
