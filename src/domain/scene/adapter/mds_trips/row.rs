//! One trip as the document writes it: the members that mean something here, each by its own
//! text, so that no number passes through binary floating point.

use std::fmt;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::super::great_circle::{Datum, Point};
use super::super::json_text::{Text, object};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// The members that are read, in the order of [`NAMES`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    Provider,
    Device,
    Trip,
    Start,
    End,
    StartLocation,
    EndLocation,
    Duration,
    Distance,
    TripType,
    Journey,
    Publication,
    VehicleType,
    Propulsion,
}

const NAMES: [&str; 14] = [
    "provider_id",
    "device_id",
    "trip_id",
    "start_time",
    "end_time",
    "start_location",
    "end_location",
    "duration",
    "distance",
    "trip_type",
    "journey_id",
    "publication_time",
    "vehicle_type",
    "propulsion_types",
];

/// The least timestamp of the standard (`minimum` of its data type): 2018-01-01T00:00:00Z.
const TIME_MIN_MS: i64 = 1_514_764_800_000;
/// The year 10000.
const TIME_END_MS: i64 = 253_402_300_800_000;
/// Words of one list; the longest that the standard has is of eight.
const WORDS_MAX: usize = 8;

impl Field {
    pub(super) fn name(self) -> &'static str {
        NAMES.get(self as usize).copied().unwrap_or_default()
    }

    pub(super) fn problem(self, code: Code, detail: Detail) -> Problem {
        Problem::at(code, self.name(), detail)
    }

    pub(super) fn missing(self) -> Problem {
        self.problem(Code::MissingField, Detail::default())
    }
}

/// A trip's members; `null` and absent are the same.
#[derive(Default)]
pub(super) struct Row<'a> {
    values: [Option<&'a RawValue>; NAMES.len()],
    subject: Option<&'a RawValue>,
}

impl<'a> Row<'a> {
    /// `subject` is the member that the scene names as the rider.
    ///
    /// # Errors
    /// No JSON object, or a member that stands twice.
    pub(super) fn parse(text: &'a str, subject: Option<&str>) -> serde_json::Result<Row<'a>> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let row = Members { subject }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(row)
    }

    fn get(&self, field: Field) -> Option<&'a str> {
        let value = self.values.get(field as usize).copied().flatten();
        value.map(RawValue::get)
    }

    fn required(&self, field: Field) -> Result<&'a str, Problem> {
        self.get(field).ok_or_else(|| field.missing())
    }

    /// The rider, as the member that the scene names writes it.
    pub(super) fn subject(&self) -> Option<&'a str> {
        self.subject.map(RawValue::get)
    }

    /// A UUID in any case, written in the lower case that the standard asks for: so a provider
    /// that changes its mind does not make one trip two.
    pub(super) fn uuid(&self, field: Field) -> Result<Uuid, Problem> {
        let text = text(self.required(field)?);
        text.filter(|text| text.as_str().len() == 36)
            .and_then(|text| Uuid::try_parse(text.as_str()).ok())
            .filter(|uuid| !uuid.is_nil())
            .ok_or_else(|| {
                field.problem(
                    Code::InvalidField,
                    detail!("应为 UUID", "a UUID is expected"),
                )
            })
    }

    pub(super) fn optional_uuid(&self, field: Field) -> Result<Option<Uuid>, Problem> {
        match self.get(field) {
            None => Ok(None),
            Some(_) => self.uuid(field).map(Some),
        }
    }

    /// A whole number that is not negative.
    pub(super) fn whole(&self, field: Field) -> Result<i64, Problem> {
        let text = self.required(field)?;
        let value = whole(text).ok_or_else(|| {
            field.problem(
                Code::InvalidField,
                detail!("应为整数", "a whole number is expected"),
            )
        })?;
        if value < 0 {
            return Err(field.problem(Code::QuantityOutOfRange, detail!("为负数", "negative")));
        }
        Ok(value)
    }

    /// Milliseconds since 1970.
    pub(super) fn instant(&self, field: Field) -> Result<DateTime<Utc>, Problem> {
        let wrong = |detail| field.problem(Code::TimeInvalid, detail);
        let value = whole(self.required(field)?).ok_or_else(|| {
            wrong(detail!(
                "应为自 1970 年起的整毫秒数",
                "whole milliseconds since 1970 are expected"
            ))
        })?;
        if (TIME_MIN_MS / 1_000..TIME_END_MS / 1_000).contains(&value) {
            return Err(wrong(detail!(
                "像是秒数，或早于 2018 年：应以毫秒计",
                "seconds or a time before 2018: milliseconds are expected"
            )));
        }
        if !(TIME_MIN_MS..TIME_END_MS).contains(&value) {
            return Err(wrong(detail!(
                "按自 1970 年起的毫秒数，不在 2018 至 9999 年之间",
                "not between 2018 and 9999 in milliseconds since 1970"
            )));
        }
        DateTime::from_timestamp_millis(value)
            .ok_or_else(|| wrong(detail!("没有这个时间", "no such time")))
    }

    pub(super) fn optional_instant(&self, field: Field) -> Result<Option<DateTime<Utc>>, Problem> {
        match self.get(field) {
            None => Ok(None),
            Some(_) => self.instant(field).map(Some),
        }
    }

    /// A `gps` object of the standard: `lat` and `lng` in degrees of WGS 84.
    pub(super) fn point(&self, field: Field) -> Result<Point, Problem> {
        object::<Gps<'_>>(self.required(field)?)
            .ok()
            .and_then(|gps| {
                let (north, east) = (plain(gps.lat.get())?, plain(gps.lng.get())?);
                Point::parse(&north, &east, Datum::Wgs84)
            })
            .ok_or_else(|| {
                field.problem(
                    Code::InvalidField,
                    detail!(
                        "应为以度表示的 lat 和 lng",
                        "lat and lng in degrees are expected"
                    ),
                )
            })
    }

    /// One word or a list of words: the standard's prose has the one, its schema the other.
    pub(super) fn words(&self, field: Field) -> Result<Vec<Text<'a>>, Problem> {
        let Some(json) = self.get(field) else {
            return Ok(Vec::new());
        };
        let words = match json.starts_with('[') {
            true => serde_json::from_str(json).ok(),
            false => text(json).map(|word| vec![word]),
        };
        words
            .filter(|words: &Vec<Text<'a>>| words.len() <= WORDS_MAX)
            .ok_or_else(|| {
                field.problem(
                    Code::InvalidField,
                    detail!("应为一个词或词的列表", "a word or a list of words"),
                )
            })
    }
}

pub(super) fn text(json: &str) -> Option<Text<'_>> {
    serde_json::from_str(json).ok()
}

/// A whole number in any spelling that JSON has for it: `60`, `60.0`, `6e1`.
fn whole(json: &str) -> Option<i64> {
    if let Ok(plain) = json.parse() {
        return Some(plain);
    }
    decimal(json)
        .filter(Decimal::is_integer)
        .and_then(|value| value.to_i64())
}

fn decimal(json: &str) -> Option<Decimal> {
    Decimal::from_str_exact(json)
        .or_else(|_| Decimal::from_scientific(json))
        .ok()
}

/// Degrees without an exponent, which a small number may be written with.
fn plain(json: &str) -> Option<String> {
    match json.contains(['e', 'E']) {
        true => decimal(json).map(|degrees| degrees.to_string()),
        false => Some(json.to_owned()),
    }
}

#[derive(Deserialize)]
struct Gps<'a> {
    #[serde(borrow)]
    lat: &'a RawValue,
    #[serde(borrow)]
    lng: &'a RawValue,
}

struct Members<'s> {
    subject: Option<&'s str>,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Row<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trip")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
        let mut row = Row::default();
        let (mut seen, mut subject_seen) = ([false; NAMES.len()], false);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let key = key.as_str();
            let known = NAMES.iter().position(|name| *name == key);
            let is_subject = self.subject == Some(key);
            if known.is_none() && !is_subject {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value::<&'de RawValue>()?;
            let value = (value.get() != "null").then_some(value);
            if is_subject {
                if std::mem::replace(&mut subject_seen, true) {
                    return Err(A::Error::custom(format_args!("{key} stands twice")));
                }
                row.subject = value;
            }
            if let Some(at) = known
                && let (Some(slot), Some(seen)) = (row.values.get_mut(at), seen.get_mut(at))
            {
                if std::mem::replace(seen, true) {
                    return Err(A::Error::custom(format_args!("{key} stands twice")));
                }
                *slot = value;
            }
        }
        Ok(row)
    }
}
