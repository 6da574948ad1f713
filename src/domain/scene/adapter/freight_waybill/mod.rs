//! `freight-waybill`: electronic waybills (电子运单) of 网络货运, as operators upload them to a
//! province's monitoring system. One waybill, a list, or one a line.
//!
//! One record a waybill number and serial number: a vehicle's load over one leg. There is no
//! distance field: it is the track's ([`track`]), else the scene's table between two divisions,
//! else the row is held ([`journey`]). A plate is personal data: it is the subject, a pseudonym in
//! the attributes, and in no id. See `docs/adapters/freight-waybill.md`.
//!
//! Memory: one waybill of at most [`super::ROW_MAX`] bytes at a time.

use std::io::BufRead;

use rust_decimal::Decimal;

use super::encoding::Decoded;
use super::json_records;
use super::json_rows::{DATA, JsonRows};
use super::json_text::object;
use super::{Adapter, Options, Outcome, Place, Seen};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::Problem;

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
    let rows = JsonRows::spread(Decoded::new(source), DATA)?;
    let row = |place: &Place, text: &str, sink: &mut dyn FnMut(Outcome)| {
        let waybill: Waybill<'_> = object(text)?;
        sink(reader.take(place.clone(), &waybill)?);
        Ok(())
    };
    json_records::each(rows, row, sink)?;
    Ok(reader.seen())
}

struct Reader {
    declared: Declared,
    /// Waybills; distances by track and by table; legs after a first one.
    counts: [u64; 4],
    /// Tonnes of the records, each vehicle's once, however many legs it has.
    shipped: Decimal,
}

impl Reader {
    /// # Errors
    /// The field and the rule that it breaks.
    fn take(&mut self, place: Place, waybill: &Waybill<'_>) -> Result<Outcome, Problem> {
        self.counts[0] += 1;
        let made = record::make(waybill, &self.declared)?;
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
        Ok(made.outcome(place))
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
            totals: vec![Quantity::new("shipped", self.shipped, "t")],
        }
    }
}

#[cfg(test)]
mod tests;
