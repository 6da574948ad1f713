//! Methodologies that look back (回溯): a household is compared with its own last seven days, a
//! month with the same month of last year. Values of earlier periods are computed from those
//! periods' own records, with the factors in force then.
//!
//! A period's record carries what it looked back at, so that it can be recomputed from itself:
//! the quantity `kwh@2026-11-13` is `kwh` of the period that began on that day. No feed can write
//! such a name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::compiled::{Compiled, Period, Quantified, Refusal};
use super::factor_table::start_of_day;
use super::program::{Evaluation, LogicId, NodeId, Scratch, Silent};
use super::reach::Reach;
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem};
use crate::domain::unit::Unit;

/// Between the name of an input and the first day of the period it belongs to.
const AT: char = '@';

/// One look-back of a document.
#[derive(Debug, Clone)]
pub(crate) struct LookBack {
    /// As it is written.
    pub text: String,
    pub of: NodeId,
    pub unit: Unit,
    pub reach: Reach,
    /// With fewer periods than this there is no value.
    pub least: usize,
    /// Only the latest this many count.
    pub most: usize,
    /// Only periods count of which this is true.
    pub only: Option<LogicId>,
    /// The inputs it depends on.
    pub reads: Vec<usize>,
}

impl LookBack {
    /// Calls `take` with every period that counts, the latest first; where nothing but the reach
    /// decides, also with those whose value is not known.
    fn counted(
        &self,
        days: &[NaiveDate],
        values: &[Option<Decimal>],
        at: usize,
        mut take: impl FnMut(usize),
    ) {
        let mut count = 0;
        self.reach.members(days, at, |place| {
            let known = values.get(place).is_some_and(Option::is_some);
            if count < self.most && (known || self.only.is_none()) {
                count += usize::from(known);
                take(place);
            }
        });
    }

    /// The value for the period at `at`, from this look-back's value of every period.
    fn value(&self, days: &[NaiveDate], values: &[Option<Decimal>], at: usize) -> Option<Decimal> {
        let (mut sum, mut count) = (Decimal::ZERO, 0_usize);
        let mut overflow = false;
        self.counted(days, values, at, |place| {
            if let Some(value) = values.get(place).copied().flatten() {
                match sum.checked_add(value) {
                    Some(next) => sum = next,
                    None => overflow = true,
                }
                count += 1;
            }
        });
        if overflow || count == 0 || count < self.least {
            return None;
        }
        match self.reach {
            Reach::Year | Reach::SameMonthLastYear => Some(sum),
            _ => sum.checked_div(Decimal::from(count)),
        }
    }
}

/// What one look-back of a record gives, and the periods behind it, the earliest first.
pub(super) struct Reading {
    pub slot: usize,
    pub value: Option<Decimal>,
    pub members: Vec<(NaiveDate, Option<Decimal>)>,
}

/// One subject's periods, the earliest first, with what every look-back makes of each. Kept by
/// the caller and used again for the next subject.
#[derive(Debug, Default)]
pub struct Series {
    days: Vec<NaiveDate>,
    /// By look-back, then by period.
    values: Vec<Vec<Option<Decimal>>>,
    scratch: Scratch,
}

impl Compiled {
    /// Whether results depend on more than the record itself.
    pub fn looks_back(&self) -> bool {
        !self.program.look_backs.is_empty()
    }

    /// How many days before a period's first day its result can depend on.
    pub fn reach_days(&self) -> u32 {
        let reaches = self.program.look_backs.iter().map(|look| look.reach.days());
        reaches.max().unwrap_or(0)
    }

    /// Takes one subject's period records, in order of `from`, and computes of each what later
    /// ones look back at. Each period's value is computed once, however many look back at it.
    pub fn open_series(&self, periods: &[Record], series: &mut Series) {
        self.open_series_with(periods, &self.parameter_values, series);
    }

    /// With these parameter values, of which an example may suppose some.
    fn open_series_with(
        &self,
        periods: &[Record],
        parameters: &[Option<Decimal>],
        series: &mut Series,
    ) {
        series.days.clear();
        series
            .days
            .extend(periods.iter().map(|record| self.first_day(record)));
        series
            .values
            .resize_with(self.program.look_backs.len(), Vec::new);
        for values in &mut series.values {
            values.clear();
        }
        for record in periods {
            self.bind_past(record, &mut series.scratch);
            for (look, values) in self.program.look_backs.iter().zip(&mut series.values) {
                let mut evaluation = Evaluation {
                    program: &self.program,
                    parameters,
                    scratch: &mut series.scratch,
                    listener: &mut Silent,
                };
                let counts = match look.only {
                    None => true,
                    Some(only) => evaluation.truth(only) == Ok(true),
                };
                values.push(evaluation.number(look.of).ok().filter(|_| counts));
            }
        }
    }

    /// The reduction of the period at this place of an opened series.
    ///
    /// # Errors
    /// A [`Refusal`], as [`Compiled::quantify`].
    pub fn quantify_in(
        &self,
        periods: &[Record],
        at: usize,
        series: &mut Series,
    ) -> Result<Quantified, Refusal> {
        let Some(record) = periods.get(at) else {
            return Err(Refusal::Problem(Problem::new(Code::Internal)));
        };
        self.look(at, series);
        let value = self.evaluate_looked(
            record,
            &self.parameter_values,
            &mut series.scratch,
            &mut Silent,
        )?;
        Ok(Quantified {
            reduction_mg: self.ledger(value).map_err(Refusal::Problem)?,
        })
    }

    /// The record of a period with everything it looks back at, as it is stored and recomputed.
    pub fn remember(&self, periods: &[Record], at: usize, series: &Series) -> Option<Record> {
        let mut record = periods.get(at)?.clone();
        let mut needed: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (look, values) in self.program.look_backs.iter().zip(&series.values) {
            if !look.reach.of_period() {
                continue;
            }
            look.counted(&series.days, values, at, |place| {
                if place != at {
                    needed.entry(place).or_default().extend(&look.reads);
                }
            });
        }
        for (place, mut slots) in needed {
            slots.sort_unstable();
            slots.dedup();
            let (past, day) = (periods.get(place)?, series.days.get(place)?);
            for slot in slots {
                let name = &self.inputs.get(slot)?.name;
                let then: Cow<'static, str> = format!("{name}{AT}{day}").into();
                if let Some(quantity) = past.quantity(name) {
                    record.quantities.push(Quantity {
                        name: then,
                        ..quantity.clone()
                    });
                } else if let Some(text) = past.attribute(name) {
                    record.attributes.push((then, text.to_owned()));
                }
            }
        }
        Some(record)
    }

    /// Lets a record carry what an earlier period was.
    pub fn recollect(&self, record: &mut Record, past: Record) {
        let day = self.first_day(&past);
        for quantity in past.quantities {
            let name = format!("{}{AT}{day}", quantity.name).into();
            record.quantities.push(Quantity { name, ..quantity });
        }
        for (name, text) in past.attributes {
            record
                .attributes
                .push((format!("{name}{AT}{day}").into(), text));
        }
    }

    /// Fills the look-backs from what the record itself carries.
    pub(super) fn recall(
        &self,
        record: &Record,
        parameters: &[Option<Decimal>],
        scratch: &mut Scratch,
    ) {
        scratch.look_backs.clear();
        if self.program.look_backs.is_empty() {
            return;
        }
        let (mut periods, own) = self.split(record);
        let at = periods.len();
        periods.push(own);
        let mut series = Series::default();
        self.open_series_with(&periods, parameters, &mut series);
        self.look(at, &mut series);
        std::mem::swap(&mut scratch.look_backs, &mut series.scratch.look_backs);
    }

    /// What each look-back of the record gives, and the periods behind it: for explanations.
    pub(super) fn readings(&self, record: &Record, parameters: &[Option<Decimal>]) -> Vec<Reading> {
        let (mut periods, own) = self.split(record);
        let at = periods.len();
        periods.push(own);
        let mut series = Series::default();
        self.open_series_with(&periods, parameters, &mut series);
        self.look(at, &mut series);
        let looks = self.program.look_backs.iter().enumerate();
        looks
            .filter(|(_, look)| look.reach.of_period())
            .map(|(slot, look)| {
                let mut members = Vec::new();
                let values = series.values.get(slot).map_or(&[][..], Vec::as_slice);
                look.counted(&series.days, values, at, |place| {
                    let value = values.get(place).copied().flatten();
                    members.push((series.days[place], value));
                });
                members.reverse();
                let value = series.scratch.look_backs.get(slot).copied().flatten();
                Reading {
                    slot,
                    value,
                    members,
                }
            })
            .collect()
    }

    fn look(&self, at: usize, series: &mut Series) {
        series.scratch.look_backs.clear();
        for (look, values) in self.program.look_backs.iter().zip(&series.values) {
            let value = look.value(&series.days, values, at);
            series.scratch.look_backs.push(value);
        }
    }

    /// The periods that a record carries, the earliest first, and its own part.
    fn split(&self, record: &Record) -> (Vec<Record>, Record) {
        let zone = self.window.zone;
        let mut past: BTreeMap<NaiveDate, Record> = BTreeMap::new();
        let mut own = Record {
            quantities: Vec::new(),
            attributes: Vec::new(),
            ..record.clone()
        };
        for quantity in &record.quantities {
            match earlier(&quantity.name) {
                Some((name, day)) => {
                    let then = past.entry(day).or_insert_with(|| empty(record, day, zone));
                    then.quantities.push(Quantity {
                        name: name.to_owned().into(),
                        ..quantity.clone()
                    });
                }
                None => own.quantities.push(quantity.clone()),
            }
        }
        for (key, text) in &record.attributes {
            match earlier(key) {
                Some((name, day)) => {
                    let then = past.entry(day).or_insert_with(|| empty(record, day, zone));
                    then.attributes.push((name.to_owned().into(), text.clone()));
                }
                None => own.attributes.push((key.clone(), text.clone())),
            }
        }
        (past.into_values().collect(), own)
    }

    /// The day in the document's zone on which the record's period begins.
    pub fn first_day(&self, record: &Record) -> NaiveDate {
        record.from.with_timezone(&self.window.zone).date_naive()
    }

    /// Whether the subject stays within the year's threshold (事后门槛): `periods` are all of one
    /// year. Documents without one always pass.
    ///
    /// # Errors
    /// `ineligible` with the document's reason when the year excludes the subject; a problem when
    /// the threshold cannot be evaluated.
    pub fn year_verdict(&self, periods: &[Record], series: &mut Series) -> Result<(), Refusal> {
        let (Some(check), Some(last)) = (&self.year_end, periods.last()) else {
            return Ok(());
        };
        self.open_series(periods, series);
        self.look(periods.len() - 1, series);
        self.check_year(check, last, &mut series.scratch)
    }

    /// Whether a year's end can exclude a subject.
    pub fn has_year_end(&self) -> bool {
        self.year_end.is_some()
    }

    /// What one record stands for, or what records are gathered into.
    pub fn gathers(&self) -> bool {
        self.gathering.is_some()
    }
}

fn earlier(name: &str) -> Option<(&str, NaiveDate)> {
    let (name, day) = name.split_once(AT)?;
    Some((name, day.parse().ok()?))
}

fn empty(record: &Record, day: NaiveDate, zone: Tz) -> Record {
    let from = start_of_day(day, zone).unwrap_or(record.from);
    Record {
        source_id: String::new(),
        subject: record.subject.clone(),
        from,
        to: from,
        quantities: Vec::new(),
        attributes: Vec::new(),
        revises: None,
    }
}

/// Whether periods of this kind are months, and so know months before them.
pub(crate) fn monthly(period: Period) -> bool {
    matches!(period, Period::Month | Period::Billing)
}
