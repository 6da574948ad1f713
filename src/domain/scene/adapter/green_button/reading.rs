//! One reading of a known meter: what time it covers, what it counts, and its record.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;

use super::entry::{Number, Reading};
use super::local_days::LocalDays;
use super::meter::{Measure, quality};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem, detail};

/// A reading or billing period over more than 400 days is no interval.
pub(super) const DURATION_MAX_S: i64 = 400 * 86_400;

/// What is known of the readings of one block.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// The usage point, as the records name it.
    pub(super) key: String,
    pub(super) measure: Measure,
    /// Seconds of a reading that states no duration.
    pub(super) interval_length: Option<i64>,
    pub(super) days: LocalDays,
    pub(super) stated: Option<DateTime<Utc>>,
}

/// The time a reading covers, in Unix seconds, and what it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    value: Decimal,
}

impl Context {
    /// # Errors
    /// The field of the reading that cannot be used, and the rule it breaks.
    pub(super) fn span(&self, reading: &Reading) -> Result<Span, Problem> {
        let start = whole(reading.start, "timePeriod.start", Code::TimeInvalid)?;
        let seconds = match (reading.duration, self.interval_length) {
            (Number::Absent, Some(length)) => length,
            (duration, _) => whole(duration, "timePeriod.duration", Code::InvalidField)?,
        };
        let end = self
            .days
            .end(start, bounded(seconds, "timePeriod.duration")?);
        let value = whole(reading.value, "value", Code::InvalidField);
        Ok(Span {
            start,
            end,
            from: instant(start, "timePeriod.start")?,
            to: instant(end, "timePeriod.start")?,
            value: self.measure.value(value?)?,
        })
    }

    pub(super) fn record(&self, span: &Span, reading: &Reading) -> Record {
        let name = self.measure.name;
        let source_id = format!("{}/{name}@{}", self.key, stamp(span.from));
        self.write(source_id, (span.from, span.to), span.value, reading.quality)
    }

    /// The record of anything that this meter counted.
    pub(super) fn write(
        &self,
        source_id: String,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        value: Decimal,
        code: Option<u8>,
    ) -> Record {
        let mut attributes = vec![
            (Cow::Borrowed("meter"), self.key.clone()),
            (Cow::Borrowed("evidence"), "meter".to_owned()),
        ];
        if let Some(code) = code {
            // A code that ESPI does not have is not the same as none: nobody vouches for it.
            let word = quality(code).unwrap_or("unknown");
            attributes.push((Cow::Borrowed("quality"), word.to_owned()));
        }
        if let Some(stated) = self.stated {
            attributes.push((Cow::Borrowed("stated_at"), stamp(stated)));
        }
        Record {
            source_id,
            subject: self.key.clone(),
            from,
            to,
            quantities: vec![Quantity {
                name: Cow::Borrowed(self.measure.name),
                value,
                unit: Cow::Borrowed(self.measure.unit),
            }],
            attributes,
            revises: None,
        }
    }
}

/// To the second, so that the text of a later time is the greater.
pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// # Errors
/// `missing_field`, or `code` for a text that is no whole number.
pub(super) fn whole(number: Number, field: &str, code: Code) -> Result<i64, Problem> {
    match number {
        Number::Whole(value) => Ok(value),
        Number::Absent => Err(Problem::on(Code::MissingField, field)),
        Number::Unreadable => Err(Problem::at(
            code,
            field,
            detail!("应为整数", "a whole number is expected"),
        )),
    }
}

/// # Errors
/// `invalid_field`: a duration of nothing, or of more than 400 days.
pub(super) fn bounded(seconds: i64, field: &str) -> Result<i64, Problem> {
    match seconds {
        1..=DURATION_MAX_S => Ok(seconds),
        _ => Err(Problem::at(
            Code::InvalidField,
            field,
            detail!("应为 1 秒至 400 天", "1 s to 400 days"),
        )),
    }
}

/// Instants from 1970 to 9999.
pub(super) fn instant(seconds: i64, field: &str) -> Result<DateTime<Utc>, Problem> {
    DateTime::from_timestamp(seconds, 0)
        .filter(|_| (0..253_402_300_800).contains(&seconds))
        .ok_or_else(|| {
            Problem::at(
                Code::TimeInvalid,
                field,
                detail!("应为 Unix 秒数", "Unix seconds are expected"),
            )
        })
}
