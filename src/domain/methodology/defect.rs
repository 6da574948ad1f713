//! What is wrong with a document, and where in its text.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::domain::problem::{Detail, detail};

/// A defect (缺陷) of a document: the file, the one-based line and column (in characters), and
/// one sentence in each language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub message_zh: String,
}

impl Defect {
    /// The place and the sentence, in both languages.
    pub fn told(&self) -> Detail {
        let Defect {
            file,
            line,
            column,
            message_zh,
            ..
        } = self;
        detail!("{file}:{line}:{column}：{message_zh}", "{self}")
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Defect {
            file,
            line,
            column,
            message,
            ..
        } = self;
        write!(f, "{file}:{line}:{column}: {message}")
    }
}

impl std::error::Error for Defect {}

/// A document's name and text, from which places are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    pub fn defect(&self, at: usize, message: Detail) -> Defect {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Defect {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
            message: message.en().to_owned(),
            message_zh: message.zh().to_owned(),
        }
    }

    /// Where byte `offset` of a string's value stands in the file, given the span of the string
    /// with its quotes. With escapes in the string the two do not line up: then its beginning.
    pub fn inside(&self, span: &Range<usize>, offset: usize) -> usize {
        let raw = self.text.get(span.clone()).unwrap_or("");
        let literal = raw.starts_with('\'');
        if !literal && raw.contains('\\') {
            return span.start;
        }
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") {
            3
        } else {
            1
        };
        let body = raw.get(quotes..).unwrap_or("");
        let newline = match quotes {
            3 if body.starts_with("\r\n") => 2,
            3 if body.starts_with('\n') => 1,
            _ => 0,
        };
        span.start + quotes + newline + offset
    }
}
