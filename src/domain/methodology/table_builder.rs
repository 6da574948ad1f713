//! Puts a table together from a document's own rows or from the factor tables that it pins.

use toml::Spanned;

use super::defect::Source;
use super::dictionary::Dictionary;
use super::document::{RowEntry, TableEntry};
use super::factor_table::{Window, day_start};
use super::slots::{Loaded, decimal, unit};
use super::table::{Column, MAX_KEYS, Note, Origin, Row, Table};
use crate::domain::problem::detail;
use crate::domain::unit::Unit;

pub(super) struct TableBuilder<'d> {
    name: &'d str,
    dictionary: &'d Dictionary,
    columns: Vec<Column>,
    units: Vec<Unit>,
    /// The unit that the pinned versions share.
    unit: Option<Unit>,
    rows: Vec<Row>,
    parents: Vec<(u32, u32)>,
    origins: Vec<Origin>,
}

impl<'d> TableBuilder<'d> {
    pub fn new(name: &'d str, dictionary: &'d Dictionary) -> TableBuilder<'d> {
        TableBuilder {
            name,
            dictionary,
            columns: Vec::new(),
            units: Vec::new(),
            unit: None,
            rows: Vec::new(),
            parents: Vec::new(),
            origins: Vec::new(),
        }
    }

    pub fn add(
        &mut self,
        source: Source<'_>,
        entry: &TableEntry,
        document: Option<(String, String, String)>,
        window: Window,
    ) -> Loaded<()> {
        let start = entry.unit.as_ref().map_or(0, |unit| unit.span().start);
        if let Some(stated) = &entry.unit {
            let own = unit(source, stated)?;
            if self.unit.as_ref().is_some_and(|known| *known != own) {
                return Err(source.defect(
                    start,
                    detail!(
                        "`{own}` 与其他版本的单位不同",
                        "`{own}` is not the unit of the other versions"
                    ),
                ));
            }
            self.numbered(&own);
            self.unit = Some(own);
        } else if entry.rows.is_empty() {
            let message = detail!(
                "表 `{}` 须写明 `unit`",
                "table `{}` states its `unit`",
                self.name
            );
            return Err(source.defect(start, message));
        }
        self.columns(source, entry, start)?;
        for row in &entry.rows {
            self.row(source, entry, row, document.clone(), window)?;
        }
        for (child, parent) in &entry.parents {
            let step = (self.dictionary.find(child), self.dictionary.find(parent));
            self.parents.push(step);
        }
        Ok(())
    }

    /// The place of a unit among the table's.
    fn numbered(&mut self, unit: &Unit) -> usize {
        let place = self.units.iter().position(|known| known == unit);
        place.unwrap_or_else(|| {
            self.units.push(unit.clone());
            self.units.len() - 1
        })
    }

    fn columns(&mut self, source: Source<'_>, entry: &TableEntry, start: usize) -> Loaded<()> {
        if entry.keys.is_empty() || entry.keys.len() > MAX_KEYS {
            return Err(source.defect(
                start,
                detail!(
                    "表须有 1 至 {MAX_KEYS} 个 `keys`",
                    "a table has 1 to {MAX_KEYS} `keys`"
                ),
            ));
        }
        let columns: Vec<Column> = entry
            .keys
            .iter()
            .enumerate()
            .map(|(place, name)| Column {
                name: name.clone(),
                whole: !entry.rows.is_empty()
                    && entry.rows.iter().all(|row| {
                        let cell = row.get_ref().key.get(place);
                        cell.is_some_and(|cell| cell.parse::<u32>().is_ok())
                    }),
            })
            .collect();
        let same = self.columns.is_empty()
            || self
                .columns
                .iter()
                .map(|column| (&column.name, column.whole))
                .eq(columns.iter().map(|column| (&column.name, column.whole)));
        if !same {
            return Err(source.defect(
                start,
                detail!(
                    "该表各版本的键不同",
                    "the versions of the table have different keys"
                ),
            ));
        }
        self.columns = columns;
        Ok(())
    }

    fn row(
        &mut self,
        source: Source<'_>,
        entry: &TableEntry,
        row: &Spanned<RowEntry>,
        document: Option<(String, String, String)>,
        window: Window,
    ) -> Loaded<()> {
        let at = row.span().start;
        let row = row.get_ref();
        if row.key.len() != self.columns.len() {
            return Err(source.defect(
                at,
                detail!("每行须有 {} 个键", "a row has {} keys", self.columns.len()),
            ));
        }
        let mut key = [0; MAX_KEYS];
        for ((cell, text), column) in key.iter_mut().zip(&row.key).zip(&self.columns) {
            *cell = match column.whole {
                true => text.parse().unwrap_or(u32::MAX),
                false => self.dictionary.find(text),
            };
        }
        let own = row.unit.as_ref().map(|own| unit(source, own)).transpose()?;
        let own = own.or_else(|| self.unit.clone()).ok_or_else(|| {
            source.defect(
                at,
                detail!(
                    "表没有单位，该行须写明 `unit`",
                    "the row states its `unit`, as the table has none"
                ),
            )
        })?;
        let date = |date: &Option<Spanned<String>>| {
            date.as_ref()
                .map(|date| day_start(source, date, window.zone))
                .transpose()
        };
        let from = date(&row.from)?.map_or(window.from, |from| from.max(window.from));
        let to = match (date(&row.to)?, window.to) {
            (Some(own), Some(all)) => Some(own.min(all)),
            (own, all) => own.or(all),
        };
        self.origins.push(Origin {
            document,
            year: row.year.or(entry.year),
            source: row.source.clone().unwrap_or_else(|| entry.source.clone()),
            document_no: row
                .document_no
                .clone()
                .unwrap_or_else(|| entry.document_no.clone()),
            grade: row.grade.or(entry.grade),
            evidence_sha256: entry.evidence_sha256.clone(),
            note: Note::of(&entry.note_zh, &entry.note),
        });
        let row = Row {
            key,
            from: from.timestamp(),
            to: to.map_or(i64::MAX, |to| to.timestamp()),
            value: row
                .value
                .as_ref()
                .map(|value| decimal(source, value))
                .transpose()?,
            unit: self.numbered(&own),
            origin: self.origins.len() - 1,
        };
        self.rows.push(row);
        Ok(())
    }

    pub fn finish(
        mut self,
        source: Source<'_>,
        at: usize,
        fallback: Option<&Spanned<String>>,
    ) -> Loaded<Table> {
        self.rows.sort_by_key(|row| (row.key, row.from));
        self.parents.sort_unstable();
        // Versions of one table say the same step.
        self.parents.dedup();
        let fallback = match fallback {
            None => None,
            Some(wanted) => {
                let place = self
                    .columns
                    .iter()
                    .position(|column| column.name == *wanted.get_ref());
                Some(place.ok_or_else(|| {
                    let message = detail!(
                        "`{}` 不是该表的键",
                        "`{}` is no key of the table",
                        wanted.get_ref()
                    );
                    source.defect(wanted.span().start, message)
                })?)
            }
        };
        let table = Table {
            name: self.name.to_owned(),
            columns: self.columns,
            units: self.units,
            rows: self.rows,
            fallback,
            parents: self.parents,
            origins: self.origins,
        };
        let forks = table.parents.iter().zip(table.parents.iter().skip(1));
        if let Some((step, _)) = forks.into_iter().find(|(step, next)| step.0 == next.0) {
            let message = detail!(
                "“{}”有两个上级",
                "\"{}\" has two parents",
                self.dictionary.text(step.0)
            );
            return Err(source.defect(at, message));
        }
        if let Some((row, _)) = table.overlap() {
            let message = detail!(
                "表 `{}` 中“{}”在同一时间有两个值",
                "table `{}` has two values for \"{}\" at the same time",
                table.name,
                super::compiled::key_texts(&table, &row.key, self.dictionary).join(", ")
            );
            return Err(source.defect(at, message));
        }
        Ok(table)
    }
}
