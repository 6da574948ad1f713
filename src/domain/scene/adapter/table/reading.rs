//! From rows to outcomes, one at a time; at most one row is kept.

use std::borrow::Cow;
use std::rc::Rc;

use chrono::{DateTime, SecondsFormat, Utc};

use super::super::{Outcome, Place, Seen, refused};
use super::clock::Clock;
use super::columns::{Located, Slot};
use super::mapping::Mapping;
use super::row::{Cells, Fault, Row};
use super::times::Extent;
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Reads the rows of one file.
pub(super) struct Reading<'a> {
    mapping: &'a Mapping,
    located: Rc<Located>,
    clock: Clock,
    /// A record whose end is the beginning of the next row.
    open: Option<(Place, Record)>,
    rows: u64,
    blank: u64,
    left_out: u64,
}

impl<'a> Reading<'a> {
    pub(super) fn new(mapping: &'a Mapping, located: Located) -> Reading<'a> {
        Reading {
            mapping,
            located: Rc::new(located),
            clock: Clock::new(mapping.zone),
            open: None,
            rows: 0,
            blank: 0,
            left_out: 0,
        }
    }

    /// `place` says where a column of the row stands.
    pub(super) fn row<C: Cells>(
        &mut self,
        cells: &C,
        place: &dyn Fn(Option<usize>) -> Place,
        sink: &mut dyn FnMut(Outcome),
    ) {
        self.rows += 1;
        if cells.is_blank() {
            self.blank += 1;
            return;
        }
        let mapping = self.mapping;
        let located = Rc::clone(&self.located);
        let row = Row {
            cells,
            columns: &mapping.columns,
            located: &located,
            blank_words: &mapping.blank_words,
        };
        let at = |slot: Slot| place(Some(located.place(slot)));
        for only in &mapping.only {
            match only.takes(&row) {
                Ok(true) => {}
                Ok(false) => {
                    self.left_out += 1;
                    return;
                }
                Err(fault) => return sink(refused(at(fault.slot), fault.problem)),
            }
        }
        let extent = match mapping.times.read(&row, &mut self.clock) {
            Ok(extent) => extent,
            Err(fault) => {
                self.close(None, sink);
                return sink(refused(at(fault.slot), fault.problem));
            }
        };
        let (from, to) = match extent {
            Extent::Whole(from, to) => (from, to),
            Extent::Open(from) => {
                self.close_before_another(&row, sink);
                self.close(Some(from), sink);
                (from, from)
            }
        };
        match self.record(&row, from, to) {
            Ok(None) => self.blank += 1,
            Ok(Some(record)) => match extent {
                Extent::Whole(..) => sink(Outcome::Record(place(None), record)),
                Extent::Open(_) => self.open = Some((place(None), record)),
            },
            Err(fault) => sink(refused(at(fault.slot), fault.problem)),
        }
    }

    /// A row that cannot be split into cells; what it says of the row before is unknown too.
    pub(super) fn unreadable(
        &mut self,
        place: Place,
        problem: Problem,
        sink: &mut dyn FnMut(Outcome),
    ) {
        self.rows += 1;
        self.close(None, sink);
        sink(refused(place, problem));
    }

    pub(super) fn end(mut self, sink: &mut dyn FnMut(Outcome)) -> Seen {
        if let Some((place, _)) = self.open.take() {
            let problem = Problem::at(
                Code::MissingField,
                "to",
                detail!(
                    "后面没有一行给出它的结束时间",
                    "no row follows that would end it"
                ),
            );
            sink(refused(place, problem));
        }
        let mut counts = vec![("rows", self.rows)];
        for (name, count) in [("blank", self.blank), ("left_out", self.left_out)] {
            if count > 0 {
                counts.push((name, count));
            }
        }
        Seen {
            counts,
            totals: Vec::new(),
        }
    }

    /// A row of somebody else does not say when the open record ended.
    fn close_before_another<C: Cells>(&mut self, row: &Row<'_, C>, sink: &mut dyn FnMut(Outcome)) {
        let open = self.open.as_ref().map(|(_, record)| &record.subject);
        let Some(subject) = open else { return };
        let of_another = matches!(self.mapping.subject.read(row), Ok(other) if other != *subject);
        if !of_another {
            return;
        }
        if let Some((place, _)) = self.open.take() {
            let said = detail!(
                "下一行属于另一主体，不能说明本行何时结束",
                "the next row is another subject's and does not end this one"
            );
            sink(refused(place, Problem::at(Code::MissingField, "to", said)));
        }
    }

    /// Ends the open record where the next row begins, if that can be.
    fn close(&mut self, next: Option<DateTime<Utc>>, sink: &mut dyn FnMut(Outcome)) {
        let Some((place, mut record)) = self.open.take() else {
            return;
        };
        let wrong = |detail: Detail| Problem::at(Code::TimeInvalid, "to", detail);
        sink(match next {
            Some(next) if next > record.from => {
                record.to = next;
                Outcome::Record(place, record)
            }
            Some(_) => refused(
                place,
                wrong(detail!(
                    "下一行的时间不在它之后",
                    "the next row does not come after it"
                )),
            ),
            None => refused(
                place,
                wrong(detail!(
                    "下一行的时间无法读取",
                    "the next row's time cannot be read"
                )),
            ),
        });
    }

    /// `None` where every quantity is blank and blanks are skipped.
    fn record<C: Cells>(
        &self,
        row: &Row<'_, C>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Option<Record>, Fault> {
        let mapping = self.mapping;
        let mut quantities = Vec::with_capacity(mapping.quantities.len());
        for measure in &mapping.quantities {
            quantities.extend(measure.read(row)?);
        }
        if quantities.is_empty() {
            return Ok(None);
        }
        let mut attributes = Vec::with_capacity(mapping.attributes.len());
        for attribute in &mapping.attributes {
            attributes.extend(attribute.read(row)?);
        }
        if let Some(slot) = mapping.stated_at {
            let at = mapping.times.single(row, slot, &self.clock)?;
            // Statements are compared as texts: all of them have the same digits.
            let text = at.to_rfc3339_opts(SecondsFormat::Micros, true);
            attributes.push((Cow::Borrowed("stated_at"), text));
        }
        Ok(Some(Record {
            source_id: mapping.id.read(row)?,
            subject: mapping.subject.read(row)?,
            from,
            to,
            quantities,
            attributes,
            revises: self.revises(row)?,
        }))
    }

    fn revises<C: Cells>(&self, row: &Row<'_, C>) -> Result<Option<String>, Fault> {
        let Some(slot) = self.mapping.revises else {
            return Ok(None);
        };
        let text = row.text(slot)?;
        match text.is_empty() {
            true => Ok(None),
            false => self.mapping.id.named_by(row, slot, &text).map(Some),
        }
    }
}
