//! What makes a trip of the feed a record, and what refuses it.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};

use super::super::great_circle;
use super::super::json_records::Fault;
use super::super::json_text::Text;
use super::super::settings::{Settings, param};
use super::super::speed::{self, SpeedLimit};
use super::row::{Field, Row, text};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// The standard's own definition: a user in control of a vehicle for 60 seconds or more.
const DURATION_MIN_S: i64 = 60;
/// Shorter trips are taken for phantoms unless the scene says otherwise. The standard names no
/// number; this is the 0.1 mile below which the City of Austin counts no trip of its providers
/// (atd-dts.gitbook.io/wiki/developer/dockless-mobility), in whole metres, rounded up.
const DISTANCE_MIN_M: i64 = 161;
/// As for every feed of city trips: no trip is longer.
const DISTANCE_MAX_M: i64 = 200_000;
/// A trip may be this much shorter than the straight line: two bad fixes of 100 m each.
const STRAIGHT_SLACK_MM: i64 = 200_000;
/// Start and end are whole milliseconds and the duration whole seconds, rounded either way.
const DURATION_SLACK_MS: i64 = 1_000;
/// Bytes of a subject or a mode.
const TEXT_MAX: usize = 128;

/// Trip types, and whether a customer travels. All of the schema's enumerations and of the prose;
/// `reservation` is the way to a customer, "with no passengers in the vehicle" (modes
/// passenger-services and car-share, trip type).
const TRIP_TYPES: &[(&str, bool)] = &[
    // Micromobility.
    ("rider", true),
    ("rebalance", false),
    ("maintenance", false),
    // Car share and passenger services.
    ("private", true),
    ("shared", true),
    ("reservation", false),
    ("empty", false),
    // Delivery robots.
    ("delivery", false),
    ("return", false),
    ("advertising", false),
    ("mapping", false),
    ("roaming", false),
];

/// What the scene declares.
pub(super) struct Rules {
    subject_field: Option<String>,
    mode: Option<String>,
    limit: Option<SpeedLimit>,
    distance_min_m: i64,
    round_trips: bool,
}

/// The times of a trip that agree with each other.
struct Span {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Rules {
    pub(super) fn of(settings: &Settings) -> Result<Rules, Problem> {
        settings.only(&[
            "subject_field",
            "mode",
            speed::KEY,
            "min_distance_m",
            "round_trips",
        ])?;
        let rounds = [("refuse", false), ("accept", true)];
        Ok(Rules {
            subject_field: name(settings, "subject_field")?,
            mode: name(settings, "mode")?,
            limit: SpeedLimit::declared(settings)?,
            distance_min_m: settings
                .whole("min_distance_m", 1..=DISTANCE_MAX_M)?
                .unwrap_or(DISTANCE_MIN_M),
            round_trips: settings.choice("round_trips", &rounds)?.unwrap_or(false),
        })
    }

    pub(super) fn trip(&self, json: &str) -> Result<Record, Fault> {
        let row = Row::parse(json, self.subject_field.as_deref())?;
        Ok(self.record(&row)?)
    }

    fn record(&self, row: &Row<'_>) -> Result<Record, Problem> {
        let provider = row.uuid(Field::Provider)?;
        let trip = row.uuid(Field::Trip)?;
        let device = row.uuid(Field::Device)?;
        let trip_type = trip_type(row)?;
        let span = span(row)?;
        let mode = self.mode(row)?;
        let metres = self.distance(row, &span, mode.as_deref())?;
        let vehicle = format!("vehicle:{device}");
        let mut attributes = vec![
            (Cow::Borrowed("vehicle"), device.to_string()),
            (Cow::Borrowed("evidence"), "platform".to_owned()),
        ];
        let mut add = |name, value: Option<String>| {
            attributes.extend(value.map(|value| (Cow::Borrowed(name), value)));
        };
        add("mode", mode);
        add("trip_type", trip_type);
        let journey = row.optional_uuid(Field::Journey)?;
        add("journey", journey.map(|journey| journey.to_string()));
        let published = row.optional_instant(Field::Publication)?;
        add("stated_at", published.map(stamp));
        Ok(Record {
            source_id: format!("{provider}/{trip}"),
            subject: self.subject(row)?.unwrap_or(vehicle),
            from: span.from,
            to: span.to,
            quantities: vec![great_circle::distance(metres * 1_000)],
            attributes,
            revises: None,
        })
    }

    /// The rider that the operator joined in; none where the scene names no field.
    fn subject(&self, row: &Row<'_>) -> Result<Option<String>, Problem> {
        let Some(field) = &self.subject_field else {
            return Ok(None);
        };
        let Some(json) = row.subject() else {
            return Err(Problem::on(Code::MissingField, field.clone()));
        };
        let digits = json.bytes().all(|byte| byte.is_ascii_digit());
        let subject = match text(json) {
            Some(text) => text.as_str().trim().to_owned(),
            None if digits => json.to_owned(),
            None => String::new(),
        };
        if subject.is_empty() || subject.len() > TEXT_MAX || subject.chars().any(char::is_control) {
            let detail = detail!(
                "应为 1 至 {TEXT_MAX} 字节的字符串，或整数",
                "a string of 1 to {TEXT_MAX} bytes, or a whole number"
            );
            return Err(Problem::at(Code::InvalidField, field.clone(), detail));
        }
        Ok(Some(subject))
    }

    /// As the scene declares it, or from what the operator joins in from `/vehicles`.
    fn mode(&self, row: &Row<'_>) -> Result<Option<String>, Problem> {
        if self.mode.is_some() {
            return Ok(self.mode.clone());
        }
        let vehicle = row.words(Field::VehicleType)?;
        let drive = drive(&row.words(Field::Propulsion)?);
        let mode = match (vehicle.first().map(|kind| kind.as_str()), drive) {
            (Some("bicycle" | "cargo_bicycle"), Some(Drive::Human)) => "shared_bike",
            (Some("bicycle" | "cargo_bicycle"), Some(Drive::Electric)) => "shared_ebike",
            (Some("scooter" | "scooter_standing" | "scooter_seated"), Some(_)) => "shared_scooter",
            _ => return Ok(None),
        };
        Ok(Some(mode.to_owned()))
    }

    /// Metres, where start, end, time and mode leave them possible.
    fn distance(&self, row: &Row<'_>, span: &Span, mode: Option<&str>) -> Result<i64, Problem> {
        let field = Field::Distance;
        let out = |detail: Detail| field.problem(Code::QuantityOutOfRange, detail);
        let start = row.point(Field::StartLocation)?;
        let end = row.point(Field::EndLocation)?;
        let metres = row.whole(field)?;
        if metres < self.distance_min_m {
            return Err(out(detail!(
                "不足 {} m：视为无效行程",
                "under {} m: a phantom",
                self.distance_min_m
            )));
        }
        if metres > DISTANCE_MAX_M {
            return Err(out(detail!("超过 200 km", "more than 200 km")));
        }
        if start == end && !self.round_trips {
            let detail = detail!(
                "与 start_location 是同一点：视为无效行程",
                "the very point of start_location: a phantom"
            );
            return Err(Field::EndLocation.problem(Code::InvalidField, detail));
        }
        if great_circle::millimetres(start, end) > metres * 1_000 + STRAIGHT_SLACK_MM {
            let detail = detail!(
                "短于直线距离；应以米计",
                "shorter than the straight line; metres are expected"
            );
            return Err(out(detail));
        }
        let limit = self
            .limit
            .unwrap_or_else(|| SpeedLimit::of_mode(mode.unwrap_or_default()));
        let milliseconds = (span.to - span.from).num_milliseconds();
        if limit.exceeded(metres * 1_000, milliseconds) {
            return Err(out(detail!(
                "平均速度超过 {}",
                "faster than {} on average",
                limit.text()
            )));
        }
        Ok(metres)
    }
}

/// What moves a vehicle that burns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drive {
    Human,
    Electric,
}

/// `None` where nothing is stated, or a motor that burns something.
fn drive(propulsion: &[Text<'_>]) -> Option<Drive> {
    let kinds = propulsion.iter().map(|kind| match kind.as_str() {
        "human" => Some(Drive::Human),
        "electric" | "electric_assist" => Some(Drive::Electric),
        _ => None,
    });
    let kinds = kinds.collect::<Option<Vec<_>>>()?;
    match kinds.contains(&Drive::Electric) {
        true => Some(Drive::Electric),
        false => kinds.first().copied(),
    }
}

/// The trip's type, if it has one and a customer travels.
fn trip_type(row: &Row<'_>) -> Result<Option<String>, Problem> {
    let field = Field::TripType;
    let words = row.words(field)?;
    for word in &words {
        let word = word.as_str();
        match TRIP_TYPES.iter().find(|(known, _)| *known == word) {
            Some((_, true)) => {}
            Some((_, false)) => {
                let detail = detail!("{word}：不是用户出行", "{word}: no customer travels");
                return Err(field.problem(Code::Ineligible, detail));
            }
            None => {
                let detail = detail!("不是标准中的行程类型", "not a trip type of the standard");
                return Err(field.problem(Code::InvalidField, detail));
            }
        }
    }
    match words.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.as_str().to_owned())),
        _ => Err(field.problem(
            Code::InvalidField,
            detail!("行程类型不止一个", "more than one trip type"),
        )),
    }
}

fn span(row: &Row<'_>) -> Result<Span, Problem> {
    let (from, to) = (row.instant(Field::Start)?, row.instant(Field::End)?);
    let duration = row.whole(Field::Duration)?;
    if to < from {
        return Err(Field::End.problem(
            Code::InvalidField,
            detail!("早于 start_time", "before start_time"),
        ));
    }
    let milliseconds = (to - from).num_milliseconds();
    let over = duration.saturating_mul(1_000).saturating_sub(milliseconds);
    if !(-DURATION_SLACK_MS..=DURATION_SLACK_MS).contains(&over) {
        let detail = detail!(
            "end_time 减 start_time 为 {milliseconds} ms",
            "end_time less start_time is {milliseconds} ms"
        );
        return Err(Field::Duration.problem(Code::DurationMismatch, detail));
    }
    if duration < DURATION_MIN_S {
        let detail = detail!(
            "不足 {DURATION_MIN_S} s：视为无效行程",
            "under {DURATION_MIN_S} s: a phantom"
        );
        return Err(Field::Duration.problem(Code::QuantityOutOfRange, detail));
    }
    Ok(Span { from, to })
}

/// Statements are compared as texts, so all of them have the feed's milliseconds.
fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn name(settings: &Settings, key: &str) -> Result<Option<String>, Problem> {
    match settings.text(key)? {
        Some(text) if text.len() > TEXT_MAX || text.chars().any(char::is_control) => {
            let detail = detail!(
                "须为 1 至 {TEXT_MAX} 字节，不含控制字符",
                "1 to {TEXT_MAX} bytes without control characters"
            );
            Err(Problem::at(Code::InvalidField, param(key), detail))
        }
        text => Ok(text.map(str::to_owned)),
    }
}
