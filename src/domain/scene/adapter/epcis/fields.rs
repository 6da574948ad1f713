//! Fields of an event: each is kept as its own text until it is asked for, so that a value of the
//! wrong kind is refused by the name of its field.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::problem::{Code, Problem};
use crate::domain::scene::adapter::json_text::{Text, object};
use crate::domain::scene::adapter::local_time::rfc3339;

pub(super) fn missing(field: &str) -> Problem {
    Problem::on(Code::MissingField, field)
}

pub(super) fn invalid(field: &str, detail: &str) -> Problem {
    Problem::at(Code::InvalidField, field, detail)
}

/// A text; `None` where the field is absent or null.
pub(super) fn text<'a>(
    field: &str,
    raw: Option<&'a RawValue>,
) -> Result<Option<Cow<'a, str>>, Problem> {
    let Some(raw) = raw else { return Ok(None) };
    match serde_json::from_str::<Text<'a>>(raw.get()) {
        Ok(text) => Ok(Some(text.0)),
        Err(_) => Err(invalid(field, "a text is expected")),
    }
}

/// The elements of an array; none where the field is absent.
pub(super) fn items<'a>(
    field: &str,
    raw: Option<&'a RawValue>,
) -> Result<Vec<&'a RawValue>, Problem> {
    match raw {
        None => Ok(Vec::new()),
        Some(raw) => {
            serde_json::from_str(raw.get()).map_err(|_| invalid(field, "an array is expected"))
        }
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
    let members: Members<'a> =
        object(raw.get()).map_err(|_| invalid(field, "an object is expected"))?;
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
            "RFC 3339 with an offset is expected: 2026-11-20T08:00:00+08:00",
        )),
    }
}
