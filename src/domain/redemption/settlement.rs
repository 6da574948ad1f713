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

/// Adds days up to months, `(year, month)`, in the order given.
///
/// # Errors
/// [`OutOfRange`] if a sum leaves `i64`.
pub fn months(days: &[DayTotal]) -> Result<Vec<((i32, u32), i64, Fen)>, OutOfRange> {
    let mut months: Vec<((i32, u32), i64, Fen)> = Vec::new();
    for day in days {
        let date = chrono::NaiveDate::from_epoch_days(day.day).unwrap_or_default();
        let month = (date.year(), date.month());
        match months.last_mut() {
            Some((last, vouchers, fen)) if *last == month => {
                *vouchers += day.vouchers;
                *fen = fen.plus(day.fen)?;
            }
            _ => months.push((month, day.vouchers, day.fen)),
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
        assert_eq!(
            months(&days),
            Ok(vec![((2026, 10), 1, Fen(5)), ((2026, 11), 5, Fen(18))])
        );
    }
}
