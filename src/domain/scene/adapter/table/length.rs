//! How long each row's stretch of time is, where the file states one end of it: one part of an
//! ISO 8601 duration (`PT15M`, `P1D`, `P1M`).

use chrono::{Datelike, Days, Months, NaiveDateTime, TimeDelta};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// So many seconds, whatever the clock shows.
    Seconds(i64),
    /// So many days of the calendar: 23 to 25 hours each.
    Days(u64),
    /// So many months of the calendar.
    Months(u32),
}

impl Length {
    /// `None` for anything but `PTnS`, `PTnM`, `PTnH`, `PnD`, `PnW`, `PnM` or `PnY`, with n from
    /// 1 to 9999.
    pub(super) fn parse(text: &str) -> Option<Length> {
        let text = text.strip_prefix('P')?;
        let (timed, text) = match text.strip_prefix('T') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let number = text.get(..text.len().checked_sub(1)?)?;
        let plain = (1..=4).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        let number: u32 = plain.then(|| number.parse().ok()).flatten()?;
        let length = match (timed, text.bytes().last()?) {
            (true, b'S') => Length::Seconds(i64::from(number)),
            (true, b'M') => Length::Seconds(i64::from(number) * 60),
            (true, b'H') => Length::Seconds(i64::from(number) * 3_600),
            (false, b'D') => Length::Days(u64::from(number)),
            (false, b'W') => Length::Days(u64::from(number) * 7),
            (false, b'M') => Length::Months(number),
            (false, b'Y') => Length::Months(number * 12),
            _ => return None,
        };
        (number > 0).then_some(length)
    }

    /// So many exact seconds; `None` for a stretch of the calendar.
    pub(super) fn seconds(self) -> Option<TimeDelta> {
        match self {
            Length::Seconds(seconds) => TimeDelta::try_seconds(seconds),
            Length::Days(_) | Length::Months(_) => None,
        }
    }

    /// The other end on the calendar; `None` where there is no such day (31 January and a month).
    pub(super) fn after(self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Length::Seconds(_) => from.checked_add_signed(self.seconds()?),
            Length::Days(days) => from.checked_add_days(Days::new(days)),
            Length::Months(months) => from
                .checked_add_months(Months::new(months))
                .filter(|to| to.day() == from.day()),
        }
    }

    /// As [`Length::after`], backwards.
    pub(super) fn before(self, to: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Length::Seconds(_) => to.checked_sub_signed(self.seconds()?),
            Length::Days(days) => to.checked_sub_days(Days::new(days)),
            Length::Months(months) => to
                .checked_sub_months(Months::new(months))
                .filter(|from| from.day() == to.day()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_of_an_iso_duration_is_read() {
        assert_eq!(Length::parse("PT15M"), Some(Length::Seconds(900)));
        assert_eq!(Length::parse("P1D"), Some(Length::Days(1)));
        assert_eq!(Length::parse("P1Y"), Some(Length::Months(12)));
        for text in [
            "", "P", "PT", "PTM", "P0D", "15M", "P1H", "PT1D", "P1DT1H", "P-1D", "P1.5D", "P１D",
        ] {
            assert_eq!(Length::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_from_the_31st_has_no_end() {
        let day = |text: &str| text.parse::<NaiveDateTime>().expect("a time");
        let month = Length::Months(1);
        assert_eq!(month.after(day("2026-01-31T00:00:00")), None);
        assert_eq!(
            month.after(day("2024-02-01T00:00:00")),
            Some(day("2024-03-01T00:00:00"))
        );
        assert_eq!(
            month.before(day("2024-03-01T00:00:00")),
            Some(day("2024-02-01T00:00:00"))
        );
    }
}
