//! What merchants are owed: added up from vouchers written off, never kept as a running balance.

use chrono::{DateTime, Datelike, Utc};
use uuid::Uuid;

use crate::domain::unit::{Fen, OutOfRange};
use crate::domain::wallet::Day;

/// One voucher written off, as the merchant's statement shows it. It does not say whose it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    pub voucher: Uuid,
    pub offer: Uuid,
    pub at: DateTime<Utc>,
    pub points: i64,
    pub fen: i64,
}

/// What one day's write-offs come to; the day is the city's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayTotal {
    pub day: Day,
    pub vouchers: i64,
    pub fen: Fen,
}

/// What one month's write-offs come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthTotal {
    pub year: i32,
    pub month: u32,
    pub vouchers: i64,
    pub fen: Fen,
}

/// Adds days up to months, in the order given.
///
/// # Errors
/// [`OutOfRange`] if a sum leaves `i64`.
pub fn months(days: &[DayTotal]) -> Result<Vec<MonthTotal>, OutOfRange> {
    let mut months: Vec<MonthTotal> = Vec::new();
    for day in days {
        let date = chrono::NaiveDate::from_epoch_days(day.day).unwrap_or_default();
        match months.last_mut() {
            Some(last) if (last.year, last.month) == (date.year(), date.month()) => {
                last.vouchers += day.vouchers;
                last.fen = last.fen.plus(day.fen)?;
            }
            _ => months.push(MonthTotal {
                year: date.year(),
                month: date.month(),
                vouchers: day.vouchers,
                fen: day.fen,
            }),
        }
    }
    Ok(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_add_up_to_months() {
        let day = |text: &str, vouchers, fen| DayTotal {
            day: text.parse::<chrono::NaiveDate>().unwrap().to_epoch_days(),
            vouchers,
            fen: Fen(fen),
        };
        let days = [
            day("2026-10-31", 1, 5),
            day("2026-11-01", 2, 7),
            day("2026-11-30", 3, 11),
        ];
        let month = |month, vouchers, fen| MonthTotal {
            year: 2026,
            month,
            vouchers,
            fen: Fen(fen),
        };
        assert_eq!(months(&days), Ok(vec![month(10, 1, 5), month(11, 5, 18)]));
    }
}
