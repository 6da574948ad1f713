//! Bills: one record a bill, over the days it covers. 账期: a bill's month is not the calendar's.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use rust_decimal::Decimal;

use super::super::pseudonym::pseudonym;
use super::super::{Held, Outcome, Place, refused};
use super::calendar;
use super::daily::{Sum, kwh};
use super::declared::Declared;
use super::document::{Bill, Document};
use super::household::Household;
use crate::domain::problem::{Code, Problem, detail};

/// A year of the days that [`super::daily`] bounds.
const BILL_MAX_KWH: i64 = 3_650_000;

/// No bill covers more than a year and a day.
const DAYS_MAX: i64 = 366;

type Period = (NaiveDate, NaiveDate);

/// # Errors
/// Why none of the answer's bills can be used.
pub(super) fn outcomes(
    place: &Place,
    document: &Document<'_>,
    household: &mut Household,
    declared: &Declared,
) -> Result<Vec<Outcome>, Problem> {
    let mut sum = Sum::default();
    let mut billed = Billed::default();
    let list = document.answer().electric_and_charge_list.as_deref();
    let list = list.unwrap_or_default();
    let mut outcomes = Vec::with_capacity(list.len());
    for (index, bill) in list.iter().enumerate() {
        let pointer = document.pointer();
        let at = Place::Pointer(format!("{place}{pointer}/electricAndChargeList/{index}"));
        let value = kwh(
            &bill.billing_electricity,
            "billingElectricity",
            BILL_MAX_KWH,
        );
        match value {
            Ok(Some(value)) => sum.add(value),
            _ => sum.gaps = true,
        }
        outcomes.push(outcome(at, bill, value, household, declared, &mut billed));
    }
    let total = &document.answer().total_billing_electricity;
    sum.agrees(total, "totalBillingElectricity")?;
    Ok(outcomes)
}

fn outcome(
    place: Place,
    bill: &Bill<'_>,
    value: Result<Option<Decimal>, Problem>,
    household: &mut Household,
    declared: &Declared,
    billed: &mut Billed,
) -> Outcome {
    let made = value.and_then(|value| {
        let (month, period) = period(bill, declared)?;
        let (Some(value), Some(period)) = (value, period) else {
            let code = match value {
                None => Code::ReadingIncomplete,
                Some(_) => Code::PeriodUnknown,
            };
            return Ok(Err(code));
        };
        billed.add(month, period)?;
        let id = match &household.meter {
            Some(meter) => format!("{meter}/bill@{}", month.format("%Y-%m")),
            // The number of a household is a person's: it stands in no id.
            None => {
                let name = pseudonym("household", "", &[&household.subject]);
                format!("{name}/bill@{}", month.format("%Y-%m"))
            }
        };
        household.record(id, period, value, "bill").map(Ok)
    });
    match made {
        Ok(Ok(record)) => Outcome::Record(place, record),
        Ok(Err(code)) => Outcome::Held(Held { place, code }),
        Err(problem) => refused(place, problem),
    }
}

/// The bill's month, and the first and last day it covers if that is known.
fn period(bill: &Bill<'_>, declared: &Declared) -> Result<(NaiveDate, Option<Period>), Problem> {
    if bill.year_month.is_blank() {
        return Err(Problem::on(Code::MissingField, "yearMonth"));
    }
    let month = calendar::month(bill.year_month.text()).ok_or_else(|| {
        Problem::at(
            Code::TimeInvalid,
            "yearMonth",
            detail!("应为月份，例如 202602", "a month is expected: 202602"),
        )
    })?;
    if bill.from.is_blank() && bill.to.is_blank() {
        let period = declared
            .billing_day
            .and_then(|day| calendar::billed(month, day));
        return Ok((month, period));
    }
    let day = |text: &str, name: &str| {
        let problem = || {
            Problem::at(
                Code::TimeInvalid,
                name,
                detail!("应为日期，例如 2026-02-01", "a day is expected: 2026-02-01"),
            )
        };
        calendar::date(text).ok_or_else(problem)
    };
    let (from, to) = (day(bill.from.text(), "from")?, day(bill.to.text(), "to")?);
    if to < from || (to - from).num_days() >= DAYS_MAX {
        let detail = detail!(
            "{from} 至 {to} 不是一个账期",
            "{from} to {to} is no bill's period"
        );
        return Err(Problem::at(Code::InvalidField, "to", detail));
    }
    if !is_of(month, (from, to)) {
        let detail = detail!(
            "{from} 至 {to} 不是这个月的账期",
            "{from} to {to} is not this month's period"
        );
        return Err(Problem::at(Code::InvalidField, "yearMonth", detail));
    }
    Ok((month, Some((from, to))))
}

/// Whether a bill of the month may cover these days: some of them are of the month, or the last is
/// of the month before. A year mistyped would sell last year's days once more.
fn is_of(month: NaiveDate, (from, to): Period) -> bool {
    let next = |day: NaiveDate| day.checked_add_months(Months::new(1));
    next(month).is_some_and(|end| from < end) && next(to).is_some_and(|last| last >= month)
}

/// What the bills of one document cover.
#[derive(Default)]
struct Billed {
    months: BTreeSet<NaiveDate>,
    /// First and last day of each.
    periods: BTreeMap<NaiveDate, NaiveDate>,
}

impl Billed {
    /// # Errors
    /// `duplicate_reading`: another bill has some of the days, or is of the month, by which bills
    /// are named.
    fn add(&mut self, month: NaiveDate, (from, to): Period) -> Result<(), Problem> {
        let twice = |detail| Problem::at(Code::DuplicateReading, "yearMonth", detail);
        let before = self.periods.range(..=to).next_back();
        if before.is_some_and(|(_, last)| *last >= from) {
            return Err(twice(detail!(
                "另一账单已含其中部分日期",
                "another bill covers some of its days"
            )));
        }
        if !self.months.insert(month) {
            return Err(twice(detail!(
                "该月份已有另一账单",
                "another bill is of this month"
            )));
        }
        self.periods.insert(from, to);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Options;
    use super::super::super::tests::refusals;
    use super::super::tests::{ASKED, bills, declared, held, outcomes, records};
    use crate::domain::problem::Code;

    #[test]
    fn a_bill_covers_the_days_it_names_or_the_scenes_reading_day() {
        let list = r#"{"yearMonth":"202602","billingElectricity":"210","actualTotalAmount":"130.1","from":"2026-01-16","to":"2026-02-15"},
            {"yearMonth":"2026-03","billingElectricity":"190"},{"yearMonth":"2026-04","billingElectricity":null}"#;
        let text = bills(ASKED, list);
        let undeclared = outcomes(&text, &Options::default());
        let [bill] = records(&undeclared)[..] else {
            panic!("{undeclared:?}");
        };
        assert_eq!(bill.source_id, "MP-17/bill@2026-02");
        assert_eq!(bill.from.to_rfc3339(), "2026-01-15T16:00:00+00:00");
        assert_eq!(bill.to.to_rfc3339(), "2026-02-15T16:00:00+00:00");
        assert_eq!(bill.attribute("period"), Some("bill"));
        let place = |i| format!("line 1/data/electricAndChargeList/{i}");
        assert_eq!(
            held(&undeclared),
            [
                (place(1), Code::PeriodUnknown),
                (place(2), Code::ReadingIncomplete)
            ]
        );
        let read = outcomes(&text, &declared("billing_day = 15"));
        let [_, bill] = records(&read)[..] else {
            panic!("{read:?}");
        };
        // The sixteenth of February to the fifteenth of March, both counted.
        assert_eq!(bill.from.to_rfc3339(), "2026-02-15T16:00:00+00:00");
        assert_eq!((bill.to - bill.from).num_days(), 28);
        // A day earlier, and the two bills share one.
        let earlier = outcomes(&text, &declared("billing_day = '14'"));
        assert_eq!(
            refusals(&earlier),
            [(
                place(1),
                "duplicate_reading".to_owned(),
                "yearMonth".to_owned()
            )]
        );
    }

    #[test]
    fn a_bill_of_one_month_does_not_cover_days_of_another_year() {
        let bill = |month: &str, from: &str, to: &str| {
            format!(
                r#"{{"yearMonth":"{month}","billingElectricity":"1","from":"{from}","to":"{to}"}}"#
            )
        };
        for (month, from, to, taken) in [
            ("202602", "2026-01-16", "2026-02-15", true),
            ("202602", "2026-01-01", "2026-01-31", true),
            ("202602", "2026-02-01", "2026-03-31", true),
            ("202602", "2025-01-16", "2025-02-15", false),
            ("202602", "2025-12-01", "2025-12-31", false),
            ("202602", "2026-03-01", "2026-03-31", false),
        ] {
            let outcomes = outcomes(&bills(ASKED, &bill(month, from, to)), &Options::default());
            let fields: Vec<_> = refusals(&outcomes).into_iter().map(|r| r.2).collect();
            assert_eq!(fields.is_empty(), taken, "{from} {to}");
            assert!(
                fields.iter().all(|field| field == "yearMonth"),
                "{fields:?}"
            );
        }
    }

    #[test]
    fn of_two_bills_of_one_month_the_second_is_refused_and_not_left_to_conflict() {
        let list = r#"{"yearMonth":"202602","billingElectricity":"100","from":"2026-01-16","to":"2026-01-31"},
            {"yearMonth":"202602","billingElectricity":"110","from":"2026-02-01","to":"2026-02-15"}"#;
        let outcomes = outcomes(&bills(ASKED, list), &Options::default());
        assert_eq!(records(&outcomes).len(), 1);
        let refused = refusals(&outcomes).pop().expect("one is refused");
        assert_eq!(
            (refused.1.as_str(), refused.2.as_str()),
            ("duplicate_reading", "yearMonth")
        );
    }

    #[test]
    fn the_number_of_a_household_stands_in_no_id() {
        let asked = r#""bindingId":"0900000000000017""#;
        let list = r#"{"yearMonth":"202602","billingElectricity":"210"}"#;
        let outcomes = outcomes(&bills(asked, list), &declared("billing_day = 31"));
        let [bill] = records(&outcomes)[..] else {
            panic!("{outcomes:?}");
        };
        assert_eq!(bill.subject, "0900000000000017");
        assert!(bill.source_id.ends_with("/bill@2026-02") && !bill.source_id.contains("0017"));
        assert_eq!(bill.attribute("meter"), None);
    }

    #[test]
    fn bad_bills_are_refused_one_by_one_and_a_wrong_year_as_a_whole() {
        let rows = [
            (
                r#"{"billingElectricity":"1"}"#,
                "missing_field",
                "yearMonth",
            ),
            (
                r#"{"yearMonth":"202613","billingElectricity":"1"}"#,
                "time_invalid",
                "yearMonth",
            ),
            (
                r#"{"yearMonth":"202601","billingElectricity":"a"}"#,
                "invalid_field",
                "billingElectricity",
            ),
            (
                r#"{"yearMonth":"202601","billingElectricity":"1","from":"2026-01-01"}"#,
                "time_invalid",
                "to",
            ),
            (
                r#"{"yearMonth":"202601","billingElectricity":"1","from":"2026-01-31","to":"2026-01-01"}"#,
                "invalid_field",
                "to",
            ),
            (
                r#"{"yearMonth":"202601","billingElectricity":"1","from":"2024-01-31","to":"2026-01-01"}"#,
                "invalid_field",
                "to",
            ),
            (
                r#"{"yearMonth":"202602","billingElectricity":"-1"}"#,
                "quantity_out_of_range",
                "billingElectricity",
            ),
        ];
        let list: Vec<_> = rows.iter().map(|(row, _, _)| *row).collect();
        let outcomes_of = |text: &str| outcomes(text, &declared("billing_day = 31"));
        let outcomes = outcomes_of(&bills(ASKED, &list.join(",")));
        let expected: Vec<_> = rows
            .iter()
            .zip(0..)
            .map(|((_, code, field), i)| {
                let place = format!("line 1/data/electricAndChargeList/{i}");
                (place, (*code).to_owned(), (*field).to_owned())
            })
            .collect();
        assert_eq!(refusals(&outcomes), expected);
        let year =
            r#"{"yearMonth":"202601","billingElectricity":"1.5"}],"totalBillingElectricity":"#;
        for (total, whole) in [("\"1.50\"", true), ("1.51", false), ("null", true)] {
            let text = format!(r#"{{{ASKED},"data":{{"electricAndChargeList":[{year}{total}}}}}"#);
            assert_eq!(refusals(&outcomes_of(&text)).is_empty(), whole, "{total}");
        }
    }
}
