//! Rows of a JSON document, one at a time and in bounded memory: the elements of a top-level
//! array, of one named array inside a top-level object, or the lines of JSON-lines text. Only
//! the frame is read here; whether a row is sound JSON is for its parser to say, so that one bad
//! row costs one row.

use std::io::BufRead;

use super::encoding::problem_of;
use super::lines::{Lines, too_long};
use super::{Place, ROW_MAX};
use crate::domain::problem::{Code, Problem};

/// Deeper nesting than any row has.
const DEPTH_MAX: u32 = 32;

/// The longest member beside the rows that is read past, where a document may have long ones.
const BESIDE_MAX: usize = 16 * 1024 * 1024;

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
    /// One object over several lines, which is the only row.
    Single(Array<R>),
}

impl<R: BufRead> JsonRows<R> {
    /// A document that is one row itself.
    pub(super) fn one(source: R, wrapper: Wrapper) -> JsonRows<R> {
        JsonRows::Single(Array::new(source, wrapper))
    }

    /// Looks at the first buffer of `source`, which should hold at least one whole row, to tell
    /// a page from JSON lines.
    ///
    /// # Errors
    /// `format_mismatch`: the text begins with neither `[` nor `{`.
    pub(super) fn new(mut source: R, wrapper: Wrapper) -> Result<JsonRows<R>, Problem> {
        match shape(source.fill_buf().map_err(problem_of)?, wrapper)? {
            Shape::Lines => Ok(JsonRows::Lines(Lines::new(source))),
            Shape::Array => Ok(JsonRows::Array(Array::new(source, wrapper))),
        }
    }

    /// As [`JsonRows::new`], and an object that is no page and does not end in its own line is one
    /// row, with nothing after it: a single object, written for people to read.
    ///
    /// # Errors
    /// `format_mismatch`: the text begins with neither `[` nor `{`.
    pub(super) fn with_single(mut source: R, wrapper: Wrapper) -> Result<JsonRows<R>, Problem> {
        let first = source.fill_buf().map_err(problem_of)?;
        match shape(first, wrapper)? {
            Shape::Lines if spread(first) => Ok(JsonRows::Single(Array::new(source, wrapper))),
            Shape::Lines => Ok(JsonRows::Lines(Lines::new(source))),
            Shape::Array => Ok(JsonRows::Array(Array::new(source, wrapper))),
        }
    }

    /// Without the guess: the text must be an array, or an object with the wrapper's key.
    ///
    /// # Errors
    /// `format_mismatch`: the text is empty.
    pub(super) fn document(source: R, wrapper: Wrapper) -> Result<JsonRows<R>, Problem> {
        let mut array = Array::new(source, wrapper);
        match array.peek()? {
            Some(_) => Ok(JsonRows::Array(array)),
            None => Err(mismatch("the document is empty".to_owned())),
        }
    }

    /// As [`JsonRows::new`], and an object may be spread over lines, others after it: services'
    /// answers are often saved that way. In such a file a row's place is its number.
    pub(super) fn spread(mut source: R, wrapper: Wrapper) -> Result<JsonRows<R>, Problem> {
        let first = source.fill_buf().map_err(problem_of)?;
        match shape(first, wrapper)? {
            Shape::Lines if ends_on_its_line(first) => Ok(JsonRows::Lines(Lines::new(source))),
            Shape::Lines => {
                let mut array = Array::new(source, wrapper);
                array.bare = true;
                Ok(JsonRows::Array(array))
            }
            Shape::Array => Ok(JsonRows::Array(Array::new(source, wrapper))),
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
            JsonRows::Single(array) => array.single(),
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
    Lines,
}

fn shape(first: &[u8], wrapper: Wrapper) -> Result<Shape, Problem> {
    let start = first.trim_ascii_start();
    match start.first() {
        Some(b'[') => Ok(Shape::Array),
        Some(b'{') => {
            match Array::new(start, wrapper).enter() {
                // The object closes and has no array of rows, or has a key that does not stand
                // beside one: it is a row itself.
                Ok(Entered::Closed) => Ok(Shape::Lines),
                Err(problem)
                    if matches!(problem.code, Code::FormatMismatch | Code::UnknownField) =>
                {
                    Ok(Shape::Lines)
                }
                _ => Ok(Shape::Array),
            }
        }
        Some(_) => Err(Problem::at(
            Code::FormatMismatch,
            "byte 0",
            "neither [ nor { begins it",
        )),
        None => Err(Problem::at(
            Code::FormatMismatch,
            "byte 0",
            "the file is empty",
        )),
    }
}

/// Whether the first value goes on beyond the line on which it begins.
fn spread(first: &[u8]) -> bool {
    let mut lines = first.trim_ascii_start().split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    lines.next().is_some() && Scan::default().feed(line).is_none()
}

/// Whether the first object is closed before the first line is.
fn ends_on_its_line(first: &[u8]) -> bool {
    let start = first.trim_ascii_start();
    let mut lines = start.split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    lines.next().is_none() || Scan::default().feed(line).is_some()
}

/// Whether the JSON value that begins here is written over several lines: then it is a document
/// of one value, and not the first of JSON lines.
pub(super) fn spans_lines(first: &[u8]) -> bool {
    let start = first.trim_ascii_start();
    let end = Scan::default().feed(start).unwrap_or(start.len());
    start.iter().take(end).any(|byte| *byte == b'\n')
}

enum Entered {
    Rows,
    Closed,
}

pub(super) struct Array<R> {
    source: R,
    wrapper: Wrapper,
    pointer: &'static str,
    index: u64,
    entered: bool,
    many: bool,
    /// No frame at all: one object after the other.
    bare: bool,
    done: bool,
    pub(super) row: Vec<u8>,
}

impl<R: BufRead> Array<R> {
    pub(super) fn new(source: R, wrapper: Wrapper) -> Array<R> {
        Array {
            source,
            wrapper,
            pointer: "",
            index: 0,
            entered: false,
            many: false,
            bare: false,
            done: false,
            row: Vec::new(),
        }
    }

    fn next(&mut self) -> Result<Option<(Place, &str)>, Problem> {
        if !self.advance()? {
            return Ok(None);
        }
        self.value(true)?;
        let place = match self.bare {
            true => Place::Pointer(format!("document {}", self.index + 1)),
            false => Place::Item(self.pointer, self.index),
        };
        self.index += 1;
        match std::str::from_utf8(&self.row) {
            Ok(text) => Ok(Some((place, text))),
            Err(_) => Err(Problem::at(
                Code::EncodingUnsupported,
                place.to_string(),
                "not UTF-8",
            )),
        }
    }

    /// The whole text as one row.
    fn single(&mut self) -> Result<Option<(Place, &str)>, Problem> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        self.value(true)?;
        if self.peek()?.is_some() {
            return Err(mismatch("text after the end of the document".to_owned()));
        }
        match std::str::from_utf8(&self.row) {
            Ok(text) => Ok(Some((Place::Line(1), text))),
            Err(_) => Err(Problem::at(
                Code::EncodingUnsupported,
                "line 1",
                "not UTF-8",
            )),
        }
    }

    /// Moves to the first byte of the next row, if there is one.
    fn advance(&mut self) -> Result<bool, Problem> {
        if self.bare {
            return match self.peek()? {
                None => Ok(false),
                Some(b'{') => Ok(true),
                Some(_) => Err(mismatch("an object is expected".to_owned())),
            };
        }
        while !self.done {
            let first = !self.entered;
            if first {
                if matches!(self.enter()?, Entered::Closed) {
                    return Err(mismatch(format!("no array {:?}", self.wrapper.key)));
                }
                self.entered = true;
            }
            match self.token()? {
                b']' => {
                    self.leave()?;
                    continue;
                }
                b',' if !first => self.bump(),
                _ if first => {}
                other => {
                    return Err(mismatch(format!(
                        "{:?} where a comma belongs",
                        char::from(other)
                    )));
                }
            }
            if self.token()? == b']' {
                return Err(mismatch("a comma before ]".to_owned()));
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads up to and over the `[` that opens the rows.
    fn enter(&mut self) -> Result<Entered, Problem> {
        if self.token()? == b'[' {
            self.bump();
            return Ok(Entered::Rows);
        }
        self.expect(b'{')?;
        if self.token()? == b'}' {
            self.bump();
            return Ok(Entered::Closed);
        }
        loop {
            if self.key()? && self.token()? == b'[' {
                self.bump();
                self.pointer = self.wrapper.pointer;
                return Ok(Entered::Rows);
            }
            self.value(false)?;
            if !self.more()? {
                return Ok(Entered::Closed);
            }
        }
    }

    /// Reads from the `]` that closes the rows to the end of the text.
    fn leave(&mut self) -> Result<(), Problem> {
        self.expect(b']')?;
        if !self.pointer.is_empty() {
            while self.more()? {
                if self.key()? {
                    return Err(mismatch(format!("{:?} stands twice", self.wrapper.key)));
                }
                self.value(false)?;
            }
        }
        self.entered = false;
        match self.peek()? {
            None => self.done = true,
            Some(b'{') if self.many => {}
            Some(_) => {
                return Err(mismatch("text after the end of the document".to_owned()));
            }
        }
        Ok(())
    }

    /// After a member: true over a comma, false over the closing brace.
    pub(super) fn more(&mut self) -> Result<bool, Problem> {
        match self.token()? {
            b',' => {
                self.bump();
                Ok(true)
            }
            b'}' => {
                self.bump();
                Ok(false)
            }
            _ => Err(mismatch("neither a comma nor } after a member".to_owned())),
        }
    }

    /// Reads a key and its colon; true if it is the key of the rows.
    fn key(&mut self) -> Result<bool, Problem> {
        if self.token()? != b'"' {
            return Err(mismatch("a key is expected".to_owned()));
        }
        self.value(true)?;
        let key = self
            .row
            .get(1..self.row.len().saturating_sub(1))
            .unwrap_or_default();
        let name = String::from_utf8_lossy(key).into_owned();
        self.expect(b':')?;
        match self.wrapper.beside {
            Some(known) if name != self.wrapper.key && !known.contains(&name.as_str()) => {
                Err(Problem::at(Code::UnknownField, name, ""))
            }
            _ => Ok(name == self.wrapper.key),
        }
    }

    /// Reads one JSON value into `row`, or past it.
    pub(super) fn value(&mut self, keep: bool) -> Result<(), Problem> {
        self.read(keep, ROW_MAX)
    }

    /// Reads past what a document says beside its rows, which may be longer than a row.
    pub(super) fn pass(&mut self) -> Result<(), Problem> {
        self.read(false, BESIDE_MAX)
    }

    fn read(&mut self, keep: bool, longest: usize) -> Result<(), Problem> {
        self.token()?;
        self.row.clear();
        let mut scan = Scan::default();
        let mut length = 0;
        loop {
            let chunk = self.source.fill_buf().map_err(problem_of)?;
            if chunk.is_empty() {
                return Err(torn());
            }
            let end = scan.feed(chunk);
            let taken = end.unwrap_or(chunk.len());
            length += taken;
            if length > longest {
                let place = format!("{}/{}", self.pointer, self.index);
                return Err(too_long(place, longest));
            }
            if keep {
                self.row.extend(chunk.iter().take(taken));
            }
            self.source.consume(taken);
            if scan.depth > DEPTH_MAX {
                return Err(mismatch(format!("nested deeper than {DEPTH_MAX}")));
            }
            if end.is_some() {
                return Ok(());
            }
        }
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        let found = self.token()?;
        self.bump();
        if found == byte {
            return Ok(());
        }
        Err(mismatch(format!(
            "{:?} where {:?} belongs",
            char::from(found),
            char::from(byte)
        )))
    }

    /// The next byte that is not white space, not yet consumed.
    pub(super) fn token(&mut self) -> Result<u8, Problem> {
        self.peek()?.ok_or_else(torn)
    }

    pub(super) fn peek(&mut self) -> Result<Option<u8>, Problem> {
        loop {
            let chunk = self.source.fill_buf().map_err(problem_of)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let blank = chunk.len() - chunk.trim_ascii_start().len();
            let found = chunk.get(blank).copied();
            self.source.consume(blank);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    pub(super) fn bump(&mut self) {
        self.source.consume(1);
    }
}

fn torn() -> Problem {
    Problem::at(
        Code::FileTruncated,
        "end of file",
        "the JSON document is not closed",
    )
}

pub(super) fn mismatch(detail: String) -> Problem {
    Problem {
        code: Code::FormatMismatch,
        param: None,
        detail,
    }
}

/// Finds the end of one JSON value by brackets and quotes alone.
#[derive(Default)]
struct Scan {
    depth: u32,
    quoted: bool,
    escaped: bool,
    scalar: bool,
}

impl Scan {
    /// How many bytes of `chunk` belong to the value, if it ends in it.
    fn feed(&mut self, chunk: &[u8]) -> Option<usize> {
        for (at, byte) in chunk.iter().enumerate() {
            if self.quoted {
                if self.escaped {
                    self.escaped = false;
                } else if *byte == b'\\' {
                    self.escaped = true;
                } else if *byte == b'"' {
                    self.quoted = false;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                continue;
            }
            match byte {
                b'"' => self.quoted = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' | b',' | b':' if self.depth == 0 => return Some(at),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 && self.scalar => return Some(at),
                _ => self.scalar = true,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<(String, String)>, Code> {
        // A buffer of 64 bytes, as long as the first row fits: chunks split rows anywhere.
        let source = std::io::BufReader::with_capacity(64, text.as_bytes());
        let mut rows = JsonRows::new(source, DATA).map_err(|p| p.code)?;
        let mut found = Vec::new();
        while let Some((place, text)) = rows.next().map_err(|p| p.code)? {
            found.push((place.to_string(), text.to_owned()));
        }
        Ok(found)
    }

    fn owned(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        rows.iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    }

    #[test]
    fn one_object_over_several_lines_is_one_row_where_that_is_asked_for() {
        let read = |text: &str| {
            let mut rows = JsonRows::with_single(text.as_bytes(), DATA).map_err(|p| p.code)?;
            let mut found = Vec::new();
            while let Some((place, text)) = rows.next().map_err(|p| p.code)? {
                found.push((place.to_string(), text.to_owned()));
            }
            Ok(found)
        };
        let object = "{\n \"a\": \"}\"\n}";
        assert_eq!(
            read(&format!("\n{object} \n")),
            Ok(owned(&[("line 1", object)]))
        );
        let lines = owned(&[("line 1", r#"{"a":1}"#), ("line 2", r#"{"a":2}"#)]);
        assert_eq!(read("{\"a\":1}\n{\"a\":2}\n"), Ok(lines));
        assert_eq!(read("{\n\"data\": [1]}"), Ok(owned(&[("/data/0", "1")])));
        assert_eq!(read("{\n\"a\": 1"), Err(Code::FileTruncated));
        assert_eq!(read(&format!("{object} 1")), Err(Code::FormatMismatch));
    }

    #[test]
    fn pages_arrays_and_lines_are_framed() {
        let two = owned(&[("/data/0", r#"{"a":"]}\""}"#), ("/data/1", "17")]);
        assert_eq!(
            rows(r#"{"total": 9, "x":{"data":[1]}, "data" : [ {"a":"]}\""} , 17 ], "page":1} "#),
            Ok(two)
        );
        assert_eq!(rows("[]"), Ok(vec![]));
        assert_eq!(
            rows(r#"[{"a":1},"x"]"#),
            Ok(owned(&[("/0", r#"{"a":1}"#), ("/1", "\"x\"")]))
        );
        assert_eq!(
            rows("{\"a\":1}\n\n{\"a\":2}\n"),
            Ok(owned(&[("line 1", "{\"a\":1}"), ("line 3", "{\"a\":2}")]))
        );
        assert_eq!(rows("{\"a\" 1}\n{\"a\":2}").map(|rows| rows.len()), Ok(2));
    }

    #[test]
    fn a_page_may_follow_a_page_where_that_is_allowed() {
        let text = "{\"data\":[1,2],\"page\":1}\n{\"data\":[]}\n{\"page\":3,\"data\":[3]}\n";
        let pages = |text: &str| {
            let mut rows = JsonRows::new(text.as_bytes(), DATA)
                .expect("a page")
                .pages();
            let mut found = Vec::new();
            while let Some((place, text)) = rows.next().map_err(|p| p.code)? {
                found.push(format!("{place}={text}"));
            }
            Ok(found)
        };
        assert_eq!(
            pages(text),
            Ok(["/data/0=1", "/data/1=2", "/data/2=3"]
                .map(String::from)
                .to_vec())
        );
        assert_eq!(rows(text), Err(Code::FormatMismatch));
        assert_eq!(pages(&text[..text.len() - 3]), Err(Code::FileTruncated));
        assert_eq!(
            pages("{\"data\":[1]} {\"page\":2}"),
            Err(Code::FormatMismatch)
        );
    }

    #[test]
    fn objects_may_be_spread_over_lines() {
        let spread = |text: &str| {
            let mut rows = JsonRows::spread(text.as_bytes(), DATA).map_err(|p| p.code)?;
            let mut found = Vec::new();
            while let Some((place, text)) = rows.next().map_err(|p| p.code)? {
                found.push(format!("{place}={}", text.len()));
            }
            Ok(found)
        };
        let owned = |rows: &[&str]| Ok(rows.iter().map(|row| (*row).to_owned()).collect());
        assert_eq!(
            spread("\n{\n \"a\": 1\n}\n{\"b\":\n2}\n"),
            owned(&["document 1=11", "document 2=8"])
        );
        assert_eq!(
            spread("{\"a\":1}\n{\"b\":2}"),
            owned(&["line 1=7", "line 2=7"])
        );
        assert_eq!(spread("{\"data\":\n[1]}"), owned(&["/data/0=1"]));
        assert_eq!(spread("[1,\n2]"), owned(&["/0=1", "/1=1"]));
        assert_eq!(spread("{\"a\":\n1"), Err(Code::FileTruncated));
        assert_eq!(spread("{\n}\n]"), Err(Code::FormatMismatch));
    }

    #[test]
    fn torn_and_foreign_documents_are_refused() {
        for text in [
            "[",
            "[{",
            "[{\"a\":1}",
            "[{\"a\":1},",
            "{\"data\":[{\"a\":1}]",
            "{\"data\":[1,2",
            "{\"data\"",
        ] {
            assert_eq!(rows(text), Err(Code::FileTruncated), "{text}");
        }
        for text in [
            "",
            " ",
            "x",
            "<a/>",
            "[1 2]",
            "[1,]",
            "[] x",
            "{\"data\":[],\"data\":[]}",
        ] {
            assert_eq!(rows(text), Err(Code::FormatMismatch), "{text}");
        }
    }

    #[test]
    fn an_endless_row_is_refused_before_it_is_buffered() {
        use std::io::Read;
        for start in ["[\"", "{\"data\":[{\"a\":\"", "{\"x\":\""] {
            let endless = start.as_bytes().chain(std::io::repeat(b'x'));
            let source = std::io::BufReader::with_capacity(64 * 1024, endless);
            let mut rows = JsonRows::new(source, DATA).expect("begins well");
            assert_eq!(
                rows.next().expect_err("long").code,
                Code::LineTooLong,
                "{start}"
            );
        }
    }
}
