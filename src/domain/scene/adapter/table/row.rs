//! One row of a table, whatever file it comes from.

use std::borrow::Cow;

use chrono::SecondsFormat;
use rust_decimal::{Decimal, RoundingStrategy};

use super::columns::{Columns, Located, Slot};
use super::serial::{self, Epoch};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Digits that a spreadsheet keeps of a number (ECMA-376 stores binary64; 15 decimal digits of it
/// are the writer's own).
const SHEET_DIGITS: usize = 15;

/// What stands in one cell, without surrounding spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Blank,
    Text(&'a str),
    /// A spreadsheet's number, as the shortest decimal text that names it.
    Number(&'a str, Epoch),
    /// A number that the sheet shows as a date.
    Date(&'a str, Epoch),
    /// A cell that has no value: an error, a formula that was never computed.
    Broken(&'a Detail),
}

/// The cells of one row.
pub(super) trait Cells {
    /// The cell at a zero-based place; blank beyond the last.
    fn cell(&self, place: usize) -> Cell<'_>;

    /// Whether nothing stands in any of them.
    fn is_blank(&self) -> bool;
}

/// Why a row cannot be used, and in which of its columns.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) slot: Slot,
    pub(super) problem: Problem,
}

/// A row as a mapping sees it.
pub(super) struct Row<'a, C> {
    pub(super) cells: &'a C,
    pub(super) columns: &'a Columns,
    pub(super) located: &'a Located,
    /// Words that stand for nothing.
    pub(super) blank_words: &'a [String],
}

impl<'a, C: Cells> Row<'a, C> {
    /// # Errors
    /// `invalid_field` for a cell that has no value.
    pub(super) fn cell(&self, slot: Slot) -> Result<Cell<'a>, Fault> {
        match self.cells.cell(self.located.place(slot)) {
            Cell::Broken(what) => Err(self.fault(slot, Code::InvalidField, what.clone())),
            Cell::Text(text) if self.blank_words.iter().any(|word| word == text) => Ok(Cell::Blank),
            cell => Ok(cell),
        }
    }

    /// What a person reads in the cell; empty for a blank one.
    ///
    /// # Errors
    /// `invalid_field` for a cell that has no value, and for a number of more digits than a
    /// spreadsheet keeps: an id stored as a number has lost its last ones.
    pub(super) fn text(&self, slot: Slot) -> Result<Cow<'a, str>, Fault> {
        match self.cell(slot)? {
            Cell::Blank => Ok(Cow::Borrowed("")),
            Cell::Text(text) => Ok(Cow::Borrowed(text)),
            Cell::Number(text, _) => {
                let whole = text.split('.').next().unwrap_or_default();
                if whole.len() > SHEET_DIGITS {
                    let detail = detail!(
                        "存成了超过 15 位的数，末几位已丢失",
                        "stored as a number of more than 15 digits: some are lost"
                    );
                    return Err(self.fault(slot, Code::InvalidField, detail));
                }
                Ok(Cow::Borrowed(text))
            }
            Cell::Date(text, epoch) => sheet_number(text)
                .ok_or_else(|| detail!("不是数", "not a number"))
                .and_then(|serial| serial::local(serial, epoch))
                .map(|clock| {
                    let text = clock.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true);
                    Cow::Owned(text.trim_end_matches('Z').to_owned())
                })
                .map_err(|detail| self.fault(slot, Code::TimeInvalid, detail)),
            Cell::Broken(what) => Err(self.fault(slot, Code::InvalidField, what.clone())),
        }
    }

    pub(super) fn fault(&self, slot: Slot, code: Code, detail: Detail) -> Fault {
        let problem = Problem::at(code, self.columns.title(slot), detail);
        Fault { slot, problem }
    }
}

/// A spreadsheet's number, half-even to the 15 digits it keeps and 12 decimals: `0.1 + 0.2` in a
/// sheet is 0.3, as the sheet shows it. `None` beyond 18 digits before the decimal point.
pub(super) fn sheet_number(text: &str) -> Option<Decimal> {
    let whole = text.trim_start_matches('-').split('.').next()?;
    if whole.len() > 18 {
        return None;
    }
    let number: Decimal = text.parse().ok()?;
    let digits = u32::try_from(SHEET_DIGITS).ok()?;
    let even = RoundingStrategy::MidpointNearestEven;
    let shown = number.round_sf_with_strategy(digits, even)?;
    Some(shown.round_dp_with_strategy(12, even).normalize())
}

#[cfg(test)]
mod tests {
    use super::sheet_number;

    #[test]
    fn sheet_numbers_are_what_the_sheet_shows() {
        for (text, number) in [
            ("3.17", "3.17"),
            ("0.30000000000000004", "0.3"),
            ("959636.7099999999", "959636.71"),
            ("0.00000000000000005551115123125783", "0"),
            ("-0.1", "-0.1"),
            ("100", "100"),
        ] {
            let read = sheet_number(text).map(|number| number.to_string());
            assert_eq!(read.as_deref(), Some(number), "{text}");
        }
        assert_eq!(sheet_number(&"9".repeat(300)), None);
        assert_eq!(sheet_number("inf"), None);
    }
}
