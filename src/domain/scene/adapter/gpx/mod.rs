//! `gpx`: recorded tracks (轨迹) in the GPS Exchange Format 1.1 or 1.0, a record a track segment.
//!
//! A file proves little: it names no person and is easily made up. So a segment must have times,
//! hold its mode's speed, and not jump; routes and waypoints are plans and places, and refused.
//! See `docs/adapters/gpx.md`.

use std::io::BufRead;

use super::{Adapter, Options, Outcome, Seen, xml};
use crate::domain::problem::Problem;

mod document;
mod pace;
mod rules;
mod segment;

use document::Walk;
use rules::Rules;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "gpx",
    default_zone: chrono_tz::UTC,
    derived: &[("distance", 3)],
    check: |options| Rules::of(&options.settings).map(drop),
    read,
};

fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let rules = Rules::of(&options.settings)?;
    let mut walk = Walk::new(&rules, sink);
    xml::read(source, &mut walk)?;
    Ok(walk.seen())
}

#[cfg(test)]
mod tests;
