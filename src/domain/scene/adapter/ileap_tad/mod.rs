//! `ileap-tad`: freight transports in the iLEAP form of ISO 14083 activity data (Transport
//! Activity Data, TR 2025-05-27), as `GET /2/ileap/tad` answers them: a page `{"data":[…]}`, an
//! array, or JSON lines. See `docs/adapters/ileap-tad.md`.

use std::io::BufRead;

use super::encoding::Decoded;
use super::json_records;
use super::json_rows::{DATA, JsonRows};
use super::json_text::object;
use super::{Adapter, Options, Outcome, Seen};
use crate::domain::problem::Problem;
use activity::Activity;

mod activity;
mod energy;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "ileap-tad",
    default_zone: chrono_tz::UTC,
    derived: &[],
    check,
    read,
};

fn check(options: &Options) -> Result<(), Problem> {
    options.settings.only(&["subject"])?;
    options.settings.text("subject").map(|_| ())
}

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let subject = options.settings.text("subject")?;
    let rows = JsonRows::new(Decoded::new(source), DATA)?;
    let record = |text: &str| {
        let activity: Activity<'_> = object(text)?;
        Ok(activity.record(subject)?)
    };
    json_records::read(rows, record, sink)?;
    Ok(Seen::default())
}

#[cfg(test)]
mod tests;
