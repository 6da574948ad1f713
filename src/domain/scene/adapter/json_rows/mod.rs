//! Rows of a JSON document, one at a time and in bounded memory: the elements of a top-level
//! array, of one named array inside a top-level object, the lines of JSON-lines text, or objects
//! spread over lines. Only the frame is read here; whether a row is sound JSON is for its parser
//! to say, so that one bad row costs one row.

use std::io::BufRead;

use super::Place;
use super::encoding::problem_of;
use super::lines::Lines;
use crate::domain::problem::{Code, Detail, Problem, detail};

mod array;
mod cursor;
mod documents;

use array::{Array, Entered};
pub(super) use cursor::{Cursor, spans_lines};
use documents::Documents;

/// The array of rows inside a page object: its key, its pointer, and the other keys that may
/// stand beside it (`None`: any).
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrapper {
    pub(super) key: &'static str,
    pub(super) pointer: &'static str,
    pub(super) beside: Option<&'static [&'static str]>,
}

/// A service's page or answer: `{"data":[…]}` with anything beside it.
pub(super) const DATA: Wrapper = Wrapper {
    key: "data",
    pointer: "/data",
    beside: None,
};

pub(super) enum JsonRows<R> {
    Array(Array<R>),
    Lines(Lines<R>),
    Documents(Documents<R>),
}

impl<R: BufRead> JsonRows<R> {
    /// Looks at the first buffer of `source`, which should hold at least one whole row, to tell
    /// a page from JSON lines.
    ///
    /// # Errors
    /// `format_mismatch`: the text begins with neither `[` nor `{`.
    pub(super) fn new(mut source: R, wrapper: Wrapper) -> Result<JsonRows<R>, Problem> {
        match shape(source.fill_buf().map_err(problem_of)?, wrapper)? {
            Shape::Array => Ok(JsonRows::Array(Array::new(source, wrapper))),
            Shape::Objects => Ok(JsonRows::Lines(Lines::new(source))),
        }
    }

    /// As [`JsonRows::new`], and objects may be spread over lines: services' answers are often
    /// saved that way, and people write single objects so. The price: in such a file an object
    /// that is not closed takes the rest of the file with it.
    ///
    /// # Errors
    /// `format_mismatch`: the text begins with neither `[` nor `{`.
    pub(super) fn spread(mut source: R, wrapper: Wrapper) -> Result<JsonRows<R>, Problem> {
        let first = source.fill_buf().map_err(problem_of)?;
        match shape(first, wrapper)? {
            Shape::Objects if spans_lines(first) => Ok(JsonRows::Documents(Documents::new(source))),
            _ => JsonRows::new(source, wrapper),
        }
    }

    /// A document that is one row itself.
    pub(super) fn one(source: R) -> JsonRows<R> {
        JsonRows::Documents(Documents::only(source))
    }

    /// Without the guess: the text must be an array, or an object with the wrapper's key.
    ///
    /// # Errors
    /// `format_mismatch`: the text is empty.
    pub(super) fn document(source: R, wrapper: Wrapper) -> Result<JsonRows<R>, Problem> {
        let mut array = Array::new(source, wrapper);
        match array.is_empty_text()? {
            true => Err(mismatch(detail!("文档为空", "the document is empty"))),
            false => Ok(JsonRows::Array(array)),
        }
    }

    /// Lets one page follow another, as in a file of saved answers, one a line. The index of a row
    /// is counted on from page to page.
    pub(super) fn pages(mut self) -> JsonRows<R> {
        if let JsonRows::Array(array) = &mut self {
            array.many = true;
        }
        self
    }

    /// The text of the next row.
    ///
    /// # Errors
    /// `format_mismatch`, `file_truncated`, `line_too_long`: nothing more can be read.
    pub(super) fn next(&mut self) -> Result<Option<(Place, &str)>, Problem> {
        match self {
            JsonRows::Array(array) => array.next(),
            JsonRows::Documents(documents) => documents.next(),
            JsonRows::Lines(lines) => Ok(lines
                .next()?
                .map(|(number, text)| (Place::Line(number), text))),
        }
    }

    /// Whether the row last read may be torn off: the last line of the text, without an end.
    pub(super) fn torn(&self) -> bool {
        matches!(self, JsonRows::Lines(lines) if lines.torn())
    }
}

enum Shape {
    Array,
    Objects,
}

fn shape(first: &[u8], wrapper: Wrapper) -> Result<Shape, Problem> {
    let none = |detail: Detail| Err(Problem::at(Code::FormatMismatch, "byte 0", detail));
    let start = first.trim_ascii_start();
    match start.first() {
        Some(b'[') => Ok(Shape::Array),
        Some(b'{') => match Array::new(start, wrapper).enter() {
            // The object closes and has no array of rows, or has a key that does not stand
            // beside one: it is a row itself.
            Ok(Entered::Closed) => Ok(Shape::Objects),
            Err(Problem {
                code: Code::FormatMismatch | Code::UnknownField,
                ..
            }) => Ok(Shape::Objects),
            _ => Ok(Shape::Array),
        },
        Some(_) => none(detail!(
            "开头既不是 [ 也不是 {{",
            "neither [ nor {{ begins it"
        )),
        None => none(detail!("文件为空", "the file is empty")),
    }
}

/// Something stands behind the one document of a file.
pub(super) fn more_text() -> Problem {
    let detail = detail!("文档结束后还有文字", "text after the end of the document");
    Problem::at(Code::FormatMismatch, "end of document", detail)
}

pub(super) fn mismatch(detail: Detail) -> Problem {
    Problem {
        code: Code::FormatMismatch,
        param: None,
        detail,
    }
}

#[cfg(test)]
mod tests;
