//! The vehicles of one file and the day each is on; a day that is over becomes a record.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::super::{Held, Outcome, Place, refused};
use super::Layout;
use super::day::Day;
use super::reading::{Mode, Reading};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem, detail};

/// Vehicles of one file: with names of 17 characters about 40 MB.
pub(super) const VEHICLES_MAX: usize = 200_000;

/// Leads the bytes that are hashed; the vehicle's number follows.
const DOMAIN: &[u8] = b"tanpuhui/vehicle/v1\0";

#[derive(Default)]
pub(super) struct Fleet {
    numbers: HashMap<Arc<str>, u32>,
    vehicles: Vec<Vehicle>,
    pub(super) days: u64,
    pub(super) resets: u64,
    pub(super) jumps: u64,
    /// What was driven between two days and is of neither, in 0.1 km.
    pub(super) across: u64,
}

struct Vehicle {
    name: Arc<str>,
    day: Option<Day>,
}

impl Fleet {
    /// The vehicle's number in this file.
    ///
    /// # Errors
    /// `body_too_large`: more vehicles than are kept at once.
    pub(super) fn number(&mut self, name: String) -> Result<u32, Problem> {
        if let Some(number) = self.numbers.get(name.as_str()) {
            return Ok(*number);
        }
        if self.vehicles.len() >= VEHICLES_MAX {
            let detail = detail!(
                "一个文件中车辆超过 {VEHICLES_MAX} 辆，请拆分",
                "more than {VEHICLES_MAX} vehicles in one file: divide it"
            );
            return Err(Problem::at(Code::BodyTooLarge, "vin", detail));
        }
        let number = u32::try_from(self.vehicles.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        self.numbers.insert(Arc::clone(&name), number);
        self.vehicles.push(Vehicle { name, day: None });
        Ok(number)
    }

    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.vehicles.len()).unwrap_or(u64::MAX)
    }

    /// Takes a vehicle's next reading.
    pub(super) fn take(
        &mut self,
        reading: &Reading,
        layout: Layout,
        sink: &mut dyn FnMut(Outcome),
    ) {
        let at = usize::try_from(reading.vehicle).unwrap_or(usize::MAX);
        let Some(vehicle) = self.vehicles.get_mut(at) else {
            return;
        };
        if reading.mode == Mode::Doubtful {
            if let Some(day) = &mut vehicle.day {
                day.doubt(reading);
            }
            return;
        }
        let begun = Day::begin(reading);
        match &mut vehicle.day {
            None => vehicle.day = Some(begun),
            Some(day) => match follows(day, reading) {
                Err(problem) => sink(refused(layout.place(reading.row), problem)),
                Ok(()) if day.day == reading.day => day.add(reading),
                Ok(()) => {
                    let over = std::mem::replace(day, begun);
                    let name = Arc::clone(&vehicle.name);
                    self.across += over.across(reading);
                    self.close(&name, &over, layout, sink);
                }
            },
        }
    }

    /// At the end of the file.
    pub(super) fn finish(&mut self, layout: Layout, sink: &mut dyn FnMut(Outcome)) {
        for vehicle in std::mem::take(&mut self.vehicles) {
            if let Some(day) = vehicle.day {
                self.close(&vehicle.name, &day, layout, sink);
            }
        }
    }

    fn close(&mut self, name: &str, day: &Day, layout: Layout, sink: &mut dyn FnMut(Outcome)) {
        let place = layout.place(day.row);
        self.resets += u64::from(day.resets);
        self.jumps += u64::from(day.jumps);
        if day.readings < 2 {
            sink(Outcome::Held(Held {
                place,
                code: Code::SingleReading,
            }));
            return;
        }
        self.days += 1;
        sink(record(place, name, day));
    }
}

fn follows(day: &Day, reading: &Reading) -> Result<(), Problem> {
    if reading.at == day.to {
        let detail = detail!(
            "该车在此时刻已有另一读数",
            "another reading of the vehicle at this time"
        );
        return Err(Problem::at(Code::DuplicateReading, "time", detail));
    }
    if reading.at < day.to || reading.day < day.day {
        let detail = detail!(
            "该车更晚的读数远在此行之前，请按时间排序文件",
            "later readings of the vehicle stand long before it: sort the file by time"
        );
        return Err(Problem::at(Code::TimeInvalid, "time", detail));
    }
    Ok(())
}

fn record(place: Place, name: &str, day: &Day) -> Outcome {
    let vehicle = hashed(name);
    let date = NaiveDate::from_num_days_from_ce_opt(day.day).unwrap_or_default();
    let mut quantities = vec![kilometres("distance", day.electric)];
    if day.fuel > 0 {
        quantities.push(kilometres("distance_fuel", day.fuel));
    }
    let mut attributes = vec![
        (Cow::Borrowed("day"), date.to_string()),
        (Cow::Borrowed("readings"), day.readings.to_string()),
        (Cow::Borrowed("longest_gap_s"), day.longest_gap.to_string()),
        (Cow::Borrowed("evidence"), "meter".to_owned()),
    ];
    let odd: Vec<&str> = [
        (day.resets > 0, "odometer_reset"),
        (day.jumps > 0, "odometer_jump"),
    ]
    .into_iter()
    .filter_map(|(said, word)| said.then_some(word))
    .collect();
    if !odd.is_empty() {
        attributes.push((Cow::Borrowed("quality"), odd.join(" ")));
    }
    let source_id = format!("{vehicle}@{date}");
    attributes.push((Cow::Borrowed("vehicle"), vehicle));
    let record = Record {
        source_id,
        subject: name.to_owned(),
        from: instant(day.from),
        to: instant(day.to),
        quantities,
        attributes,
        revises: None,
    };
    Outcome::Record(place, record)
}

/// The vehicle without its number: the same of every partner, so that one vehicle's day is claimed
/// once. The first 16 bytes of SHA-256, in hexadecimal.
fn hashed(name: &str) -> String {
    let digest = Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(name)
        .finalize();
    hex::encode(digest.get(..16).unwrap_or_default())
}

fn kilometres(name: &'static str, tenths: u64) -> Quantity {
    Quantity {
        name: Cow::Borrowed(name),
        value: tenths_of(tenths),
        unit: Cow::Borrowed("km"),
    }
}

/// Kilometres, exact.
pub(super) fn tenths_of(tenths: u64) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(tenths), 1).normalize()
}

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
}
