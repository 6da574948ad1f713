//! A 300 row with the 400 rows below it: one day of one channel.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::super::lines::Fields;
use super::super::malformed;
use super::amount::{Amount, Fault};
use super::channel::Channel;
use super::clock::{self, Clock, stamp};
use super::quality::{Causes, Flag, QualityMethod};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem, detail};

/// Where a 300 row's interval values begin.
const VALUES: usize = 2;

/// A day whose 400 rows may still come.
#[derive(Debug)]
pub(super) struct Day {
    time: clock::Day,
    sum: Amount,
    /// The whole day's flag; `None` when each interval has its own.
    flag: Option<Flag>,
    /// Intervals of each flag that 400 rows gave, by [`Flag`]'s order.
    counts: [usize; 5],
    /// The last interval that a 400 row spoke of.
    spoken_to: usize,
    causes: Causes,
    stated: Option<DateTime<Utc>>,
}

impl Day {
    /// # Errors
    /// `reading_incomplete` when an interval has no value, else the field and the rule it breaks.
    pub(super) fn parse(row: &Fields, channel: &Channel, clock: Clock) -> Result<Day, Problem> {
        let time = clock.day("IntervalDate", row.get(1))?;
        let after = VALUES + channel.intervals;
        if !row
            .get(after)
            .starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return Err(misfit(row, channel.intervals));
        }
        let sum = sum(row, channel.intervals)?;
        let quality = QualityMethod::parse("QualityMethod", row.get(after))?;
        let mut causes = Causes::default();
        causes.add(quality.method, "ReasonCode", row.get(after + 1))?;
        let stated = match row.get(after + 3) {
            "" => None,
            text => Some(clock.instant("UpdateDateTime", text)?),
        };
        Ok(Day {
            time,
            sum,
            flag: quality.flag,
            counts: [0; 5],
            spoken_to: 0,
            causes,
            stated,
        })
    }

    /// Takes a 400 row: the quality of some of the day's intervals.
    ///
    /// # Errors
    /// The field and the rule it breaks; the day cannot be used then.
    pub(super) fn event(&mut self, row: &Fields, channel: &Channel) -> Result<(), Problem> {
        let from = interval("StartInterval", row.get(1), channel.intervals)?;
        let to = interval("EndInterval", row.get(2), channel.intervals)?;
        if from <= self.spoken_to || to < from {
            let detail = detail!(
                "时段 {from} 至 {to}，而前面已说明到时段 {}",
                "{from} to {to} after interval {}",
                self.spoken_to
            );
            return Err(Problem::at(Code::InvalidField, "StartInterval", detail));
        }
        if self.flag.is_none() && from != self.spoken_to + 1 {
            return Err(unspoken(self.spoken_to + 1, from - 1));
        }
        let quality = QualityMethod::parse("QualityMethod", row.get(3))?;
        let Some(flag) = quality.flag else {
            let detail = detail!("V 只用于 300 记录", "V belongs in a 300 row");
            return Err(Problem::at(Code::InvalidField, "QualityMethod", detail));
        };
        self.causes.add(quality.method, "ReasonCode", row.get(4))?;
        if let Some(count) = self.counts.get_mut(flag as usize) {
            *count += to + 1 - from;
        }
        self.spoken_to = to;
        Ok(())
    }

    /// The record of the day. `header` is when the file itself was made: it dates a day that
    /// says no `UpdateDateTime`.
    ///
    /// # Errors
    /// `reading_incomplete` for null intervals; `missing_field` for intervals without quality.
    pub(super) fn finish(
        mut self,
        channel: &Channel,
        header: Option<DateTime<Utc>>,
    ) -> Result<Record, Problem> {
        match self.flag {
            None if self.spoken_to < channel.intervals => {
                return Err(unspoken(self.spoken_to + 1, channel.intervals));
            }
            None => {}
            Some(flag) => {
                let rest = channel.intervals - self.counts.iter().sum::<usize>();
                if let Some(count) = self.counts.get_mut(flag as usize) {
                    *count += rest;
                }
            }
        }
        let null = self.count(Flag::Null);
        if null > 0 {
            return Err(incomplete(channel.intervals - null, channel.intervals));
        }
        let meter = channel.meter();
        let value = self.sum.in_kwh(channel.unit)?;
        Ok(Record {
            source_id: format!("{meter}@{}", self.time.date),
            subject: channel.nmi.clone(),
            from: self.time.from,
            to: self.time.to,
            quantities: vec![Quantity {
                name: Cow::Borrowed(channel.quantity),
                value,
                unit: Cow::Borrowed("kWh"),
            }],
            attributes: self.attributes(meter, channel, header),
            revises: None,
        })
    }

    fn attributes(
        &self,
        meter: String,
        channel: &Channel,
        header: Option<DateTime<Utc>>,
    ) -> Vec<(Cow<'static, str>, String)> {
        let occurring = Flag::COUNTED.iter().filter(|flag| self.count(**flag) > 0);
        let worst = occurring.clone().max().copied().unwrap_or(Flag::Null);
        let mut attributes = vec![
            (Cow::Borrowed("meter"), meter),
            (Cow::Borrowed("evidence"), "meter".to_owned()),
            (Cow::Borrowed("quality"), worst.word().to_owned()),
        ];
        for flag in occurring {
            attributes.push((Cow::Borrowed(flag.share()), self.count(*flag).to_string()));
        }
        self.causes.attributes(&mut attributes);
        if let Some(serial) = &channel.serial {
            attributes.push((Cow::Borrowed("serial"), serial.clone()));
        }
        if let Some(stated) = self.stated.or(header) {
            attributes.push((Cow::Borrowed("stated_at"), stamp(stated)));
        }
        attributes
    }

    fn count(&self, flag: Flag) -> usize {
        self.counts.get(flag as usize).copied().unwrap_or(0)
    }
}

fn sum(row: &Fields, intervals: usize) -> Result<Amount, Problem> {
    let mut sum = Amount::default();
    for number in 0..intervals {
        let text = row.get(VALUES + number);
        match Amount::parse(text) {
            Ok(amount) => sum.add(amount),
            Err(_) if text.is_empty() => return Err(misfit(row, intervals)),
            Err(fault) => return Err(fault.at(format!("IntervalValue{}", number + 1))),
        }
    }
    Ok(sum)
}

/// Why the row does not have a value for each interval.
fn misfit(row: &Fields, intervals: usize) -> Problem {
    let is_letter = |index: &usize| {
        row.get(*index)
            .starts_with(|first: char| first.is_ascii_alphabetic())
    };
    let end = (VALUES..row.len()).find(is_letter);
    let values = (VALUES..end.unwrap_or(row.len()))
        .filter(|index| !row.get(*index).is_empty())
        .count();
    match end {
        _ if values < intervals => incomplete(values, intervals),
        None => Problem::on(Code::MissingField, "QualityMethod"),
        Some(_) => malformed(detail!(
            "有 {values} 个值，而一天有 {intervals} 个时段",
            "{values} values where the day has {intervals} intervals"
        )),
    }
}

fn incomplete(values: usize, intervals: usize) -> Problem {
    Problem::at(
        Code::ReadingIncomplete,
        "IntervalValue",
        detail!(
            "{intervals} 个时段中只有 {values} 个有值",
            "{values} of {intervals} intervals have a value"
        ),
    )
}

fn unspoken(from: usize, to: usize) -> Problem {
    Problem::at(
        Code::MissingField,
        "QualityMethod",
        detail!(
            "没有 400 记录说明时段 {from} 至 {to}",
            "no 400 row speaks of intervals {from} to {to}"
        ),
    )
}

fn interval(field: &str, text: &str, intervals: usize) -> Result<usize, Problem> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain
        .then(|| text.parse().ok())
        .flatten()
        .filter(|number| (1..=intervals).contains(number))
        .ok_or_else(|| match text {
            "" => Problem::on(Code::MissingField, field),
            _ => Problem::at(
                Code::InvalidField,
                field,
                detail!("应为 1 至 {intervals}", "1 to {intervals}"),
            ),
        })
}

/// A value that stands alone in a row.
pub(super) fn amount(field: &str, text: &str) -> Result<Amount, Problem> {
    match Amount::parse(text) {
        Ok(amount) => Ok(amount),
        Err(Fault::Unreadable) if text.is_empty() => Err(Problem::on(Code::MissingField, field)),
        Err(fault) => Err(fault.at(field.to_owned())),
    }
}
