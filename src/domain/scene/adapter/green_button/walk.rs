//! The walk through a file's elements: what stands where becomes entries and their readings.
//!
//! Elements are known by their local name, so prefixed and default namespaces read alike.

use quick_xml::events::BytesStart;

use super::super::local_time::rfc3339;
use super::super::xml::{Visit, attribute, mismatch};
use super::entry::{Block, Entry, Number, Reading, Resource, Summary};
use super::local_days::{LocalDays, Rule};
use super::meter::{MIXED, ReadingType};
use super::tag::{Leaf, Tag, tag};
use crate::domain::problem::{Problem, detail};

/// Bytes of a number or a link.
const TEXT_MAX: usize = 2_048;
/// Links of one entry; a usage point names a handful.
const LINKS_MAX: usize = 64;
/// Readings of one entry: thirty years of quarter hours.
const READINGS_MAX: usize = 1_000_000;

/// The state of the walk through the document.
pub(super) struct Walk<'s> {
    /// Takes each entry when it closes.
    sink: &'s mut dyn FnMut(Entry),
    open: Vec<Tag>,
    text: String,
    entries: u32,
    entry: Entry,
    /// The reading whose end is not yet seen.
    reading: Reading,
}

impl Visit for Walk<'_> {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Problem> {
        let tag = tag(element.local_name().as_ref());
        if self.open.is_empty() && !matches!(tag, Tag::Feed | Tag::Entry) {
            return Err(mismatch(
                "/".to_owned(),
                detail!("应为 Atom feed", "an Atom feed is expected"),
            ));
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
            Tag::Summary => self.entry.resource = Resource::Summary(Summary::default()),
            Tag::LocalTime => self.entry.resource = Resource::LocalTime(LocalDays::default()),
            Tag::IntervalReading => self.reading = Reading::default(),
            _ => {}
        }
        self.text.clear();
        self.open.push(tag);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let tag = self.open.pop();
        let text = std::mem::take(&mut self.text);
        match tag {
            Some(Tag::Leaf(leaf)) => self.leaf(leaf, text.trim()),
            Some(Tag::IntervalReading) => self.close_reading()?,
            Some(Tag::Entry) => (self.sink)(std::mem::take(&mut self.entry)),
            _ => {}
        }
        self.text = text;
        self.text.clear();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Problem> {
        if matches!(self.open.last(), Some(Tag::Leaf(_))) {
            if self.text.len() + text.len() > TEXT_MAX {
                let detail = detail!(
                    "文本超过 {TEXT_MAX} 字节",
                    "text longer than {TEXT_MAX} bytes"
                );
                return Err(mismatch(self.place(), detail));
            }
            self.text.push_str(text);
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

impl<'s> Walk<'s> {
    pub(super) fn new(sink: &'s mut dyn FnMut(Entry)) -> Walk<'s> {
        Walk {
            sink,
            open: Vec::new(),
            text: String::new(),
            entries: 0,
            entry: Entry::default(),
            reading: Reading::default(),
        }
    }

    fn link(&mut self, element: &BytesStart<'_>) -> Result<(), Problem> {
        let value = |name| attribute(element, name, || self.place());
        let (rel, href) = (value("rel")?.unwrap_or_default(), value("href")?);
        let href = href.unwrap_or_default();
        let href = href.trim().trim_end_matches('/').to_owned();
        if href.len() > TEXT_MAX || self.entry.related.len() >= LINKS_MAX {
            return Err(mismatch(
                self.place(),
                detail!("链接过长，或链接过多", "a link too long, or too many links"),
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

    /// A leaf counts only directly under the element it belongs to: an `interval` or an argument
    /// has its own `start`, `duration` and `uom`.
    fn leaf(&mut self, leaf: Leaf, text: &str) {
        let mut above = self.open.iter().rev();
        let (parent, grandparent) = (above.next().copied(), above.next().copied());
        let Some(parent) = parent else { return };
        if leaf == Leaf::Updated {
            if parent == Tag::Entry {
                let stated = rfc3339(text);
                self.entry.updated = stated.map(|time| time.to_utc());
            }
            return;
        }
        if matches!(parent, Tag::IntervalReading | Tag::ReadingQuality)
            || (parent, grandparent) == (Tag::TimePeriod, Some(Tag::IntervalReading))
        {
            self.reading_leaf(parent, leaf, text);
            return;
        }
        match &mut self.entry.resource {
            Resource::UsagePoint { service }
                if parent == Tag::ServiceCategory && leaf == Leaf::Kind =>
            {
                *service = text.parse().ok();
            }
            Resource::ReadingType(kind) if parent == Tag::ReadingType => {
                kind_leaf(kind, leaf, text);
            }
            Resource::Summary(summary) => summary_leaf(summary, parent, leaf, text),
            Resource::LocalTime(days) if parent == Tag::LocalTime => match leaf {
                Leaf::ZoneOffset => days.zone_offset = text.parse().ok(),
                Leaf::DstOffset => days.dst_offset = text.parse().ok(),
                Leaf::DstStart => days.dst_start = Rule::parse(text),
                Leaf::DstEnd => days.dst_end = Rule::parse(text),
                _ => {}
            },
            _ => {}
        }
    }

    fn reading_leaf(&mut self, parent: Tag, leaf: Leaf, text: &str) {
        let slot = match (parent, leaf) {
            (Tag::IntervalReading, Leaf::Value) => &mut self.reading.value,
            (Tag::TimePeriod, Leaf::Start) => &mut self.reading.start,
            (Tag::TimePeriod, Leaf::Duration) => &mut self.reading.duration,
            (Tag::ReadingQuality, Leaf::Quality) => {
                self.reading.quality = together(self.reading.quality, Some(code(text)));
                return;
            }
            _ => return,
        };
        *slot = Number::of(text);
    }

    fn close_reading(&mut self) -> Result<(), Problem> {
        let mut reading = self.reading;
        let Resource::IntervalBlock(block) = &mut self.entry.resource else {
            return Ok(());
        };
        block.readings_here += 1;
        if block.readings.len() >= READINGS_MAX {
            let detail = detail!(
                "一个 entry 的读数超过 {READINGS_MAX} 条",
                "more than {READINGS_MAX} readings in one entry"
            );
            return Err(mismatch(self.place(), detail));
        }
        (reading.block, reading.number) = (block.count, block.readings_here);
        block.readings.push(reading);
        Ok(())
    }
}

/// A quality's code; a text that is no code becomes one that ESPI does not have.
fn code(text: &str) -> u8 {
    text.trim().parse().unwrap_or(u8::MAX)
}

/// A reading may have several qualities: where they differ it is a mixed one.
fn together(known: Option<u8>, stated: Option<u8>) -> Option<u8> {
    match (known, stated) {
        (Some(known), Some(stated)) if known != stated => Some(MIXED),
        (known, stated) => known.or(stated),
    }
}

fn kind_leaf(kind: &mut ReadingType, leaf: Leaf, text: &str) {
    let slot = match leaf {
        Leaf::Uom => &mut kind.uom,
        Leaf::Power => &mut kind.power_of_ten,
        Leaf::Flow => &mut kind.flow_direction,
        Leaf::Accumulation => &mut kind.accumulation,
        Leaf::Qualifier => &mut kind.qualifier,
        Leaf::IntervalLength => &mut kind.interval_length,
        _ => return,
    };
    // A number that cannot be read must not pass for the default: it becomes one that no rule
    // takes.
    *slot = match text {
        "" => None,
        text => Some(text.parse().unwrap_or(i64::MIN)),
    };
}

fn summary_leaf(summary: &mut Summary, parent: Tag, leaf: Leaf, text: &str) {
    let slot = match (parent, leaf) {
        (Tag::BillingPeriod, Leaf::Start) => &mut summary.start,
        (Tag::BillingPeriod, Leaf::Duration) => &mut summary.duration,
        (Tag::Summary, Leaf::StatusTime) => &mut summary.status,
        (Tag::Consumption, Leaf::Value) => &mut summary.value,
        (Tag::Consumption, Leaf::Uom | Leaf::Power) => {
            return kind_leaf(&mut summary.kind, leaf, text);
        }
        (Tag::Summary, Leaf::SummaryQuality) => {
            summary.quality = Some(code(text));
            return;
        }
        _ => return,
    };
    *slot = Number::of(text);
}
