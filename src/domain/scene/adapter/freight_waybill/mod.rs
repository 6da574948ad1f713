//! `freight-waybill`: electronic waybills (电子运单) of 网络货运, as operators upload them to a
//! province's monitoring system. One waybill, a list, or one a line.
//!
//! One record a waybill number and serial number: a vehicle's load over one leg. There is no
//! distance field: it is the track's ([`track`]), else the scene's table between two divisions,
//! else the row is held ([`journey`]). A plate is personal data: it is the subject, a pseudonym in
//! the attributes, and in no id. See `docs/adapters/freight-waybill.md`.
//!
//! Memory: one waybill of at most [`super::ROW_MAX`] bytes at a time.

use std::borrow::Cow;
use std::io::BufRead;

use rust_decimal::Decimal;

use super::encoding::Decoded;
use super::json_rows::{JsonRows, Wrapper};
use super::json_text::object;
use super::{Adapter, Options, Outcome, Place, Seen, refused};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem};

mod cargo;
mod declared;
mod journey;
mod number;
mod record;
mod track;
mod vehicle;
mod waybill;

use declared::Declared;
use waybill::Waybill;

const PAGE: Wrapper = Wrapper {
    key: "data",
    pointer: "/data",
    beside: None,
};

/// The entry in the list of adapters. A track's distance is summed in millimetres.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "freight-waybill",
    default_zone: chrono_tz::Asia::Shanghai,
    derived: &[("distance", 3)],
    check: |options| Declared::read(options).map(drop),
    read,
};

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut reader = Reader {
        declared: Declared::read(options)?,
        counts: [0; 4],
        shipped: Decimal::ZERO,
    };
    let mut rows = JsonRows::spread(Decoded::new(source), PAGE)?;
    loop {
        let taken = match rows.next()? {
            None => return Ok(reader.seen()),
            Some((place, text)) => match object::<Waybill<'_>>(text) {
                Ok(waybill) => {
                    sink(reader.take(place, &waybill));
                    continue;
                }
                Err(error) => (place, error),
            },
        };
        let (place, error) = taken;
        if rows.torn() && (error.is_eof() || error.is_syntax()) {
            let detail = "the last waybill is not whole";
            return Err(Problem::at(Code::FileTruncated, place.to_string(), detail));
        }
        let problem = Problem {
            code: Code::RowMalformed,
            param: None,
            detail: error.to_string(),
        };
        sink(refused(place, problem));
    }
}

struct Reader {
    declared: Declared,
    /// Waybills; distances by track and by table; legs after a first one.
    counts: [u64; 4],
    /// Tonnes of the records, each vehicle's once, however many legs it has.
    shipped: Decimal,
}

impl Reader {
    fn take(&mut self, place: Place, waybill: &Waybill<'_>) -> Outcome {
        self.counts[0] += 1;
        let made = match record::make(waybill, &self.declared) {
            Err(problem) => return refused(place, problem),
            Ok(made) => made,
        };
        if !made.first_leg {
            self.counts[3] += 1;
        } else if made.source.is_some() {
            self.shipped = self.shipped.saturating_add(made.tonnes);
        }
        match made.source {
            Some(journey::Source::Track) => self.counts[1] += 1,
            Some(journey::Source::Table) => self.counts[2] += 1,
            None => {}
        }
        made.outcome(place)
    }

    fn seen(&self) -> Seen {
        let [waybills, tracks, tables, later] = self.counts;
        Seen {
            counts: vec![
                ("waybills", waybills),
                ("by_track", tracks),
                ("by_table", tables),
                ("later_legs", later),
            ],
            totals: vec![Quantity {
                name: Cow::Borrowed("shipped"),
                value: self.shipped,
                unit: Cow::Borrowed("t"),
            }],
        }
    }
}

#[cfg(test)]
mod tests;
