//! Which field of an event names the person. EPCIS has no field for a consumer, so each partner
//! puts them elsewhere, and the scene declares where.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use super::event::Event;
use super::fields::{an_object, invalid, items, member, missing, text};
use super::vocabulary::{PARTY, TRANSACTION, Vocabulary};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::adapter::settings::param;

/// What a scene may declare.
pub(super) const FORMS_ZH: &str = "readPoint、bizLocation、parentID、epc、source:TYPE、\
    destination:TYPE、bizTransaction:TYPE、ilmd:KEY 或 extension:PREFIX:KEY";
pub(super) const FORMS_EN: &str = "readPoint, bizLocation, parentID, epc, source:TYPE, \
    destination:TYPE, bizTransaction:TYPE, ilmd:KEY or extension:PREFIX:KEY";

/// Bytes of a subject.
const SUBJECT_MAX: usize = 128;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Subject {
    ReadPoint,
    BizLocation,
    Parent,
    /// The event's only EPC.
    Epc,
    /// A party of `sourceList`, by its type.
    Source(String),
    Destination(String),
    Transaction(String),
    /// A key of `ilmd`.
    Ilmd(String),
    /// A key of the event itself, in the partner's own namespace.
    Extension(String),
}

impl Subject {
    /// # Errors
    /// `invalid_field` at `settings.subject`, naming the forms.
    pub(super) fn parse(form: &str) -> Result<Subject, Problem> {
        let typed = |list: &Vocabulary, kind: &str| list.word(kind).map(str::to_owned);
        let parsed = match form.split_once(':') {
            None => match form {
                "readPoint" => Some(Subject::ReadPoint),
                "bizLocation" => Some(Subject::BizLocation),
                "parentID" => Some(Subject::Parent),
                "epc" => Some(Subject::Epc),
                _ => None,
            },
            Some(("source", kind)) => typed(&PARTY, kind).map(Subject::Source),
            Some(("destination", kind)) => typed(&PARTY, kind).map(Subject::Destination),
            Some(("bizTransaction", kind)) => typed(&TRANSACTION, kind).map(Subject::Transaction),
            Some(("ilmd", key)) if !key.is_empty() => Some(Subject::Ilmd(key.to_owned())),
            Some(("extension", key)) if key.contains(':') => {
                Some(Subject::Extension(key.to_owned()))
            }
            Some(_) => None,
        };
        parsed.ok_or_else(|| {
            let detail = detail!(
                "{form:?} 不是以下之一：{FORMS_ZH}",
                "{form:?} is none of {FORMS_EN}"
            );
            Problem::at(Code::InvalidField, param("subject"), detail)
        })
    }

    /// The person, as the event names them. `whole` is the event's own text.
    ///
    /// # Errors
    /// `missing_field`, or `invalid_field` where the field names several or is no text.
    pub(super) fn of(&self, event: &Event<'_>, whole: &str) -> Result<String, Problem> {
        let (field, found) = self.find(event, whole)?;
        let found = found.ok_or_else(|| missing(&field))?;
        let sound = !found.trim().is_empty() && found.len() <= SUBJECT_MAX;
        if !sound || found.chars().any(char::is_control) {
            let detail = detail!(
                "应为 1 至 {SUBJECT_MAX} 字节，不含控制字符",
                "1 to {SUBJECT_MAX} bytes without control characters"
            );
            return Err(invalid(&field, detail));
        }
        Ok(found.into_owned())
    }

    fn find<'a>(
        &self,
        event: &Event<'a>,
        whole: &'a str,
    ) -> Result<(String, Option<Cow<'a, str>>), Problem> {
        let place = |field: &str, raw: Option<&'a RawValue>| {
            let id = raw.map(|raw| member(field, raw, "id")).transpose()?;
            Ok((format!("{field}.id"), id.flatten()))
        };
        let list = |field: &str, raw, list, kind: &str, value| {
            let found = typed(field, raw, list, kind, value)?;
            Ok((format!("{field} of type {kind}"), found))
        };
        match self {
            Subject::ReadPoint => place("readPoint", event.read_point),
            Subject::BizLocation => place("bizLocation", event.biz_location),
            Subject::Parent => Ok(("parentID".to_owned(), text("parentID", event.parent_id)?)),
            Subject::Epc => event.only_epc(),
            Subject::Source(kind) => list("sourceList", event.source_list, &PARTY, kind, "source"),
            Subject::Destination(kind) => list(
                "destinationList",
                event.destination_list,
                &PARTY,
                kind,
                "destination",
            ),
            Subject::Transaction(kind) => list(
                "bizTransactionList",
                event.biz_transaction_list,
                &TRANSACTION,
                kind,
                "bizTransaction",
            ),
            Subject::Ilmd(key) => {
                let field = format!("ilmd.{key}");
                let found = event.ilmd.map(|raw| own(&field, raw.get(), key));
                Ok((field, found.transpose()?.flatten()))
            }
            Subject::Extension(key) => Ok((key.clone(), own(key, whole, key)?)),
        }
    }
}

/// The value of a member of the partner's own: a text, or a number as it is written.
fn own<'a>(field: &str, object: &'a str, key: &str) -> Result<Option<Cow<'a, str>>, Problem> {
    let members: HashMap<Cow<'a, str>, &'a RawValue> =
        serde_json::from_str(object).map_err(|_| invalid(field, an_object()))?;
    let Some(raw) = members.get(key) else {
        return Ok(None);
    };
    match raw.get().as_bytes().first() {
        Some(b'0'..=b'9') => Ok(Some(Cow::Borrowed(raw.get()))),
        _ => text(field, Some(raw)),
    }
}

/// The one entry of a list that has this type.
fn typed<'a>(
    field: &str,
    raw: Option<&'a RawValue>,
    list: &Vocabulary,
    kind: &str,
    value: &str,
) -> Result<Option<Cow<'a, str>>, Problem> {
    let mut found = None;
    for (index, item) in items(field, raw)?.into_iter().enumerate() {
        let entry = format!("{field}/{index}");
        let of = member(&entry, item, "type")?;
        if of.as_deref().and_then(|text| list.word(text)) != Some(kind) {
            continue;
        }
        if found.is_some() {
            return Err(invalid(
                field,
                detail!("类型 {kind} 有两项", "two entries of type {kind}"),
            ));
        }
        found = member(&entry, item, value)?;
    }
    Ok(found)
}
