//! The columns that a mapping names, and where they stand in a file.

use toml::Value;

use super::section::Section;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Columns of the widest sheet there is (`XFD`).
pub(super) const COLUMNS_MAX: usize = 16_384;

/// One of the columns that a mapping names: an index into [`Columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(usize);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stands {
    /// Under this title in the header row.
    Titled,
    /// At this zero-based place.
    At(usize),
}

/// Every column of a mapping once, in the order in which it names them.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    named: Vec<(String, Stands)>,
    /// Titles are read from the file; without them a text is a column's letters.
    titled: bool,
}

impl Columns {
    pub(super) fn new(titled: bool) -> Columns {
        Columns {
            named: Vec::new(),
            titled,
        }
    }

    /// The columns under a key: one, or the several of a list.
    ///
    /// # Errors
    /// `invalid_field` for what is neither a title (letters, where there is no header) nor a
    /// place counted from 1.
    pub(super) fn all(&mut self, section: &Section, key: &str) -> Result<Vec<Slot>, Problem> {
        let values = section.values(key).map_err(|()| {
            section.refused(
                key,
                detail!(
                    "应为一列，或若干列的列表",
                    "must be a column or a list of columns"
                ),
            )
        })?;
        let slots = values.into_iter().map(|value| self.of(section, key, value));
        slots.collect()
    }

    /// # Errors
    /// As [`Columns::all`]; `invalid_field` for several columns.
    pub(super) fn one(&mut self, section: &Section, key: &str) -> Result<Option<Slot>, Problem> {
        match self.all(section, key)?.as_slice() {
            [] => Ok(None),
            [slot] => Ok(Some(*slot)),
            _ => Err(section.refused(key, detail!("只能是一列", "must be one column"))),
        }
    }

    pub(super) fn of(
        &mut self,
        section: &Section,
        key: &str,
        value: &Value,
    ) -> Result<Slot, Problem> {
        let column = match value {
            Value::Integer(place) => usize::try_from(*place)
                .ok()
                .filter(|place| (1..=COLUMNS_MAX).contains(place))
                .map(|place| (letters(place - 1), Stands::At(place - 1))),
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => self.text(text.trim()),
            _ => None,
        };
        let column = column.ok_or_else(|| {
            let detail = match self.titled {
                true => detail!(
                    "应为列的标题，或从 1 数起的列号",
                    "must be a column's title, or its place counted from 1"
                ),
                false => detail!(
                    "应为列的字母（A 至 XFD），或从 1 数起的列号",
                    "must be a column's letters (A to XFD), or its place counted from 1"
                ),
            };
            section.refused(key, detail)
        })?;
        let at = self.named.iter().position(|known| *known == column);
        Ok(Slot(at.unwrap_or_else(|| {
            self.named.push(column);
            self.named.len() - 1
        })))
    }

    fn text(&self, text: &str) -> Option<(String, Stands)> {
        match self.titled {
            true => Some((text.to_owned(), Stands::Titled)),
            false => place(text).map(|place| (text.to_uppercase(), Stands::At(place))),
        }
    }

    /// How a column is called in a refusal.
    pub(super) fn title(&self, slot: Slot) -> &str {
        self.named
            .get(slot.0)
            .map_or("", |(title, _)| title.as_str())
    }

    /// Where each column stands in a file with these titles.
    ///
    /// # Errors
    /// `format_mismatch` at the header for a title that is missing or stands twice.
    pub(super) fn locate(&self, header: &str, titles: &[String]) -> Result<Located, Problem> {
        let at = self.named.iter().map(|(title, stands)| match stands {
            Stands::At(place) => Ok(*place),
            Stands::Titled => {
                let mut found = (0..).zip(titles).filter(|(_, known)| *known == title);
                match (found.next(), found.next()) {
                    (Some((place, _)), None) => Ok(place),
                    (None, _) => Err(mismatch(
                        header,
                        detail!("没有 {title:?} 列", "no column {title:?}"),
                    )),
                    (Some(_), Some(_)) => Err(mismatch(
                        header,
                        detail!("{title:?} 列重复出现", "column {title:?} stands twice"),
                    )),
                }
            }
        });
        Ok(Located {
            at: at.collect::<Result<_, _>>()?,
        })
    }
}

fn mismatch(place: &str, detail: Detail) -> Problem {
    Problem::at(Code::FormatMismatch, place, detail)
}

/// Where a mapping's columns stand in one file, counted from 0.
#[derive(Debug, Clone)]
pub(super) struct Located {
    at: Vec<usize>,
}

impl Located {
    pub(super) fn place(&self, slot: Slot) -> usize {
        self.at.get(slot.0).copied().unwrap_or(usize::MAX)
    }
}

/// `A` for 0, `Z` for 25, `AA` for 26: as spreadsheets count columns.
pub(super) fn letters(place: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = place + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// The reverse of [`letters`], in either case.
fn place(letters: &str) -> Option<usize> {
    if !(1..=3).contains(&letters.len()) {
        return None;
    }
    let mut place = 0;
    for byte in letters.bytes() {
        let digit = byte
            .is_ascii_alphabetic()
            .then(|| usize::from(byte.to_ascii_uppercase() - b'A'))?;
        place = place * 26 + digit + 1;
    }
    (place <= COLUMNS_MAX).then(|| place - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_count_as_spreadsheets_do() {
        for (at, text) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (701, "ZZ"),
            (702, "AAA"),
            (16_383, "XFD"),
        ] {
            assert_eq!(letters(at), text);
            assert_eq!(place(text), Some(at));
            assert_eq!(place(&text.to_lowercase()), Some(at));
        }
        for text in ["", "XFE", "AAAA", "A1", "1", "é"] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
