//! What an officer declares about a scene's feed, beside its zone: the datum of its coordinates,
//! the unit of its weights, the columns of its file. A small TOML document; each adapter names
//! the keys it reads, and no other key is taken.

use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use toml::{Table, Value};

use crate::domain::problem::{Code, Detail, Problem, detail};

/// A scene's declarations, read and not yet understood: each adapter understands its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings(Table);

impl Settings {
    /// Reads a TOML document.
    ///
    /// # Errors
    /// `invalid_field` at `settings` with the line, which is not quoted: it may hold a salt.
    pub fn parse(text: &str) -> Result<Settings, Problem> {
        text.parse::<Table>().map(Settings).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.unwrap_or_default().split('\n').count();
            let message = error.message();
            let detail = detail!("第 {line} 行：{message}", "line {line}: {message}");
            Problem::at(Code::InvalidField, "settings", detail)
        })
    }

    /// Adds one declaration; a later one of the same key wins.
    pub fn set(&mut self, key: &str, value: &str) {
        self.0.insert(key.to_owned(), Value::from(value));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses any key but these.
    ///
    /// # Errors
    /// `unknown_field` at the key.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let detail = match known {
                    [] => detail!("该适配器没有设置项", "this adapter takes no settings"),
                    _ => detail!(
                        "可用的设置项：{known}",
                        "known here: {known}",
                        known = known.join(", ")
                    ),
                };
                Err(Problem::at(Code::UnknownField, param(key), detail))
            }
        }
    }

    /// A text; `None` where it is not declared.
    ///
    /// # Errors
    /// `invalid_field` for a value that is no text, or a blank one.
    pub fn text(&self, key: &str) -> Result<Option<&str>, Problem> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.trim())),
            Some(_) => Err(refused(
                key,
                detail!("须为非空文本", "must be a text and not blank"),
            )),
        }
    }

    /// One of a few words.
    ///
    /// # Errors
    /// `invalid_field` naming the words that are known.
    pub fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        chosen(text, words)
            .map(Some)
            .map_err(|detail| refused(key, detail))
    }

    /// An exact number, written as a text (`"1.25"`) or as a whole number.
    ///
    /// # Errors
    /// `invalid_field` for anything else.
    pub fn decimal(&self, key: &str) -> Result<Option<Decimal>, Problem> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Integer(whole)) => Ok(Some(Decimal::from(*whole))),
            Some(Value::String(text)) => Decimal::from_str_exact(text.trim())
                .map(Some)
                .map_err(|_| refused(key, detail!("须为十进制数", "must be a decimal number"))),
            Some(_) => Err(refused(
                key,
                detail!(
                    "须为以文本书写的十进制数",
                    "must be a decimal number, written as a text"
                ),
            )),
        }
    }

    /// A whole number within bounds, as a text or a number.
    ///
    /// # Errors
    /// `invalid_field` for anything else.
    pub fn whole(&self, key: &str, bounds: RangeInclusive<i64>) -> Result<Option<i64>, Problem> {
        let Some(number) = self.decimal(key)? else {
            return Ok(None);
        };
        number
            .to_i64()
            .filter(|whole| number.is_integer() && bounds.contains(whole))
            .map(Some)
            .ok_or_else(|| {
                let (least, most) = (bounds.start(), bounds.end());
                refused(
                    key,
                    detail!(
                        "须为 {least} 至 {most} 的整数",
                        "must be a whole number from {least} to {most}"
                    ),
                )
            })
    }

    /// A table within the document.
    ///
    /// # Errors
    /// `invalid_field` for anything else.
    pub fn table(&self, key: &str) -> Result<Option<&Table>, Problem> {
        match self.0.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(table)),
            Some(_) => Err(refused(key, detail!("须为表", "must be a table"))),
        }
    }

    /// The document as a whole, for an adapter whose settings are a document of their own.
    pub(super) fn document(&self) -> &Table {
        &self.0
    }

    /// Whatever stands there.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }
}

/// What one of a few words means.
///
/// # Errors
/// A sentence that names the words that are known.
pub(super) fn chosen<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Detail> {
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let known = known.join(", ");
        detail!(
            "{text:?} 不在可选值之内：{known}",
            "{text:?} is none of {known}"
        )
    })
}

/// How a setting is named in a problem: `settings.datum`.
pub fn param(key: &str) -> String {
    format!("settings.{key}")
}

fn refused(key: &str, detail: Detail) -> Problem {
    Problem::at(Code::InvalidField, param(key), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_is_read_and_others_are_refused_by_key() {
        let settings =
            Settings::parse("datum = 'wgs84'\nfactor = '1.25'\n[columns]\nid = 'A'").unwrap();
        let words = [("wgs84", 1), ("gcj02", 2)];
        assert_eq!(settings.choice("datum", &words).unwrap(), Some(1));
        assert_eq!(
            settings.decimal("factor").unwrap(),
            Some(Decimal::new(125, 2))
        );
        assert!(settings.table("columns").unwrap().is_some());
        let number = Settings::parse("a = '12'\nb = 13\nc = '1.5'").unwrap();
        assert_eq!(number.whole("a", 1..=12), Ok(Some(12)));
        for wrong in ["b", "c"] {
            let problem = number.whole(wrong, 1..=12).unwrap_err();
            assert_eq!(problem.detail.en(), "must be a whole number from 1 to 12");
            assert_eq!(problem.detail.zh(), "须为 1 至 12 的整数");
        }
        assert_eq!(settings.text("zone").unwrap(), None);
        let wrong = settings.choice("factor", &words).unwrap_err();
        assert_eq!(wrong.param.as_deref(), Some("settings.factor"));
        assert!(wrong.detail.en().contains("wgs84, gcj02"));
        assert_eq!(
            settings.text("columns").unwrap_err().code,
            Code::InvalidField
        );
        let unknown = settings.only(&["datum", "factor"]).unwrap_err();
        assert_eq!(
            (unknown.code, unknown.param.as_deref()),
            (Code::UnknownField, Some("settings.columns"))
        );
        let broken = Settings::parse("a = 1\nsalt = 'a secret\n").unwrap_err();
        assert_eq!(broken.param.as_deref(), Some("settings"));
        assert!(
            broken.detail.en().starts_with("line 2: ") && !broken.detail.en().contains("secret"),
            "{}",
            broken.detail
        );
    }
}
