//! `nem12`: meter reads in AEMO's Meter Data File Format, NEM12 (interval reads, 区间电量) and
//! NEM13 (accumulation reads, 累计电量), as plain CSV.
//!
//! One record a channel and day (NEM12), or a register and reading period (NEM13). A day counts
//! only when every one of its intervals has a value; its quality is that of its worst interval.
//! Times are standard time all year. A day that is stated again replaces the earlier statement.
//!
//! [`channel`] is a 200 row, [`day`] a 300 row with its 400 rows, [`register`] a 250 row,
//! [`statements`] decides between two statements of one file. See `docs/adapters/nem12.md`.

use std::io::BufRead;

use super::{Adapter, Options, Outcome, Seen, no_settings};
use crate::domain::problem::Problem;

mod amount;
mod channel;
mod clock;
mod day;
mod file;
mod quality;
mod register;
mod statements;

/// The entry in the list of adapters. Brisbane keeps the market's time: UTC+10, no summer time.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "nem12",
    default_zone: chrono_tz::Australia::Brisbane,
    derived: &[],
    check: no_settings,
    read,
};

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let zone = options.zone.unwrap_or(ADAPTER.default_zone);
    file::File::new(clock::Clock::of(zone), sink).read(source)?;
    Ok(Seen::default())
}

#[cfg(test)]
mod tests;
