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
use super::super::json_rows::{Cursor, JsonRows, Wrapper, mismatch, more_text, spans_lines};
use super::super::lines::Lines;
use crate::domain::problem::{Code, Detail, Problem, detail};

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
            Shape::One => Events::Rows(JsonRows::one(source)),
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

fn shape(first: &[u8]) -> Result<Shape, Problem> {
    let start = first.trim_ascii_start();
    match start.first() {
        Some(b'[') => Ok(Shape::Array),
        Some(b'{') if !of_an_event(start) => Ok(Shape::Document),
        Some(b'{') if spans_lines(start) => Ok(Shape::One),
        Some(b'{') => Ok(Shape::Lines),
        found => {
            let detail = match found {
                None => detail!("文件为空", "the file is empty"),
                Some(_) => detail!("开头既不是 [ 也不是 {{", "neither [ nor {{ begins it"),
            };
            Err(Problem::at(Code::FormatMismatch, "byte 0", detail))
        }
    }
}

/// Whether the object that begins here is an event. What cannot be told is taken for a document,
/// and refused as one.
fn of_an_event(start: &[u8]) -> bool {
    let mut cursor = Cursor::new(start);
    let mut look = || -> Result<bool, Problem> {
        cursor.expect(b'{')?;
        if cursor.token()? == b'}' {
            return Ok(false);
        }
        loop {
            let name = cursor.key()?;
            if OF_EVENTS.contains(&name.as_str()) {
                return Ok(true);
            }
            if name == "epcisBody" {
                return Ok(false);
            }
            cursor.keep()?;
            if name == "type" {
                return Ok(cursor.text()?.ends_with("Event\""));
            }
            if !cursor.more()? {
                return Ok(false);
            }
        }
    };
    look().unwrap_or(false)
}

#[derive(PartialEq, Eq)]
enum Step {
    Before,
    Within,
    After,
}

/// An `EPCISDocument` or `EPCISQueryDocument`.
pub(super) struct Document<R> {
    cursor: Cursor<R>,
    step: Step,
    /// Objects that are open around the list.
    depth: u8,
    index: u64,
    kind: Option<String>,
    version: Option<String>,
    created: Option<String>,
    context: bool,
}

impl<R: BufRead> Document<R> {
    fn new(source: R) -> Document<R> {
        Document {
            cursor: Cursor::new(source),
            step: Step::Before,
            depth: 0,
            index: 0,
            kind: None,
            version: None,
            created: None,
            context: false,
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
        match self.cursor.token()? {
            b']' => return self.leave().map(|()| None),
            b',' if !first => self.cursor.bump(),
            _ if first => {}
            _ => {
                return Err(mismatch(detail!(
                    "两个事件之间缺少逗号",
                    "no comma between two events"
                )));
            }
        }
        if self.cursor.token()? == b']' {
            return Err(mismatch(detail!("] 前面多了逗号", "a comma before ]")));
        }
        let place = Place::Item(self.pointer(), self.index);
        self.cursor.place = place.clone();
        self.cursor.keep()?;
        self.index += 1;
        Ok(Some((place, self.cursor.text()?)))
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
        self.cursor.expect(b'{')?;
        self.depth = 1;
        loop {
            if self.cursor.token()? == b'}' {
                return Err(no_list());
            }
            let name = self.cursor.key()?;
            match (self.depth, name.as_str()) {
                (2 | 4, "eventList") => return self.cursor.expect(b'['),
                (1, "epcisBody") | (2, "queryResults") | (3, "resultsBody") => {
                    self.cursor.expect(b'{')?;
                    self.depth += 1;
                    continue;
                }
                (1, name) => self.header(name)?,
                _ => self.cursor.pass()?,
            }
            if !self.cursor.more()? {
                return Err(no_list());
            }
        }
    }

    fn header(&mut self, name: &str) -> Result<(), Problem> {
        let slot = match name {
            "type" => &mut self.kind,
            "schemaVersion" => &mut self.version,
            "creationDate" => &mut self.created,
            "@context" => {
                self.context = true;
                return self.cursor.pass();
            }
            "epcisBody" => {
                return Err(mismatch(detail!(
                    "epcisBody 重复出现",
                    "epcisBody stands twice"
                )));
            }
            _ => return self.cursor.pass(),
        };
        self.cursor.keep()?;
        let text: String = serde_json::from_str(self.cursor.text()?).map_err(|_| {
            Problem::at(
                Code::FormatMismatch,
                name,
                detail!("应为文本", "a text is expected"),
            )
        })?;
        match slot.replace(text) {
            None => Ok(()),
            Some(_) => Err(Problem::at(
                Code::FormatMismatch,
                name,
                detail!("重复出现", "stands twice"),
            )),
        }
    }

    /// Reads from the `]` of the event list to the end of the text.
    fn leave(&mut self) -> Result<(), Problem> {
        self.cursor.expect(b']')?;
        let query = self.depth == 4;
        for depth in (1..=self.depth).rev() {
            while self.cursor.more()? {
                let name = self.cursor.key()?;
                match (depth, name.as_str()) {
                    (1, name) => self.header(name)?,
                    (_, "eventList" | "queryResults") => {
                        return Err(mismatch(detail!("有两个事件列表", "two lists of events")));
                    }
                    _ => self.cursor.pass()?,
                }
            }
        }
        self.step = Step::After;
        if self.cursor.peek()?.is_some() {
            return Err(more_text());
        }
        self.judge(query)
    }

    fn judge(&self, query: bool) -> Result<(), Problem> {
        let wrong =
            |field: &str, detail: Detail| Err(Problem::at(Code::FormatMismatch, field, detail));
        let kind = if query {
            "EPCISQueryDocument"
        } else {
            "EPCISDocument"
        };
        if self.kind.as_deref() != Some(kind) {
            return wrong("type", detail!("应为 {kind}", "{kind} is expected"));
        }
        if !self.context {
            let said = detail!(
                "文档没有 JSON-LD 的 @context：其中的前缀没有含义",
                "a JSON-LD document without its context: no prefix in it means anything"
            );
            return Err(Problem::at(Code::FormatMismatch, "@context", said));
        }
        let version = self.version.as_deref().unwrap_or_default();
        if version != "2" && !version.starts_with("2.") {
            return wrong(
                "schemaVersion",
                detail!("此处只读 EPCIS 2", "EPCIS 2 is read here"),
            );
        }
        match self.created.as_deref().map(DateTime::parse_from_rfc3339) {
            Some(Ok(_)) => Ok(()),
            _ => wrong(
                "creationDate",
                detail!(
                    "应为带时差的 RFC 3339 时间",
                    "RFC 3339 with an offset is expected"
                ),
            ),
        }
    }
}

fn no_list() -> Problem {
    mismatch(detail!(
        "既不是事件，也不是含 epcisBody 和 eventList 的文档",
        "neither an event nor a document with epcisBody and eventList"
    ))
}
