//! `ileap-tad`: freight transports in the iLEAP form of ISO 14083 activity data (Transport
//! Activity Data, TR 2025-05-27), as `GET /2/ileap/tad` answers them: a page `{"data":[…]}`, an
//! array, or JSON lines. See `docs/adapters/ileap-tad.md`.

use std::io::BufRead;

use super::encoding::Decoded;
use super::json_rows::{JsonRows, Wrapper};
use super::json_text::object;
use super::{Adapter, Options, Outcome, Seen, refused};
use crate::domain::problem::{Code, Problem};
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

/// Where the list stands in a host's answer.
const PAGE: Wrapper = Wrapper {
    key: "data",
    pointer: "/data",
    beside: None,
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
    let mut rows = JsonRows::new(Decoded::new(source), PAGE)?;
    while let Some((place, text)) = rows.next()? {
        let read = object::<Activity>(text).map_err(malformed);
        sink(match read.and_then(|activity| activity.record(subject)) {
            Ok(record) => Outcome::Record(place, record),
            Err(problem) if problem.code == Code::RowMalformed && rows.torn() => {
                return Err(Problem::at(
                    Code::FileTruncated,
                    place.to_string(),
                    "the last line has no end and is no whole activity",
                ));
            }
            Err(problem) => refused(place, problem),
        });
    }
    Ok(Seen::default())
}

fn malformed(error: serde_json::Error) -> Problem {
    let text = error.to_string();
    let missing = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split_once('`'));
    match missing {
        Some((field, _)) => Problem::at(Code::MissingField, field, ""),
        None => Problem {
            code: Code::RowMalformed,
            param: None,
            detail: text.chars().take(256).collect(),
        },
    }
}

#[cfg(test)]
mod tests;
