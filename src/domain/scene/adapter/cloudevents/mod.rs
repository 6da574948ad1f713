//! CloudEvents 1.0 (事件信封): an envelope around any feed. An event's `data` is read by the scene's
//! adapter as a file of its own.
//!
//! Three modes, as the JSON format and the HTTP binding have them: one event as a JSON object
//! (structured), an array of events (batched), and the body alone with the attributes in `ce-`
//! header fields (binary). The envelope says how a thing was sent, not what was done: a record
//! keeps the id that the adapter gives it, so an act that is sent again is a replay, in the same
//! event or in another. See `docs/adapters/cloudevents.md`.

use std::io::BufRead;

use super::encoding::{Decoded, problem_of};
use super::json_rows::{JsonRows, Wrapper, spans_lines};
use super::lines::Lines;
use super::resent::Resent;
use super::settings::param;
use super::{Adapter, Options, Outcome, Place, Seen, refused, torn};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem, detail};

mod attributes;
mod event;
mod header;

pub use attributes::Attributes;
pub use event::Event;

const BATCH: Wrapper = Wrapper {
    // A batch is an array and nothing else: no key of an object can be this.
    key: "\u{0}",
    pointer: "",
    beside: None,
};

/// What a feed is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Envelope {
    /// Nothing: the adapter's own format.
    #[default]
    None,
    /// One event, `application/cloudevents+json`.
    Event,
    /// An array of events, `application/cloudevents-batch+json`.
    Batch,
    /// A file of events: an array, JSON lines, or one event alone.
    Events,
}

impl Envelope {
    /// The envelope that a `Content-Type` announces.
    ///
    /// # Errors
    /// `unsupported_format`: CloudEvents in a format other than JSON.
    pub fn of_content_type(content_type: &str) -> Result<Envelope, Problem> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/cloudevents+json" => Ok(Envelope::Event),
            "application/cloudevents-batch+json" => Ok(Envelope::Batch),
            other if other.starts_with("application/cloudevents") => Err(Problem::at(
                Code::UnsupportedFormat,
                "Content-Type",
                detail!(
                    "CloudEvents 的各种格式中只读 JSON",
                    "of the formats of CloudEvents, JSON is read"
                ),
            )),
            _ => Ok(Envelope::None),
        }
    }

    /// Reads one file with the adapter, out of this envelope.
    ///
    /// # Errors
    /// The file as a whole cannot be read. An event whose data cannot be read is one refused row.
    pub fn read(
        self,
        adapter: &Adapter,
        source: &mut dyn BufRead,
        options: &Options,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<Seen, Problem> {
        if self == Envelope::None {
            return (adapter.read)(source, options, sink);
        }
        if adapter.needs_whole_days(options) {
            let detail = detail!(
                "一个事件即一个文件，而 \"zero\" 要求每个文件含完整的一天",
                "an event is a file, and with \"zero\" each file must hold whole days"
            );
            return Err(Problem::at(Code::InvalidField, param("day_start"), detail));
        }
        let mut rows = self.rows(Decoded::new(source))?;
        let mut opening = Opening {
            adapter,
            options,
            resent: Resent::default(),
            seen: Seen::default(),
        };
        while let Some((place, text)) = rows.next()? {
            let problem = match Event::parse(text) {
                Ok(event) => match opening.open(&place, &event, sink) {
                    Ok(()) => continue,
                    Err(problem) => problem,
                },
                Err(problem) => problem,
            };
            if problem.code == Code::RowMalformed && rows.torn() {
                return Err(torn(&place));
            }
            sink(refused(place, problem));
        }
        Ok(opening.seen)
    }

    fn rows<R: BufRead>(self, mut source: R) -> Result<JsonRows<R>, Problem> {
        let start = source.fill_buf().map_err(problem_of)?.trim_ascii_start();
        match (start.first(), self) {
            (Some(b'['), Envelope::Batch | Envelope::Events) => JsonRows::document(source, BATCH),
            (Some(b'{'), Envelope::Events) if !spans_lines(start) => {
                Ok(JsonRows::Lines(Lines::new(source)))
            }
            (Some(b'{'), Envelope::Event | Envelope::Events) => Ok(JsonRows::one(source)),
            (_, envelope) => {
                let detail = match envelope {
                    Envelope::Batch => {
                        detail!("应为事件的 JSON 数组", "a JSON array of events is expected")
                    }
                    Envelope::Event => detail!(
                        "应为一个 JSON 对象，即一个事件",
                        "a JSON object, one event, is expected"
                    ),
                    _ => detail!(
                        "应为 JSON 对象或其数组",
                        "a JSON object or an array of them is expected"
                    ),
                };
                Err(Problem::at(Code::FormatMismatch, "byte 0", detail))
            }
        }
    }
}

struct Opening<'a> {
    adapter: &'a Adapter,
    options: &'a Options,
    resent: Resent,
    seen: Seen,
}

impl Opening<'_> {
    /// Hands an event's data to the adapter. Nothing is handed on from data that cannot be read
    /// to its end.
    fn open(
        &mut self,
        place: &Place,
        event: &Event<'_>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let Attributes { source, id, .. } = &event.attributes;
        self.resent.check(&(source, id), &event.data)?;
        let data = event.data.as_deref().ok_or_else(|| {
            Problem::at(
                Code::MissingField,
                "data",
                detail!(
                    "事件有效，但没有内容",
                    "the event is sound and says nothing"
                ),
            )
        })?;
        let mut outcomes = Vec::new();
        let seen = (self.adapter.read)(&mut &data[..], self.options, &mut |outcome| {
            outcomes.push(within(place, outcome));
        })
        .map_err(|problem| Problem {
            param: Some(match &problem.param {
                Some(param) => format!("data: {param}"),
                None => "data".to_owned(),
            }),
            ..problem
        })?;
        self.add(seen)?;
        outcomes.into_iter().for_each(sink);
        Ok(())
    }

    fn add(&mut self, seen: Seen) -> Result<(), Problem> {
        for (name, count) in seen.counts {
            match self.seen.counts.iter_mut().find(|(n, _)| *n == name) {
                Some((_, sum)) => *sum += count,
                None => self.seen.counts.push((name, count)),
            }
        }
        for Quantity { name, value, unit } in seen.totals {
            let known = |q: &&mut Quantity| q.name == name && q.unit == unit;
            match self.seen.totals.iter_mut().find(known) {
                Some(sum) => {
                    let total = sum.value.checked_add(value);
                    sum.value = total.ok_or_else(|| {
                        Problem::at(
                            Code::QuantityOutOfRange,
                            name,
                            detail!("合计过大", "the total is too large"),
                        )
                    })?;
                }
                None => self.seen.totals.push(Quantity { name, value, unit }),
            }
        }
        Ok(())
    }
}

/// Where a row of an event's data stands in the file.
fn within(event: &Place, outcome: Outcome) -> Outcome {
    let place = |inner: &Place| {
        Place::Pointer(match inner {
            Place::Line(1) => format!("{event}/data"),
            Place::Line(number) => format!("{event}/data line {number}"),
            Place::Item(array, index) => format!("{event}/data{array}/{index}"),
            Place::Pointer(pointer) => format!("{event}/data{pointer}"),
        })
    };
    match outcome {
        Outcome::Record(inner, record) => Outcome::Record(place(&inner), record),
        Outcome::Refused(mut row) => {
            row.place = place(&row.place);
            Outcome::Refused(row)
        }
        Outcome::Held(mut row) => {
            row.place = place(&row.place);
            Outcome::Held(row)
        }
    }
}

#[cfg(test)]
mod tests;
