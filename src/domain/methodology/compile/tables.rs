//! The tables of a document: its own rows, and those of the factor tables that it pins.

use crate::domain::methodology::defect::Source;
use crate::domain::methodology::dictionary::Dictionary;
use crate::domain::methodology::document::MethodologyDocument;
use crate::domain::methodology::factor_table::{FactorTable, Window};
use crate::domain::methodology::slots::Loaded;
use crate::domain::methodology::table::Table;
use crate::domain::methodology::table_builder::TableBuilder;
use crate::domain::problem::detail;

pub(super) fn pinned_name(table: &FactorTable) -> (String, String, String) {
    (
        table.code().to_owned(),
        table.version().to_owned(),
        table.sha256().to_owned(),
    )
}

/// The tables that the document pins: which of its own names, and which factor table.
pub(super) fn pin<'t>(
    source: Source<'_>,
    document: &MethodologyDocument,
    tables: &'t [FactorTable],
) -> Loaded<Vec<(String, &'t FactorTable)>> {
    let mut pinned = Vec::new();
    for (name, entry) in &document.tables {
        let Some(from) = &entry.get_ref().from else {
            continue;
        };
        if entry.get_ref().versions.is_empty() {
            let message = detail!(
                "须用 `versions` 写明引用该表的哪些版本",
                "`versions` names which versions of the table are used"
            );
            return Err(source.defect(from.span().start, message));
        }
        for version in &entry.get_ref().versions {
            let found = tables.iter().find(|table| {
                table.code() == from.get_ref() && table.version() == version.get_ref()
            });
            let table = found.ok_or_else(|| {
                let message = detail!(
                    "没有因子表 `{}@{}`",
                    "factor table `{}@{}` is not here",
                    from.get_ref(),
                    version.get_ref()
                );
                source.defect(version.span().start, message)
            })?;
            pinned.push((name.clone(), table));
        }
    }
    Ok(pinned)
}

pub(super) fn compile_tables(
    source: Source<'_>,
    document: &MethodologyDocument,
    pinned: &[(String, &FactorTable)],
    dictionary: &Dictionary,
    window: Window,
) -> Loaded<Vec<Table>> {
    let mut tables = Vec::new();
    for (name, entry) in &document.tables {
        let mut builder = TableBuilder::new(name, dictionary);
        if entry.get_ref().from.is_none() {
            builder.add(source, entry.get_ref(), None, window)?;
        }
        for (_, table) in pinned.iter().filter(|(own, _)| own == name) {
            let theirs = Source {
                file: &table.file,
                text: &table.text,
            };
            builder.add(theirs, &table.entry, Some(pinned_name(table)), table.window)?;
        }
        let fallback = entry.get_ref().fallback.as_ref();
        tables.push(builder.finish(source, entry.span().start, fallback)?);
    }
    Ok(tables)
}
