//! Market time: the zone's standard offset all year, never its summer time.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::{OffsetComponents, Tz};

use crate::domain::problem::{Code, Problem, detail};

#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    zone: Tz,
}

impl Clock {
    pub(super) fn of(zone: Tz) -> Clock {
        Clock { zone }
    }

    /// A day `YYYYMMDD` from midnight to midnight: 24 hours, also where clocks are changed.
    ///
    /// # Errors
    /// `missing_field` or `time_invalid` at `field`.
    pub(super) fn day(self, field: &str, text: &str) -> Result<Day, Problem> {
        let date = digits(text, 8)
            .and_then(|all| {
                let (year, month, day) = (all / 10_000, all / 100 % 100, all % 100);
                NaiveDate::from_ymd_opt(
                    i32::try_from(year).ok()?,
                    u32::try_from(month).ok()?,
                    u32::try_from(day).ok()?,
                )
            })
            .ok_or_else(|| unreadable(field, text, "YYYYMMDD"))?;
        let from = self.utc(date.and_time(chrono::NaiveTime::MIN));
        Ok(Day {
            date,
            from,
            to: from + Duration::days(1),
        })
    }

    /// A time `YYYYMMDDhhmmss`, or `YYYYMMDDhhmm` as in the file's own header.
    ///
    /// # Errors
    /// `missing_field` or `time_invalid` at `field`.
    pub(super) fn instant(self, field: &str, text: &str) -> Result<DateTime<Utc>, Problem> {
        let seconds = match text.len() {
            12 => digits(text, 12).map(|all| all * 100),
            _ => digits(text, 14),
        };
        seconds
            .and_then(local)
            .map(|time| self.utc(time))
            .ok_or_else(|| unreadable(field, text, "YYYYMMDDhhmmss"))
    }

    fn utc(self, local: NaiveDateTime) -> DateTime<Utc> {
        let standard = self.zone.offset_from_utc_datetime(&local).base_utc_offset();
        (local - standard).and_utc()
    }
}

/// A day of market time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

/// `2026-01-31T14:00:00Z`.
pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn local(all: u64) -> Option<NaiveDateTime> {
    let part = |power: u32| u32::try_from(all / 10u64.pow(power) % 100).ok();
    NaiveDate::from_ymd_opt(i32::try_from(all / 10u64.pow(10)).ok()?, part(8)?, part(6)?)?
        .and_hms_opt(part(4)?, part(2)?, part(0)?)
}

/// A number of exactly so many digits whose year is from 1970 on.
fn digits(text: &str, length: usize) -> Option<u64> {
    let plain = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = plain.then(|| text.parse().ok()).flatten()?;
    (text.get(..4)? >= "1970").then_some(number)
}

fn unreadable(field: &str, text: &str, form: &str) -> Problem {
    match text {
        "" => Problem::on(Code::MissingField, field),
        _ => Problem::at(
            Code::TimeInvalid,
            field,
            detail!("应为 {form}", "{form} is expected"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_time_holds_all_year_in_any_zone() {
        for (zone, text, utc) in [
            (
                chrono_tz::Australia::Brisbane,
                "20260701000000",
                "2026-06-30T14:00:00Z",
            ),
            (
                chrono_tz::Australia::Sydney,
                "20260701000000",
                "2026-06-30T14:00:00Z",
            ),
            // Summer: Sydney's clocks show an hour more, the file does not.
            (
                chrono_tz::Australia::Sydney,
                "20260101000000",
                "2025-12-31T14:00:00Z",
            ),
            (
                chrono_tz::Australia::Perth,
                "202601010830",
                "2026-01-01T00:30:00Z",
            ),
        ] {
            let time = Clock::of(zone).instant("t", text).expect("a time");
            assert_eq!(stamp(time), utc, "{zone} {text}");
        }
        let day = Clock::of(chrono_tz::Australia::Sydney)
            .day("d", "20261004")
            .expect("a day");
        assert_eq!((day.to - day.from).num_hours(), 24);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let clock = Clock::of(chrono_tz::Australia::Brisbane);
        for text in ["20260229", "2026-1-1", "202601010", "00010101", "２０２６"] {
            assert_eq!(
                clock.day("d", text).expect_err(text).code,
                Code::TimeInvalid
            );
        }
        for text in ["20260101240000", "2026010100000", "x"] {
            let problem = clock.instant("t", text).expect_err(text);
            assert_eq!(problem.code, Code::TimeInvalid);
        }
        assert_eq!(
            clock.day("d", "").expect_err("blank").code,
            Code::MissingField
        );
    }
}
