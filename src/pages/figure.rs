//! Amounts and times as people read them. Whole numbers all the way: no binary float.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::domain::wallet::Day;

/// Digits after the point of a kilogram counted in milligrams.
const KG_PLACES: usize = 6;

/// Groups of three: `1,234,567`.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milligrams as kilograms, exactly: as many decimals as it takes, none rounded.
pub(super) fn kilograms(mg: i64) -> String {
    let divisor = 10_u64.pow(KG_PLACES as u32);
    let (whole, part) = (mg.unsigned_abs() / divisor, mg.unsigned_abs() % divisor);
    let sign = if mg < 0 { "-" } else { "" };
    let whole = grouped(i64::try_from(whole).unwrap_or(i64::MAX));
    let part = format!("{part:0KG_PLACES$}");
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

/// With a sign in front of both directions: `+12`, `-3`, `0`.
pub(super) fn signed(number: i64) -> String {
    match number {
        1.. => format!("+{}", grouped(number)),
        _ => grouped(number),
    }
}

/// `2026-11-20`.
pub(super) fn day(day: Day) -> String {
    NaiveDate::from_epoch_days(day).map_or_else(String::new, |date| date.to_string())
}

/// `2026-11-20 12:00`, in the city's zone.
pub(super) fn instant(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

/// A hash's first twelve digits, for tables.
pub(super) fn short_hash(bytes: &[u8]) -> String {
    let mut text = hex::encode(bytes);
    text.truncate(12);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilograms_are_exact_to_the_milligram() {
        for (mg, text) in [
            (0, "0"),
            (1, "0.000001"),
            (-1, "-0.000001"),
            (120_000, "0.12"),
            (5_000_000, "5"),
            (1_234_567_890_001, "1,234,567.890001"),
            (i64::MIN, "-9,223,372,036,854.775808"),
        ] {
            assert_eq!(kilograms(mg), text);
        }
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-100_000, "-100,000"),
        ] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!((signed(7).as_str(), signed(-7).as_str()), ("+7", "-7"));
    }
}
