//! `native`: the platform's own normal form, as a JSON array, an object `{"records":[…]}`, or
//! JSON lines.
//!
//! [`parse_batch`] is on the ingestion path. It reads a whole body in one pass; only when some
//! row is not of the right shape is the body read again, row by row, so that the good rows are
//! kept and each bad one is answered with its place and field. See `docs/adapters/native.md`.

use std::io::BufRead;

use super::encoding::{self, Decoded};
use super::json_rows::{JsonRows, Wrapper};
use super::json_text::{breaks_off, object};
use super::lines::Lines;
use super::{Adapter, Options, Outcome, Place, Seen, no_settings, refused, torn};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

mod diagnosis;
mod row;
mod write;

use row::Row;
pub use write::write;

/// The most records of one batch.
pub const BATCH_MAX: usize = 10_000;

const DOCUMENT: Wrapper = Wrapper {
    key: "records",
    pointer: "/records",
    beside: Some(&[]),
};

/// How the records of a body are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An array of records, or an object with the key `records`.
    Json,
    /// One record a line.
    Ndjson,
}

/// One row of a batch: where it stands, and the record or what is wrong with it.
pub type Parsed = (Place, Result<Record, Problem>);

/// Parses a batch of at most [`BATCH_MAX`] records.
///
/// # Errors
/// The batch as a whole: `batch_too_large`, `line_too_long`, `encoding_unsupported`,
/// `format_mismatch`, `file_truncated`, `unknown_field` beside `records`.
pub fn parse_batch(bytes: &[u8], format: Format) -> Result<Vec<Parsed>, Problem> {
    let text = encoding::decode(bytes)?;
    match format {
        Format::Json => match row::parse_document(&text) {
            row::Document::Rows(rows) => Ok(rows),
            row::Document::TooMany => Err(too_many()),
            row::Document::Unclear => parse_rows(JsonRows::document(text.as_bytes(), DOCUMENT)?),
        },
        Format::Ndjson => parse_rows(JsonRows::Lines(Lines::new(text.as_bytes()))),
    }
}

/// Parses one record.
///
/// # Errors
/// The first rule it breaks, with the field as `param`.
pub fn parse_record(text: &str) -> Result<Record, Problem> {
    match object::<Row<'_>>(text) {
        Ok(row) => row.into_record(),
        Err(error) => Err(diagnosis::of(text, &error)),
    }
}

fn parse_rows<R: BufRead>(mut rows: JsonRows<R>) -> Result<Vec<Parsed>, Problem> {
    let mut parsed = Vec::new();
    while let Some(row) = next(&mut rows)? {
        if parsed.len() == BATCH_MAX {
            return Err(too_many());
        }
        parsed.push(row);
    }
    Ok(parsed)
}

fn next<R: BufRead>(rows: &mut JsonRows<R>) -> Result<Option<Parsed>, Problem> {
    let Some((place, text)) = rows.next()? else {
        return Ok(None);
    };
    let parsed = parse_record(text);
    let malformed = matches!(&parsed, Err(problem) if problem.code == Code::RowMalformed);
    let cut = malformed && breaks_off(text);
    if cut && rows.torn() {
        return Err(torn(&place));
    }
    Ok(Some((place, parsed)))
}

fn too_many() -> Problem {
    Problem::at(
        Code::BatchTooLarge,
        "records",
        detail!("超过 {BATCH_MAX} 条记录", "more than {BATCH_MAX} records"),
    )
}

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "native",
    default_zone: chrono_tz::UTC,
    derived: &[],
    check: no_settings,
    read,
};

pub(super) fn read(
    source: &mut dyn BufRead,
    _options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut rows = JsonRows::new(Decoded::new(source), DOCUMENT)?;
    while let Some((place, parsed)) = next(&mut rows)? {
        sink(match parsed {
            Ok(record) => Outcome::Record(place, record),
            Err(problem) => refused(place, problem),
        });
    }
    Ok(Seen::default())
}

#[cfg(test)]
mod tests;
