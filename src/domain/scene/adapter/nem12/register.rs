//! A 250 row: what an accumulation register counted from one reading to the next.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::super::lines::Fields;
use super::amount::Unit;
use super::channel::{nmi, serial, suffix};
use super::clock::{Clock, stamp};
use super::day::amount;
use super::quality::{Causes, Flag, QualityMethod};
use crate::domain::behaviour::{Quantity, READING, REGISTER, Record};
use crate::domain::problem::{Code, Problem, detail};

/// A register that nobody read for three years is a matter for people.
const PERIOD_MAX_DAYS: i64 = 1_096;

/// The record of one row. `header` is when the file itself was made: it dates a row that says no
/// `UpdateDateTime`.
///
/// # Errors
/// The field and the rule it breaks. The quantity is taken as stated: a register may have rolled
/// over, and its reading may be multiplied.
pub(super) fn record(
    row: &Fields,
    clock: Clock,
    header: Option<DateTime<Utc>>,
) -> Result<Record, Problem> {
    let (nmi, suffix) = (nmi(row.get(1))?, suffix(row.get(4))?);
    let quantity = direction(row.get(7))?;
    let (from, to) = period(row, clock)?;
    let value = amount("Quantity", row.get(18))?.in_kwh(Unit::parse(row.get(19))?)?;
    let meter = format!("{nmi}/{suffix}");
    let mut attributes = vec![
        (Cow::Borrowed("meter"), meter.clone()),
        (Cow::Borrowed("evidence"), "meter".to_owned()),
        (Cow::Borrowed(READING), REGISTER.to_owned()),
    ];
    quality(row, &mut attributes)?;
    if let Some(serial) = serial(row.get(6)) {
        attributes.push((Cow::Borrowed("serial"), serial));
    }
    if let Some(stated) = stated(row.get(21), clock, header)? {
        attributes.push((Cow::Borrowed("stated_at"), stamp(stated)));
    }
    Ok(Record {
        // The start stays when an estimated end becomes a real one, so the later row replaces.
        source_id: format!("{meter}@{}", stamp(from)),
        subject: nmi,
        from,
        to,
        quantities: vec![Quantity {
            name: Cow::Borrowed(quantity),
            value,
            unit: Cow::Borrowed("kWh"),
        }],
        attributes,
        revises: None,
    })
}

/// `E` leaves the grid for the customer, `I` comes into the grid.
fn direction(text: &str) -> Result<&'static str, Problem> {
    match text {
        "E" => Ok("electricity"),
        "I" => Ok("electricity_export"),
        "" => Err(Problem::on(Code::MissingField, "DirectionIndicator")),
        _ => Err(Problem::at(
            Code::InvalidField,
            "DirectionIndicator",
            detail!("应为 E 或 I", "E or I"),
        )),
    }
}

fn period(row: &Fields, clock: Clock) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
    let from = clock.instant("PreviousRegisterReadDateTime", row.get(9))?;
    let to = clock.instant("CurrentRegisterReadDateTime", row.get(14))?;
    let (field, detail) = match (to - from).num_days() {
        _ if to <= from => (
            "CurrentRegisterReadDateTime",
            detail!("不晚于上一次读数", "not after the previous reading"),
        ),
        days if days > PERIOD_MAX_DAYS => (
            "PreviousRegisterReadDateTime",
            detail!("距本次读数超过三年", "over three years ago"),
        ),
        _ => return Ok((from, to)),
    };
    Err(Problem::at(Code::TimeInvalid, field, detail))
}

/// The readings at both ends decide: the record is as good as the worse of them.
fn quality(row: &Fields, into: &mut Vec<(Cow<'static, str>, String)>) -> Result<(), Problem> {
    let mut causes = Causes::default();
    let mut end = |field: &str, at: usize| {
        let quality = QualityMethod::parse(field, row.get(at))?;
        causes.add(quality.method, "ReasonCode", row.get(at + 1))?;
        match quality.flag {
            None => Err(Problem::at(
                Code::InvalidField,
                field,
                detail!("V 只用于 300 记录", "V belongs in a 300 row"),
            )),
            Some(Flag::Null) => Err(Problem::at(
                Code::ReadingIncomplete,
                field,
                detail!("没有读数", "no reading"),
            )),
            Some(flag) => Ok(flag),
        }
    };
    let previous = end("PreviousQualityMethod", 10)?;
    let current = end("CurrentQualityMethod", 15)?;
    into.push((
        Cow::Borrowed("quality"),
        previous.max(current).word().to_owned(),
    ));
    into.push((Cow::Borrowed("quality_from"), previous.word().to_owned()));
    into.push((Cow::Borrowed("quality_to"), current.word().to_owned()));
    causes.attributes(into);
    Ok(())
}

fn stated(
    text: &str,
    clock: Clock,
    header: Option<DateTime<Utc>>,
) -> Result<Option<DateTime<Utc>>, Problem> {
    match text {
        "" => Ok(header),
        text => clock.instant("UpdateDateTime", text).map(Some),
    }
}
