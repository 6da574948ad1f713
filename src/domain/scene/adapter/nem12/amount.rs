//! Energy as the file states it: exact decimals in Wh, kWh or MWh, summed and turned into kWh.

use rust_decimal::Decimal;

use crate::domain::problem::{Code, Problem, detail};

/// Digits after the point that are kept; a value with more is refused, never rounded.
const PLACES: usize = 9;
/// Digits before the point. More is a fault of the meter or the file, in any unit.
const WHOLE_MAX: usize = 9;

/// What the file counts in, by its power of ten of a kWh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Wh,
    KWh,
    MWh,
}

impl Unit {
    /// The UOM of a row, in whatever case.
    ///
    /// # Errors
    /// `unit_missing`, or `unit_unsupported` for reactive and apparent energy, power, and all else.
    pub(super) fn parse(text: &str) -> Result<Unit, Problem> {
        let known = [("kWh", Unit::KWh), ("Wh", Unit::Wh), ("MWh", Unit::MWh)];
        match known
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
        {
            Some((_, unit)) => Ok(*unit),
            None if text.is_empty() => Err(Problem::on(Code::UnitMissing, "UOM")),
            None => Err(Problem::at(
                Code::UnitUnsupported,
                "UOM",
                detail!(
                    "{} 不是有功电能的单位",
                    "{} is no active energy",
                    short(text)
                ),
            )),
        }
    }

    fn shift(self) -> u32 {
        match self {
            Unit::MWh => 0,
            Unit::KWh => 3,
            Unit::Wh => 6,
        }
    }
}

/// A sum of stated values, in units of 10⁻⁹.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount(i128);

impl Amount {
    /// One value: digits with at most one point.
    ///
    /// # Errors
    /// The rule it breaks; `field` is named by the caller.
    pub(super) fn parse(text: &str) -> Result<Amount, Fault> {
        let unsigned = match text.strip_prefix('-') {
            None => text,
            Some(positive) => {
                let value = Amount::parse(positive)?;
                return if value.0 == 0 {
                    Ok(value)
                } else {
                    Err(Fault::Negative)
                };
            }
        };
        let (mut number, mut digits, mut places) = (0u64, 0usize, None);
        for byte in unsigned.bytes() {
            match byte {
                b'0'..=b'9' => {
                    digits += 1;
                    places = places.map(|count: usize| count + 1);
                    // 9 + 9 digits fit; more are refused below, so an overflow is never used.
                    number = number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                }
                b'.' if places.is_none() => places = Some(0),
                _ => return Err(Fault::Unreadable),
            }
        }
        let places = places.unwrap_or(0);
        let whole = unsigned.trim_start_matches('0');
        let significant = whole.find('.').unwrap_or(whole.len());
        match digits {
            0 => Err(Fault::Unreadable),
            _ if places > PLACES => Err(Fault::TooFine),
            _ if significant > WHOLE_MAX => Err(Fault::TooLarge),
            _ => Ok(Amount(i128::from(number) * TENS[PLACES - places])),
        }
    }

    pub(super) fn add(&mut self, other: Amount) {
        self.0 += other.0;
    }

    /// In kWh, exact.
    ///
    /// # Errors
    /// `quantity_out_of_range` beyond 28 digits, which no sum of a day's values reaches.
    pub(super) fn in_kwh(self, unit: Unit) -> Result<Decimal, Problem> {
        // 10⁻⁹ MWh is 10⁻⁶ kWh.
        let scale = 6 + unit.shift();
        Decimal::try_from_i128_with_scale(self.0, scale)
            .map(|value| value.normalize())
            .map_err(|_| {
                Problem::at(
                    Code::QuantityOutOfRange,
                    "Quantity",
                    detail!("超过 28 位数字", "more than 28 digits"),
                )
            })
    }
}

const TENS: [i128; PLACES + 1] = {
    let mut tens = [1; PLACES + 1];
    let mut at = 1;
    while at <= PLACES {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};

/// Why a value cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Unreadable,
    Negative,
    TooLarge,
    TooFine,
}

impl Fault {
    pub(super) fn at(self, field: String) -> Problem {
        match self {
            Fault::Unreadable => Problem::at(
                Code::InvalidField,
                field,
                detail!("应为数", "a number is expected"),
            ),
            Fault::Negative => Problem::at(
                Code::QuantityOutOfRange,
                field,
                detail!("为负数", "negative"),
            ),
            Fault::TooLarge => Problem::at(
                Code::QuantityOutOfRange,
                field,
                detail!("达到或超过 10⁹", "10⁹ or more"),
            ),
            Fault::TooFine => Problem::at(
                Code::InvalidField,
                field,
                detail!(
                    "小数超过 {PLACES} 位",
                    "more than {PLACES} digits after the point"
                ),
            ),
        }
    }
}

/// A piece of the file that is shown to a person.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kwh(text: &str, unit: Unit) -> String {
        let amount = Amount::parse(text).expect("an amount");
        amount.in_kwh(unit).expect("a value").to_string()
    }

    #[test]
    fn values_are_exact_in_each_unit() {
        assert_eq!(kwh(".048", Unit::KWh), "0.048");
        assert_eq!(kwh("1804.511", Unit::KWh), "1804.511");
        assert_eq!(kwh("0012.", Unit::KWh), "12");
        assert_eq!(kwh("450", Unit::Wh), "0.45");
        assert_eq!(kwh("0.000000001", Unit::Wh), "0.000000000001");
        assert_eq!(kwh("1.5", Unit::MWh), "1500");
        assert_eq!(kwh("999999999.999999999", Unit::MWh), "999999999999.999999");
        assert_eq!(kwh("-0.0", Unit::KWh), "0");
        assert_eq!(Unit::parse("KWH"), Ok(Unit::KWh));
        assert_eq!(Unit::parse("mwh"), Ok(Unit::MWh));
    }

    #[test]
    fn what_is_no_amount_says_why() {
        for (text, fault) in [
            ("", Fault::Unreadable),
            (".", Fault::Unreadable),
            ("1e3", Fault::Unreadable),
            ("1.2.3", Fault::Unreadable),
            ("+1", Fault::Unreadable),
            ("--1", Fault::Negative),
            ("-0.1", Fault::Negative),
            ("1000000000", Fault::TooLarge),
            ("0.0000000001", Fault::TooFine),
            ("99999999999999999999999999999", Fault::TooLarge),
        ] {
            assert_eq!(Amount::parse(text), Err(fault), "{text}");
        }
        for (text, code) in [
            ("", Code::UnitMissing),
            ("kVArh", Code::UnitUnsupported),
            ("kW", Code::UnitUnsupported),
        ] {
            assert_eq!(Unit::parse(text).expect_err(text).code, code);
        }
    }
}
