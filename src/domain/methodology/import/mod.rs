//! Factor sources of other people, read into factor-table documents (排放因子导入): what was read,
//! what was left out and why, and the document's text. Nothing is dropped without being told.

mod grid;
mod uk_flat;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use super::grade::Grade;

pub use grid::grid;
pub use uk_flat::uk_flat;

/// A file as it was read: its name (without folders), text, and SHA-256 in hex.
#[derive(Debug, Clone)]
pub struct SourceFile {
    pub name: String,
    pub text: String,
    pub sha256: String,
}

/// What the importing officer states about the source; the file itself cannot say it.
#[derive(Debug, Clone)]
pub struct Statement {
    pub code: String,
    pub version: String,
    /// First day on which events take these factors, `2023-01-01`.
    pub from: String,
    /// First day on which they no longer do.
    pub to: Option<String>,
    pub grade: Grade,
    /// Where the file comes from.
    pub source: String,
    pub document_no: String,
    pub published: String,
    pub retrieved: String,
    /// SHA-256 of the evidence, in hex: the issued document, or the file that is read.
    pub evidence_sha256: String,
}

/// A factor-table document and what happened on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub document: String,
    pub tally: Tally,
}

/// What was read and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub rows_read: usize,
    pub rows_written: usize,
    /// Parts of a total (one gas each) that were compared with it and are not rows themselves.
    pub parts_read: usize,
    /// Groups of a total and all its parts that add up within rounding.
    pub groups_that_add_up: usize,
    /// Rows whose value is blank: not available is not zero, so the table has no such key.
    pub blank: Vec<String>,
    /// Units of the source that have no counterpart here, and how many rows have them.
    pub unmapped_units: BTreeMap<String, usize>,
    /// Rows that repeat another with the same value.
    pub repeated: Vec<String>,
    /// Keys whose text arrived damaged (a replacement character).
    pub damaged: Vec<String>,
    /// What was expected and is not in the source.
    pub missing: Vec<String>,
    /// Text of the source that is neither heading nor row.
    pub unread: Vec<String>,
}
