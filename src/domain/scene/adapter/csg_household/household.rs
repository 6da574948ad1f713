//! Whose reads they are, and the records made of them.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::super::local_time::{LocalTime, rfc3339};
use super::super::scalar::Scalar;
use super::calendar::Midnights;
use super::declared::Declared;
use super::document::{Document, Part};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem, detail};

/// Bytes of an identifier.
const ID_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Household {
    pub(super) subject: String,
    pub(super) meter: Option<String>,
    area: Option<String>,
    stated_at: Option<String>,
    midnights: Midnights,
}

impl Household {
    /// # Errors
    /// `missing_field`, `invalid_field`, `time_invalid` at the identifier.
    pub(super) fn of(document: &Document<'_>, declared: &Declared) -> Result<Household, Problem> {
        let of = |name, get: for<'b, 'c> fn(&'b Part<'c>) -> &'b Scalar<'c>| {
            identifier(document, name, get)
        };
        let number = of("eleCustNumber", |asked| &asked.ele_cust_number)?;
        let binding = of("bindingId", |asked| &asked.binding_id)?;
        let internal = of("eleCustId", |asked| &asked.ele_cust_id)?;
        let subject = number.or(binding).or(internal).ok_or_else(|| {
            Problem::at(
                Code::MissingField,
                "eleCustNumber",
                detail!(
                    "也没有 bindingId 或 eleCustId",
                    "nor bindingId or eleCustId"
                ),
            )
        })?;
        Ok(Household {
            subject,
            meter: of("meteringPointId", |asked| &asked.metering_point_id)?,
            area: of("areaCode", |asked| &asked.area_code)?,
            stated_at: stated_at(document, declared.zone)?,
            midnights: Midnights::of(declared.zone),
        })
    }

    /// A read of the days from `first` to `last`, both counted.
    ///
    /// # Errors
    /// `time_invalid`: the zone has no such midnight.
    pub(super) fn record(
        &mut self,
        source_id: String,
        (first, last): (NaiveDate, NaiveDate),
        kwh: Decimal,
        period: &'static str,
    ) -> Result<Record, Problem> {
        let (from, to) = self.midnights.span(first, last).ok_or_else(|| {
            let detail = detail!("该时区没有这个零点", "the zone has no such midnight");
            Problem::at(Code::TimeInvalid, "date", detail)
        })?;
        Ok(Record {
            source_id,
            subject: self.subject.clone(),
            from,
            to,
            quantities: vec![Quantity {
                name: Cow::Borrowed("electricity"),
                value: kwh,
                unit: Cow::Borrowed("kWh"),
            }],
            attributes: self.attributes(period),
            revises: None,
        })
    }

    fn attributes(&self, period: &'static str) -> Vec<(Cow<'static, str>, String)> {
        let mut attributes = vec![
            (Cow::Borrowed("evidence"), "meter".to_owned()),
            (Cow::Borrowed("period"), period.to_owned()),
        ];
        let known = [
            ("meter", &self.meter),
            ("area_code", &self.area),
            ("stated_at", &self.stated_at),
        ];
        for (name, value) in known {
            if let Some(value) = value {
                attributes.push((Cow::Borrowed(name), value.clone()));
            }
        }
        attributes
    }
}

/// One identifier, wherever in the document it stands; what stands twice must be one.
fn identifier(
    document: &Document<'_>,
    name: &'static str,
    get: for<'b, 'c> fn(&'b Part<'c>) -> &'b Scalar<'c>,
) -> Result<Option<String>, Problem> {
    let mut stated = document.asked().map(get).filter(|it| !it.is_blank());
    let Some(first) = stated.next() else {
        return Ok(None);
    };
    if stated.any(|other| other.text() != first.text()) {
        let detail = detail!("请求与应答不一致", "request and answer differ");
        return Err(Problem::at(Code::InvalidField, name, detail));
    }
    let text = first.text();
    if text.len() > ID_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = detail!(
            "应为 1 至 {ID_MAX} 个可见字符",
            "1 to {ID_MAX} visible characters"
        );
        return Err(Problem::at(Code::InvalidField, name, detail));
    }
    Ok(Some(text.to_owned()))
}

/// When the service was asked: with an offset, or on the clock of the zone; to the second, so that
/// statements can be put in order by their text.
fn stated_at(document: &Document<'_>, zone: Tz) -> Result<Option<String>, Problem> {
    let Some(text) = first_stated(document) else {
        return Ok(None);
    };
    let instant: Option<DateTime<Utc>> = match rfc3339(&text) {
        Some(time) => Some(time.to_utc()),
        None => LocalTime::parse(&text)
            .and_then(|time| time.instants(zone).into_iter().flatten().next()),
    };
    let instant = instant.ok_or_else(|| {
        Problem::at(
            Code::TimeInvalid,
            "stated_at",
            detail!("不是日期时间", "not a date and time"),
        )
    })?;
    Ok(Some(instant.to_rfc3339_opts(SecondsFormat::Secs, true)))
}

fn first_stated(document: &Document<'_>) -> Option<String> {
    let mut stated = document.asked().map(|asked| &asked.stated_at);
    let found = stated.find(|text| !text.is_blank())?;
    Some(found.text().to_owned())
}
