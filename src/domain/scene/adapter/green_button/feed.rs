//! Entries joined by their links: a block belongs to a meter reading, that names its reading
//! type, and hangs under a usage point.
//!
//! Everything waits for the end of the file, at most [`WAITING_MAX`] readings of it: the entries
//! may come in any order, and a later statement of a reading wins wherever it stands.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::super::{Held, Outcome, Place, refused};
use super::coverage::Coverage;
use super::entry::{Entry, Number, Reading, Resource, Summary};
use super::local_days::LocalDays;
use super::meter::ReadingType;
use super::point::key;
use super::reading::Context;
use super::summary::Summaries;
use crate::domain::problem::{Code, Problem, detail};

/// What may wait, in readings of 64 bytes: 32 MB, fourteen years of quarter hours in daily
/// blocks. In a longer file the first ones are handed on, and what repeats them afterwards is
/// refused, whenever it was stated.
const WAITING_MAX: usize = 500_000;
/// What a block weighs beside its readings and links.
const BLOCK_WEIGHT: usize = 4;
/// Bytes of entries that describe meters, and of summaries: 50,000 meters or more. The rest of a
/// longer file is read without them.
const DESCRIBED_MAX: usize = 32 * 1024 * 1024;
/// Gaps between the readings of all meters; a real file has a handful a meter. Beyond them
/// nobody can tell what is counted already, and readings are refused as if it were.
const STRETCHES_MAX: usize = 500_000;

/// When an entry was stated; one that does not say so was stated first.
type Stated = Option<DateTime<Utc>>;

/// An entry of blocks, by the links that lead to its meter.
struct Waiting {
    entry: u32,
    own: String,
    up: String,
    stated: Stated,
    readings: Vec<Reading>,
}

impl Waiting {
    /// In readings.
    fn weight(&self) -> usize {
        self.readings.len() + (self.own.len() + self.up.len()) / 64 + BLOCK_WEIGHT
    }

    /// Several readings that differ and all begin at one instant: their times are not known.
    fn has_no_times(&self) -> bool {
        let Some((first, rest)) = self.readings.split_first() else {
            return false;
        };
        let at_once = |other: &Reading| other.start == first.start;
        let differs =
            |other: &Reading| (other.duration, other.value) != (first.duration, first.value);
        matches!(first.start, Number::Whole(_))
            && rest.iter().all(at_once)
            && rest.iter().any(differs)
    }
}

struct Bill {
    entry: u32,
    up: String,
    stated: Stated,
    summary: Summary,
}

#[derive(Default)]
struct Point {
    service: Option<i64>,
    /// The link to its LocalTimeParameters.
    days: Option<String>,
}

struct Meter {
    up: String,
    related: Vec<String>,
}

/// Descriptions by their link; of two under one link the later statement counts.
struct Described<T>(HashMap<String, (Stated, T)>);

impl<T> Described<T> {
    fn put(&mut self, link: String, stated: Stated, value: T) {
        match self.0.get(&link) {
            Some((known, _)) if *known > stated => {}
            _ => {
                self.0.insert(link, (stated, value));
            }
        }
    }

    fn get(&self, link: &str) -> Option<&T> {
        self.0.get(link).map(|(_, value)| value)
    }
}

impl<T> Default for Described<T> {
    fn default() -> Described<T> {
        Described(HashMap::new())
    }
}

#[derive(Default)]
pub(super) struct Feed {
    summaries: Summaries,
    points: Described<Point>,
    meters: Described<Meter>,
    /// From each link that a meter reading names its blocks by, to its own.
    meter_of: HashMap<String, String>,
    types: Described<ReadingType>,
    days: Described<LocalDays>,
    described: usize,
    waiting: Vec<Waiting>,
    waiting_weight: usize,
    waiting_max: usize,
    stretches: usize,
    bills: Vec<Bill>,
    covered: HashMap<(String, &'static str), Coverage>,
    billed: HashMap<(String, &'static str), Coverage>,
}

impl Feed {
    pub(super) fn new(summaries: Summaries) -> Feed {
        Feed::with_room(summaries, WAITING_MAX)
    }

    /// So much may wait.
    pub(super) fn with_room(summaries: Summaries, waiting_max: usize) -> Feed {
        Feed {
            summaries,
            waiting_max,
            ..Feed::default()
        }
    }

    pub(super) fn take(&mut self, entry: Entry, sink: &mut dyn FnMut(Outcome)) {
        let room = self.described < DESCRIBED_MAX;
        let stated = entry.updated;
        if !matches!(entry.resource, Resource::IntervalBlock(_) | Resource::Other) {
            let links = entry.related.iter().chain([&entry.own, &entry.up]);
            self.described += links.map(|link| link.len() + 64).sum::<usize>();
        }
        match entry.resource {
            Resource::UsagePoint { service } if room => {
                let named = |link: &&String| link.contains("LocalTimeParameters");
                let point = Point {
                    service,
                    days: entry.related.iter().find(named).cloned(),
                };
                self.points.put(entry.own, stated, point);
            }
            Resource::MeterReading if room => self.describe(entry),
            Resource::ReadingType(kind) if room => self.types.put(entry.own, stated, kind),
            Resource::LocalTime(days) if room => self.days.put(entry.own, stated, days),
            Resource::IntervalBlock(block) if !block.readings.is_empty() => {
                let waiting = Waiting {
                    entry: entry.number,
                    own: entry.own,
                    up: entry.up,
                    stated,
                    readings: block.readings,
                };
                self.waiting_weight += waiting.weight();
                self.waiting.push(waiting);
                if self.waiting_weight > self.waiting_max {
                    self.make_room(sink);
                }
            }
            Resource::Summary(summary) if summary.has_consumption() => {
                let bill = Bill {
                    entry: entry.number,
                    up: match entry.up.as_str() {
                        "" => entry.own,
                        _ => entry.up,
                    },
                    stated,
                    summary,
                };
                if room {
                    self.bills.push(bill);
                } else {
                    sink(held(bill.entry));
                }
            }
            _ => {}
        }
    }

    fn describe(&mut self, entry: Entry) {
        for link in &entry.related {
            if link.ends_with("IntervalBlock") {
                self.meter_of.insert(link.clone(), entry.own.clone());
            }
        }
        let blocks = format!("{}/IntervalBlock", entry.own);
        self.meter_of.insert(blocks, entry.own.clone());
        let meter = Meter {
            up: entry.up,
            related: entry.related,
        };
        self.meters.put(entry.own, entry.updated, meter);
    }

    /// Hands on what is known well enough; everything, if that is not enough.
    fn make_room(&mut self, sink: &mut dyn FnMut(Outcome)) {
        let all = std::mem::take(&mut self.waiting);
        let (known, unknown) = all.into_iter().partition(|block| self.complete(block));
        self.waiting = unknown;
        self.waiting_weight = self.waiting.iter().map(Waiting::weight).sum();
        self.settle(known, sink);
        if self.waiting_weight > self.waiting_max / 2 {
            let rest = std::mem::take(&mut self.waiting);
            self.waiting_weight = 0;
            self.settle(rest, sink);
        }
    }

    /// Reads what waits with what is known: intervals first, for they tell which summaries count.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(Outcome)) {
        let rest = std::mem::take(&mut self.waiting);
        self.settle(rest, sink);
        let mut bills = std::mem::take(&mut self.bills);
        bills.sort_by_key(|bill| std::cmp::Reverse(bill.stated));
        let mut said: Vec<(u32, Outcome)> = bills
            .iter()
            .filter_map(|bill| self.bill(bill).map(|outcome| (bill.entry, outcome)))
            .collect();
        said.sort_by_key(|(entry, _)| *entry);
        for (_, outcome) in said {
            sink(outcome);
        }
    }

    fn complete(&self, block: &Waiting) -> bool {
        self.meter(block).is_some_and(|meter| {
            self.reading_type(meter).is_some() && self.point(&meter.up).is_some()
        })
    }

    /// The link of the meter reading that a block belongs to.
    fn series<'a>(&'a self, block: &'a Waiting) -> Option<&'a String> {
        let parent = block.own.rsplit_once('/').map(|(parent, _)| parent);
        self.meter_of
            .get(&block.up)
            .or_else(|| self.meter_of.get(parent?))
    }

    fn meter(&self, block: &Waiting) -> Option<&Meter> {
        self.meters.get(self.series(block)?)
    }

    fn reading_type(&self, meter: &Meter) -> Option<ReadingType> {
        let mut linked = meter.related.iter().filter_map(|link| self.types.get(link));
        linked.next().copied()
    }

    /// The usage point above a link to some collection of it.
    fn point(&self, link: &str) -> Option<&Point> {
        self.points
            .get(link)
            .or_else(|| self.points.get(above(link)))
    }

    fn days(&self, point: Option<&Point>) -> LocalDays {
        let named = point.and_then(|point| self.days.get(point.days.as_ref()?));
        named.copied().unwrap_or_default()
    }

    fn context(&self, block: &Waiting) -> Result<Context, Problem> {
        let meter = self.meter(block);
        let Some(kind) = meter.and_then(|meter| self.reading_type(meter)) else {
            let detail = detail!(
                "这些读数没有关联 ReadingType",
                "no ReadingType is linked to these readings"
            );
            return Err(Problem::at(Code::UnitMissing, "ReadingType", detail));
        };
        let link = meter.map_or(block.up.as_str(), |meter| meter.up.as_str());
        let point = self.point(link);
        let measure = kind.measure(point.and_then(|point| point.service))?;
        if block.has_no_times() {
            let detail = detail!(
                "该 entry 的所有读数起于同一时刻",
                "all readings of the entry begin at one instant"
            );
            return Err(Problem::at(Code::TimeInvalid, "timePeriod.start", detail));
        }
        Ok(Context {
            key: key(above(link)),
            measure,
            interval_length: kind.interval_length,
            days: self.days(point),
            stated: block.stated,
        })
    }

    fn settle(&mut self, blocks: Vec<Waiting>, sink: &mut dyn FnMut(Outcome)) {
        let contexts: Vec<_> = blocks.iter().map(|block| self.context(block)).collect();
        let mut taken: Vec<Vec<bool>> = vec![Vec::new(); blocks.len()];
        for index in self.order(&blocks) {
            let (Some(block), Some(Ok(context)), Some(taken)) =
                (blocks.get(index), contexts.get(index), taken.get_mut(index))
            else {
                continue;
            };
            let meter = (context.key.clone(), context.measure.name);
            let covered = self.covered.entry(meter).or_default();
            let (before, others) = (covered.len(), self.stretches - covered.len());
            taken.extend(block.readings.iter().map(|reading| {
                let room = others + covered.len() < STRETCHES_MAX;
                let span = context.span(reading);
                room && span.is_ok_and(|span| covered.add(span.start, span.end))
            }));
            self.stretches = self.stretches - before + covered.len();
        }
        for ((block, context), taken) in blocks.iter().zip(contexts).zip(taken) {
            for (index, reading) in block.readings.iter().enumerate() {
                let taken = taken.get(index).copied().unwrap_or(false);
                sink(outcome(block.entry, reading, &context, taken));
            }
        }
    }

    /// Which blocks take their time first: those of the meter reading that comes first in the
    /// file, and of these the one stated last.
    fn order(&self, blocks: &[Waiting]) -> Vec<usize> {
        let mut ranks = HashMap::new();
        let rank: Vec<usize> = blocks
            .iter()
            .map(|block| {
                let next = ranks.len();
                *ranks.entry(self.series(block)).or_insert(next)
            })
            .collect();
        let mut order: Vec<usize> = (0..blocks.len()).collect();
        let stated = |index: usize| blocks.get(index).and_then(|block| block.stated);
        order.sort_by_key(|index| {
            let first = rank.get(*index).copied();
            (first, std::cmp::Reverse(stated(*index)))
        });
        order
    }

    /// What becomes of a summary; nothing, if the file has intervals of the same meter (where
    /// summaries count: of the same time).
    fn bill(&mut self, bill: &Bill) -> Option<Outcome> {
        let place = || Place::Pointer(format!("/feed/entry[{}]/content/UsageSummary", bill.entry));
        let point = self.point(&bill.up);
        let service = point.and_then(|point| point.service);
        let context = bill.summary.measure(service).map(|measure| Context {
            key: key(above(&bill.up)),
            measure,
            interval_length: None,
            days: LocalDays::default(),
            stated: bill.stated,
        });
        let period = bill.summary.period();
        let meter = context.as_ref().ok();
        let covered = meter.and_then(|context| {
            let meter = (context.key.clone(), context.measure.name);
            self.covered.get(&meter)
        });
        if let Some(covered) = covered {
            let told = match (&period, self.summaries) {
                (Ok((from, to)), Summaries::Counted) => covered.overlaps(*from, *to),
                _ => !covered.is_empty(),
            };
            if told {
                return None;
            }
        }
        if self.summaries == Summaries::Held {
            return Some(held(bill.entry));
        }
        let record = context.and_then(|context| {
            let meter = (context.key.clone(), context.measure.name);
            let billed = self.billed.entry(meter).or_default();
            bill.summary.record(&context, period?, billed)
        });
        Some(match record {
            Ok(record) => Outcome::Record(place(), record),
            Err(problem) => refused(place(), problem),
        })
    }
}

fn outcome(
    entry: u32,
    reading: &Reading,
    context: &Result<Context, Problem>,
    taken: bool,
) -> Outcome {
    let (block, number) = (reading.block, reading.number);
    let place = Place::Pointer(format!(
        "/feed/entry[{entry}]/content/IntervalBlock[{block}]/IntervalReading[{number}]"
    ));
    let span = match context {
        Ok(context) => context.span(reading).map(|span| (context, span)),
        Err(problem) => Err(problem.clone()),
    };
    match span {
        Ok((context, span)) if taken => Outcome::Record(place, context.record(&span, reading)),
        Ok(_) => {
            let detail = detail!(
                "这段时间已有同一计量点的另一条读数，其陈述较晚或排在前面",
                "another reading of this meter, stated later or first, covers the time"
            );
            let field = "timePeriod.start";
            refused(place, Problem::at(Code::DuplicateReading, field, detail))
        }
        Err(problem) => refused(place, problem),
    }
}

fn held(entry: u32) -> Outcome {
    Outcome::Held(Held {
        place: Place::Pointer(format!("/feed/entry[{entry}]/content/UsageSummary")),
        code: Code::SummaryOnly,
    })
}

/// The usage point's own link, from a link to one of its collections.
fn above(link: &str) -> &str {
    [
        "/MeterReading",
        "/UsageSummary",
        "/ElectricPowerUsageSummary",
    ]
    .iter()
    .find_map(|part| link.split_once(part))
    .map_or(link, |(point, _)| point)
}
