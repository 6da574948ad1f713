//! A part of a scene's settings, with its place in the document, so that each refusal names the
//! key as the officer wrote it: `settings.quantities.electricity.unit`.

use rust_decimal::Decimal;
use toml::{Table, Value};

use super::super::settings::{self, Settings};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Bytes of a title, a word or a name in the settings.
const TEXT_MAX: usize = 256;
/// Entries of one table or list.
const ENTRIES_MAX: usize = 512;

pub(super) struct Section<'a> {
    path: String,
    table: Option<&'a Table>,
    /// Keys that are somebody else's.
    hidden: &'static [&'static str],
}

impl<'a> Section<'a> {
    pub(super) fn root(settings: &'a Settings) -> Section<'a> {
        Section {
            path: String::new(),
            table: Some(settings.document()),
            hidden: &[],
        }
    }

    /// The section under a key; one without entries where it is not declared.
    ///
    /// # Errors
    /// `invalid_field` for anything but a table.
    pub(super) fn section(&self, key: &str) -> Result<Section<'a>, Problem> {
        let table = match self.value(key) {
            None => None,
            Some(Value::Table(table)) if table.len() <= ENTRIES_MAX => Some(table),
            Some(_) => {
                return Err(self.refused(
                    key,
                    detail!(
                        "应为至多 512 项的表",
                        "must be a table of at most 512 entries"
                    ),
                ));
            }
        };
        Ok(Section {
            path: self.join(key),
            table,
            hidden: &[],
        })
    }

    /// The same section without a few keys.
    pub(super) fn without(&self, hidden: &'static [&'static str]) -> Section<'a> {
        Section {
            path: self.path.clone(),
            table: self.table,
            hidden,
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        let hidden = self.hidden;
        self.table
            .into_iter()
            .flat_map(|table| table.keys().map(String::as_str))
            .filter(move |key| !hidden.contains(key))
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        self.table.and_then(|table| table.get(key))
    }

    /// # Errors
    /// `unknown_field` at the first key that is none of `known`.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.keys().find(|key| !known.contains(key)) {
            None => Ok(()),
            Some(key) => Err(Problem::at(
                Code::UnknownField,
                self.param(key),
                detail!("此处可用的键：{}", "known here: {}", known.join(", ")),
            )),
        }
    }

    /// A text as it is written, spaces and all.
    ///
    /// # Errors
    /// `invalid_field` for another kind of value, an empty text or a long one.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Problem> {
        self.value(key)
            .map(|value| self.text_of(key, value))
            .transpose()
    }

    pub(super) fn text_of(&self, key: &str, value: &'a Value) -> Result<&'a str, Problem> {
        match value {
            Value::String(text) if !text.is_empty() && text.len() <= TEXT_MAX => Ok(text),
            _ => Err(self.refused(
                key,
                detail!(
                    "应为 1 至 256 字节的文本",
                    "must be a text of 1 to 256 bytes"
                ),
            )),
        }
    }

    /// One text or several.
    ///
    /// # Errors
    /// `invalid_field` for anything else, and for an empty list.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<&'a str>, Problem> {
        self.values(key)
            .map_err(|()| {
                self.refused(
                    key,
                    detail!(
                        "应为文本，或文本的列表",
                        "must be a text or a list of texts"
                    ),
                )
            })?
            .into_iter()
            .map(|value| self.text_of(key, value))
            .collect()
    }

    /// One value or the several of a list that is not empty; none where nothing is declared.
    pub(super) fn values(&self, key: &str) -> Result<Vec<&'a Value>, ()> {
        match self.value(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) if list.is_empty() || list.len() > ENTRIES_MAX => Err(()),
            Some(Value::Array(list)) => Ok(list.iter().collect()),
            Some(value) => Ok(vec![value]),
        }
    }

    /// One of a few words.
    ///
    /// # Errors
    /// `invalid_field` naming the words that are known.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        settings::chosen(text, words)
            .map(Some)
            .map_err(|detail| self.refused(key, detail))
    }

    /// An exact number above zero, as a text or a whole number.
    ///
    /// # Errors
    /// `invalid_field` for anything else; a number in TOML's binary floating point is not exact.
    pub(super) fn positive(&self, key: &str) -> Result<Option<Decimal>, Problem> {
        let number = match self.value(key) {
            None => return Ok(None),
            Some(Value::Integer(whole)) => Some(Decimal::from(*whole)),
            Some(Value::String(text)) => Decimal::from_str_exact(text.trim()).ok(),
            Some(_) => None,
        };
        number
            .filter(|number| *number > Decimal::ZERO)
            .map(Some)
            .ok_or_else(|| {
                self.refused(
                    key,
                    detail!(
                        "应为大于 0 的十进制数，写成文本",
                        "must be a decimal above 0, written as a text"
                    ),
                )
            })
    }

    /// A whole number of rows: from 0 to a million.
    ///
    /// # Errors
    /// `invalid_field` for anything else.
    pub(super) fn row(&self, key: &str) -> Result<Option<u32>, Problem> {
        let number = match self.value(key) {
            None => return Ok(None),
            Some(Value::Integer(whole)) => u32::try_from(*whole).ok(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        number
            .filter(|number| *number <= 1_000_000)
            .map(Some)
            .ok_or_else(|| {
                self.refused(
                    key,
                    detail!(
                        "应为 0 至 1,000,000 的整数",
                        "must be a whole number from 0 to 1,000,000"
                    ),
                )
            })
    }

    pub(super) fn param(&self, key: &str) -> String {
        settings::param(&self.join(key))
    }

    pub(super) fn refused(&self, key: &str, detail: Detail) -> Problem {
        Problem::at(Code::InvalidField, self.param(key), detail)
    }

    pub(super) fn missing(&self, key: &str, detail: Detail) -> Problem {
        Problem::at(Code::MissingField, self.param(key), detail)
    }

    fn join(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}
