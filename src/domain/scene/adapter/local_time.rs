//! Times as operators export them: local ones without an offset, and those of RFC 3339.

use chrono::{
    DateTime, Datelike, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, TimeZone, Utc,
};
use chrono_tz::Tz;

/// A local time and how finely it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LocalTime {
    pub(super) time: NaiveDateTime,
    /// Written without seconds.
    pub(super) to_the_minute: bool,
}

impl LocalTime {
    /// `2015-09-21 14:53:16[.fff]`, `2015/09/21 14:53:16`, `20150921145316`, or the American
    /// `9/21/2015 14:53[:16]`.
    pub(super) fn parse(text: &str) -> Option<LocalTime> {
        if let Some((time, "")) = plain(text, b' ') {
            return Some(LocalTime {
                time,
                to_the_minute: false,
            });
        }
        if let Ok(digits) = <[u8; 14]>::try_from(text.as_bytes())
            && digits.iter().all(u8::is_ascii_digit)
        {
            return Some(LocalTime {
                time: moment(digits)?,
                to_the_minute: false,
            });
        }
        let (date, clock) = text.split_once([' ', 'T'])?;
        clocked(dated(date)?, clock.trim_start())
    }

    /// The instants this time can mean in `zone`: none in the gap when clocks go forward, two in
    /// the hour that is lived twice (the earlier first). None beyond the years 0 to 9999 of UTC
    /// either, which no record can state.
    pub(super) fn instants(self, zone: Tz) -> [Option<DateTime<Utc>>; 2] {
        match zone.from_local_datetime(&self.time) {
            MappedLocalTime::None => [None, None],
            MappedLocalTime::Single(only) => [Some(only.to_utc()).filter(can_be_stated), None],
            MappedLocalTime::Ambiguous(early, late) => [Some(early.to_utc()), Some(late.to_utc())],
        }
    }
}

/// A time in RFC 3339 with its offset. A leap second is none, for it has no instant of its own, and
/// neither is a time that no record [can state](can_be_stated).
pub(super) fn rfc3339(text: &str) -> Option<DateTime<FixedOffset>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let sound = time.timestamp_subsec_nanos() < 1_000_000_000 && can_be_stated(&time.to_utc());
    sound.then_some(time)
}

/// Whether RFC 3339 has a form for it: its years have four digits.
pub(super) fn can_be_stated(at: &DateTime<Utc>) -> bool {
    (0..=9_999).contains(&at.year())
}

/// `2015-09-21 14:53:16` with this byte in its middle, and what follows it: the one form that nearly
/// every feed writes, several times faster than the general parsers. `None` says only that they
/// must be asked.
pub(super) fn plain(text: &str, middle: u8) -> Option<(NaiveDateTime, &str)> {
    let (clock, rest) = text.split_at_checked(19)?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        between,
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = clock.as_bytes()
    else {
        return None;
    };
    if *between != middle {
        return None;
    }
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2];
    Some((moment(digits.map(|digit| *digit))?, rest))
}

/// Year, month, day, hour, minute and second.
fn moment(digits: [u8; 14]) -> Option<NaiveDateTime> {
    let [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2] = digits;
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, two(m1, m2)?, two(d1, d2)?)?;
    date.and_hms_opt(two(h1, h2)?, two(n1, n2)?, two(s1, s2)?)
}

/// Two digits as a number.
pub(super) fn two(tens: u8, ones: u8) -> Option<u32> {
    let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
    digits.then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

fn dated(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split(['-', '/']);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (year, month, day) = if a.len() == 4 { (a, b, c) } else { (c, a, b) };
    if year.len() != 4 {
        return None;
    }
    NaiveDate::from_ymd_opt(
        i32::try_from(number(year)?).ok()?,
        number(month)?,
        number(day)?,
    )
}

fn clocked(date: NaiveDate, text: &str) -> Option<LocalTime> {
    let (text, micros) = match text.split_once('.') {
        Some((text, fraction)) => (text, micros(fraction)?),
        None => (text, 0),
    };
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    match (parts.next(), parts.next()) {
        (Some(second), None) => seconds(date, hour, minute, number(second)?, micros),
        (None, None) => Some(LocalTime {
            time: date.and_hms_opt(hour, minute, 0)?,
            to_the_minute: true,
        }),
        _ => None,
    }
}

fn seconds(date: NaiveDate, hour: u32, minute: u32, second: u32, micros: u32) -> Option<LocalTime> {
    Some(LocalTime {
        time: date.and_hms_micro_opt(hour, minute, second, micros)?,
        to_the_minute: false,
    })
}

fn micros(fraction: &str) -> Option<u32> {
    let digits = u32::try_from(fraction.len()).ok()?;
    let kept = fraction.get(..fraction.len().min(6))?;
    number(fraction.get(..fraction.len().min(9))?)?;
    number(kept)?.checked_mul(10u32.pow(6 - digits.min(6)))
}

fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_instant_is_beyond_what_a_record_can_state() {
        let instants = |text, zone| LocalTime::parse(text).expect("a time").instants(zone);
        let late = "9999-12-31 23:00:00";
        assert!(instants(late, chrono_tz::Asia::Shanghai)[0].is_some());
        assert_eq!(instants(late, chrono_tz::America::New_York), [None, None]);
        assert!(rfc3339("9999-12-31T23:59:59Z").is_some());
        for text in [
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+08:00",
            "2016-12-31T23:59:60Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
        let early = "0000-01-01 01:00:00";
        assert!(instants(early, chrono_tz::America::New_York)[0].is_some());
        assert_eq!(instants(early, chrono_tz::Asia::Shanghai), [None, None]);
    }

    #[test]
    fn the_layouts_operators_use_are_one_time() {
        let expected = LocalTime::parse("2015-09-01 00:05:09").expect("plain");
        for text in [
            "9/1/2015 00:05:09",
            "09/01/2015 0:5:09",
            "20150901000509",
            "2015-09-01 00:05:09.0000",
        ] {
            assert_eq!(LocalTime::parse(text), Some(expected), "{text}");
        }
        assert!(
            LocalTime::parse("9/1/2015 0:05")
                .expect("minutes")
                .to_the_minute
        );
        for text in [
            "",
            "2015-09-31 00:00:00",
            "2015-09-01",
            "2015-09-01 24:00:00",
            "1-1-1 1:1",
            "2015-09-01 00:00:00.",
            "२०15-09-01 00:00:00",
            "2015-09-01 00:00:60",
            "2015-09-01 00:00:00 ",
            "2015-09-01 00:00:0é",
        ] {
            assert_eq!(LocalTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_leap_second_is_no_time() {
        assert!(rfc3339("2016-12-31T23:59:59.999Z").is_some());
        for text in ["2016-12-31T23:59:60Z", "2016-12-31T23:59:59", ""] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn the_lost_hour_has_no_instant_and_the_doubled_hour_two() {
        let new_york = chrono_tz::America::New_York;
        let of = |text| LocalTime::parse(text).expect("time").instants(new_york);
        assert_eq!(of("2016-03-13 02:30:00"), [None, None]);
        let [Some(early), Some(late)] = of("2015-11-01 01:30:00") else {
            panic!("the hour is lived twice");
        };
        assert_eq!((late - early).num_seconds(), 3600);
    }
}
