//! Fields of an event: each is kept as its own text until it is asked for, so that a value of the
//! wrong kind is refused by the name of its field.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::vocabulary::{Vocabulary, is_uri};
use crate::domain::problem::{Code, Detail, Problem, detail};

use crate::domain::scene::adapter::json_text::{Text, object};
use crate::domain::scene::adapter::local_time::rfc3339;

pub(super) fn missing(field: &str) -> Problem {
    Problem::on(Code::MissingField, field)
}

pub(super) fn invalid(field: &str, detail: Detail) -> Problem {
    Problem::at(Code::InvalidField, field, detail)
}

pub(super) fn a_uri() -> Detail {
    detail!("应为 URI", "a URI is expected")
}

pub(super) fn an_object() -> Detail {
    detail!("应为对象", "an object is expected")
}

/// A text; `None` where the field is absent or null.
pub(super) fn text<'a>(
    field: &str,
    raw: Option<&'a RawValue>,
) -> Result<Option<Cow<'a, str>>, Problem> {
    let Some(raw) = raw else { return Ok(None) };
    match serde_json::from_str::<Text<'a>>(raw.get()) {
        Ok(text) => Ok(Some(text.0)),
        Err(_) => Err(invalid(field, detail!("应为文本", "a text is expected"))),
    }
}

/// The elements of an array; none where the field is absent.
pub(super) fn items<'a>(
    field: &str,
    raw: Option<&'a RawValue>,
) -> Result<Vec<&'a RawValue>, Problem> {
    match raw {
        None => Ok(Vec::new()),
        Some(raw) => serde_json::from_str(raw.get())
            .map_err(|_| invalid(field, detail!("应为数组", "an array is expected"))),
    }
}

/// The members that the entries of EPCIS lists have; others are passed over.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    destination: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "bizTransaction")]
    biz_transaction: Option<&'a RawValue>,
}

/// One text member of an object.
pub(super) fn member<'a>(
    field: &str,
    raw: &'a RawValue,
    name: &str,
) -> Result<Option<Cow<'a, str>>, Problem> {
    let members: Members<'a> = object(raw.get()).map_err(|_| invalid(field, an_object()))?;
    let raw = match name {
        "id" => members.id,
        "type" => members.kind,
        "source" => members.source,
        "destination" => members.destination,
        _ => members.biz_transaction,
    };
    text(&format!("{field}.{name}"), raw)
}

/// RFC 3339 with an offset. A leap second has no instant of its own and is refused.
pub(super) fn instant(
    field: &str,
    raw: Option<&RawValue>,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(text) = text(field, raw)? else {
        return Ok(None);
    };
    match rfc3339(&text) {
        Some(time) => Ok(Some(time.to_utc())),
        None => Err(Problem::at(
            Code::TimeInvalid,
            field,
            detail!(
                "应为带时差的 RFC 3339 时间：2026-11-20T08:00:00+08:00",
                "RFC 3339 with an offset is expected: 2026-11-20T08:00:00+08:00"
            ),
        )),
    }
}

/// A word of a vocabulary, or a URI.
pub(super) fn word(
    field: &str,
    raw: Option<&RawValue>,
    vocabulary: &Vocabulary,
) -> Result<Option<String>, Problem> {
    let Some(text) = text(field, raw)? else {
        return Ok(None);
    };
    match vocabulary.word(&text) {
        Some(word) => Ok(Some(word.to_owned())),
        None => Err(invalid(
            field,
            detail!(
                "既不是 CBV 2.0 的词，也不是 URI",
                "neither a word of CBV 2.0 nor a URI"
            ),
        )),
    }
}

/// The URI of a place.
pub(super) fn place<'a>(
    field: &str,
    raw: Option<&'a RawValue>,
) -> Result<Option<Cow<'a, str>>, Problem> {
    let Some(raw) = raw else { return Ok(None) };
    match member(field, raw, "id")? {
        Some(id) if is_uri(&id) => Ok(Some(id)),
        Some(_) => Err(invalid(&format!("{field}.id"), a_uri())),
        None => Err(missing(&format!("{field}.id"))),
    }
}
