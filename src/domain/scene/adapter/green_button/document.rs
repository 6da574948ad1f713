//! The XML of a Green Button file, as parts: entries with their links, and readings.
//!
//! Elements are known by their local name, so prefixed and default namespaces read alike. No
//! DTD and no entity of the file's own is read; depth, text and the size of one tag are bounded.

use std::io::{self, BufRead, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::ROW_MAX;
use super::super::encoding::{Decoded, problem_of};
use super::feed::{Block, Entry, Reading, Resource};
use super::meter::ReadingType;
use crate::domain::problem::{Code, Problem};

const DEPTH_MAX: usize = 32;
/// Bytes of a number or a link.
const TEXT_MAX: usize = 2_048;
/// Links of one entry; a usage point names a handful.
const LINKS_MAX: usize = 64;
/// Readings of one entry: thirty years of quarter hours.
const READINGS_MAX: usize = 1_000_000;

/// The elements that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Feed,
    Entry,
    Link,
    UsagePoint,
    ServiceCategory,
    MeterReading,
    ReadingType,
    IntervalBlock,
    IntervalReading,
    TimePeriod,
    ReadingQuality,
    /// A leaf whose text is a number.
    Leaf(Leaf),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Kind,
    Uom,
    Power,
    Flow,
    Accumulation,
    Qualifier,
    IntervalLength,
    Duration,
    Start,
    Value,
    Quality,
}

fn tag(local_name: &str) -> Tag {
    match local_name {
        "feed" => Tag::Feed,
        "entry" => Tag::Entry,
        "link" => Tag::Link,
        "UsagePoint" => Tag::UsagePoint,
        "ServiceCategory" => Tag::ServiceCategory,
        "MeterReading" => Tag::MeterReading,
        "ReadingType" => Tag::ReadingType,
        "IntervalBlock" => Tag::IntervalBlock,
        "IntervalReading" => Tag::IntervalReading,
        "timePeriod" => Tag::TimePeriod,
        "ReadingQuality" => Tag::ReadingQuality,
        "kind" => Tag::Leaf(Leaf::Kind),
        "uom" => Tag::Leaf(Leaf::Uom),
        "powerOfTenMultiplier" => Tag::Leaf(Leaf::Power),
        "flowDirection" => Tag::Leaf(Leaf::Flow),
        "accumulationBehaviour" => Tag::Leaf(Leaf::Accumulation),
        "dataQualifier" => Tag::Leaf(Leaf::Qualifier),
        "intervalLength" => Tag::Leaf(Leaf::IntervalLength),
        "duration" => Tag::Leaf(Leaf::Duration),
        "start" => Tag::Leaf(Leaf::Start),
        "value" => Tag::Leaf(Leaf::Value),
        "quality" => Tag::Leaf(Leaf::Quality),
        _ => Tag::Other,
    }
}

/// Reads the document and hands over each entry when it closes.
///
/// # Errors
/// The file as a whole: not this format, truncated, an entity, or a bound passed.
pub(super) fn read(source: &mut dyn BufRead, sink: &mut dyn FnMut(Entry)) -> Result<(), Problem> {
    let budget = Budget {
        inner: Decoded::new(source),
        left: ROW_MAX,
    };
    let mut reader = Reader::from_reader(budget);
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.get_mut().left = ROW_MAX;
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| xml_problem(error, walk.place()))?;
        match event {
            Event::Eof => return walk.finish(),
            Event::Start(element) => walk.open(&element)?,
            Event::End(_) => walk.close(sink)?,
            Event::Text(text) => walk.text(&text.into_inner())?,
            Event::CData(text) => walk.text(&text.into_inner())?,
            Event::GeneralRef(reference) => {
                let known = reference.is_char_ref()
                    || matches!(
                        reference.xml_content(XmlVersion::Implicit1_0).as_ref(),
                        "amp" | "lt" | "gt" | "quot" | "apos"
                    );
                if !known {
                    return Err(entity());
                }
            }
            Event::DocType(_) => return Err(entity()),
            Event::Decl(declaration) => encoding(declaration.encoding())?,
            Event::Empty(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
}

/// The declared encoding must be one that is read; which of them it is, the bytes tell.
fn encoding<N: AsRef<str>, E>(declared: Option<Result<N, E>>) -> Result<(), Problem> {
    let Some(Ok(name)) = declared else {
        return Ok(());
    };
    let name = name.as_ref().to_ascii_lowercase();
    match name.as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" | "gbk" | "gb2312" | "gb18030" => Ok(()),
        _ => Err(Problem::at(
            Code::EncodingUnsupported,
            "encoding",
            format!("declared as {name}"),
        )),
    }
}

fn entity() -> Problem {
    Problem {
        code: Code::EntityRefused,
        param: None,
        detail: String::new(),
    }
}

fn xml_problem(error: quick_xml::Error, place: String) -> Problem {
    match error {
        quick_xml::Error::Io(error) => {
            problem_of(io::Error::new(error.kind(), carried_again(&error)))
        }
        quick_xml::Error::Syntax(_) => {
            Problem::at(Code::FileTruncated, place, "the document ends inside a tag")
        }
        other => Problem::at(Code::FormatMismatch, place, other.to_string()),
    }
}

/// quick-xml shares its I/O error, so the problem inside is copied out.
fn carried_again(error: &io::Error) -> Problem {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Problem>())
    {
        Some(problem) => problem.clone(),
        None => Problem::at(Code::Unavailable, "file", error.to_string()),
    }
}

/// The state of the walk through the document.
#[derive(Default)]
struct Walk {
    open: Vec<Tag>,
    text: String,
    entries: u32,
    entry: Entry,
    reading: Draft,
    seen_root: bool,
}

/// A reading whose end is not yet seen.
#[derive(Default)]
struct Draft {
    start: Option<String>,
    duration: Option<String>,
    value: Option<String>,
    quality: Option<String>,
}

impl Walk {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Problem> {
        if self.open.len() >= DEPTH_MAX {
            return Err(mismatch(
                self.place(),
                format!("nested deeper than {DEPTH_MAX}"),
            ));
        }
        let tag = tag(element.local_name().as_ref());
        if self.open.is_empty() {
            if self.seen_root || !matches!(tag, Tag::Feed | Tag::Entry) {
                return Err(mismatch(
                    "/".to_owned(),
                    "an Atom feed is expected".to_owned(),
                ));
            }
            self.seen_root = true;
        }
        match tag {
            Tag::Entry => {
                self.entries = self.entries.saturating_add(1);
                self.entry = Entry {
                    number: self.entries,
                    ..Entry::default()
                };
            }
            Tag::Link if self.open.last() == Some(&Tag::Entry) => self.link(element)?,
            Tag::UsagePoint => self.entry.resource = Resource::UsagePoint { service: None },
            Tag::MeterReading => self.entry.resource = Resource::MeterReading,
            Tag::ReadingType => self.entry.resource = Resource::ReadingType(ReadingType::default()),
            Tag::IntervalBlock => self.open_block(),
            Tag::IntervalReading => self.reading = Draft::default(),
            _ => {}
        }
        self.text.clear();
        self.open.push(tag);
        Ok(())
    }

    fn close(&mut self, sink: &mut dyn FnMut(Entry)) -> Result<(), Problem> {
        let tag = self.open.pop();
        let text = std::mem::take(&mut self.text);
        match tag {
            Some(Tag::Leaf(leaf)) => self.leaf(leaf, text.trim()),
            Some(Tag::IntervalReading) => self.close_reading()?,
            Some(Tag::Entry) => sink(std::mem::take(&mut self.entry)),
            _ => {}
        }
        self.text = text;
        self.text.clear();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Problem> {
        if matches!(self.open.last(), Some(Tag::Leaf(_))) {
            if self.text.len() + text.len() > TEXT_MAX {
                return Err(mismatch(
                    self.place(),
                    format!("text longer than {TEXT_MAX} bytes"),
                ));
            }
            self.text.push_str(text);
        }
        Ok(())
    }

    fn link(&mut self, element: &BytesStart<'_>) -> Result<(), Problem> {
        let (mut rel, mut href) = (String::new(), String::new());
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| mismatch(self.place(), error.to_string()))?;
            let slot = match attribute.key.as_ref() {
                "rel" => &mut rel,
                "href" => &mut href,
                _ => continue,
            };
            *slot = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| entity())?
                .into_owned();
        }
        let href = href.trim().trim_end_matches('/').to_owned();
        if href.len() > TEXT_MAX || self.entry.related.len() >= LINKS_MAX {
            return Err(mismatch(
                self.place(),
                "a link too long, or too many links".to_owned(),
            ));
        }
        match rel.as_str() {
            "self" => self.entry.own = href,
            "up" => self.entry.up = href,
            "related" => self.entry.related.push(href),
            _ => {}
        }
        Ok(())
    }

    fn open_block(&mut self) {
        if !matches!(self.entry.resource, Resource::IntervalBlock(_)) {
            self.entry.resource = Resource::IntervalBlock(Block::default());
        }
        if let Resource::IntervalBlock(block) = &mut self.entry.resource {
            block.count += 1;
            block.readings_here = 0;
        }
    }

    /// A leaf counts only directly under the element it belongs to: an `interval` or a summary
    /// has its own `start`, `duration` and `uom`.
    fn leaf(&mut self, leaf: Leaf, text: &str) {
        let mut above = self.open.iter().rev();
        let (parent, grandparent) = (above.next(), above.next());
        if let Some(slot) = match (parent, leaf) {
            (Some(Tag::IntervalReading), Leaf::Value) => Some(&mut self.reading.value),
            (Some(Tag::ReadingQuality), Leaf::Quality) if self.reading.quality.is_none() => {
                Some(&mut self.reading.quality)
            }
            (Some(Tag::TimePeriod), Leaf::Start) if grandparent == Some(&Tag::IntervalReading) => {
                Some(&mut self.reading.start)
            }
            (Some(Tag::TimePeriod), Leaf::Duration)
                if grandparent == Some(&Tag::IntervalReading) =>
            {
                Some(&mut self.reading.duration)
            }
            _ => None,
        } {
            *slot = Some(text.to_owned());
            return;
        }
        match (&mut self.entry.resource, parent) {
            (Resource::UsagePoint { service }, Some(Tag::ServiceCategory))
                if leaf == Leaf::Kind =>
            {
                *service = text.parse().ok();
            }
            (Resource::ReadingType(kind), Some(Tag::ReadingType)) => {
                let slot = match leaf {
                    Leaf::Uom => &mut kind.uom,
                    Leaf::Power => &mut kind.power_of_ten,
                    Leaf::Flow => &mut kind.flow_direction,
                    Leaf::Accumulation => &mut kind.accumulation,
                    Leaf::Qualifier => &mut kind.qualifier,
                    Leaf::IntervalLength => &mut kind.interval_length,
                    _ => return,
                };
                // A number that cannot be read must not pass for the default: it becomes one
                // that no rule takes.
                *slot = match text {
                    "" => None,
                    text => Some(text.parse().unwrap_or(i64::MIN)),
                };
            }
            _ => {}
        }
    }

    fn close_reading(&mut self) -> Result<(), Problem> {
        let draft = std::mem::take(&mut self.reading);
        let Resource::IntervalBlock(block) = &mut self.entry.resource else {
            return Ok(());
        };
        block.readings_here += 1;
        if block.readings.len() >= READINGS_MAX {
            let detail = format!("more than {READINGS_MAX} readings in one entry");
            return Err(mismatch(self.place(), detail));
        }
        let (block_number, number) = (block.count, block.readings_here);
        block.readings.push(Reading {
            block: block_number,
            number,
            start: Number::of(draft.start.as_deref()),
            duration: Number::of(draft.duration.as_deref()),
            value: Number::of(draft.value.as_deref()),
            quality: draft.quality.and_then(|text| text.parse().ok()),
        });
        Ok(())
    }

    fn finish(&self) -> Result<(), Problem> {
        if !self.open.is_empty() {
            return Err(Problem::at(
                Code::FileTruncated,
                self.place(),
                "elements are still open",
            ));
        }
        if !self.seen_root {
            return Err(mismatch(
                "/".to_owned(),
                "the file has no element".to_owned(),
            ));
        }
        Ok(())
    }

    fn place(&self) -> String {
        match self.entries {
            0 => "/feed".to_owned(),
            entry => format!("/feed/entry[{entry}]"),
        }
    }
}

/// A whole number as the file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Absent,
    Unreadable,
    Whole(i64),
}

impl Number {
    fn of(text: Option<&str>) -> Number {
        match text {
            None | Some("") => Number::Absent,
            Some(text) => text.parse().map_or(Number::Unreadable, Number::Whole),
        }
    }
}

fn mismatch(place: String, detail: String) -> Problem {
    Problem::at(Code::FormatMismatch, place, detail)
}

/// Lets through so many bytes an event: an endless tag or text is refused, not buffered.
struct Budget<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Budget<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let taken = ready.read(into)?;
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Budget<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let chunk = self.inner.fill_buf()?;
        if self.left == 0 && !chunk.is_empty() {
            let problem = super::super::lines::too_long("one XML tag or text".to_owned());
            return Err(super::super::encoding::carried(problem));
        }
        Ok(chunk.get(..chunk.len().min(self.left)).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.left -= amount.min(self.left);
        self.inner.consume(amount);
    }
}
