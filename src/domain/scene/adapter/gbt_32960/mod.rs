//! `gbt-32960`: odometers (累计里程) of electric vehicles as the remote service of GB/T 32960
//! reports them, summed up into one record per vehicle and local day: rows of JSON (an array, a
//! page, lines, a gateway's messages) or CSV. See `docs/adapters/gbt-32960.md`.

use std::borrow::Cow;
use std::io::BufRead;

use chrono_tz::Tz;

use super::encoding::{Decoded, problem_of};
use super::json_rows::{DATA, JsonRows};
use super::lines::{Lines, Rows};
use super::{Adapter, Options, Outcome, Place, Seen, Settings, refused, torn};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem};

mod day;
mod fleet;
mod reading;
mod row;
mod window;

use fleet::Fleet;
use reading::{Mode, Reading, Step};
use row::{Columns, Row};
use window::Window;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "gbt-32960",
    default_zone: chrono_tz::Asia::Shanghai,
    derived: &[],
    check: |options| Declared::of(&options.settings).map(|_| ()),
    read,
};

/// What the scene declares about the feed and its vehicles.
struct Declared {
    step: Step,
    unknown: Mode,
}

impl Declared {
    fn of(settings: &Settings) -> Result<Declared, Problem> {
        settings.only(&["mileage", "unknown_run_mode"])?;
        let steps = [("0.1km", Step::Tenth), ("km", Step::Kilometre)];
        let modes = [("fuel", Mode::Unknown), ("electric", Mode::Electric)];
        Ok(Declared {
            step: settings.choice("mileage", &steps)?.unwrap_or(Step::Tenth),
            unknown: settings
                .choice("unknown_run_mode", &modes)?
                .unwrap_or(Mode::Unknown),
        })
    }
}

/// How rows are counted: as elements of an array, or as lines.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Array(&'static str),
    Lines,
}

impl Layout {
    fn place(self, row: u64) -> Place {
        match self {
            Layout::Array(pointer) => Place::Item(pointer, row),
            Layout::Lines => Place::Line(row),
        }
    }
}

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut reader = Reader {
        declared: Declared::of(&options.settings)?,
        zone: options.zone.unwrap_or(chrono_tz::Asia::Shanghai),
        layout: Layout::Lines,
        fleet: Fleet::default(),
        window: Window::new(),
        rows: 0,
        readings: 0,
        silent: 0,
    };
    let mut decoded = Decoded::new(source);
    let start = decoded.fill_buf().map_err(problem_of)?;
    match start.trim_ascii_start().first() {
        Some(b'{' | b'[') => reader.read_json(JsonRows::spread(decoded, DATA)?, sink)?,
        _ => reader.read_csv(Lines::new(decoded), sink)?,
    }
    Ok(reader.finish(sink))
}

struct Reader {
    declared: Declared,
    zone: Tz,
    layout: Layout,
    fleet: Fleet,
    window: Window,
    rows: u64,
    readings: u64,
    /// Messages that say nothing of the vehicle itself.
    silent: u64,
}

impl Reader {
    fn read_json<R: BufRead>(
        &mut self,
        mut rows: JsonRows<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        loop {
            let early = match rows.next()? {
                None => return Ok(()),
                Some((place, text)) => {
                    let at = self.at(&place);
                    self.rows += 1;
                    match row::of_json(text) {
                        Ok(None) => {
                            self.silent += 1;
                            continue;
                        }
                        Ok(Some(row)) => {
                            self.take(at, &row, sink)?;
                            continue;
                        }
                        Err(problem) if problem.code == Code::FileTruncated => (place, problem),
                        Err(problem) => {
                            sink(refused(place, problem));
                            continue;
                        }
                    }
                }
            };
            let (place, problem) = early;
            if rows.torn() {
                return Err(torn(&place));
            }
            let code = Code::RowMalformed;
            sink(refused(place, Problem { code, ..problem }));
        }
    }

    fn at(&mut self, place: &Place) -> u64 {
        match place {
            Place::Item(pointer, index) => {
                self.layout = Layout::Array(pointer);
                *index
            }
            Place::Line(number) => *number,
            Place::Pointer(_) => 0,
        }
    }

    fn read_csv<R: BufRead>(
        &mut self,
        lines: Lines<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let (mut rows, columns) = Rows::below(lines, Columns::of)?;
        while let Some((number, row)) = rows.next()? {
            self.rows += 1;
            match row {
                Ok(fields) => self.take(number, &columns.row(fields), sink)?,
                Err(problem) => sink(refused(Place::Line(number), problem)),
            }
        }
        Ok(())
    }

    /// # Errors
    /// `body_too_large`: the file has too many vehicles.
    fn take(
        &mut self,
        at: u64,
        row: &Row<'_>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let layout = self.layout;
        match self.reading(at, row) {
            Ok(reading) => {
                self.readings += 1;
                let fleet = &mut self.fleet;
                self.window.add(reading, &mut |reading| {
                    fleet.take(&reading, layout, sink);
                });
                Ok(())
            }
            Err(problem) if problem.code == Code::BodyTooLarge => Err(problem),
            Err(problem) => {
                sink(refused(layout.place(at), problem));
                if let Some(reading) = self.doubtful(at, row) {
                    let fleet = &mut self.fleet;
                    self.window.add(reading, &mut |reading| {
                        fleet.take(&reading, layout, sink);
                    });
                }
                Ok(())
            }
        }
    }

    /// What a refused row still says: that the vehicle was, or may have been, driven by more than
    /// its battery at that time.
    fn doubtful(&mut self, at: u64, row: &Row<'_>) -> Option<Reading> {
        let name = reading::vehicle(&row.vin).ok()?;
        let (time, day) = reading::time(&row.time, self.zone).ok()?;
        if reading::mode(&row.run_mode, self.declared.unknown) == Ok(Mode::Electric) {
            return None;
        }
        Some(Reading {
            vehicle: self.fleet.number(name).ok()?,
            mileage: 0,
            at: time,
            day,
            mode: Mode::Doubtful,
            row: at,
        })
    }

    fn reading(&mut self, at: u64, row: &Row<'_>) -> Result<Reading, Problem> {
        let name = reading::vehicle(&row.vin)?;
        let (time, day) = reading::time(&row.time, self.zone)?;
        let mileage = reading::mileage(&row.mileage, self.declared.step)?;
        let mode = reading::mode(&row.run_mode, self.declared.unknown)?;
        Ok(Reading {
            vehicle: self.fleet.number(name)?,
            mileage,
            at: time,
            day,
            mode,
            row: at,
        })
    }

    fn finish(self, sink: &mut dyn FnMut(Outcome)) -> Seen {
        let (mut fleet, layout) = (self.fleet, self.layout);
        let vehicles = fleet.count();
        self.window.finish(&mut |reading| {
            fleet.take(&reading, layout, sink);
        });
        fleet.finish(layout, sink);
        Seen {
            counts: vec![
                ("rows", self.rows),
                ("readings", self.readings),
                ("messages_without_vehicle", self.silent),
                ("vehicles", vehicles),
                ("vehicle_days", fleet.days),
                ("odometer_resets", fleet.resets),
                ("odometer_jumps", fleet.jumps),
            ],
            totals: vec![Quantity {
                name: Cow::Borrowed("distance_across_midnight"),
                value: fleet::tenths_of(fleet.across),
                unit: Cow::Borrowed("km"),
            }],
        }
    }
}

#[cfg(test)]
mod tests;
