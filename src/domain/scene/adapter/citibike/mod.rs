//! `citibike-csv`: trip history as Citi Bike published it from 2013 to January 2021, one trip a
//! row, in either spelling of its header (`Trip Duration`, `tripduration`), quoted or not.
//!
//! The file has no rider, so the subject is the bike (`bike:<Bike ID>`); no offset, so times are
//! read in the scene's zone; and no distance, so it is the great circle between the two stations,
//! in whole millimetres. See `docs/adapters/citibike-csv.md`.

use std::borrow::Cow;
use std::io::BufRead;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::encoding::Decoded;
use super::great_circle::{self, CITY_TRIP_MAX_MM, Datum, Point};
use super::lines::{Fields, Lines, Rows};
use super::local_time::LocalTime;
use super::{Adapter, Options, Outcome, Place, Seen, no_settings, refused};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// The columns, as the header names them once case, spaces and underscores are taken out.
#[derive(Debug, Clone, Copy)]
enum Column {
    Duration,
    Start,
    Stop,
    FromStation,
    FromLatitude,
    FromLongitude,
    ToStation,
    ToLatitude,
    ToLongitude,
    Bike,
    UserType,
}

const COLUMNS: [(Column, &str, &str); 11] = [
    (Column::Duration, "tripduration", "Trip Duration"),
    (Column::Start, "starttime", "Start Time"),
    (Column::Stop, "stoptime", "Stop Time"),
    (Column::FromStation, "startstationid", "Start Station ID"),
    (
        Column::FromLatitude,
        "startstationlatitude",
        "Start Station Latitude",
    ),
    (
        Column::FromLongitude,
        "startstationlongitude",
        "Start Station Longitude",
    ),
    (Column::ToStation, "endstationid", "End Station ID"),
    (
        Column::ToLatitude,
        "endstationlatitude",
        "End Station Latitude",
    ),
    (
        Column::ToLongitude,
        "endstationlongitude",
        "End Station Longitude",
    ),
    (Column::Bike, "bikeid", "Bike ID"),
    (Column::UserType, "usertype", "User Type"),
];

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "citibike-csv",
    default_zone: chrono_tz::America::New_York,
    derived: &[("distance", 3)],
    check: no_settings,
    read,
};

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let zone = options.zone.unwrap_or(chrono_tz::America::New_York);
    let (mut rows, header) = Rows::below(Lines::new(Decoded::new(source)), Header::of)?;
    while let Some((number, fields)) = rows.next()? {
        let record = fields.and_then(|fields| {
            let header = &header;
            Row { header, fields }.trip(zone)
        });
        sink(match record {
            Ok(record) => Outcome::Record(Place::Line(number), record),
            Err(problem) => refused(Place::Line(number), problem),
        });
    }
    Ok(Seen::default())
}

/// Where each column stands.
struct Header {
    at: [usize; COLUMNS.len()],
}

impl Header {
    fn of(fields: &Fields) -> Result<Header, Problem> {
        let names: Vec<String> = fields.iter().map(plain).collect();
        let mut at = [0; COLUMNS.len()];
        for (slot, (_, name, title)) in at.iter_mut().zip(COLUMNS) {
            let mut places = (0..).zip(&names).filter(|(_, known)| *known == name);
            *slot = match (places.next(), places.next()) {
                (Some((place, _)), None) => place,
                (None, _) => {
                    return Err(absent(detail!("缺少列 {title:?}", "no column {title:?}")));
                }
                (Some(_), Some(_)) => {
                    return Err(absent(detail!(
                        "列 {title:?} 重复出现",
                        "column {title:?} stands twice"
                    )));
                }
            };
        }
        Ok(Header { at })
    }
}

fn absent(detail: Detail) -> Problem {
    Problem::at(Code::FormatMismatch, "line 1", detail)
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, ' ' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The instants that a local time can mean.
type Instants = [Option<DateTime<Utc>>; 2];

struct Row<'a> {
    header: &'a Header,
    fields: &'a Fields,
}

impl Row<'_> {
    fn trip(&self, zone: Tz) -> Result<Record, Problem> {
        let bike = self.identifier(Column::Bike)?;
        let (from, to) = self.times(zone)?;
        let from_station = self.identifier(Column::FromStation)?;
        let to_station = self.identifier(Column::ToStation)?;
        Ok(Record {
            source_id: format!(
                "{bike}@{}",
                from.to_rfc3339_opts(SecondsFormat::AutoSi, true)
            ),
            subject: format!("bike:{bike}"),
            from,
            to,
            quantities: vec![self.distance()?],
            attributes: vec![
                (Cow::Borrowed("mode"), "shared_bike".to_owned()),
                (Cow::Borrowed("vehicle"), bike.to_owned()),
                (Cow::Borrowed("from_station"), from_station.to_owned()),
                (Cow::Borrowed("to_station"), to_station.to_owned()),
                (
                    Cow::Borrowed("user_type"),
                    self.bounded(Column::UserType)?.to_owned(),
                ),
            ],
            revises: None,
        })
    }

    /// Start and stop, read so that they agree with the published duration: it tells the two
    /// instants of a doubled hour apart. Where both fit, the earlier is meant.
    fn times(&self, zone: Tz) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
        let duration = self.duration()?;
        let (start, starts) = self.instants(Column::Start, zone)?;
        let (stop, stops) = self.instants(Column::Stop, zone)?;
        let minutes = start.to_the_minute || stop.to_the_minute;
        // Start, stop and duration are each cut to whole seconds, so stop less start may be one
        // second more than the duration; times to the minute are up to a minute off either way.
        let slack_ms = if minutes { -60_000..=60_000 } else { 0..=1_000 };
        for from in starts.into_iter().flatten() {
            for to in stops.into_iter().flatten() {
                let over = (to - from).num_milliseconds() - duration * 1_000;
                if to >= from && slack_ms.contains(&over) {
                    return Ok((from, to));
                }
            }
        }
        Err(self.problem(
            Code::DurationMismatch,
            Column::Duration,
            detail!(
                "{} 至 {} 在时区 {zone} 不是 {duration} s",
                "{} to {} is not {duration} s in {zone}",
                start.time,
                stop.time
            ),
        ))
    }

    fn duration(&self) -> Result<i64, Problem> {
        let text = self.required(Column::Duration)?;
        text.parse()
            .ok()
            .filter(|seconds| (0..=i64::from(u32::MAX)).contains(seconds))
            .ok_or_else(|| {
                self.problem(
                    Code::InvalidField,
                    Column::Duration,
                    detail!("应为整秒数", "whole seconds are expected"),
                )
            })
    }

    fn instants(&self, column: Column, zone: Tz) -> Result<(LocalTime, Instants), Problem> {
        let text = self.required(column)?;
        let time = LocalTime::parse(text).ok_or_else(|| {
            self.problem(
                Code::TimeInvalid,
                column,
                detail!("不是日期时间", "not a date and time"),
            )
        })?;
        let instants = time.instants(zone);
        if instants == [None, None] {
            let detail = detail!(
                "时区 {zone} 没有这个时间：时钟跳过了它",
                "no such time in {zone}: the clocks skipped it"
            );
            return Err(self.problem(Code::TimeInvalid, column, detail));
        }
        Ok((time, instants))
    }

    fn distance(&self) -> Result<Quantity, Problem> {
        let from = self.point(Column::FromLatitude, Column::FromLongitude)?;
        let to = self.point(Column::ToLatitude, Column::ToLongitude)?;
        let millimetres = great_circle::millimetres(from, to);
        if millimetres > CITY_TRIP_MAX_MM {
            return Err(self.problem(
                Code::QuantityOutOfRange,
                Column::ToLatitude,
                detail!(
                    "两站相距超过 200 km",
                    "the stations are more than 200 km apart"
                ),
            ));
        }
        Ok(great_circle::distance(millimetres))
    }

    fn point(&self, latitude: Column, longitude: Column) -> Result<Point, Problem> {
        let (north, east) = (self.required(latitude)?, self.required(longitude)?);
        Point::parse(north, east, Datum::Wgs84).ok_or_else(|| {
            self.problem(
                Code::InvalidField,
                latitude,
                detail!("不是以度表示的点", "not a point in degrees"),
            )
        })
    }

    /// A station or bike number: short and without spaces, so that it can be part of an id.
    fn identifier(&self, column: Column) -> Result<&str, Problem> {
        let text = self.required(column)?;
        if text.len() > 32 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(self.problem(
                Code::InvalidField,
                column,
                detail!("不是标识符", "not an identifier"),
            ));
        }
        Ok(text)
    }

    fn bounded(&self, column: Column) -> Result<&str, Problem> {
        let text = self.get(column);
        if text.len() > 64 || text.chars().any(char::is_control) {
            return Err(self.problem(
                Code::InvalidField,
                column,
                detail!("超过 64 字节", "longer than 64 bytes"),
            ));
        }
        Ok(text)
    }

    fn required(&self, column: Column) -> Result<&str, Problem> {
        match self.get(column) {
            "" | "NULL" | "\\N" => Err(self.problem(Code::MissingField, column, Detail::default())),
            text => Ok(text),
        }
    }

    fn get(&self, column: Column) -> &str {
        let at = self.header.at.get(column as usize);
        at.map_or("", |at| self.fields.get(*at))
    }

    fn problem(&self, code: Code, column: Column, detail: Detail) -> Problem {
        let title = COLUMNS
            .get(column as usize)
            .map_or("", |(_, _, title)| title);
        Problem::at(code, title, detail)
    }
}

#[cfg(test)]
mod tests;
