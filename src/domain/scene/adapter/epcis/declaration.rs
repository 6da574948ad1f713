//! The error declaration: the standard's way to take a statement back.
//!
//! An event is never changed. To say that it is wrong it is stated again, the same in every field
//! but `recordTime`, with an `errorDeclaration` and under the same `eventID` (or with none, if it
//! had none). `correctiveEventIDs` name the events that replace it; these are ordinary events with
//! ids of their own, and are read as such.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json_text::object;
use super::event::is_event_id;
use super::fields::{an_object, instant, invalid, items, missing, text, word};
use super::identity::{named, of_declaration};
use super::vocabulary::ERROR_REASON;
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

/// Bytes of an attribute's value.
const VALUE_MAX: usize = 256;

/// The statement that an earlier event is in error.
pub(super) struct Declaration {
    at: DateTime<Utc>,
    reason: Option<String>,
    correctives: Vec<String>,
}

#[derive(Deserialize)]
struct RawDeclaration<'a> {
    #[serde(borrow, default, rename = "declarationTime")]
    time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reason: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "correctiveEventIDs")]
    correctives: Option<&'a RawValue>,
}

impl Declaration {
    pub(super) fn read(
        raw: &RawValue,
        happened: DateTime<Utc>,
        id: &str,
    ) -> Result<Declaration, Problem> {
        const TIME: &str = "errorDeclaration.declarationTime";
        const CORRECTIVES: &str = "errorDeclaration.correctiveEventIDs";
        let raw: RawDeclaration<'_> =
            object(raw.get()).map_err(|_| invalid("errorDeclaration", an_object()))?;
        let at = instant(TIME, raw.time)?.ok_or_else(|| missing(TIME))?;
        if at < happened {
            let rule = detail!(
                "早于 eventTime：事件陈述之后才能声明它有误",
                "before eventTime: an event is declared in error after it was stated"
            );
            return Err(Problem::at(Code::TimeInvalid, TIME, rule));
        }
        let mut correctives = Vec::new();
        for raw in items(CORRECTIVES, raw.correctives)? {
            let corrective = text(CORRECTIVES, Some(raw))?.unwrap_or_default();
            if !is_event_id(&corrective) {
                return Err(invalid(
                    CORRECTIVES,
                    detail!("事件标识应为 URI", "event ids are URIs"),
                ));
            }
            let corrective = named(&corrective);
            if corrective == id {
                return Err(invalid(
                    CORRECTIVES,
                    detail!("事件不能更正它自己", "an event does not correct itself"),
                ));
            }
            correctives.push(corrective);
        }
        Ok(Declaration {
            at,
            reason: word("errorDeclaration.reason", raw.reason, &ERROR_REASON)?,
            correctives,
        })
    }

    /// Makes the repeated event the cancellation of the first.
    pub(super) fn apply(self, record: &mut Record) {
        let id = of_declaration(&record.source_id, self.at);
        record.revises = Some(std::mem::replace(&mut record.source_id, id));
        record.attributes.push((
            Cow::Borrowed("stated_at"),
            self.at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        ));
        if let Some(reason) = self.reason {
            record
                .attributes
                .push((Cow::Borrowed("error_reason"), reason));
        }
        let correctives = self.correctives.join(" ");
        if !correctives.is_empty() && correctives.len() <= VALUE_MAX {
            record
                .attributes
                .push((Cow::Borrowed("corrected_by"), correctives));
        }
    }
}
