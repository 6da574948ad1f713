//! A factor-table document: one table that many methodologies pin by version.

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;

use super::defect::{Defect, Source};
use super::dictionary::Dictionary;
use super::document::{Effect, FactorTableDocument, Identity, TableEntry};
use super::table_builder::TableBuilder;
use crate::domain::problem::detail;

/// A factor table (排放因子表), frozen: code, version and hash.
#[derive(Debug, Clone)]
pub struct FactorTable {
    pub(crate) identity: Identity,
    pub(crate) sha256: String,
    pub(crate) window: Window,
    pub(crate) entry: TableEntry,
    pub(crate) file: String,
    pub(crate) text: String,
}

impl FactorTable {
    pub fn code(&self) -> &str {
        self.identity.code.get_ref()
    }

    pub fn version(&self) -> &str {
        self.identity.version.get_ref()
    }

    /// SHA-256 of the canonical form (RFC 8785), in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    pub fn title_zh(&self) -> &str {
        &self.identity.title_zh
    }

    pub fn title_en(&self) -> &str {
        &self.identity.title_en
    }

    /// The document as it was loaded.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    /// Code and version: `grid-factor@2023.1`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.code(), self.version())
    }

    pub fn row_count(&self) -> usize {
        self.entry.rows.len()
    }

    /// The value of a row as it is written.
    pub fn value(&self, key: &[&str]) -> Option<&str> {
        let row = self
            .entry
            .rows
            .iter()
            .find(|row| row.get_ref().key == key)?;
        row.get_ref()
            .value
            .as_ref()
            .map(|value| value.get_ref().as_str())
    }

    pub(crate) fn load(
        source: Source<'_>,
        document: FactorTableDocument,
        sha256: String,
    ) -> Result<FactorTable, Defect> {
        let window = Window::of(source, &document.effect)?;
        let entry = document.table.into_inner();
        if let Some(from) = &entry.from {
            return Err(source.defect(
                from.span().start,
                detail!("因子表须有自己的行", "a factor table has rows of its own"),
            ));
        }
        readable(source, &entry, window)?;
        Ok(FactorTable {
            identity: document.identity,
            sha256,
            window,
            entry,
            file: source.file.to_owned(),
            text: source.text.to_owned(),
        })
    }
}

/// Every unit, number, date and key of the rows, as a methodology that pins the table reads them.
fn readable(source: Source<'_>, entry: &TableEntry, window: Window) -> Result<(), Defect> {
    let parents = entry
        .parents
        .iter()
        .flat_map(|(child, parent)| [child, parent]);
    let keys = entry.rows.iter().flat_map(|row| &row.get_ref().key);
    let dictionary = Dictionary::new(keys.chain(parents).cloned().collect());
    let mut builder = TableBuilder::new("table", &dictionary);
    builder.add(source, entry, None, window)?;
    builder.finish(source, 0, None).map(|_| ())
}

/// From when until before when (生效期), and in which zone days begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: Option<DateTime<Utc>>,
    pub zone: Tz,
}

impl Window {
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    pub(crate) fn of(source: Source<'_>, effect: &Effect) -> Result<Window, Defect> {
        let zone: Tz = effect.zone.get_ref().parse().map_err(|_| {
            let message = detail!(
                "`{}` 不是 IANA 时区",
                "`{}` is no IANA time zone",
                effect.zone.get_ref()
            );
            source.defect(effect.zone.span().start, message)
        })?;
        let from = day_start(source, &effect.from, zone)?;
        let to = effect
            .to
            .as_ref()
            .map(|to| day_start(source, to, zone))
            .transpose()?;
        if to.is_some_and(|to| to <= from) {
            return Err(source.defect(
                effect.from.span().start,
                detail!("结束早于开始", "it ends before it begins"),
            ));
        }
        Ok(Window { from, to, zone })
    }
}

/// The first instant of a day such as `2023-01-01` in a zone.
pub(crate) fn day_start(
    source: Source<'_>,
    date: &toml::Spanned<String>,
    zone: Tz,
) -> Result<DateTime<Utc>, Defect> {
    let wrong = || {
        let message = detail!(
            "`{}` 不是日期；写法如 2026-01-31",
            "`{}` is no date; write 2026-01-31",
            date.get_ref()
        );
        source.defect(date.span().start, message)
    };
    let day: NaiveDate = date.get_ref().parse().map_err(|_| wrong())?;
    start_of_day(day, zone).ok_or_else(wrong)
}

/// The first instant of a day in a zone: the earliest local time that exists.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    (0..=3).find_map(|hour| {
        let local = day.and_hms_opt(hour, 0, 0)?;
        let at = zone.from_local_datetime(&local).earliest()?;
        Some(at.with_timezone(&Utc))
    })
}
