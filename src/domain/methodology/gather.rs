//! Gathering (归集): from the records of one subject to one record a period. Readings of a day
//! are added up, a bill of 12 March to 11 April is shared between the two months by days, the
//! number of members is the one last stated.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::combine::{combined_text, mixed, overflow, share, stated, two_bills};
use super::compiled::{Compiled, Period};
use super::dictionary::Word;
use super::factor_table::start_of_day;
use super::input::{Input, InputForm, QuantityInput};
use super::meters::registers_apart;
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem, detail};

/// The most days that one record can cover.
const LONGEST_BILL: Days = Days::new(400);

/// How an input of several records becomes one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Gather {
    pub combine: Combine,
    /// A record of several days counts evenly over them.
    pub spread: bool,
    /// The latest statement by the period's start or end, from whatever record made it.
    pub as_of: Option<AsOf>,
    /// The calendar and the band of it that this input takes of the records' `base`.
    pub band: Option<(usize, Word)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Combine {
    #[default]
    Sum,
    Mean,
    Smallest,
    Largest,
    Last,
    /// All records must agree.
    Same,
    /// Every value that occurs: the meters of a household. A key takes each.
    Each,
    /// The one that stands last in the input's `values`, which go from best to worst.
    Worst,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsOf {
    Start,
    End,
}

/// How much of a period must be covered by records, each required quantity for itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Complete {
    #[default]
    Any,
    /// Every day, be it by one reading of it.
    EveryDay,
    /// Every instant: half a day's intervals are not a day.
    Whole,
}

/// What a document with `[period]` says of gathering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gathering {
    /// What a period that is not covered is refused for.
    pub complete: Complete,
    /// First day, and first day that is out.
    pub campaign: Option<(NaiveDate, NaiveDate)>,
}

/// A period: its first day, and the first day that is out, in the document's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub first: NaiveDate,
    pub out: NaiveDate,
}

/// A record's share of one period.
pub(super) struct Part<'r> {
    pub record: &'r Record,
    /// Days of the record within the period, and in all.
    days: (i64, i64),
}

impl Input {
    /// The name under which records carry it.
    pub(crate) fn base(&self) -> &str {
        match (self.gather.band, self.name.rsplit_once('.')) {
            (Some(_), Some((base, _))) => base,
            _ => &self.name,
        }
    }

    /// What a record says of it: by the base name, or by the full name where a meter has a
    /// register of its own for the band.
    fn given<'r>(&self, record: &'r Record) -> Option<&'r Quantity> {
        let own = || record.quantity(&self.name);
        record.quantity(self.base()).or_else(own)
    }
}

impl Compiled {
    /// The period that a day falls in; `None` outside a campaign. A billing period is the
    /// record's own.
    pub fn period_of(&self, day: NaiveDate) -> Option<Span> {
        let month = |day: NaiveDate| day.with_day(1);
        let (first, out) = match self.period {
            Period::Event | Period::Day | Period::Billing => (day, day.succ_opt()?),
            Period::Month => {
                let first = month(day)?;
                (first, first.checked_add_months(Months::new(1))?)
            }
            Period::Year => {
                let first = NaiveDate::from_ymd_opt(day.year(), 1, 1)?;
                (first, NaiveDate::from_ymd_opt(day.year() + 1, 1, 1)?)
            }
            Period::Campaign => {
                let (first, out) = self.gathering?.campaign?;
                return (first <= day && day < out).then_some(Span { first, out });
            }
        };
        Some(Span { first, out })
    }

    /// The local days that a record covers: the first, and the first that is out.
    pub fn days_of(&self, record: &Record) -> Span {
        let zone = self.window.zone;
        let first = record.from.with_timezone(&zone).date_naive();
        let last = record.to.with_timezone(&zone).date_naive();
        // A day does not begin at midnight in every zone, and midnight may come twice.
        let whole = start_of_day(last, zone).is_some_and(|start| record.to <= start);
        let out = match whole && last > first {
            true => last,
            false => last.succ_opt().unwrap_or(last),
        };
        Span { first, out }
    }

    /// Every period that a record belongs to: more than one where it is spread over them.
    ///
    /// # Errors
    /// `period_crossed` for a record that reaches beyond its period and is not spread;
    /// `ineligible` for one outside the campaign.
    pub fn periods_of(&self, record: &Record) -> Result<Vec<Span>, Problem> {
        let days = self.days_of(record);
        if self.period == Period::Billing {
            return Ok(vec![days]);
        }
        let outside = || {
            Problem::at(
                Code::Ineligible,
                "campaign",
                detail!("不在活动期内", "outside the campaign's days"),
            )
        };
        let mut spans = vec![self.period_of(days.first).ok_or_else(outside)?];
        while let Some(last) = spans.last().copied() {
            if last.out >= days.out {
                return Ok(spans);
            }
            if !self.spreads(record) {
                let detail = detail!(
                    "核算周期在 {out} 之前结束",
                    "the period ends before {out}",
                    out = last.out
                );
                return Err(Problem::at(Code::PeriodCrossed, "to", detail));
            }
            spans.push(self.period_of(last.out).ok_or_else(outside)?);
        }
        Ok(spans)
    }

    /// Whether everything that the record measures is shared over its days.
    fn spreads(&self, record: &Record) -> bool {
        let carried = self
            .inputs
            .iter()
            .filter(|input| input.is_quantity() && input.gather.as_of.is_none())
            .filter(|input| carries(input, record));
        let (mut any, mut all) = (false, true);
        for input in carried {
            any = true;
            all &= input.gather.spread;
        }
        any && all
    }

    /// Whether a record says something that later periods read as of a day.
    pub fn states(&self, record: &Record) -> bool {
        self.inputs
            .iter()
            .any(|input| input.gather.as_of.is_some() && carries(input, record))
    }

    /// Whether a record is activity of a period, and not only a statement.
    pub fn acts(&self, record: &Record) -> bool {
        self.inputs.iter().any(|input| {
            input.gather.as_of.is_none() && input.is_quantity() && carries(input, record)
        })
    }

    /// What can be said against a record before its period has closed: units, bounds, words.
    ///
    /// # Errors
    /// As [`Compiled::quantify`] for single inputs; `missing_field` for a record that carries
    /// nothing that the document reads.
    pub fn accept(&self, record: &Record) -> Result<(), Problem> {
        if !self.window.contains(record.from) {
            return Err(self.not_in_force(record));
        }
        let mut read = false;
        for input in &self.inputs {
            match &input.form {
                InputForm::Quantity(quantity) => {
                    if let Some(given) = input.given(record) {
                        quantity.read(input, given)?;
                        read = true;
                    }
                }
                InputForm::Choice(values) => {
                    if let Some(text) = record.attribute(input.base()) {
                        super::input::choose(input, values, text)?;
                    }
                }
                InputForm::Key | InputForm::Text => {}
            }
        }
        let measured = self.inputs.iter().find(|input| input.is_quantity());
        match measured {
            Some(input) if !read && !self.states(record) => {
                Err(Problem::on(Code::MissingField, input.param()))
            }
            _ if !self.acts(record) => Ok(()),
            _ => self.periods_of(record).map(drop),
        }
    }

    /// One subject's records as periods, the earliest first. `records` hold every activity of
    /// these periods; `statements` whatever was stated before, the earliest first.
    pub fn gather(
        &self,
        records: &[Record],
        statements: &[Record],
    ) -> Vec<(Span, Result<Record, Problem>)> {
        let mut periods: BTreeMap<Span, Vec<Part<'_>>> = BTreeMap::new();
        for record in records.iter().filter(|record| self.acts(record)) {
            let own = self.days_of(record);
            let all = (own.out - own.first).num_days();
            for span in self.periods_of(record).unwrap_or_default() {
                let (first, out) = (own.first.max(span.first), own.out.min(span.out));
                let days = ((out - first).num_days(), all);
                periods.entry(span).or_default().push(Part { record, days });
            }
        }
        let mut gathered: Vec<(Span, Result<Record, Problem>)> = Vec::with_capacity(periods.len());
        for (span, mut parts) in periods {
            parts.sort_by(|a, b| {
                (a.record.from, &a.record.source_id).cmp(&(b.record.from, &b.record.source_id))
            });
            match gathered
                .last_mut()
                .filter(|last| last.0.first == span.first)
            {
                Some(last) => *last = (span, Err(two_bills())),
                None => gathered.push((span, self.period_record(span, &parts, statements))),
            }
        }
        gathered
    }

    /// Whether both make the same periods of the same records.
    pub fn has_periods_of(&self, other: &Compiled) -> bool {
        let campaign = |compiled: &Compiled| compiled.gathering.map(|gathering| gathering.campaign);
        self.period == other.period && campaign(self) == campaign(other)
    }

    /// Whether a period is whatever a bill says.
    pub fn bills(&self) -> bool {
        self.period == Period::Billing
    }

    /// The first day on which a period can begin that reads what a record states.
    pub fn first_told(&self, record: &Record) -> NaiveDate {
        let ends = |input: &Input| input.gather.as_of == Some(AsOf::End);
        let own = self.first_day(record);
        if !self.inputs.iter().any(ends) {
            return own;
        }
        // What is stated at midnight is stated by the end of the day before.
        let before = record.from - TimeDelta::microseconds(1);
        let day = before.with_timezone(&self.window.zone).date_naive();
        match self.period {
            Period::Billing => day.checked_sub_days(LONGEST_BILL).unwrap_or(day),
            _ => self.period_of(day).map_or(own, |span| span.first),
        }
    }

    fn period_record(
        &self,
        span: Span,
        parts: &[Part<'_>],
        statements: &[Record],
    ) -> Result<Record, Problem> {
        let gathering = self.gathering.ok_or(Code::Internal)?;
        registers_apart(parts.iter().map(|part| part.record))?;
        self.covered(gathering.complete, span, parts)?;
        let (from, to) = self.bounds(span, parts)?;
        let subject = parts.first().map(|part| part.record.subject.clone());
        let mut record = Record {
            source_id: span.first.to_string(),
            subject: subject.unwrap_or_default(),
            from,
            to,
            quantities: Vec::new(),
            attributes: Vec::new(),
            revises: None,
        };
        for input in &self.inputs {
            match (&input.form, input.gather.as_of) {
                (_, Some(as_of)) => {
                    let by = if as_of == AsOf::Start { from } else { to };
                    stated(input, statements, by, &mut record);
                }
                (InputForm::Quantity(quantity), None) => {
                    if let Some(value) = self.combined(input, quantity, parts)? {
                        record.quantities.push(Quantity {
                            name: input.name.clone().into(),
                            value,
                            unit: quantity.unit.to_string().into(),
                        });
                    }
                }
                (form, None) => {
                    if let Some(text) = combined_text(input, form, parts)? {
                        record.attributes.push((input.name.clone().into(), text));
                    }
                }
            }
        }
        Ok(record)
    }

    fn bounds(
        &self,
        span: Span,
        parts: &[Part<'_>],
    ) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
        let own = parts.first().map(|part| (part.record.from, part.record.to));
        match (self.period, own) {
            (Period::Billing | Period::Event, Some(own)) => Ok(own),
            _ => {
                let zone = self.window.zone;
                let bounds = start_of_day(span.first, zone).zip(start_of_day(span.out, zone));
                bounds.ok_or_else(|| Problem::new(Code::TimeInvalid))
            }
        }
    }

    fn combined(
        &self,
        input: &Input,
        quantity: &QuantityInput,
        parts: &[Part<'_>],
    ) -> Result<Option<Decimal>, Problem> {
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(given) = input.given(part.record) else {
                continue;
            };
            let value = quantity.read(input, given)?;
            if given.name == input.base() && !self.in_band(input, part.record)? {
                // Nothing of it is in the band: that adds nothing, and is no value of the band.
                if input.gather.combine == Combine::Sum {
                    values.push(Decimal::ZERO);
                }
                continue;
            }
            values.push(match input.gather.spread {
                true => share(value, part.days).ok_or_else(|| overflow(input))?,
                false => value,
            });
        }
        let Some((first, rest)) = values.split_first() else {
            return Ok(None);
        };
        let sum = || {
            rest.iter()
                .try_fold(*first, |sum, value| sum.checked_add(*value))
        };
        let value = match input.gather.combine {
            Combine::Mean => sum().and_then(|sum| sum.checked_div(Decimal::from(values.len()))),
            Combine::Smallest => values.iter().min().copied(),
            Combine::Largest => values.iter().max().copied(),
            Combine::Last => values.last().copied(),
            Combine::Same => match rest.iter().all(|value| value == first) {
                true => Some(*first),
                false => return Err(mixed(input)),
            },
            Combine::Sum | Combine::Worst | Combine::Each => sum(),
        };
        value.map(Some).ok_or_else(|| overflow(input))
    }

    /// Whether the record lies in the band of hours or days that the input takes.
    fn in_band(&self, input: &Input, record: &Record) -> Result<bool, Problem> {
        let Some((slot, word)) = input.gather.band else {
            return Ok(true);
        };
        let zone = self.window.zone;
        let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
        let calendar = self.program.calendars.get(slot).ok_or(Code::Internal)?;
        match calendar.over(local(record.from), local(record.to)) {
            Some(found) => Ok(found == word),
            None => {
                let detail = detail!(
                    "记录跨越 `{name}` 的两个时段",
                    "it lies across two bands of `{name}`",
                    name = calendar.name
                );
                Err(Problem::at(Code::PeriodCrossed, input.param(), detail))
            }
        }
    }
}

pub(super) fn carries(input: &Input, record: &Record) -> bool {
    match input.is_quantity() {
        true => input.given(record).is_some(),
        false => record.attribute(input.base()).is_some(),
    }
}
