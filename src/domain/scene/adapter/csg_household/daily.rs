//! Daily reads: one record a day that is published.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::super::scalar::Scalar;
use super::super::{Held, Outcome, Place, refused};
use super::calendar;
use super::document::{Day, Document};
use super::household::Household;
use crate::domain::problem::{Code, Problem, detail};

/// No household uses more in a day: three phases of 100 A at 220 V around the clock are under
/// 1,600 kWh.
const DAY_MAX_KWH: i64 = 10_000;

/// Sums what is read, and compares it with what the answer says the sum is.
#[derive(Default)]
pub(super) struct Sum {
    value: Decimal,
    /// Parts that are not published or cannot be read.
    pub(super) gaps: bool,
}

impl Sum {
    pub(super) fn add(&mut self, value: Decimal) {
        self.value = self.value.saturating_add(value);
    }

    /// The stated total is the sum, to the last decimal; where parts are missing it is no less.
    ///
    /// # Errors
    /// `total_mismatch`, `invalid_field` at the total.
    pub(super) fn agrees(&self, stated: &Scalar<'_>, name: &str) -> Result<(), Problem> {
        if stated.is_blank() {
            return Ok(());
        }
        let total = stated.decimal().ok_or_else(|| {
            Problem::at(
                Code::InvalidField,
                name,
                detail!("应为十进制数", "a decimal number is expected"),
            )
        })?;
        if total == self.value || (self.gaps && total > self.value) {
            return Ok(());
        }
        let detail = detail!(
            "合计写为 {total}，明细之和为 {}",
            "{total} is stated, and the parts are {}",
            self.value
        );
        Err(Problem::at(Code::TotalMismatch, name, detail))
    }
}

/// # Errors
/// Why none of the answer's days can be used.
pub(super) fn outcomes(
    place: &Place,
    document: &Document<'_>,
    household: &mut Household,
) -> Result<Vec<Outcome>, Problem> {
    let meter = household
        .meter
        .clone()
        .ok_or_else(|| Problem::on(Code::MissingField, "meteringPointId"))?;
    let month = asked_month(document)?;
    let (mut sum, mut seen) = (Sum::default(), BTreeSet::new());
    let days = document.answer().result.as_deref().unwrap_or_default();
    let mut outcomes = Vec::with_capacity(days.len());
    for (index, day) in days.iter().enumerate() {
        let place = Place::Pointer(format!("{place}{}/result/{index}", document.pointer()));
        let read = read(day, month, &mut seen);
        if !matches!(read, Ok((_, Some(_)))) {
            sum.gaps = true;
        }
        outcomes.push(match read {
            Err(problem) => refused(place, problem),
            Ok((_, None)) => Outcome::Held(Held {
                place,
                code: Code::ReadingIncomplete,
            }),
            Ok((date, Some(kwh))) => {
                sum.add(kwh);
                let id = format!("{meter}/day@{date}");
                match household.record(id, (date, date), kwh, "day") {
                    Ok(record) => Outcome::Record(place, record),
                    Err(problem) => refused(place, problem),
                }
            }
        });
    }
    sum.agrees(&document.answer().total_power, "totalPower")?;
    Ok(outcomes)
}

/// The month that was asked for, where the envelope says.
fn asked_month(document: &Document<'_>) -> Result<Option<NaiveDate>, Problem> {
    let mut stated = document.asked().map(|asked| &asked.year_month);
    let Some(text) = stated.find(|text| !text.is_blank()) else {
        return Ok(None);
    };
    let month = calendar::month(text.text());
    let problem = || {
        Problem::at(
            Code::TimeInvalid,
            "yearMonth",
            detail!("应为月份，例如 202602", "a month is expected: 202602"),
        )
    };
    month.map(Some).ok_or_else(problem)
}

/// The day, and what was used on it if that is published.
fn read(
    day: &Day<'_>,
    month: Option<NaiveDate>,
    seen: &mut BTreeSet<NaiveDate>,
) -> Result<(NaiveDate, Option<Decimal>), Problem> {
    if day.date.is_blank() {
        return Err(Problem::on(Code::MissingField, "date"));
    }
    let date = calendar::date(day.date.text()).ok_or_else(|| {
        Problem::at(
            Code::TimeInvalid,
            "date",
            detail!("应为日期，例如 2026-02-01", "a day is expected: 2026-02-01"),
        )
    })?;
    let within = |month: NaiveDate| (month.year(), month.month()) == (date.year(), date.month());
    if month.is_some_and(|month| !within(month)) {
        let detail = detail!(
            "日期不在所请求的月份内",
            "the day is not of the month that was asked for"
        );
        return Err(Problem::at(Code::InvalidField, "date", detail));
    }
    let kwh = kwh(&day.power, "power", DAY_MAX_KWH)?;
    if !seen.insert(date) {
        return Err(Problem::at(
            Code::DuplicateReading,
            "date",
            detail!("该日重复出现", "the day stands twice"),
        ));
    }
    Ok((date, kwh))
}

/// Kilowatt-hours, exact; `None` while they are not published.
///
/// # Errors
/// `invalid_field`, `quantity_out_of_range` at `name`.
pub(super) fn kwh(text: &Scalar<'_>, name: &str, most: i64) -> Result<Option<Decimal>, Problem> {
    if text.is_blank() {
        return Ok(None);
    }
    let value = text.decimal().ok_or_else(|| {
        Problem::at(
            Code::InvalidField,
            name,
            detail!("应为十进制数", "a decimal number is expected"),
        )
    })?;
    if value < Decimal::ZERO || value > Decimal::from(most) {
        let detail = detail!("应在 0 至 {most} kWh 之间", "0 to {most} kWh");
        return Err(Problem::at(Code::QuantityOutOfRange, name, detail));
    }
    Ok(Some(value))
}
