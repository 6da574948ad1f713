//! All documents together: loading, and which version applies when.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::compile::compile;
use super::compiled::Compiled;
use super::defect::{Defect, Source};
use super::document::{Head, MethodologyDocument};
use super::embedded;
use super::factor_table::FactorTable;
use crate::domain::problem::detail;

/// The format that this program reads.
const FORMAT: i64 = 1;

/// Every document that is loaded (方法学库).
#[derive(Debug, Clone, Default)]
pub struct Library {
    methodologies: BTreeMap<String, Vec<Arc<Compiled>>>,
    tables: Vec<FactorTable>,
}

/// A document of either kind.
#[derive(Debug)]
enum Document {
    Methodology(Box<MethodologyDocument>, String),
    Table(Box<FactorTable>),
}

impl Library {
    /// The documents that are part of the program.
    ///
    /// # Errors
    /// A defect in one of them: a test keeps that from happening.
    pub fn embedded() -> Result<Library, Vec<Defect>> {
        Library::load(embedded::DOCUMENTS.iter().copied())
    }

    /// Loads documents, each a file name and its text; factor tables may come in any order.
    ///
    /// # Errors
    /// Every defect found, one a document.
    pub fn load<'a>(
        documents: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Library, Vec<Defect>> {
        let (library, defects) = Library::load_what_can_be(documents);
        if defects.is_empty() {
            Ok(library)
        } else {
            Err(defects)
        }
    }

    /// Loads what has no defect.
    pub fn load_what_can_be<'a>(
        documents: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> (Library, Vec<Defect>) {
        let mut library = Library::default();
        let mut defects = Vec::new();
        let mut methodologies = Vec::new();
        for (file, text) in documents {
            let source = Source { file, text };
            match read(source) {
                Err(defect) => defects.push(defect),
                Ok(Document::Methodology(document, sha256)) => {
                    methodologies.push((source, document, sha256));
                }
                Ok(Document::Table(table)) => {
                    if let Err(defect) = library.add_table(source, *table) {
                        defects.push(defect);
                    }
                }
            }
        }
        for (source, document, sha256) in methodologies {
            let compiled = compile(source, *document, sha256, &library.tables);
            if let Err(defect) = compiled.and_then(|compiled| library.add(source, compiled)) {
                defects.push(defect);
            }
        }
        (library, defects)
    }

    fn add_table(&mut self, source: Source<'_>, table: FactorTable) -> Result<(), Defect> {
        if self.table(table.code(), table.version()).is_some() {
            return Err(source.defect(
                0,
                detail!("{} 已经加载", "{} is loaded already", table.name()),
            ));
        }
        self.tables.push(table);
        Ok(())
    }

    fn add(&mut self, source: Source<'_>, compiled: Compiled) -> Result<(), Defect> {
        if self.get(compiled.code(), compiled.version()).is_some() {
            return Err(source.defect(
                0,
                detail!("{} 已经加载", "{} is loaded already", compiled.name()),
            ));
        }
        let versions = self
            .methodologies
            .entry(compiled.code().to_owned())
            .or_default();
        versions.push(Arc::new(compiled));
        versions.sort_by(|a, b| (a.window.from, a.version()).cmp(&(b.window.from, b.version())));
        Ok(())
    }

    /// The version of a methodology that applies to an event of this time: of those in force then
    /// the one that came into force last.
    pub fn effective(&self, code: &str, at: DateTime<Utc>) -> Option<&Arc<Compiled>> {
        self.effective_where(code, at, |_| true)
    }

    /// The same among the versions that `admitted` lets through: those that are live.
    pub fn effective_where(
        &self,
        code: &str,
        at: DateTime<Utc>,
        admitted: impl Fn(&Compiled) -> bool,
    ) -> Option<&Arc<Compiled>> {
        let versions = self.methodologies.get(code)?;
        versions
            .iter()
            .rev()
            .find(|version| version.window.contains(at) && admitted(version))
    }

    pub fn get(&self, code: &str, version: &str) -> Option<&Arc<Compiled>> {
        let versions = self.methodologies.get(code)?;
        versions.iter().find(|known| known.version() == version)
    }

    /// Every methodology, by code, then by when it comes into force.
    pub fn methodologies(&self) -> impl Iterator<Item = &Arc<Compiled>> {
        self.methodologies.values().flatten()
    }

    pub fn tables(&self) -> &[FactorTable] {
        &self.tables
    }

    pub fn table(&self, code: &str, version: &str) -> Option<&FactorTable> {
        let mut tables = self.tables.iter();
        tables.find(|table| table.code() == code && table.version() == version)
    }
}

fn read(source: Source<'_>) -> Result<Document, Defect> {
    let head: Head = parse(source)?;
    if *head.format.get_ref() != FORMAT {
        let message = detail!(
            "本程序只读 format {FORMAT}",
            "this program reads format {FORMAT}"
        );
        return Err(source.defect(head.format.span().start, message));
    }
    let sha256 = canonical_sha256(source)?;
    match head.kind.get_ref().as_str() {
        "methodology" => Ok(Document::Methodology(Box::new(parse(source)?), sha256)),
        "factor-table" => {
            let table = FactorTable::load(source, parse(source)?, sha256)?;
            Ok(Document::Table(Box::new(table)))
        }
        other => {
            let message = detail!(
                "`{other}` 既不是 methodology 也不是 factor-table",
                "`{other}` is neither methodology nor factor-table"
            );
            Err(source.defect(head.kind.span().start, message))
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(source: Source<'_>) -> Result<T, Defect> {
    toml::from_str(source.text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let told = error.message();
        source.defect(at, detail!("无法解析：{told}", "{told}"))
    })
}

/// SHA-256 of the document as RFC 8785 JSON: comments and layout do not count.
fn canonical_sha256(source: Source<'_>) -> Result<String, Defect> {
    let tree: toml::Table = parse(source)?;
    if let Some(name) = tree.iter().find_map(|(name, value)| inexact(name, value)) {
        let message = detail!(
            "`{name}` 是二进制浮点数或日期；请写成字符串",
            "`{name}` is a binary float or a date; write it as a string"
        );
        return Err(source.defect(0, message));
    }
    let bytes = serde_json_canonicalizer::to_vec(&tree)
        .map_err(|error| source.defect(0, detail!("无法规范化：{error}", "{error}")))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}

fn inexact(name: &str, value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Float(_) | toml::Value::Datetime(_) => Some(name.to_owned()),
        toml::Value::Array(items) => items.iter().find_map(|item| inexact(name, item)),
        toml::Value::Table(table) => table.iter().find_map(|(name, value)| inexact(name, value)),
        _ => None,
    }
}
