//! The events of an EPCIS document, one at a time: `epcisBody.eventList` of an `EPCISDocument`,
//! `epcisBody.queryResults.resultsBody.eventList` of an `EPCISQueryDocument`, a plain array of
//! events, JSON lines, or one event alone.
//!
//! What a document says of itself (`type`, `schemaVersion`, `creationDate`) may follow the events,
//! so it is judged at the end: a document of another kind or version is refused as a whole.

use std::io::BufRead;

use chrono::DateTime;

use super::super::Place;
use super::super::encoding::problem_of;
use super::super::json_rows::{Array, JsonRows, Wrapper, mismatch, spans_lines};
use super::super::lines::Lines;
use crate::domain::problem::{Code, Problem};

const ROWS: Wrapper = Wrapper {
    key: "eventList",
    pointer: "/epcisBody/eventList",
    beside: None,
};
const QUERY_POINTER: &str = "/epcisBody/queryResults/resultsBody/eventList";

/// Keys that only an event has.
const OF_EVENTS: [&str; 4] = ["eventTime", "eventID", "eventTimeZoneOffset", "action"];

pub(super) enum Events<R> {
    Document(Document<R>),
    Rows(JsonRows<R>),
}

enum Shape {
    Document,
    Array,
    Lines,
    One,
}

impl<R: BufRead> Events<R> {
    /// Looks at the first buffer of `source` to tell the forms apart.
    ///
    /// # Errors
    /// `format_mismatch`: the text begins with neither `[` nor `{`.
    pub(super) fn new(mut source: R) -> Result<Events<R>, Problem> {
        let shape = shape(source.fill_buf().map_err(problem_of)?)?;
        Ok(match shape {
            Shape::Document => Events::Document(Document::new(source)),
            Shape::Array => Events::Rows(JsonRows::document(source, ROWS)?),
            Shape::Lines => Events::Rows(JsonRows::Lines(Lines::new(source))),
            Shape::One => Events::Rows(JsonRows::one(source, ROWS)),
        })
    }

    /// The text of the next event.
    ///
    /// # Errors
    /// `format_mismatch`, `file_truncated`, `line_too_long`: nothing more can be read.
    pub(super) fn next(&mut self) -> Result<Option<(Place, &str)>, Problem> {
        match self {
            Events::Document(document) => document.next(),
            Events::Rows(rows) => rows.next(),
        }
    }

    /// Whether the row last read may be torn off.
    pub(super) fn torn(&self) -> bool {
        matches!(self, Events::Rows(rows) if rows.torn())
    }
}

fn utf8(text: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(text)
        .map_err(|_| Problem::at(Code::EncodingUnsupported, "event", "not UTF-8"))
}

fn shape(first: &[u8]) -> Result<Shape, Problem> {
    let start = first.trim_ascii_start();
    match start.first() {
        Some(b'[') => Ok(Shape::Array),
        Some(b'{') if !of_an_event(start) => Ok(Shape::Document),
        Some(b'{') if spans_lines(start) => Ok(Shape::One),
        Some(b'{') => Ok(Shape::Lines),
        found => {
            let detail = match found {
                None => "the file is empty",
                Some(_) => "neither [ nor { begins it",
            };
            Err(Problem::at(Code::FormatMismatch, "byte 0", detail))
        }
    }
}

/// Whether the object that begins here is an event. What cannot be told is taken for a document,
/// and refused as one.
fn of_an_event(start: &[u8]) -> bool {
    let mut array = Array::new(start, ROWS);
    let mut look = || -> Result<bool, Problem> {
        array.expect(b'{')?;
        if array.token()? == b'}' {
            return Ok(false);
        }
        loop {
            let name = name(&mut array)?;
            if OF_EVENTS.contains(&name.as_str()) {
                return Ok(true);
            }
            if name == "epcisBody" {
                return Ok(false);
            }
            array.value(true)?;
            if name == "type" {
                return Ok(array.row.ends_with(b"Event\""));
            }
            if !array.more()? {
                return Ok(false);
            }
        }
    };
    look().unwrap_or(false)
}

/// Reads a key and its colon.
fn name<R: BufRead>(array: &mut Array<R>) -> Result<String, Problem> {
    if array.token()? != b'"' {
        return Err(mismatch("a key is expected".to_owned()));
    }
    array.value(true)?;
    let key = array.row.get(1..array.row.len().saturating_sub(1));
    let name = String::from_utf8_lossy(key.unwrap_or_default()).into_owned();
    array.expect(b':')?;
    Ok(name)
}

#[derive(PartialEq, Eq)]
enum Step {
    Before,
    Within,
    After,
}

/// An `EPCISDocument` or `EPCISQueryDocument`.
pub(super) struct Document<R> {
    array: Array<R>,
    step: Step,
    /// Objects that are open around the list.
    depth: u8,
    index: u64,
    kind: Option<String>,
    version: Option<String>,
    created: Option<String>,
}

impl<R: BufRead> Document<R> {
    fn new(source: R) -> Document<R> {
        Document {
            array: Array::new(source, ROWS),
            step: Step::Before,
            depth: 0,
            index: 0,
            kind: None,
            version: None,
            created: None,
        }
    }

    fn next(&mut self) -> Result<Option<(Place, &str)>, Problem> {
        let first = match self.step {
            Step::After => return Ok(None),
            Step::Before => {
                self.enter()?;
                self.step = Step::Within;
                true
            }
            Step::Within => false,
        };
        match self.array.token()? {
            b']' => return self.leave().map(|()| None),
            b',' if !first => self.array.bump(),
            _ if first => {}
            _ => return Err(mismatch("no comma between two events".to_owned())),
        }
        if self.array.token()? == b']' {
            return Err(mismatch("a comma before ]".to_owned()));
        }
        self.array.value(true)?;
        let place = Place::Item(self.pointer(), self.index);
        self.index += 1;
        Ok(Some((place, utf8(&self.array.row)?)))
    }

    fn pointer(&self) -> &'static str {
        if self.depth == 2 {
            ROWS.pointer
        } else {
            QUERY_POINTER
        }
    }

    /// Reads up to and over the `[` of the event list.
    fn enter(&mut self) -> Result<(), Problem> {
        self.array.expect(b'{')?;
        self.depth = 1;
        loop {
            if self.array.token()? == b'}' {
                return Err(no_list());
            }
            let name = name(&mut self.array)?;
            match (self.depth, name.as_str()) {
                (2 | 4, "eventList") => return self.array.expect(b'['),
                (1, "epcisBody") | (2, "queryResults") | (3, "resultsBody") => {
                    self.array.expect(b'{')?;
                    self.depth += 1;
                    continue;
                }
                (1, name) => self.header(name)?,
                _ => self.array.pass()?,
            }
            if !self.array.more()? {
                return Err(no_list());
            }
        }
    }

    fn header(&mut self, name: &str) -> Result<(), Problem> {
        let slot = match name {
            "type" => &mut self.kind,
            "schemaVersion" => &mut self.version,
            "creationDate" => &mut self.created,
            "epcisBody" => return Err(mismatch("epcisBody stands twice".to_owned())),
            _ => return self.array.pass(),
        };
        self.array.value(true)?;
        let text: String = serde_json::from_slice(&self.array.row)
            .map_err(|_| Problem::at(Code::FormatMismatch, name, "a text is expected"))?;
        match slot.replace(text) {
            None => Ok(()),
            Some(_) => Err(Problem::at(Code::FormatMismatch, name, "stands twice")),
        }
    }

    /// Reads from the `]` of the event list to the end of the text.
    fn leave(&mut self) -> Result<(), Problem> {
        self.array.expect(b']')?;
        let query = self.depth == 4;
        for depth in (1..=self.depth).rev() {
            while self.array.more()? {
                let name = name(&mut self.array)?;
                match (depth, name.as_str()) {
                    (1, name) => self.header(name)?,
                    (_, "eventList" | "queryResults") => {
                        return Err(mismatch("two lists of events".to_owned()));
                    }
                    _ => self.array.pass()?,
                }
            }
        }
        self.step = Step::After;
        if self.array.peek()?.is_some() {
            return Err(mismatch("text after the end of the document".to_owned()));
        }
        self.judge(query)
    }

    fn judge(&self, query: bool) -> Result<(), Problem> {
        let wrong = |field: &str, detail: &str| {
            Err(Problem::at(Code::FormatMismatch, field, detail.to_owned()))
        };
        let kind = if query {
            "EPCISQueryDocument"
        } else {
            "EPCISDocument"
        };
        if self.kind.as_deref() != Some(kind) {
            return wrong("type", &format!("{kind} is expected"));
        }
        let version = self.version.as_deref().unwrap_or_default();
        if version != "2" && !version.starts_with("2.") {
            return wrong("schemaVersion", "EPCIS 2 is read here");
        }
        match self.created.as_deref().map(DateTime::parse_from_rfc3339) {
            Some(Ok(_)) => Ok(()),
            _ => wrong("creationDate", "RFC 3339 with an offset is expected"),
        }
    }
}

fn no_list() -> Problem {
    mismatch("neither an event nor a document with epcisBody and eventList".to_owned())
}
