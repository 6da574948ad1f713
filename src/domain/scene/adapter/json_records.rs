//! Feeds of JSON rows that each make a record by themselves: a page, an array or JSON lines.

use std::io::BufRead;

use super::json_rows::JsonRows;
use super::{Outcome, malformed, refused, torn};
use crate::domain::behaviour::Record;
use crate::domain::problem::Problem;

/// Why a row is no record.
pub(super) enum Fault {
    /// It is no sound JSON, or not of the row's shape.
    Shape(serde_json::Error),
    Rule(Problem),
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Fault {
        Fault::Shape(error)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        Fault::Rule(problem)
    }
}

/// Reads all rows; keeps one of them at a time.
///
/// # Errors
/// What [`JsonRows::next`] refuses; `file_truncated` for a last line that is torn.
pub(super) fn read<R: BufRead>(
    mut rows: JsonRows<R>,
    mut record: impl FnMut(&str) -> Result<Record, Fault>,
    sink: &mut dyn FnMut(Outcome),
) -> Result<(), Problem> {
    loop {
        let Some((place, text)) = rows.next()? else {
            return Ok(());
        };
        let error = match record(text) {
            Ok(record) => {
                sink(Outcome::Record(place, record));
                continue;
            }
            Err(Fault::Rule(problem)) => {
                sink(refused(place, problem));
                continue;
            }
            Err(Fault::Shape(error)) => error,
        };
        if rows.torn() && error.is_eof() {
            return Err(torn(&place));
        }
        sink(refused(place, malformed(error.to_string())));
    }
}
