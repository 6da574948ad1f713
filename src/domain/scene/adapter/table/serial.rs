//! Spreadsheet dates: days since an epoch, the time of day as a fraction of a day.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::domain::problem::{Detail, detail};

/// Which day is day 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epoch {
    /// Day 1 is 1 January 1900, and 1900 is counted as a leap year (ECMA-376 part 1, 18.17.4.1),
    /// so that every day from 1 March 1900 is one more than it should be.
    Y1900,
    /// Day 0 is 1 January 1904, as old Macintosh workbooks have it.
    Y1904,
}

/// The last day that a spreadsheet knows: 31 December 9999.
const LAST_DAY_1900: i64 = 2_958_465;
const DAY_MS: i64 = 86_400_000;

/// The local time a serial names, to the millisecond (half-even): that is as fine as spreadsheets
/// go, and 86,400 seconds are not exact parts of a day in their numbers.
///
/// # Errors
/// What is wrong: outside of 1900 to 9999, or the 29 February 1900 that never was.
pub(super) fn local(serial: Decimal, epoch: Epoch) -> Result<NaiveDateTime, Detail> {
    if serial.is_sign_negative() && !serial.is_zero() {
        return Err(outside());
    }
    let days = serial.trunc();
    let ms = serial
        .checked_sub(days)
        .and_then(|part| part.checked_mul(Decimal::from(DAY_MS)))
        .map(|ms| ms.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven))
        .and_then(|ms| ms.to_i64())
        .ok_or_else(outside)?;
    let days = days.to_i64().filter(|days| *days <= LAST_DAY_1900);
    let days = days.ok_or_else(outside)?;
    let (year, month, day, since) = match epoch {
        Epoch::Y1900 if days == 60 => {
            return Err(detail!(
                "1900 年 2 月 29 日，这一天并不存在",
                "29 February 1900, which never was"
            ));
        }
        Epoch::Y1900 if days < 1 => return Err(outside()),
        Epoch::Y1900 if days < 60 => (1899, 12, 31, days),
        Epoch::Y1900 => (1899, 12, 30, days),
        Epoch::Y1904 => (1904, 1, 1, days),
    };
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|date| date.checked_add_signed(TimeDelta::days(since)))
        .map(|date| date.and_time(NaiveTime::MIN))
        .and_then(|midnight| midnight.checked_add_signed(TimeDelta::milliseconds(ms)))
        .ok_or_else(outside)
}

fn outside() -> Detail {
    detail!(
        "不是 1900 至 9999 年的电子表格日期",
        "not a spreadsheet date between 1900 and 9999"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(serial: &str, epoch: Epoch) -> Result<String, Detail> {
        local(serial.parse().expect("a number"), epoch).map(|time| time.to_string())
    }

    #[test]
    fn serials_are_the_days_that_spreadsheets_show() {
        for (serial, time) in [
            ("1", "1900-01-01 00:00:00"),
            ("59", "1900-02-28 00:00:00"),
            ("61", "1900-03-01 00:00:00"),
            ("25569", "1970-01-01 00:00:00"),
            ("43101.010416666664", "2018-01-01 00:15:00"),
            ("43101.99998842593", "2018-01-01 23:59:59"),
            ("45350.5", "2024-02-28 12:00:00"),
            ("2958465", "9999-12-31 00:00:00"),
        ] {
            assert_eq!(read(serial, Epoch::Y1900).as_deref(), Ok(time), "{serial}");
        }
        assert_eq!(
            read("0", Epoch::Y1904).as_deref(),
            Ok("1904-01-01 00:00:00")
        );
        // The same day in both systems lies 1,462 days apart.
        assert_eq!(
            read("41639.25", Epoch::Y1904),
            read("43101.25", Epoch::Y1900)
        );
        for serial in ["0.5", "-1", "60", "60.5", "2958466", "99999999999999999999"] {
            assert!(read(serial, Epoch::Y1900).is_err(), "{serial}");
        }
    }
}
