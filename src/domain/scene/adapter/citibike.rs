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
use super::lines::{Fields, Lines};
use super::local_time::LocalTime;
use super::{Adapter, Options, Outcome, Place, Seen, no_settings, refused};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem};

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
    let mut lines = Lines::new(Decoded::new(source));
    let mut fields = Fields::default();
    let header = Header::read(&mut lines, &mut fields)?;
    while let Some((number, line)) = lines.next()? {
        let split = fields.split(line).and_then(|()| header.fits(&fields));
        if let Err(problem) = split {
            if lines.torn() {
                return Err(truncated(number));
            }
            sink(refused(Place::Line(number), problem));
            continue;
        }
        let row = Row {
            header: &header,
            fields: &fields,
        };
        sink(match row.trip(zone) {
            Ok(record) => Outcome::Record(Place::Line(number), record),
            Err(problem) => refused(Place::Line(number), problem),
        });
    }
    Ok(Seen::default())
}

fn truncated(line: u64) -> Problem {
    Problem::at(
        Code::FileTruncated,
        format!("line {line}"),
        "the last line has no end and not all its columns",
    )
}

/// Where each column stands.
struct Header {
    at: [usize; COLUMNS.len()],
    width: usize,
}

impl Header {
    fn read<R: BufRead>(lines: &mut Lines<R>, fields: &mut Fields) -> Result<Header, Problem> {
        let (_, line) = lines
            .next()?
            .ok_or_else(|| Problem::at(Code::FormatMismatch, "line 1", "the file is empty"))?;
        fields
            .split(line)
            .map_err(|_| Problem::at(Code::FormatMismatch, "line 1", "no header"))?;
        let names: Vec<String> = fields.iter().map(plain).collect();
        let mut at = [0; COLUMNS.len()];
        for (slot, (_, name, title)) in at.iter_mut().zip(COLUMNS) {
            *slot = names
                .iter()
                .position(|known| known == name)
                .ok_or_else(|| {
                    Problem::at(
                        Code::FormatMismatch,
                        "line 1",
                        format!("no column {title:?}"),
                    )
                })?;
        }
        Ok(Header {
            at,
            width: names.len(),
        })
    }

    fn fits(&self, fields: &Fields) -> Result<(), Problem> {
        if fields.len() == self.width {
            return Ok(());
        }
        Err(Problem {
            code: Code::RowMalformed,
            param: None,
            detail: format!(
                "{} columns where the header has {}",
                fields.len(),
                self.width
            ),
        })
    }
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
            format!(
                "{} to {} is not {duration} s in {zone}",
                start.time, stop.time
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
                    "whole seconds are expected",
                )
            })
    }

    fn instants(&self, column: Column, zone: Tz) -> Result<(LocalTime, Instants), Problem> {
        let text = self.required(column)?;
        let time = LocalTime::parse(text)
            .ok_or_else(|| self.problem(Code::TimeInvalid, column, "not a date and time"))?;
        let instants = time.instants(zone);
        if instants == [None, None] {
            let detail = format!("no such time in {zone}: the clocks skipped it");
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
                "the stations are more than 200 km apart",
            ));
        }
        Ok(great_circle::distance(millimetres))
    }

    fn point(&self, latitude: Column, longitude: Column) -> Result<Point, Problem> {
        let (north, east) = (self.required(latitude)?, self.required(longitude)?);
        Point::parse(north, east, Datum::Wgs84)
            .ok_or_else(|| self.problem(Code::InvalidField, latitude, "not a point in degrees"))
    }

    /// A station or bike number: short and without spaces, so that it can be part of an id.
    fn identifier(&self, column: Column) -> Result<&str, Problem> {
        let text = self.required(column)?;
        if text.len() > 32 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(self.problem(Code::InvalidField, column, "not an identifier"));
        }
        Ok(text)
    }

    fn bounded(&self, column: Column) -> Result<&str, Problem> {
        let text = self.get(column);
        if text.len() > 64 || text.chars().any(char::is_control) {
            return Err(self.problem(Code::InvalidField, column, "longer than 64 bytes"));
        }
        Ok(text)
    }

    fn required(&self, column: Column) -> Result<&str, Problem> {
        match self.get(column) {
            "" | "NULL" | "\\N" => Err(self.problem(Code::MissingField, column, "")),
            text => Ok(text),
        }
    }

    fn get(&self, column: Column) -> &str {
        let at = self.header.at.get(column as usize);
        at.map_or("", |at| self.fields.get(*at))
    }

    fn problem(&self, code: Code, column: Column, detail: impl Into<String>) -> Problem {
        let title = COLUMNS
            .get(column as usize)
            .map_or("", |(_, _, title)| title);
        Problem::at(code, title, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read_all, refusals};
    use super::*;
    use crate::domain::scene::adapter::by_name;

    const HEADER: &str = "tripduration,starttime,stoptime,start station id,start station name,start station latitude,start station longitude,end station id,end station name,end station latitude,end station longitude,bikeid,usertype,birth year,gender\n";

    fn row(duration: &str, start: &str, stop: &str) -> String {
        format!(
            "{duration},{start},{stop},1,\"A, B\",40.70,-74.00,2,C,40.71,-74.00,77,Customer,,0\n"
        )
    }

    fn outcomes(body: &str) -> Vec<Outcome> {
        let file = format!("{HEADER}{body}");
        read_all("citibike-csv", file.as_bytes())
            .expect("readable")
            .1
    }

    fn trip(body: &str) -> Record {
        match outcomes(body).pop() {
            Some(Outcome::Record(Place::Line(2), record)) => record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_row_becomes_a_trip() {
        let record = trip(&row(
            "600",
            "2018-03-01 08:00:00.5000",
            "2018-03-01 08:10:00.6000",
        ));
        assert_eq!(record.source_id, "77@2018-03-01T13:00:00.500Z");
        assert_eq!(record.subject, "bike:77");
        assert_eq!(record.from.to_rfc3339(), "2018-03-01T13:00:00.500+00:00");
        assert_eq!(
            record
                .quantity("distance")
                .map(|q| q.value.to_string())
                .as_deref(),
            Some("1.111951")
        );
        assert_eq!(record.attribute("mode"), Some("shared_bike"));
    }

    #[test]
    fn quoted_files_and_american_dates_are_read() {
        let quoted = format!(
            "{HEADER}{}",
            row("120", "9/1/2015 00:00:04", "9/1/2015 00:02:04")
        );
        let quoted: String = quoted
            .replace("\"A, B\"", "A")
            .lines()
            .map(|line| format!("\"{}\"\r\n", line.replace(',', "\",\"")))
            .collect();
        let (_, outcomes) = read_all("citibike-csv", quoted.as_bytes()).expect("readable");
        assert!(
            matches!(outcomes.as_slice(), [Outcome::Record(..)]),
            "{outcomes:?}"
        );
        trip(&row("61", "1/1/2015 0:01", "1/1/2015 0:02"));
    }

    #[test]
    fn the_published_duration_decides_between_the_two_meanings_of_a_doubled_hour() {
        // 00:50 EDT to 01:10: ten minutes apart is 01:10 EDT, 80 minutes apart is 01:10 EST.
        let short = trip(&row("1200", "2015-11-01 00:50:00", "2015-11-01 01:10:00"));
        let long = trip(&row("4800", "2015-11-01 00:50:00", "2015-11-01 01:10:00"));
        assert_eq!((long.to - short.to).num_seconds(), 3600);
        let backwards = trip(&row("600", "2015-11-01 01:55:00", "2015-11-01 01:05:00"));
        assert_eq!((backwards.to - backwards.from).num_seconds(), 600);
    }

    #[test]
    fn bad_rows_are_refused_one_by_one_with_line_and_field() {
        let good = row("60", "2015-09-01 00:00:00", "2015-09-01 00:01:00");
        let bad = [
            (
                good.replacen("60", "58", 1),
                "duration_mismatch",
                "Trip Duration",
            ),
            (
                good.replacen("60", "-1", 1),
                "invalid_field",
                "Trip Duration",
            ),
            (
                good.replace("00:01:00", "00:01:xx"),
                "time_invalid",
                "Stop Time",
            ),
            (
                row("60", "2016-03-13 02:30:00", "2016-03-13 03:31:00"),
                "time_invalid",
                "Start Time",
            ),
            (
                good.replace("40.70", ""),
                "missing_field",
                "Start Station Latitude",
            ),
            (
                good.replace("40.70,-74.00", "0.0,0.0"),
                "invalid_field",
                "Start Station Latitude",
            ),
            (
                good.replace("40.71", "4.071"),
                "quantity_out_of_range",
                "End Station Latitude",
            ),
            (good.replace(",77,", ",,"), "missing_field", "Bike ID"),
            (good.replace(",,0", ",0"), "row_malformed", ""),
            (good.replace("\"A", "\"\"A"), "row_malformed", ""),
        ];
        let body: String = bad.iter().map(|(row, _, _)| row.as_str()).collect();
        let expected: Vec<_> = bad
            .iter()
            .zip(2u64..)
            .map(|((_, code, field), line)| {
                (
                    format!("line {line}"),
                    (*code).to_owned(),
                    (*field).to_owned(),
                )
            })
            .collect();
        let outcomes = outcomes(&format!("{body}{good}"));
        assert_eq!(refusals(&outcomes), expected);
        assert!(matches!(
            outcomes.last(),
            Some(Outcome::Record(Place::Line(12), _))
        ));
    }

    #[test]
    fn other_files_and_torn_files_are_refused_whole() {
        let code = |bytes: &[u8]| read_all("citibike-csv", bytes).expect_err("refused").code;
        assert_eq!(code(b""), Code::FormatMismatch);
        assert_eq!(code(b"ride_id,rideable_type\n1,2\n"), Code::FormatMismatch);
        assert_eq!(code(b"{\"data\":[]}"), Code::FormatMismatch);
        let torn = format!("{HEADER}{}", "60,2015-09-01 00:00:00,2015-");
        assert_eq!(code(torn.as_bytes()), Code::FileTruncated);
        let whole = format!(
            "{HEADER}{}",
            row("60", "2015-09-01 00:00:00", "2015-09-01 00:01:00")
        );
        assert!(read_all("citibike-csv", whole.trim_end().as_bytes()).is_ok());
        let zone = by_name("citibike-csv").map(|adapter| adapter.default_zone);
        assert_eq!(zone, Some(chrono_tz::America::New_York));
    }
}
