//! The annexes of national average grid factors: region and kgCO2/kWh, as CSV, as JSON, or as the
//! text that a PDF gives.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::writer::{Row, Table, document};
use super::{Imported, SourceFile, Statement, Tally};
use crate::domain::methodology::factor_table::FactorTable;
use crate::domain::problem::{Code, Problem, detail};

/// Endings that an annex writes and our table does not.
const SUFFIXES: [&str; 7] = [
    "区域电网",
    "电网",
    "壮族自治区",
    "回族自治区",
    "维吾尔自治区",
    "自治区",
    "省",
];
/// No grid emits more than this for a kWh at its meter, in kg.
const MOST: Decimal = Decimal::from_parts(2, 0, 0, false, 0);
const MOST_UNREAD: usize = 50;
const NATION: &str = "全国";

#[derive(Deserialize)]
struct JsonRow {
    region: String,
    value: Box<RawValue>,
}

/// Reads an annex. `known` is a grid table that is known already: it says which key a region's
/// name has and which region stands in for which. Values keep the digits that are printed.
///
/// # Errors
/// `invalid_field` for a value outside 0 to 2 kgCO2/kWh, a region with two values, JSON that is
/// not a list of `{region, value}`, carbon footprints of electricity; `missing_field` if the nation
/// has no value.
pub fn grid(
    file: &SourceFile,
    year: i64,
    stated: &Statement,
    known: &FactorTable,
) -> Result<Imported, Problem> {
    average_only(&file.text)?;
    let keys = Keys::of(known);
    let mut tally = Tally::default();
    let pairs = match file.text.trim_start().starts_with('[') {
        true => json_pairs(&file.text)?,
        false => text_pairs(&file.text, &keys, &mut tally),
    };
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        tally.rows_read += 1;
        let Some(key) = keys.find(&name) else {
            tally.unread.push(name);
            continue;
        };
        plausible(&name, &value)?;
        match values.get(key) {
            Some(first) if *first != value => {
                let detail = detail!("{first} 和 {value} 两个值", "{first} and {value}");
                return Err(Problem::at(Code::InvalidField, name, detail));
            }
            Some(_) => tally.repeated.push(name),
            None => {
                values.insert(key.to_owned(), value);
            }
        }
    }
    if !values.contains_key("CN") {
        return Err(Problem::at(
            Code::MissingField,
            NATION,
            detail!("没有全国值", "the nation has no value"),
        ));
    }
    let mut rows = Vec::with_capacity(values.len());
    for (key, name) in &keys.rows {
        match values.remove(*key) {
            None => tally.missing.push((*name).to_owned()),
            Some(value) => rows.push(Row {
                key: vec![(*key).to_owned()],
                value,
                unit: None,
                name: (*name).to_owned(),
            }),
        }
    }
    tally.rows_written = rows.len();
    let parents = known.entry.parents.iter();
    let table = Table {
        title_zh: format!("{year}年电力平均二氧化碳排放因子"),
        title_en: format!("Average CO2 emission factors of electricity, {year}"),
        issuer: "生态环境部、国家统计局",
        note: format!("Imported from {}: {} rows.", file.name, rows.len()),
        zone: "Asia/Shanghai",
        keys: &["region"],
        unit: Some("kgCO2/kWh"),
        year,
        rows,
        parents: parents
            .map(|(child, parent)| (child.clone(), parent.clone()))
            .collect(),
    };
    let document = document(&table, stated, std::slice::from_ref(file));
    Ok(Imported { document, tally })
}

/// The ministry issues footprints of electricity in tables of the same form: they are another
/// quantity, and never stand in for an average factor.
fn average_only(text: &str) -> Result<(), Problem> {
    for word in ["碳足迹", "CO2e", "CO₂e"] {
        if text.contains(word) {
            let detail = detail!(
                "含有“{word}”：电力碳足迹因子（kgCO2e/kWh）不作为平均二氧化碳排放因子（kgCO2/kWh）导入，只给出后者的表",
                "`{word}` stands in it: footprints (kgCO2e/kWh) are not imported as average factors (kgCO2/kWh); give the tables of the latter only"
            );
            return Err(Problem::at(Code::InvalidField, "file", detail));
        }
    }
    Ok(())
}

/// Which key a region's name has.
struct Keys<'a> {
    /// Key and name, in the order of the known table.
    rows: Vec<(&'a str, &'a str)>,
}

impl<'a> Keys<'a> {
    fn of(known: &'a FactorTable) -> Keys<'a> {
        let rows = known.entry.rows.iter().filter_map(|row| {
            let row = row.get_ref();
            Some((row.key.first()?.as_str(), row.name.as_str()))
        });
        Keys {
            rows: rows.collect(),
        }
    }

    fn find(&self, name: &str) -> Option<&'a str> {
        let exact = |name: &str| {
            let mut rows = self.rows.iter();
            rows.find(|(key, known)| *key == name || *known == name)
                .map(|(key, _)| *key)
        };
        let short = || {
            SUFFIXES
                .iter()
                .find_map(|suffix| exact(name.strip_suffix(suffix)?))
        };
        exact(name)
            .or_else(short)
            .or_else(|| exact(name.strip_suffix('市')?))
    }
}

fn json_pairs(text: &str) -> Result<Vec<(String, String)>, Problem> {
    let rows: Vec<JsonRow> = serde_json::from_str(text).map_err(|error| {
        let detail = detail!("无法解析：{error}", "{error}");
        Problem::at(Code::InvalidField, "file", detail)
    })?;
    let pairs = rows.into_iter().map(|row| {
        let value = row.value.get().trim_matches('"').to_owned();
        (row.region, value)
    });
    Ok(pairs.collect())
}

/// A region followed by a number, wherever the file puts line ends, commas and spaces. The nation
/// stands in three tables of an annex: which one is told by the heading before it.
fn text_pairs(text: &str, keys: &Keys<'_>, tally: &mut Tally) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut region: Option<&str> = None;
    let mut nation = NATION;
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\u{feff}');
    for word in text.split(between).filter(|word| !word.is_empty()) {
        let number = word.contains('.') && word.bytes().all(|c| c.is_ascii_digit() || c == b'.');
        if keys.find(word).is_some() {
            region = Some(if word == NATION { nation } else { word });
        } else if let (true, Some(name)) = (number, region.take()) {
            pairs.push((name.to_owned(), word.to_owned()));
        } else {
            nation = heading(word).unwrap_or(nation);
            if tally.unread.len() < MOST_UNREAD {
                tally.unread.push(word.to_owned());
            }
        }
    }
    pairs
}

/// Which national figure follows this word of a heading.
fn heading(word: &str) -> Option<&'static str> {
    if word.contains("不包括市场化交易") {
        Some("CN:excluding-traded-non-fossil")
    } else if word.contains("化石能源电力") {
        Some("CN:fossil")
    } else {
        word.starts_with('表').then_some(NATION)
    }
}

fn plausible(name: &str, value: &str) -> Result<(), Problem> {
    let number = Decimal::from_str_exact(value).ok();
    let fits = number.is_some_and(|number| number > Decimal::ZERO && number <= MOST);
    let plain = value.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    if fits && plain {
        return Ok(());
    }
    let detail = detail!(
        "`{value}` 不是 0 至 {MOST} kgCO2/kWh 之间的因子",
        "`{value}` is no factor between 0 and {MOST} kgCO2/kWh"
    );
    Err(Problem::at(Code::InvalidField, name, detail))
}
