//! What the JSON Schema of EPCIS 2.0 says of an event's members, beyond those that make a record:
//! a misspelt name would otherwise take a quantity, or a declaration of error, out of the event
//! in silence.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::json_text::Text;
use super::fields::{items, missing, text};
use super::kind::Kind;
use super::vocabulary::{DISPOSITION, PARTY, TRANSACTION, Vocabulary, is_uri};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Characters of a member's name that a refusal shows.
const SHOWN_MAX: usize = 64;

const EVERYWHERE: &[&str] = &[
    "@context",
    "type",
    "eventTime",
    "recordTime",
    "eventTimeZoneOffset",
    "eventID",
    "certificationInfo",
    "errorDeclaration",
    "bizStep",
    "disposition",
    "readPoint",
    "bizLocation",
    "bizTransactionList",
    "sourceList",
    "destinationList",
    "sensorElementList",
];

const fn of_kind(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Object => &[
            "action",
            "epcList",
            "quantityList",
            "persistentDisposition",
            "ilmd",
        ],
        Kind::Aggregation | Kind::Association => {
            &["action", "parentID", "childEPCs", "childQuantityList"]
        }
        Kind::Transaction => &["action", "parentID", "epcList", "quantityList"],
        Kind::Transformation => &[
            "transformationID",
            "inputEPCList",
            "inputQuantityList",
            "outputEPCList",
            "outputQuantityList",
            "persistentDisposition",
            "ilmd",
        ],
    }
}

/// Checks every member of the event whose own text is `whole`.
///
/// # Errors
/// `unknown_field` for a name that is neither the type's nor a URI or prefixed; `invalid_field` or
/// `missing_field` within a list or object that is not as the schema has it.
pub(super) fn check(kind: Kind, whole: &str) -> Result<(), Problem> {
    let members: Pairs<'_> = serde_json::from_str(whole).map_err(|_| no_object("event"))?;
    for (name, raw) in &members.0 {
        let name = name.as_ref();
        let known = EVERYWHERE.contains(&name) || of_kind(kind).contains(&name);
        if !known && !is_uri(name) {
            return Err(unknown(kind, name));
        }
        if raw.get() == "null" {
            continue;
        }
        match name {
            "certificationInfo" => certificates(name, raw)?,
            "sourceList" => typed(name, raw, "source", &PARTY, true)?,
            "destinationList" => typed(name, raw, "destination", &PARTY, true)?,
            "bizTransactionList" => typed(name, raw, "bizTransaction", &TRANSACTION, false)?,
            "persistentDisposition" => dispositions(name, raw)?,
            "sensorElementList" => sensors(name, raw)?,
            "ilmd" => extensions(name, raw)?,
            _ => {}
        }
    }
    Ok(())
}

fn unknown(kind: Kind, name: &str) -> Problem {
    let shown: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN_MAX)
        .collect();
    let type_name = kind.word();
    let said = detail!(
        "{type_name} 事件没有这个成员；自有字段的名称须带前缀或为 URI",
        "no member of an event of type {type_name}; a field of one's own has a prefix or is a URI"
    );
    Problem::at(Code::UnknownField, shown, said)
}

fn certificates(field: &str, raw: &RawValue) -> Result<(), Problem> {
    let all = match raw.get().starts_with('[') {
        true => items(field, Some(raw))?,
        false => vec![raw],
    };
    all.into_iter().try_for_each(|one| uri(field, one))
}

/// A list of entries that have a type and a URI, and nothing else.
fn typed(
    field: &str,
    raw: &RawValue,
    value: &str,
    words: &Vocabulary,
    type_required: bool,
) -> Result<(), Problem> {
    for (index, item) in items(field, Some(raw))?.into_iter().enumerate() {
        let entry = format!("{field}/{index}");
        let members = pairs(&entry, item)?;
        if members
            .iter()
            .any(|(name, _)| name != "type" && name != value)
        {
            let said = detail!("应为 type 和 {value}", "type and {value} are expected");
            return Err(wrong(&entry, said));
        }
        let found = |name: &str| members.iter().find(|(own, _)| own == name);
        match found("type") {
            None if type_required => return Err(missing(&format!("{entry}.type"))),
            None => {}
            Some((_, of)) => word(&format!("{entry}.type"), of, words)?,
        }
        let at = format!("{entry}.{value}");
        let (_, value) = found(value).ok_or_else(|| missing(&at))?;
        uri(&at, value)?;
    }
    Ok(())
}

fn dispositions(field: &str, raw: &RawValue) -> Result<(), Problem> {
    let members = pairs(field, raw)?;
    let known = |name: &Cow<'_, str>| name == "set" || name == "unset";
    if members.is_empty() || !members.iter().all(|(name, _)| known(name)) {
        return Err(wrong(
            field,
            detail!("应为 set 或 unset", "set or unset is expected"),
        ));
    }
    for (name, list) in members {
        let at = format!("{field}.{name}");
        let list = items(&at, Some(list))?;
        if list.is_empty() {
            return Err(missing(&at));
        }
        for one in list {
            word(&at, one, &DISPOSITION)?;
        }
    }
    Ok(())
}

/// What a report says is not read; that it is there, is asked.
fn sensors(field: &str, raw: &RawValue) -> Result<(), Problem> {
    for (index, item) in items(field, Some(raw))?.into_iter().enumerate() {
        let entry = format!("{field}/{index}");
        let members = pairs(&entry, item)?;
        let own = |name: &str| name == "sensorMetadata" || name == "sensorReport" || is_uri(name);
        if !members.iter().all(|(name, _)| own(name)) {
            let said = detail!(
                "应为 sensorMetadata 和 sensorReport",
                "sensorMetadata and sensorReport are expected"
            );
            return Err(wrong(&entry, said));
        }
        let at = format!("{entry}.sensorReport");
        let reports = members.iter().find(|(name, _)| name == "sensorReport");
        let (_, reports) = reports.ok_or_else(|| missing(&at))?;
        let reports = items(&at, Some(reports))?;
        if reports.is_empty() {
            return Err(missing(&at));
        }
        for report in reports {
            pairs(&at, report)?;
        }
    }
    Ok(())
}

fn extensions(field: &str, raw: &RawValue) -> Result<(), Problem> {
    match pairs(field, raw)?.iter().all(|(name, _)| is_uri(name)) {
        true => Ok(()),
        false => Err(wrong(
            field,
            detail!(
                "成员的名称须带前缀或为 URI",
                "its members' names have a prefix or are URIs"
            ),
        )),
    }
}

fn word(field: &str, raw: &RawValue, words: &Vocabulary) -> Result<(), Problem> {
    let found = text(field, Some(raw))?.unwrap_or_default();
    match words.word(&found) {
        Some(_) => Ok(()),
        None => Err(wrong(
            field,
            detail!(
                "既不是 CBV 2.0 的词，也不是 URI",
                "neither a word of CBV 2.0 nor a URI"
            ),
        )),
    }
}

fn uri(field: &str, raw: &RawValue) -> Result<(), Problem> {
    match text(field, Some(raw))?.is_some_and(|found| is_uri(&found)) {
        true => Ok(()),
        false => Err(wrong(field, detail!("应为 URI", "a URI is expected"))),
    }
}

fn pairs<'a>(field: &str, raw: &'a RawValue) -> Result<Vec<Pair<'a>>, Problem> {
    serde_json::from_str::<Pairs<'a>>(raw.get())
        .map(|pairs| pairs.0)
        .map_err(|_| no_object(field))
}

fn no_object(field: &str) -> Problem {
    wrong(field, detail!("应为对象", "an object is expected"))
}

fn wrong(field: &str, said: Detail) -> Problem {
    Problem::at(Code::InvalidField, field, said)
}

type Pair<'a> = (Cow<'a, str>, &'a RawValue);

/// The members of an object, in its order.
struct Pairs<'a>(Vec<Pair<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<'a>, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    pairs.push((name.0, raw));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}
