//! The attributes of a row, the words that stand for others, and the rows that are meant.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::interned;
use super::columns::{Columns, Slot};
use super::quantity::named;
use super::row::{Cells, Fault, Row};
use super::section::Section;
use crate::domain::problem::{Code, Problem, detail};

const ATTRIBUTES_MAX: usize = 32;
/// Bytes of an attribute's value.
const VALUE_MAX: usize = 256;

/// What becomes of a word that the mapping does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Refuse,
    Keep,
    Skip,
}

#[derive(Debug, Clone)]
enum From {
    Column {
        slot: Slot,
        words: BTreeMap<String, String>,
        other: Other,
    },
    Constant(String),
}

#[derive(Debug, Clone)]
pub(super) struct Attribute {
    name: Cow<'static, str>,
    from: From,
}

impl Attribute {
    /// Those of columns and those that are the same in every row, in the order of the document.
    ///
    /// # Errors
    /// `invalid_field` or `unknown_field` at the key.
    pub(super) fn all(
        section: &Section,
        constants: &Section,
        columns: &mut Columns,
    ) -> Result<Vec<Attribute>, Problem> {
        let mut attributes = Vec::new();
        for name in section.keys() {
            named(section, name)?;
            attributes.push(Attribute {
                name: interned(name),
                from: from_column(section, name, columns)?,
            });
        }
        for name in constants.keys() {
            named(constants, name)?;
            if section.value(name).is_some() {
                return Err(constants.refused(
                    name,
                    detail!("已由一列给出", "is an attribute of a column too"),
                ));
            }
            let value = constants.text(name)?.unwrap_or_default();
            attributes.push(Attribute {
                name: interned(name),
                from: From::Constant(value.to_owned()),
            });
        }
        match attributes.iter().any(|one| one.name == "stated_at") {
            true => Err(section.refused(
                "stated_at",
                detail!("应写在 [columns] 里", "is a column of [columns]"),
            )),
            false if attributes.len() > ATTRIBUTES_MAX => {
                Err(section.refused("NAME", detail!("属性超过 32 个", "more than 32 attributes")))
            }
            false => Ok(attributes),
        }
    }

    /// The attribute of a row; `None` where its cell is blank.
    ///
    /// # Errors
    /// `invalid_field` for a word that is not listed, and for a value that is no attribute.
    pub(super) fn read<C: Cells>(
        &self,
        row: &Row<'_, C>,
    ) -> Result<Option<(Cow<'static, str>, String)>, Fault> {
        let value = match &self.from {
            From::Constant(value) => value.clone(),
            From::Column { slot, words, other } => {
                let text = row.text(*slot)?;
                if text.is_empty() {
                    return Ok(None);
                }
                match words.get(text.as_ref()) {
                    Some(word) => word.clone(),
                    None if *other == Other::Refuse => {
                        let detail = detail!(
                            "映射没有列出这个词",
                            "a word that the mapping does not list"
                        );
                        return Err(row.fault(*slot, Code::InvalidField, detail));
                    }
                    None if *other == Other::Skip => return Ok(None),
                    None => value(row, *slot, &text)?,
                }
            }
        };
        Ok(Some((self.name.clone(), value)))
    }
}

fn value<C: Cells>(row: &Row<'_, C>, slot: Slot, text: &str) -> Result<String, Fault> {
    if text.len() > VALUE_MAX || text.chars().any(char::is_control) {
        let detail = detail!(
            "超过 256 字节，或含控制字符",
            "longer than 256 bytes, or with control characters"
        );
        return Err(row.fault(slot, Code::InvalidField, detail));
    }
    Ok(text.to_owned())
}

fn from_column(section: &Section, name: &str, columns: &mut Columns) -> Result<From, Problem> {
    let table = matches!(section.value(name), Some(toml::Value::Table(_)));
    if !table {
        let slot = columns.one(section, name)?;
        return Ok(From::Column {
            slot: slot.ok_or_else(|| section.missing(name, detail!("请指定一列", "a column")))?,
            words: BTreeMap::new(),
            other: Other::Keep,
        });
    }
    let section = section.section(name)?;
    section.only(&["column", "values", "other"])?;
    let slot = columns.one(&section, "column")?;
    let slot = slot.ok_or_else(|| {
        section.missing(
            "column",
            detail!("请指定这些词所在的列", "where the words stand"),
        )
    })?;
    let listed = section.section("values")?;
    let mut words = BTreeMap::new();
    for word in listed.keys() {
        let meaning = listed.text(word)?.unwrap_or_default();
        words.insert(word.trim().to_owned(), meaning.to_owned());
    }
    let other = section.choice(
        "other",
        &[
            ("refuse", Other::Refuse),
            ("keep", Other::Keep),
            ("skip", Other::Skip),
        ],
    )?;
    let unlisted = match words.is_empty() {
        true => Other::Keep,
        false => Other::Refuse,
    };
    Ok(From::Column {
        slot,
        words,
        other: other.unwrap_or(unlisted),
    })
}

/// Rows are meant whose column says one of these words.
#[derive(Debug, Clone)]
pub(super) struct Only {
    slot: Slot,
    words: Vec<String>,
}

impl Only {
    /// # Errors
    /// `invalid_field` at the column.
    pub(super) fn all(section: &Section, columns: &mut Columns) -> Result<Vec<Only>, Problem> {
        section
            .keys()
            .map(|title| {
                let value = toml::Value::String(title.to_owned());
                let words = section.texts(title)?;
                Ok(Only {
                    slot: columns.of(section, title, &value)?,
                    words: words.iter().map(|word| word.trim().to_owned()).collect(),
                })
            })
            .collect()
    }

    /// # Errors
    /// `invalid_field` for a cell that has no value.
    pub(super) fn takes<C: Cells>(&self, row: &Row<'_, C>) -> Result<bool, Fault> {
        let text = row.text(self.slot)?;
        Ok(self.words.iter().any(|word| *word == text))
    }
}
