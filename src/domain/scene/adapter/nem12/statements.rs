//! Two statements of one day in one file: the later is handed on, the other is refused.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;

use chrono::{DateTime, Utc};

use super::super::{Outcome, Place, refused};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

/// Outcomes that wait for a later statement of the same day: 55 years of one channel, about
/// 15 MB. Farther apart both are handed on, under one id and each with its `stated_at`.
const WAITING_MAX: usize = 20_000;

/// Each read period's end and place, by its start.
type Spans = BTreeMap<DateTime<Utc>, (DateTime<Utc>, Place)>;

/// Outcomes in the order of the file.
#[derive(Default)]
pub(super) struct Statements {
    waiting: VecDeque<Outcome>,
    /// How many were handed on already: the number of the first that waits.
    gone: u64,
    /// By source id, the number of the statement that counts.
    number_of: HashMap<String, u64>,
    /// By register, what its readings that wait run over: from, to, and the line.
    spans: HashMap<String, Spans>,
}

impl Statements {
    pub(super) fn record(&mut self, place: Place, record: Record, sink: &mut dyn FnMut(Outcome)) {
        let number = self.gone + self.waiting.len() as u64;
        let earlier = self.number_of.get(&record.source_id).copied();
        let outcome = match earlier.and_then(|number| self.at(number)) {
            Some(known) => match supersede(known, &place, &record) {
                Err(problem) => refused(place, problem),
                Ok(()) => {
                    self.number_of.insert(record.source_id.clone(), number);
                    Outcome::Record(place, record)
                }
            },
            None => {
                self.number_of.insert(record.source_id.clone(), number);
                Outcome::Record(place, record)
            }
        };
        self.push(outcome, sink);
    }

    /// A register's reading. One that overlaps another of the same register, and does not start
    /// with it, would count the same energy twice.
    pub(super) fn register(&mut self, place: Place, record: Record, sink: &mut dyn FnMut(Outcome)) {
        let meter = record.attribute("meter").unwrap_or_default().to_owned();
        let (from, to) = (record.from, record.to);
        let spans = self.spans.entry(meter).or_default();
        let before = spans.range(..from).next_back();
        let before = before.filter(|(_, (end, _))| *end > from);
        let after = spans.range((Bound::Excluded(from), Bound::Excluded(to)));
        if let Some((_, (_, other))) = before.or_else(|| after.into_iter().next()) {
            let known = other.zh();
            let detail = detail!(
                "时段重叠而起点不同，只采用另一行：{known}",
                "overlaps {other} under another start; only that one is taken"
            );
            let field = "PreviousRegisterReadDateTime";
            let problem = Problem::at(Code::DuplicateReading, field, detail);
            return self.push(refused(place, problem), sink);
        }
        let longest = spans.get(&from).map_or(to, |(known, _)| to.max(*known));
        spans.insert(from, (longest, place.clone()));
        self.record(place, record, sink);
    }

    pub(super) fn push(&mut self, outcome: Outcome, sink: &mut dyn FnMut(Outcome)) {
        self.waiting.push_back(outcome);
        if self.waiting.len() > WAITING_MAX {
            self.hand_on(sink);
        }
    }

    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(Outcome)) {
        while !self.waiting.is_empty() {
            self.hand_on(sink);
        }
    }

    fn hand_on(&mut self, sink: &mut dyn FnMut(Outcome)) {
        let Some(outcome) = self.waiting.pop_front() else {
            return;
        };
        if let Outcome::Record(_, record) = &outcome
            && self.number_of.get(&record.source_id) == Some(&self.gone)
        {
            self.number_of.remove(&record.source_id);
        }
        if let Outcome::Record(_, record) = &outcome
            && let Some(spans) = self
                .spans
                .get_mut(record.attribute("meter").unwrap_or_default())
        {
            spans.remove(&record.from);
        }
        self.gone += 1;
        sink(outcome);
    }

    fn at(&mut self, number: u64) -> Option<&mut Outcome> {
        let index = usize::try_from(number.checked_sub(self.gone)?).ok()?;
        self.waiting.get_mut(index)
    }
}

/// Puts the refusal in the place of the known statement if the new one is later.
///
/// # Errors
/// The refusal of the new one otherwise.
fn supersede(known: &mut Outcome, place: &Place, record: &Record) -> Result<(), Problem> {
    let Outcome::Record(before, earlier) = known else {
        return Ok(());
    };
    let said = |place: &Place| {
        let known = place.zh();
        let detail = detail!(
            "另一行陈述了同一内容，且较晚或排在前面：{known}",
            "{place} states the same, and later or first"
        );
        Problem::at(Code::DuplicateReading, "UpdateDateTime", detail)
    };
    // Both are UTC in one form, so their text sorts as time; one without comes first.
    if record.attribute("stated_at") <= earlier.attribute("stated_at") {
        return Err(said(before));
    }
    *known = refused(before.clone(), said(place));
    Ok(())
}
