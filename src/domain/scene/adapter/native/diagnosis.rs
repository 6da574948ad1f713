//! Why a row is not of the right shape: which field is missing, unknown or of the wrong type.
//! Slow and exact; it only sees rows that the parser has already refused.

use serde_json::{Map, Value};

use super::super::{json_records, malformed};
use super::row::{ATTRIBUTES_MAX, QUANTITIES_MAX};
use crate::domain::problem::{Code, Detail, Problem, detail};

const TEXTS: [&str; 6] = ["id", "subject", "at", "from", "to", "revises"];

pub(super) fn of(text: &str, error: &serde_json::Error) -> Problem {
    let misread = || json_records::misread(error);
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(row)) => row_problem(&row).unwrap_or_else(misread),
        Ok(_) => malformed(detail!("应为对象", "an object is expected")),
        Err(_) => misread(),
    }
}

fn row_problem(row: &Map<String, Value>) -> Option<Problem> {
    let known = |key: &str| TEXTS.contains(&key) || matches!(key, "quantities" | "attributes");
    if let Some(key) = row.keys().find(|key| !known(key)) {
        return Some(Problem::on(Code::UnknownField, shortened(key)));
    }
    for key in ["id", "subject"] {
        if !row.contains_key(key) {
            return Some(Problem::on(Code::MissingField, key));
        }
    }
    let texts = TEXTS.iter().find_map(|key| {
        let wrong = row.get(*key).is_some_and(|value| !value.is_string());
        wrong.then(|| Problem::at(Code::InvalidField, *key, a_string()))
    });
    texts
        .or_else(|| members(row, "quantities", QUANTITIES_MAX, quantity_problem))
        .or_else(|| {
            members(row, "attributes", ATTRIBUTES_MAX, |param, value| {
                (!value.is_string()).then(|| Problem::at(Code::InvalidField, param, a_string()))
            })
        })
}

fn members(
    row: &Map<String, Value>,
    key: &str,
    most: usize,
    problem: impl Fn(&str, &Value) -> Option<Problem>,
) -> Option<Problem> {
    match row.get(key)? {
        Value::Object(members) if members.len() > most => Some(Problem::at(
            Code::InvalidField,
            key,
            detail!("超过 {most} 个", "more than {most}"),
        )),
        Value::Object(members) => members
            .iter()
            .find_map(|(name, value)| problem(&format!("{key}.{}", shortened(name)), value)),
        _ => Some(Problem::at(
            Code::InvalidField,
            key,
            detail!("应为对象", "an object is expected"),
        )),
    }
}

fn quantity_problem(param: &str, value: &Value) -> Option<Problem> {
    let Value::Object(quantity) = value else {
        let detail = detail!(
            "应为含 value 和 unit 的对象",
            "an object with value and unit is expected"
        );
        return Some(Problem::at(Code::InvalidField, param, detail));
    };
    if let Some(key) = quantity
        .keys()
        .find(|key| !matches!(key.as_str(), "value" | "unit"))
    {
        return Some(Problem::on(
            Code::UnknownField,
            format!("{param}.{}", shortened(key)),
        ));
    }
    match (quantity.get("value"), quantity.get("unit")) {
        (None, _) => Some(Problem::on(Code::MissingField, format!("{param}.value"))),
        (_, None) => Some(Problem::on(Code::MissingField, format!("{param}.unit"))),
        (_, Some(unit)) if !unit.is_string() => Some(Problem::at(
            Code::InvalidField,
            format!("{param}.unit"),
            a_string(),
        )),
        _ => None,
    }
}

fn a_string() -> Detail {
    detail!("应为字符串", "a string is expected")
}

/// A caller's own key in our answer, not longer than it is useful.
fn shortened(key: &str) -> String {
    key.chars().take(64).collect()
}
