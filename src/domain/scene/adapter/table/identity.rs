//! Names of records and of their subjects: a column, or a key of several.

use super::columns::{Columns, Slot};
use super::row::{Cells, Fault, Row};
use super::section::Section;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Bytes of an id or a subject, as in our own format.
const ID_MAX: usize = 128;

/// A name made of columns, or the same in every row.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// Leads the columns; the whole of it where there are none.
    lead: String,
    columns: Vec<Slot>,
}

impl Identity {
    /// `constant` is the same in every row: before the columns of an id, instead of those of a
    /// subject.
    ///
    /// # Errors
    /// `missing_field`, `invalid_field` at the key.
    pub(super) fn id(
        named: &Section,
        constants: &Section,
        columns: &mut Columns,
    ) -> Result<Identity, Problem> {
        let found = Identity {
            lead: lead(constants, "id")?,
            columns: columns.all(named, "id")?,
        };
        match found.columns.is_empty() {
            true => Err(named.missing(
                "id",
                detail!(
                    "请指定文件自带的编号，或组成键的各列",
                    "the file's own id, or the columns that make a key"
                ),
            )),
            false => Ok(found),
        }
    }

    /// # Errors
    /// As [`Identity::id`].
    pub(super) fn subject(
        named: &Section,
        constants: &Section,
        columns: &mut Columns,
    ) -> Result<Identity, Problem> {
        let found = Identity {
            lead: lead(constants, "subject")?,
            columns: columns.all(named, "subject")?,
        };
        match found.columns.is_empty() && found.lead.is_empty() {
            true => Err(named.missing(
                "subject",
                detail!(
                    "或在 [constants] 里写固定的 subject",
                    "or a constant subject in [constants]"
                ),
            )),
            false => Ok(found),
        }
    }

    /// The columns' texts, joined by `|`; in them `%` and `|` are `%25` and `%7C`, so that no two
    /// rows share a key by accident. A lead stands before them with a colon.
    ///
    /// # Errors
    /// `missing_field` for a blank column, `invalid_field` for a control character or a name of
    /// more than 128 bytes.
    pub(super) fn read<C: Cells>(&self, row: &Row<'_, C>) -> Result<String, Fault> {
        let mut name = self.lead.clone();
        for (count, slot) in (0..).zip(&self.columns) {
            let text = row.text(*slot)?;
            if text.is_empty() {
                return Err(row.fault(*slot, Code::MissingField, Detail::default()));
            }
            if text.len() > ID_MAX || text.chars().any(char::is_control) {
                return Err(row.fault(*slot, Code::InvalidField, too_long()));
            }
            match count {
                0 if self.lead.is_empty() => {}
                0 => name.push(':'),
                _ => name.push('|'),
            }
            match self.columns.len() {
                1 => name.push_str(&text),
                _ => push_escaped(&mut name, &text),
            }
            if name.len() > ID_MAX {
                return Err(row.fault(*slot, Code::InvalidField, too_long()));
            }
        }
        Ok(name)
    }

    /// The id that another column names, in the same form; a key of several columns has none.
    ///
    /// # Errors
    /// `invalid_field` for a control character or a name of more than 128 bytes.
    pub(super) fn named_by<C: Cells>(
        &self,
        row: &Row<'_, C>,
        slot: Slot,
        text: &str,
    ) -> Result<String, Fault> {
        let name = match self.lead.as_str() {
            "" => text.to_owned(),
            lead => format!("{lead}:{text}"),
        };
        match name.len() > ID_MAX || name.chars().any(char::is_control) {
            true => Err(row.fault(slot, Code::InvalidField, too_long())),
            false => Ok(name),
        }
    }
}

fn too_long() -> Detail {
    detail!(
        "名称超过 128 字节，或含控制字符",
        "a name of more than 128 bytes, or with control characters"
    )
}

fn push_escaped(name: &mut String, text: &str) {
    if !text.contains(['%', '|']) {
        return name.push_str(text);
    }
    for letter in text.chars() {
        match letter {
            '%' => name.push_str("%25"),
            '|' => name.push_str("%7C"),
            _ => name.push(letter),
        }
    }
}

fn lead(constants: &Section, key: &str) -> Result<String, Problem> {
    let text = constants.text(key)?.unwrap_or_default().trim();
    if text.len() > ID_MAX / 2 || text.chars().any(char::is_control) {
        return Err(constants.refused(
            key,
            detail!("至多 64 字节，不含控制字符", "must be at most 64 bytes"),
        ));
    }
    Ok(text.to_owned())
}
