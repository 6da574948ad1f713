//! Days and months as the online hall writes them.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

use super::super::local_time::LocalTime;

/// `2026-02-01`, `2026/2/1`, `20260201`; a time of day after it (`2026-02-01 00:00:00.0`) is not
/// read.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let text = text.split([' ', 'T']).next()?;
    let (year, month, day) = match text.split_at_checked(4)? {
        (year, rest) if text.len() == 8 && !rest.contains(['-', '/']) => {
            let (month, day) = rest.split_at_checked(2)?;
            (year, month, day)
        }
        (year, rest) => {
            let (month, day) = rest.strip_prefix(['-', '/'])?.split_once(['-', '/'])?;
            (year, month, day)
        }
    };
    let year = i32::try_from(digits(year, 4)?).ok()?;
    NaiveDate::from_ymd_opt(year, digits(month, 2)?, digits(day, 2)?)
}

/// A number of at most so many digits and nothing else.
fn digits(text: &str, most: usize) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    (plain && (1..=most).contains(&text.len())).then(|| text.parse().ok())?
}

/// The first day of `202602`, `2026-02` or `2026-2`.
pub(super) fn month(text: &str) -> Option<NaiveDate> {
    let (year, month) = match text.split_once(['-', '/']) {
        Some(parts) => parts,
        None => text.split_at_checked(4)?,
    };
    let year = (year.len() == 4).then(|| digits(year, 4))??;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, digits(month, 2)?, 1)
}

/// The first and the last day of a month's bill when each is read on `day`: from the day after
/// the reading of the month before to the day of this month's. A month that is shorter is read on
/// its last day.
pub(super) fn billed(month: NaiveDate, day: u32) -> Option<(NaiveDate, NaiveDate)> {
    let before = read_on(month.checked_sub_months(Months::new(1))?, day)?;
    Some((before.checked_add_days(Days::new(1))?, read_on(month, day)?))
}

fn read_on(month: NaiveDate, day: u32) -> Option<NaiveDate> {
    let last = month
        .checked_add_months(Months::new(1))?
        .checked_sub_days(Days::new(1))?;
    month.with_day(day.min(last.day()))
}

/// When days begin in a zone. Keeps the last answer: a day's end is the next day's begin.
#[derive(Debug)]
pub(super) struct Midnights {
    zone: Tz,
    last: Option<(NaiveDate, DateTime<Utc>)>,
}

impl Midnights {
    pub(super) fn of(zone: Tz) -> Midnights {
        Midnights { zone, last: None }
    }

    /// The instants between which the days from `first` to `last` lie, both counted; `None` where
    /// the zone has no such midnight.
    pub(super) fn span(
        &mut self,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let after = last.checked_add_days(Days::new(1))?;
        Some((self.of_day(first)?, self.of_day(after)?))
    }

    fn of_day(&mut self, day: NaiveDate) -> Option<DateTime<Utc>> {
        if let Some((known, instant)) = self.last
            && known == day
        {
            return Some(instant);
        }
        let local = LocalTime {
            time: day.and_time(NaiveTime::MIN),
            to_the_minute: false,
        };
        let instant = local.instants(self.zone).into_iter().flatten().next()?;
        self.last = Some((day, instant));
        Some(instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn days_and_months_are_read_in_their_spellings() {
        for text in [
            "2026-02-01",
            "2026/2/1",
            "20260201",
            "2026-02-01 00:00:00.0",
        ] {
            assert_eq!(date(text), Some(day("2026-02-01")), "{text}");
        }
        for text in [
            "",
            "2026-02-30",
            "202602",
            "1/2/2026",
            "2026-02",
            "2026-02-01-3",
            "二〇二六",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        for text in ["202602", "2026-02", "2026-2", "2026/02"] {
            assert_eq!(month(text), Some(day("2026-02-01")), "{text}");
        }
        for text in [
            "",
            "2026",
            "202613",
            "20260",
            "26-02",
            "2026-",
            "2026-+2",
            "20一六02",
        ] {
            assert_eq!(month(text), None, "{text}");
        }
    }

    #[test]
    fn a_bill_runs_from_reading_to_reading() {
        let of = |month, reading| billed(day(month), reading).expect("a period");
        assert_eq!(of("2026-02-01", 15), (day("2026-01-16"), day("2026-02-15")));
        assert_eq!(of("2026-02-01", 31), (day("2026-02-01"), day("2026-02-28")));
        assert_eq!(of("2026-03-01", 30), (day("2026-03-01"), day("2026-03-30")));
        assert_eq!(of("2026-01-01", 1), (day("2025-12-02"), day("2026-01-01")));
        let (from, to) = Midnights::of(chrono_tz::Asia::Shanghai)
            .span(day("2026-01-16"), day("2026-02-15"))
            .expect("instants");
        assert_eq!(from.to_rfc3339(), "2026-01-15T16:00:00+00:00");
        assert_eq!((to - from).num_hours(), 31 * 24);
    }
}
