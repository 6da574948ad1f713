//! `recycling-weigh`: weigh records of sorted waste (垃圾分类称重记录), JSON or CSV: who put what into
//! which bin, and what the scale said.
//!
//! There is no national format. Two things that no file says decide what a row is worth, so the
//! scene must declare them: whether the scale counts grams or kilograms, and whether a row is one
//! drop or the day's running total. See `docs/adapters/recycling-weigh.md`.

use std::borrow::Cow;
use std::io::BufRead;

use chrono_tz::Tz;

use super::encoding::{Decoded, problem_of};
use super::json_rows::{DATA, JsonRows};
use super::json_text::breaks_off;
use super::lines::{Lines, Rows};
use super::resent::Resent;
use super::{Adapter, Options, Outcome, Place, Seen, refused, torn};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem};

mod columns;
mod declared;
mod row;
mod running;

use columns::{Cells, json_cells};
use declared::{DayStart, Declared, Mass};
use row::Row;
use running::Running;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "recycling-weigh",
    default_zone: chrono_tz::Asia::Shanghai,
    derived: &[],
    check: |options| Declared::read(&options.settings).map(|_| ()),
    read,
};

/// Whether a file must hold whole days: a part of one would earn again what came before it.
pub(super) fn needs_whole_days(options: &Options) -> bool {
    let declared = Declared::read(&options.settings);
    declared.is_ok_and(|declared| declared.mass == Mass::CumulativeDay(DayStart::Zero))
}

fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut source = Decoded::new(source);
    let first = source.fill_buf().map_err(problem_of)?.trim_ascii_start();
    let json = matches!(first.first(), Some(b'[' | b'{'));
    let declared = Declared::read(&options.settings)?;
    let zone = options.zone.unwrap_or(ADAPTER.default_zone);
    let mut reader = Reader {
        zone,
        running: Running::new(declared.mass),
        resent: Resent::default(),
        declared: &declared,
    };
    if json {
        reader.read_json(JsonRows::new(source, DATA)?, sink)?;
    } else {
        reader.read_csv(Lines::new(source), sink)?;
    }
    Ok(Seen::default())
}

struct Reader<'d> {
    zone: Tz,
    declared: &'d Declared,
    running: Running,
    resent: Resent,
}

impl Reader<'_> {
    fn read_json<R: BufRead>(
        &mut self,
        mut rows: JsonRows<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        while let Some((place, text)) = rows.next()? {
            let problem = match json_cells(text, self.declared) {
                Ok(cells) => {
                    self.take(place, &cells, sink)?;
                    continue;
                }
                Err(problem) => problem,
            };
            let cut = problem.code == Code::RowMalformed && breaks_off(text);
            if cut && rows.torn() {
                return Err(torn(&place));
            }
            sink(refused(place, problem));
        }
        Ok(())
    }

    fn read_csv<R: BufRead>(
        &mut self,
        lines: Lines<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let (mut rows, at) = Rows::below(lines, |header| self.declared.places(header))?;
        while let Some((number, row)) = rows.next()? {
            let place = Place::Line(number);
            match row {
                Ok(fields) => {
                    let cells: Cells<'_> = at.map(|at| {
                        let cell = at.map(|at| fields.get(at))?;
                        (!cell.is_empty()).then_some(Cow::Borrowed(cell))
                    });
                    self.take(place, &cells, sink)?;
                }
                Err(problem) => sink(refused(place, problem)),
            }
        }
        Ok(())
    }

    /// # Errors
    /// The file asks for more than is kept.
    fn take(
        &mut self,
        place: Place,
        cells: &Cells<'_>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let record = match Row::read(cells, self.declared, self.zone) {
            Ok(row) => self.record(row),
            Err(problem) => Err(problem),
        };
        match record {
            Ok(record) => sink(Outcome::Record(place, record)),
            Err(problem) if problem.code == Code::BodyTooLarge => return Err(problem),
            Err(problem) => sink(refused(place, problem)),
        }
        Ok(())
    }

    fn record(&mut self, row: Row<'_>) -> Result<Record, Problem> {
        self.resent.check(&row.source_id, &row.said())?;
        let kilograms = match self.declared.mass {
            Mass::Drop => self.declared.net(&row)?,
            Mass::CumulativeDay(_) => self.running.rise(&row, self.declared)?,
        };
        Ok(row.record(kilograms))
    }
}

#[cfg(test)]
mod tests;
