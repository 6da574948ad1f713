//! `mds-trips`: what a provider of shared vehicles answers at `/trips` of the Mobility Data
//! Specification 2.0: a page `{"version":…,"trips":[…]}`, a plain array, or JSON lines.
//!
//! A trip has no rider: the subject is the vehicle, unless the operator joins a field in and the
//! scene names it. Trips that carry no customer, phantoms, and trips that contradict themselves
//! are refused. See `docs/adapters/mds-trips.md`.

use std::io::BufRead;

use super::encoding::Decoded;
use super::json_records;
use super::json_rows::{JsonRows, Wrapper};
use super::{Adapter, Options, Outcome, Seen};
use crate::domain::problem::Problem;

mod row;
mod rules;

use rules::Rules;

const PAGE: Wrapper = Wrapper {
    key: "trips",
    pointer: "/trips",
    beside: None,
};

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "mds-trips",
    default_zone: chrono_tz::UTC,
    derived: &[],
    check: |options| Rules::of(&options.settings).map(drop),
    read,
};

fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let rows = JsonRows::new(Decoded::new(source), PAGE)?;
    let rules = Rules::of(&options.settings)?;
    json_records::read(rows, |text| rules.trip(text), sink)?;
    Ok(Seen::default())
}

#[cfg(test)]
mod tests;
