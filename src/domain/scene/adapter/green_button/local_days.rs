//! LocalTimeParameters (当地时间参数): which local midnight a reading of whole days ends at.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime};

const DAY_S: i64 = 86_400;

/// The local time of a usage point, as the file states it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LocalDays {
    /// Seconds that local standard time is ahead of UTC.
    pub(super) zone_offset: Option<i64>,
    /// Seconds that summer time adds.
    pub(super) dst_offset: Option<i64>,
    pub(super) dst_start: Option<Rule>,
    pub(super) dst_end: Option<Rule>,
}

impl LocalDays {
    /// Where a reading of `seconds` from `start` (Unix seconds) ends. Utilities write 86,400 s
    /// for each day, also for the one of 23 hours, and would so reach an hour into the next: a
    /// reading of whole days that begins at a local midnight ends at a local midnight at the
    /// latest. Every other reading ends when it says.
    pub(super) fn end(&self, start: i64, seconds: i64) -> i64 {
        let stated = start.saturating_add(seconds);
        if seconds % DAY_S != 0 {
            return stated;
        }
        match (self.offset(start), self.offset(stated)) {
            (Some(before), Some(after)) if (start.saturating_add(before)) % DAY_S == 0 => {
                stated - (after - before).max(0)
            }
            _ => stated,
        }
    }

    /// Seconds that local clocks are ahead of UTC at an instant.
    fn offset(&self, at: i64) -> Option<i64> {
        let zone = self.zone_offset.filter(|zone| zone.abs() <= DAY_S)?;
        let (Some(start), Some(end)) = (self.dst_start, self.dst_end) else {
            return Some(zone);
        };
        let added = self
            .dst_offset
            .filter(|added| (0..=7_200).contains(added))?;
        let standard = DateTime::from_timestamp(at.checked_add(zone)?, 0)?.naive_utc();
        let year = standard.year();
        // Summer time begins by standard clocks and ends by summer ones.
        let begins = start.in_year(year)?;
        let ends = end.in_year(year)? - Duration::seconds(added);
        let summer = if begins < ends {
            (begins..ends).contains(&standard)
        } else {
            !(ends..begins).contains(&standard)
        };
        Some(if summer { zone + added } else { zone })
    }
}

/// ESPI's DstRuleType: 32 bits that say month, operator, day of month, weekday, hour and second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule(u32);

impl Rule {
    /// Eight hexadecimal digits; `FFFFFFFF` switches summer time off.
    pub(super) fn parse(text: &str) -> Option<Rule> {
        let hex = (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        let bits = hex.then(|| u32::from_str_radix(text, 16).ok()).flatten()?;
        (bits != u32::MAX).then_some(Rule(bits))
    }

    fn bits(self, from: u32, count: u32) -> u32 {
        (self.0 >> from) & ((1 << count) - 1)
    }

    /// The local time that the rule names in a year.
    fn in_year(self, year: i32) -> Option<NaiveDateTime> {
        let first = NaiveDate::from_ymd_opt(year, self.bits(28, 4), 1)?;
        let day = match self.bits(25, 3) {
            0 => first.with_day(self.bits(20, 5))?,
            1 => self.weekday_from(first.with_day(self.bits(20, 5))?)?,
            7 => {
                let next = first.checked_add_months(chrono::Months::new(1))?;
                let after = self.weekday_from(next)?;
                after.checked_sub_signed(Duration::weeks(1))?
            }
            nth => {
                let weeks = Duration::weeks(i64::from(nth) - 2);
                self.weekday_from(first)?.checked_add_signed(weeks)?
            }
        };
        let seconds = self.bits(12, 5) * 3_600 + self.bits(0, 12);
        let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0)?;
        Some(day.and_time(time))
    }

    /// The rule's weekday (Monday is 1) on or after a day.
    fn weekday_from(self, day: NaiveDate) -> Option<NaiveDate> {
        let wanted = self.bits(17, 3);
        let (1..=7) = wanted else { return None };
        let ahead = (7 + wanted - day.weekday().number_from_monday()) % 7;
        day.checked_add_signed(Duration::days(i64::from(ahead)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// US rules since 2007, Pacific time.
    fn pacific() -> LocalDays {
        LocalDays {
            zone_offset: Some(-28_800),
            dst_offset: Some(3_600),
            dst_start: Rule::parse("360E2000"),
            dst_end: Rule::parse("B40E2000"),
        }
    }

    #[test]
    fn the_rules_agree_with_the_zone_database() {
        use chrono::{Offset, TimeZone};
        let zone = chrono_tz::America::Los_Angeles;
        for hours in 0..(6 * 366 * 24) {
            let at = 1_262_304_000 + hours * 3_600;
            let time = DateTime::from_timestamp(at, 0).expect("a time").naive_utc();
            let offset = zone.offset_from_utc_datetime(&time).fix().local_minus_utc();
            assert_eq!(pacific().offset(at), Some(i64::from(offset)), "{time}");
        }
    }

    #[test]
    fn a_day_of_23_hours_ends_at_midnight() {
        // 2011-03-13 00:00 PST; the next midnight is 23 hours later.
        let spring = 1_300_003_200;
        assert_eq!(pacific().end(spring, DAY_S), spring + 23 * 3_600);
        assert_eq!(pacific().end(spring, 23 * 3_600), spring + 23 * 3_600);
        assert_eq!(
            pacific().end(spring - DAY_S, 7 * DAY_S),
            spring + 6 * DAY_S - 3_600
        );
        // 2011-11-06 00:00 PDT, a day of 25 hours: what is not stated is not claimed.
        let autumn = 1_320_562_800;
        assert_eq!(pacific().end(autumn, DAY_S), autumn + DAY_S);
        assert_eq!(pacific().end(autumn, 25 * 3_600), autumn + 25 * 3_600);
        // Not at midnight, or without parameters: as stated.
        assert_eq!(pacific().end(spring + 3_600, DAY_S), spring + 25 * 3_600);
        assert_eq!(LocalDays::default().end(spring, DAY_S), spring + DAY_S);
    }

    #[test]
    fn rules_of_each_kind_name_a_day() {
        let day = |bits: u32| Rule(bits).in_year(2026).map(|time| time.to_string());
        let at = |month: u32, operator: u32, date: u32, weekday: u32| {
            month << 28 | operator << 25 | date << 20 | weekday << 17 | 2 << 12 | 60
        };
        let said = |text: &str| Some(format!("{text} 02:01:00"));
        assert_eq!(day(at(3, 0, 15, 0)), said("2026-03-15"));
        assert_eq!(day(at(3, 1, 8, 7)), said("2026-03-08"));
        assert_eq!(day(at(3, 1, 9, 7)), said("2026-03-15"));
        assert_eq!(day(at(3, 3, 0, 7)), said("2026-03-08"));
        assert_eq!(day(at(10, 7, 0, 7)), said("2026-10-25"));
        assert_eq!(day(at(12, 7, 0, 4)), said("2026-12-31"));
        for bits in [
            0,
            at(13, 2, 0, 7),
            at(3, 0, 0, 0),
            at(3, 2, 0, 0),
            u32::MAX - 1,
        ] {
            assert_eq!(day(bits), None, "{bits:x}");
        }
        assert_eq!(Rule::parse("FFFFFFFF"), None);
        assert_eq!(Rule::parse("360E20001"), None);
        assert_eq!(Rule::parse("+60E2000"), None);
    }
}
