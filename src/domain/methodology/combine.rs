//! How the records of a period become one value: words, shares of days, what was last stated.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::gather::{Combine, Part, carries};
use super::input::{Input, InputForm};
use super::meters::all_of;
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

pub(super) fn stated(input: &Input, statements: &[Record], by: DateTime<Utc>, record: &mut Record) {
    let latest = statements
        .iter()
        .rev()
        .find(|said| said.from <= by && carries(input, said));
    let Some(said) = latest else { return };
    if let Some(quantity) = said.quantity(&input.name) {
        record.quantities.push(quantity.clone());
    } else if let Some(text) = said.attribute(&input.name) {
        record
            .attributes
            .push((input.name.clone().into(), text.to_owned()));
    }
}

pub(super) fn combined_text<'r>(
    input: &'r Input,
    form: &'r InputForm,
    parts: &[Part<'r>],
) -> Result<Option<String>, Problem> {
    let own = |part: &Part<'r>| part.record.attribute(&input.name);
    if !parts.iter().any(|part| own(part).is_some()) {
        return Ok(None);
    }
    let silent = match (input.gather.combine, form) {
        // What one record says is not said for another.
        (Combine::Worst, InputForm::Choice(values)) => {
            let usual = values.iter().find(|(_, word)| Some(*word) == input.usual);
            let missing = input.required && !parts.iter().all(|part| own(part).is_some());
            if usual.is_none() && missing {
                return Err(Problem::on(Code::MissingField, input.param()));
            }
            usual.map(|(text, _)| text.as_str())
        }
        _ => None,
    };
    let mut texts = parts.iter().filter_map(|part| own(part).or(silent));
    let Some(first) = texts.next() else {
        return Ok(None);
    };
    if input.gather.combine == Combine::Each {
        return Ok(Some(all_of(texts.chain([first]))));
    }
    let chosen = match (input.gather.combine, form) {
        (Combine::Last, _) => texts.next_back().unwrap_or(first),
        (Combine::Worst, InputForm::Choice(values)) => {
            let rank = |text: &str| values.iter().position(|(value, _)| value == text);
            texts.fold(first, |worst, text| {
                if rank(text) > rank(worst) {
                    text
                } else {
                    worst
                }
            })
        }
        _ if texts.all(|text| text == first) => first,
        _ => return Err(mixed(input)),
    };
    Ok(Some(chosen.to_owned()))
}

/// The part of a value that falls on some of its days. Exact up to 28 digits, half to even.
pub(super) fn share(value: Decimal, (days, all): (i64, i64)) -> Option<Decimal> {
    if days == all {
        return Some(value);
    }
    value
        .checked_mul(Decimal::from(days))?
        .checked_div(Decimal::from(all))
}

pub(super) fn two_bills() -> Problem {
    let detail = detail!(
        "同一天起有两个账期",
        "two billing periods begin on the same day"
    );
    Problem::at(Code::PeriodMixed, "to", detail)
}

pub(super) fn mixed(input: &Input) -> Problem {
    Problem::at(
        Code::PeriodMixed,
        input.param(),
        detail!(
            "核算周期内各条记录的值不一致",
            "the records of the period do not agree"
        ),
    )
}

pub(super) fn overflow(input: &Input) -> Problem {
    Problem::at(
        Code::QuantityOutOfRange,
        input.param(),
        detail!("合计超出可表示的范围", "the sum is out of range"),
    )
}
