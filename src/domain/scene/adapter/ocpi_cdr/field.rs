//! One member of a CDR at a time: each is read from its own text, so that what is wrong is named
//! by its RFC 6901 pointer, and no number passes through binary floating point.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json_records::misread;
use super::super::json_text::{self, Text};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// A member as it is written; absent and `null` are the same.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// Decimal places that are kept: OCPI writes 4, programs that compute in binary write 17.
const DECIMALS: u32 = 12;

/// No energy in kWh and no time in hours of one session comes near it.
const NUMBER_MAX: i64 = 1_000_000_000;

/// Where in the row a member stands.
#[derive(Clone, Copy)]
pub(super) struct At<'p> {
    parent: Option<&'p At<'p>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Root,
    Key(&'static str),
    Index(usize),
}

impl At<'_> {
    pub(super) const ROOT: At<'static> = At {
        parent: None,
        step: Step::Root,
    };

    pub(super) fn key(&self, key: &'static str) -> At<'_> {
        At {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    pub(super) fn index(&self, index: usize) -> At<'_> {
        At {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    pub(super) fn problem(&self, code: Code, detail: Detail) -> Problem {
        Problem::at(code, self.to_string(), detail)
    }

    pub(super) fn invalid(&self, detail: Detail) -> Problem {
        self.problem(Code::InvalidField, detail)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            fmt::Display::fmt(parent, f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) => write!(f, "/{key}"),
            Step::Index(index) => write!(f, "/{index}"),
        }
    }
}

/// # Errors
/// `missing_field`.
pub(super) fn required<'a>(raw: Raw<'a>, at: At<'_>) -> Result<&'a RawValue, Problem> {
    raw.ok_or_else(|| at.problem(Code::MissingField, Detail::default()))
}

/// # Errors
/// `invalid_field`: no object, or a member stands twice.
pub(super) fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue, at: At<'_>) -> Result<T, Problem> {
    json_text::object(raw.get()).map_err(|error| at.invalid(misread(&error).detail))
}

/// # Errors
/// `invalid_field`: no array of such elements.
pub(super) fn array<'a, T: Deserialize<'a>>(
    raw: &'a RawValue,
    at: At<'_>,
) -> Result<Vec<T>, Problem> {
    serde_json::from_str(raw.get()).map_err(|error| at.invalid(misread(&error).detail))
}

/// # Errors
/// `invalid_field`: no string.
pub(super) fn text<'a>(raw: &'a RawValue, at: At<'_>) -> Result<Cow<'a, str>, Problem> {
    match serde_json::from_str::<Text<'a>>(raw.get()) {
        Ok(text) => Ok(text.0),
        Err(_) => Err(at.invalid(detail!("应为字符串", "a string is expected"))),
    }
}

/// Printable ASCII of 1 to `longest` characters; `None` for an absent or blank member, and for
/// `#NA`, which the standard writes where there is nothing to name.
///
/// # Errors
/// `invalid_field`.
pub(super) fn name(raw: Raw<'_>, longest: usize, at: At<'_>) -> Result<Option<String>, Problem> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    let text = text(raw, at)?;
    let text = text.trim();
    if text.is_empty() || text == "#NA" {
        return Ok(None);
    }
    let printable = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if text.len() > longest || !printable {
        return Err(at.invalid(detail!(
            "应为 1 至 {longest} 个可打印的 ASCII 字符",
            "1 to {longest} printable ASCII characters"
        )));
    }
    Ok(Some(text.to_owned()))
}

/// A `CiString`: the standard compares it without case, so it is kept in upper case.
///
/// # Errors
/// `missing_field`, `invalid_field`.
pub(super) fn identifier(raw: Raw<'_>, longest: usize, at: At<'_>) -> Result<String, Problem> {
    let name = name(raw, longest, at)?;
    name.map(|name| name.to_ascii_uppercase())
        .ok_or_else(|| at.problem(Code::MissingField, Detail::default()))
}

/// # Errors
/// `invalid_field`: neither `true` nor `false`.
pub(super) fn flag(raw: Raw<'_>, at: At<'_>) -> Result<Option<bool>, Problem> {
    match raw.map(RawValue::get) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(at.invalid(detail!("应为 true 或 false", "true or false is expected"))),
    }
}

/// A decimal, as JSON writes numbers or as a string of the same form. Exact up to 12 decimal
/// places; beyond them half-even.
///
/// # Errors
/// `invalid_field`, `quantity_out_of_range`.
pub(super) fn number(raw: &RawValue, at: At<'_>) -> Result<Decimal, Problem> {
    let json = raw.get();
    let quoted = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let value = decimal(quoted.unwrap_or(json)).ok_or_else(|| {
        at.invalid(detail!(
            "应为数字，例如 15.342",
            "a number is expected: 15.342"
        ))
    })?;
    if value.abs() > Decimal::from(NUMBER_MAX) {
        return Err(at.problem(
            Code::QuantityOutOfRange,
            detail!("超过 1,000,000,000", "more than 1,000,000,000"),
        ));
    }
    let half_even = RoundingStrategy::MidpointNearestEven;
    Ok(value
        .round_dp_with_strategy(DECIMALS, half_even)
        .normalize())
}

/// # Errors
/// As [`number`], and `quantity_out_of_range` for a negative one.
pub(super) fn amount(raw: &RawValue, at: At<'_>) -> Result<Decimal, Problem> {
    let value = number(raw, at)?;
    if value.is_sign_negative() && !value.is_zero() {
        return Err(at.problem(Code::QuantityOutOfRange, detail!("为负数", "negative")));
    }
    Ok(value)
}

/// Plain digits with at most one point between them, a sign, and an exponent of up to two digits.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    match exponent {
        None => Decimal::from_str_exact(mantissa).ok(),
        Some(exponent) => {
            let power = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            let sound = digits(power) && power.len() <= 2;
            sound.then(|| Decimal::from_scientific(text).ok()).flatten()
        }
    }
}

/// An OCPI `DateTime`: `2015-06-29T20:39:09`, with or without fraction, with or without `Z`; a
/// missing zone is UTC. The standard allows no other offset. The year 1970 is what it writes for
/// a time that nobody knows.
///
/// # Errors
/// `time_invalid`.
pub(super) fn instant(raw: &RawValue, at: At<'_>) -> Result<DateTime<Utc>, Problem> {
    let text = text(raw, at)?;
    let expected = || {
        let detail = detail!(
            "应为 UTC 时间，例如 2026-11-20T08:00:00Z",
            "UTC is expected: 2026-11-20T08:00:00Z"
        );
        at.problem(Code::TimeInvalid, detail)
    };
    let local = text.strip_suffix('Z').unwrap_or(&text);
    let form = local.bytes().enumerate().all(|(index, byte)| match index {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'.',
        _ => byte.is_ascii_digit(),
    });
    if !form || !(local.len() == 19 || (21..=29).contains(&local.len())) {
        return Err(expected());
    }
    let time: NaiveDateTime = local.parse().map_err(|_| expected())?;
    if time.nanosecond() >= 1_000_000_000 {
        return Err(expected());
    }
    if local.starts_with("1970-") {
        return Err(at.problem(
            Code::TimeInvalid,
            detail!("1970 年表示时间未知", "1970 stands for an unknown time"),
        ));
    }
    Ok(time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn numbers_are_exact_and_bounded() {
        let of = |text: &str| number(&raw(text), At::ROOT).map(|value| value.to_string());
        for (text, value) in [
            ("15.342", "15.342"),
            ("15.3420", "15.342"),
            ("\"15.342\"", "15.342"),
            ("-0.5", "-0.5"),
            ("0.30000000000000004", "0.3"),
            ("1.5e1", "15"),
            ("25E-2", "0.25"),
            ("0", "0"),
        ] {
            assert_eq!(of(text).as_deref(), Ok(value), "{text}");
        }
        for text in [
            "\"\"", "\"15,3\"", "\" 1\"", "true", "[1]", "\"1_0\"", "1e999", "\"0x1\"",
        ] {
            assert_eq!(of(text).expect_err(text).code, Code::InvalidField, "{text}");
        }
        for text in ["1000000001", "-1e10"] {
            let problem = of(text).expect_err(text);
            assert_eq!(problem.code, Code::QuantityOutOfRange, "{text}");
        }
    }

    #[test]
    fn times_are_utc_with_and_without_the_letter_and_nothing_else() {
        let of = |text: &str| instant(&raw(&format!("\"{text}\"")), At::ROOT);
        let known = of("2015-06-29T20:39:09Z").expect("UTC");
        assert_eq!(known.to_rfc3339(), "2015-06-29T20:39:09+00:00");
        assert_eq!(of("2015-06-29T20:39:09").expect("no zone"), known);
        assert_eq!(of("2015-06-29T20:39:09.000Z").expect("fraction"), known);
        for text in [
            "2015-06-29T20:39:09+00:00",
            "2015-06-29T22:39:09+02:00",
            "2015-06-29 20:39:09Z",
            "2015-06-29T20:39Z",
            "2015-06-29T20:39:09.Z",
            "2015-06-31T20:39:09Z",
            "2015-06-29T23:59:60Z",
            "1970-01-01T00:00:00Z",
            "1970-1-1T00:00:00Z",
            "2015-06-29",
            "",
        ] {
            assert_eq!(of(text).expect_err(text).code, Code::TimeInvalid, "{text}");
        }
    }

    #[test]
    fn a_place_is_a_pointer() {
        let (root, periods) = (At::ROOT, At::ROOT.key("charging_periods"));
        assert_eq!(root.to_string(), "");
        assert_eq!(
            periods.index(3).key("dimensions").to_string(),
            "/charging_periods/3/dimensions"
        );
    }
}
