//! Keyed tables of factors, chosen by key and by the time of the event.

use rust_decimal::Decimal;

use super::dictionary::{UNKNOWN, Word};
use super::grade::Grade;
use crate::domain::unit::Unit;

/// Most key columns of a table.
pub(crate) const MAX_KEYS: usize = 5;
/// Most steps of a fallback chain.
const MAX_FALLBACKS: usize = 8;

/// One cell a column: a word's number, or a whole number.
pub(crate) type Key = [u32; MAX_KEYS];

#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// The units that rows have; most tables have one.
    pub units: Vec<Unit>,
    /// Sorted by key, then by `from`; windows of one key do not overlap.
    pub rows: Vec<Row>,
    /// The column that falls back, and from which word to which.
    pub fallback: Option<usize>,
    pub parents: Vec<(Word, Word)>,
    pub origins: Vec<Origin>,
}

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: String,
    /// Every key in it is a whole number.
    pub whole: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub key: Key,
    /// In force from this instant (seconds of Unix time) …
    pub from: i64,
    /// … until before this one.
    pub to: i64,
    /// Blank in a draft.
    pub value: Option<Decimal>,
    /// Which of the table's units.
    pub unit: usize,
    pub origin: usize,
}

/// Where a value comes from (出处).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Code, version and hash of the factor table, when it is a document of its own.
    pub document: Option<(String, String, String)>,
    pub year: Option<i64>,
    pub source: String,
    pub document_no: String,
    pub grade: Option<Grade>,
    pub evidence_sha256: String,
    /// What to obtain and from whom, where the value is not known well enough.
    pub note: Note,
}

/// A note as its document gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Note {
    pub zh: String,
    pub en: String,
}

/// A note in the two languages; the English one stands in for a Chinese one that is not there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoteText<'a> {
    pub zh: &'a str,
    pub en: &'a str,
}

impl Note {
    pub fn of(zh: &str, en: &str) -> Note {
        let (zh, en) = (zh.to_owned(), en.to_owned());
        Note { zh, en }
    }

    pub fn told(&self) -> NoteText<'_> {
        NoteText::of(&self.zh, &self.en)
    }
}

impl<'a> NoteText<'a> {
    pub fn of(zh: &'a str, en: &'a str) -> NoteText<'a> {
        match zh.is_empty() {
            true => NoteText { zh: en, en },
            false => NoteText { zh, en },
        }
    }
}

impl Table {
    /// The unit of a row.
    pub fn unit_of(&self, row: &Row) -> Option<&Unit> {
        self.units.get(row.unit)
    }

    /// The units of the rows that a look-up may reach whose key is known only in part.
    pub fn reachable_units(&self, known: &[Option<u32>]) -> Vec<&Unit> {
        let reached = |row: &&Row| {
            let cells = known.iter().zip(row.key).enumerate();
            let mut cells = cells.filter(|(place, _)| Some(*place) != self.fallback);
            cells.all(|(_, (known, cell))| known.is_none_or(|known| known == cell))
        };
        let mut units: Vec<&Unit> = Vec::new();
        for unit in self
            .rows
            .iter()
            .filter(reached)
            .filter_map(|row| self.unit_of(row))
        {
            if !units.contains(&unit) {
                units.push(unit);
            }
        }
        units
    }

    /// The row in force at `at`, following the fallback chain; `stepped` hears of each step.
    /// `None` if no key of the chain has a row then.
    #[inline]
    pub fn find(&self, mut key: Key, at: i64, mut stepped: impl FnMut(Word, Word)) -> Option<&Row> {
        for _ in 0..=MAX_FALLBACKS {
            if let Some(row) = self.exact(&key, at) {
                return Some(row);
            }
            let cell = key.get_mut(self.fallback?)?;
            let parent = self.parent(*cell)?;
            stepped(*cell, parent);
            *cell = parent;
        }
        None
    }

    fn exact(&self, key: &Key, at: i64) -> Option<&Row> {
        let after = self
            .rows
            .partition_point(|row| (&row.key, row.from) <= (key, at));
        let row = self.rows.get(after.checked_sub(1)?)?;
        (row.key == *key && at < row.to).then_some(row)
    }

    fn parent(&self, word: Word) -> Option<Word> {
        if word == UNKNOWN {
            return None;
        }
        let place = self
            .parents
            .binary_search_by_key(&word, |&(child, _)| child)
            .ok()?;
        self.parents.get(place).map(|&(_, parent)| parent)
    }

    /// Two rows of one key that are in force at the same time.
    pub fn overlap(&self) -> Option<(&Row, &Row)> {
        self.rows
            .iter()
            .zip(self.rows.iter().skip(1))
            .find(|(row, next)| row.key == next.key && next.from < row.to)
    }
}
