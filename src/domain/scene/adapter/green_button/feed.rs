//! Entries joined by their links: a block belongs to a meter reading, that names its reading
//! type, and hangs under a usage point.
//!
//! Utilities write them in that order, but need not: blocks whose type has not come wait, at
//! most [`WAITING_MAX`] readings of them, and at the end are read with what is known.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use super::super::{Outcome, Place, refused};
use super::coverage::Coverage;
use super::document::Number;
use super::meter::{Measure, ReadingType, quality};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem};

/// Readings that wait for a reading type: about 80 MB.
const WAITING_MAX: usize = 1_000_000;
/// Entries that describe meters; the rest of a longer file is read without them.
const DESCRIBED_MAX: usize = 50_000;
/// A reading over more than 400 days is no interval.
const DURATION_MAX_S: i64 = 400 * 86_400;
/// Bytes of a meter's key; a longer one is shortened to a hash.
const KEY_MAX: usize = 80;

/// One Atom entry.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) number: u32,
    pub(super) own: String,
    pub(super) up: String,
    pub(super) related: Vec<String>,
    pub(super) resource: Resource,
}

#[derive(Debug, Default)]
pub(super) enum Resource {
    #[default]
    Other,
    UsagePoint {
        service: Option<i64>,
    },
    MeterReading,
    ReadingType(ReadingType),
    IntervalBlock(Block),
}

/// The interval blocks of one entry.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) count: u32,
    pub(super) readings_here: u32,
    pub(super) readings: Vec<Reading>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) block: u32,
    pub(super) number: u32,
    pub(super) start: Number,
    pub(super) duration: Number,
    pub(super) value: Number,
    pub(super) quality: Option<i64>,
}

/// An entry of blocks, by the links that lead to its meter.
struct Waiting {
    entry: u32,
    own: String,
    up: String,
    readings: Vec<Reading>,
}

struct Meter {
    up: String,
    related: Vec<String>,
}

#[derive(Default)]
pub(super) struct Feed {
    services: HashMap<String, Option<i64>>,
    meters: Vec<Meter>,
    /// From a meter reading's own link, and from each link it names, to its number.
    meter_of: HashMap<String, usize>,
    types: HashMap<String, ReadingType>,
    waiting: Vec<Waiting>,
    waiting_readings: usize,
    covered: HashMap<(String, &'static str), Coverage>,
}

/// What is known of the readings of one block.
struct Context {
    key: String,
    kind: ReadingType,
    measure: Result<Measure, Problem>,
}

impl Feed {
    pub(super) fn take(&mut self, entry: Entry, sink: &mut dyn FnMut(Outcome)) {
        let room = self.services.len() + self.meters.len() + self.types.len() < DESCRIBED_MAX;
        match entry.resource {
            Resource::UsagePoint { service } if room => {
                for link in entry.related {
                    self.services.insert(link, service);
                }
                self.services.insert(entry.own, service);
            }
            Resource::MeterReading if room => self.describe(entry),
            Resource::ReadingType(kind) if room => {
                self.types.insert(entry.own, kind);
            }
            Resource::IntervalBlock(block) => {
                let waiting = Waiting {
                    entry: entry.number,
                    own: entry.own,
                    up: entry.up,
                    readings: block.readings,
                };
                self.settle_or_wait(waiting, sink);
            }
            _ => {}
        }
    }

    fn describe(&mut self, entry: Entry) {
        let number = self.meters.len();
        for link in &entry.related {
            if link.ends_with("IntervalBlock") {
                self.meter_of.insert(link.clone(), number);
            }
        }
        self.meter_of
            .insert(format!("{}/IntervalBlock", entry.own), number);
        self.meters.push(Meter {
            up: entry.up,
            related: entry.related,
        });
    }

    fn settle_or_wait(&mut self, block: Waiting, sink: &mut dyn FnMut(Outcome)) {
        if self.complete(&block) {
            self.settle(block, sink);
            return;
        }
        self.waiting_readings += block.readings.len();
        self.waiting.push(block);
        if self.waiting_readings > WAITING_MAX {
            self.finish(sink);
        }
    }

    /// Reads what still waits with what is known.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(Outcome)) {
        self.waiting_readings = 0;
        for block in std::mem::take(&mut self.waiting) {
            self.settle(block, sink);
        }
    }

    fn complete(&self, block: &Waiting) -> bool {
        self.meter(block).is_some_and(|meter| {
            self.reading_type(meter).is_some() && self.services.contains_key(&meter.up)
        })
    }

    fn meter(&self, block: &Waiting) -> Option<&Meter> {
        let parent = block.own.rsplit_once('/').map(|(parent, _)| parent);
        self.meter_of
            .get(&block.up)
            .or_else(|| self.meter_of.get(parent?))
            .and_then(|number| self.meters.get(*number))
    }

    fn reading_type(&self, meter: &Meter) -> Option<ReadingType> {
        meter
            .related
            .iter()
            .find_map(|link| self.types.get(link))
            .copied()
    }

    fn context(&self, block: &Waiting) -> Context {
        let meter = self.meter(block);
        let kind = meter.and_then(|meter| self.reading_type(meter));
        let link = meter.map_or(block.up.as_str(), |meter| meter.up.as_str());
        let point = link.split("/MeterReading").next().unwrap_or(link);
        let service = self.services.get(link).or_else(|| self.services.get(point));
        let measure = match kind {
            Some(kind) => kind.measure(service.copied().flatten()),
            None => Err(Problem::at(
                Code::UnitMissing,
                "ReadingType",
                "no ReadingType is linked to these readings",
            )),
        };
        Context {
            key: key(point),
            kind: kind.unwrap_or_default(),
            measure,
        }
    }

    fn settle(&mut self, block: Waiting, sink: &mut dyn FnMut(Outcome)) {
        let context = self.context(&block);
        let Ok(measure) = &context.measure else {
            for reading in &block.readings {
                let problem = context
                    .measure
                    .clone()
                    .err()
                    .unwrap_or(Problem::new(Code::UnitMissing));
                sink(refused(place(block.entry, reading), problem));
            }
            return;
        };
        let covered = self
            .covered
            .entry((context.key.clone(), measure.name))
            .or_default();
        for reading in &block.readings {
            let place = place(block.entry, reading);
            sink(match record(reading, &context, *measure, covered) {
                Ok(record) => Outcome::Record(place, record),
                Err(problem) => refused(place, problem),
            });
        }
    }
}

fn record(
    reading: &Reading,
    context: &Context,
    measure: Measure,
    covered: &mut Coverage,
) -> Result<Record, Problem> {
    let start = whole(reading.start, "timePeriod.start", Code::TimeInvalid)?;
    let seconds = match (reading.duration, context.kind.interval_length) {
        (Number::Absent, Some(length)) => length,
        (duration, _) => whole(duration, "timePeriod.duration", Code::InvalidField)?,
    };
    if !(1..=DURATION_MAX_S).contains(&seconds) {
        return Err(Problem::at(
            Code::InvalidField,
            "timePeriod.duration",
            "1 s to 400 days",
        ));
    }
    let (from, to) = (instant(start)?, instant(start.saturating_add(seconds))?);
    let value = measure.value(whole(reading.value, "value", Code::InvalidField)?)?;
    if !covered.add(start, start + seconds) {
        return Err(Problem::at(
            Code::DuplicateReading,
            "timePeriod.start",
            "another reading of this meter covers the time",
        ));
    }
    let stamp = from.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut attributes = vec![(Cow::Borrowed("meter"), context.key.clone())];
    if let Some(quality) = reading.quality.and_then(quality) {
        attributes.push((Cow::Borrowed("quality"), quality.to_owned()));
    }
    Ok(Record {
        source_id: format!("{}/{}@{stamp}", context.key, measure.name),
        subject: context.key.clone(),
        from,
        to,
        quantities: vec![Quantity {
            name: Cow::Borrowed(measure.name),
            value,
            unit: Cow::Borrowed(measure.unit),
        }],
        attributes,
        revises: None,
    })
}

fn whole(number: Number, field: &str, code: Code) -> Result<i64, Problem> {
    match number {
        Number::Whole(value) => Ok(value),
        Number::Absent => Err(Problem::at(Code::MissingField, field, "")),
        Number::Unreadable => Err(Problem::at(code, field, "a whole number is expected")),
    }
}

/// Instants from 1970 to 9999.
fn instant(seconds: i64) -> Result<DateTime<Utc>, Problem> {
    DateTime::from_timestamp(seconds, 0)
        .filter(|_| (0..253_402_300_800).contains(&seconds))
        .ok_or_else(|| {
            Problem::at(
                Code::TimeInvalid,
                "timePeriod.start",
                "Unix seconds are expected",
            )
        })
}

fn place(entry: u32, reading: &Reading) -> Place {
    let (block, number) = (reading.block, reading.number);
    Place::Pointer(format!(
        "/feed/entry[{entry}]/content/IntervalBlock[{block}]/IntervalReading[{number}]"
    ))
}

/// The usage point's link from its last well-known part on, whatever host and root it is served
/// from; a hash of it when that is long.
fn key(link: &str) -> String {
    let path = ["RetailCustomer/", "Subscription/", "User/", "UsagePoint/"]
        .iter()
        .find_map(|part| link.find(part).and_then(|at| link.get(at..)))
        .unwrap_or(link);
    let plain = !path.is_empty() && path.bytes().all(|b| b.is_ascii_graphic());
    if plain && path.len() <= KEY_MAX {
        return path.to_owned();
    }
    let digest = hex::encode(Sha256::digest(link.as_bytes()));
    format!("meter:{}", digest.get(..32).unwrap_or_default())
}
