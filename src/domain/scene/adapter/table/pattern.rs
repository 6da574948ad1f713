//! How a column writes its times: a few named ways, or a pattern in chrono's `strftime` signs.

use std::fmt::Write as _;
use std::str::FromStr;

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use rust_decimal::Decimal;

use super::super::local_time::{LocalTime, rfc3339};
use super::serial::{self, Epoch};
use crate::domain::problem::{Detail, detail};

/// How long a stretch a written time names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grain {
    Time,
    Day,
    Month,
    Year,
}

/// A time as it is written: on the clock of the offset beside it, or of the feed's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) clock: NaiveDateTime,
    pub(super) offset: Option<FixedOffset>,
}

#[derive(Debug, Clone)]
enum Way {
    /// RFC 3339, with its offset.
    Rfc3339,
    /// A count since 1970, this many to a second.
    Unix {
        per_second: i64,
    },
    /// A spreadsheet's serial.
    Serial(Epoch),
    /// The layouts of `local_time`.
    Local,
    Pattern(Vec<Item<'static>>),
}

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    way: Way,
    pub(super) grain: Grain,
    /// Whether the text itself says how far from UTC its clock runs.
    pub(super) has_offset: bool,
}

/// The named ways: what they are called, and whether they need a zone.
const NAMED: [(&str, Way, bool); 6] = [
    ("rfc3339", Way::Rfc3339, true),
    ("unix", Way::Unix { per_second: 1 }, true),
    ("unix_ms", Way::Unix { per_second: 1_000 }, true),
    ("excel", Way::Serial(Epoch::Y1900), false),
    ("excel1904", Way::Serial(Epoch::Y1904), false),
    ("local", Way::Local, false),
];

impl Pattern {
    /// # Errors
    /// What is wrong with the name or pattern.
    pub(super) fn new(text: &str) -> Result<Pattern, Detail> {
        if let Some((_, way, has_offset)) = NAMED.iter().find(|(name, _, _)| *name == text) {
            return Ok(Pattern {
                way: way.clone(),
                grain: Grain::Time,
                has_offset: *has_offset,
            });
        }
        if !text.contains('%') {
            let known: Vec<&str> = NAMED.iter().map(|(name, _, _)| *name).collect();
            return Err(detail!(
                "既不是 {} 之一，也不是 %d/%m/%Y %H:%M 这样的格式",
                "neither one of {} nor a pattern such as %d/%m/%Y %H:%M",
                known.join(", ")
            ));
        }
        let items = StrftimeItems::new(text)
            .parse_to_owned()
            .map_err(|_| detail!("不是 strftime 的格式", "not a pattern in strftime's signs"))?;
        let (grain, has_offset) = understood(&items)?;
        Ok(Pattern {
            way: Way::Pattern(items),
            grain,
            has_offset,
        })
    }

    /// Whether a bare number in a cell can be such a time.
    pub(super) fn takes_serials(&self) -> bool {
        matches!(self.way, Way::Serial(_))
    }

    /// The time a text writes; `None` if it writes none in this way.
    pub(super) fn read(&self, text: &str) -> Option<Stated> {
        match &self.way {
            Way::Rfc3339 => rfc3339(text).map(with_offset),
            Way::Unix { per_second } => {
                let plain = (1..=15).contains(&text.len());
                let count: i64 = plain.then(|| text.parse().ok()).flatten()?;
                let ms = count.checked_mul(1_000 / per_second)?;
                let time = DateTime::<Utc>::from_timestamp_millis(ms)?;
                Some(with_offset(time.fixed_offset()))
            }
            Way::Serial(epoch) => {
                let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                let serial = plain.then(|| Decimal::from_str(text).ok()).flatten()?;
                Some(on_the_clock(serial::local(serial, *epoch).ok()?))
            }
            Way::Local => LocalTime::parse(text).map(|local| on_the_clock(local.time)),
            Way::Pattern(items) => by_pattern(text, items, self.grain, self.has_offset),
        }
    }
}

pub(super) fn on_the_clock(clock: NaiveDateTime) -> Stated {
    Stated {
        clock,
        offset: None,
    }
}

fn with_offset(time: DateTime<FixedOffset>) -> Stated {
    Stated {
        clock: time.naive_local(),
        offset: Some(*time.offset()),
    }
}

fn by_pattern(text: &str, items: &[Item<'_>], grain: Grain, has_offset: bool) -> Option<Stated> {
    if let Some(clock) = plain(text, items) {
        return Some(on_the_clock(clock));
    }
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, items.iter()).ok()?;
    let clock = clock(&mut parsed, grain)?;
    let offset = match has_offset {
        true => Some(FixedOffset::east_opt(parsed.offset()?)?),
        false => None,
    };
    Some(Stated { clock, offset })
}

/// What the library would read, at a fifth of its time: patterns of day, month, four digits of a
/// year, and all or none of hour, minute and second. `None` says only that it must be asked.
fn plain(text: &str, items: &[Item<'_>]) -> Option<NaiveDateTime> {
    let mut rest = text.as_bytes();
    let (mut year, mut month, mut day, mut hour, mut minute, mut second) =
        (None, None, None, None, None, None);
    for item in items {
        let (width, field) = match item {
            Item::Literal(sign) => {
                rest = rest.strip_prefix(sign.as_bytes())?;
                continue;
            }
            Item::OwnedLiteral(sign) => {
                rest = rest.strip_prefix(sign.as_bytes())?;
                continue;
            }
            Item::Space(_) | Item::OwnedSpace(_) => {
                rest = rest.strip_prefix(b" ")?;
                continue;
            }
            Item::Numeric(Numeric::Year, _) => (4, &mut year),
            Item::Numeric(Numeric::Month, _) => (2, &mut month),
            Item::Numeric(Numeric::Day, _) => (2, &mut day),
            Item::Numeric(Numeric::Hour, _) => (2, &mut hour),
            Item::Numeric(Numeric::Minute, _) => (2, &mut minute),
            Item::Numeric(Numeric::Second, _) => (2, &mut second),
            _ => return None,
        };
        let digits = rest.iter().take(width).take_while(|b| b.is_ascii_digit());
        let (count, number) = digits.fold((0, 0), |(count, number), digit| {
            (count + 1, number * 10 + u32::from(digit - b'0'))
        });
        if count == 0 || (width == 4 && count < 4) || field.replace(number).is_some() {
            return None;
        }
        rest = rest.get(count..)?;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year?).ok()?, month?, day?)?;
    let time = match (hour, minute) {
        (Some(hour), Some(minute)) => NaiveTime::from_hms_opt(hour, minute, second.unwrap_or(0))?,
        (None, None) if second.is_none() => NaiveTime::MIN,
        _ => return None,
    };
    rest.is_empty().then(|| date.and_time(time))
}

fn clock(parsed: &mut Parsed, grain: Grain) -> Option<NaiveDateTime> {
    if grain >= Grain::Month {
        parsed.set_day(1).ok()?;
    }
    if grain == Grain::Year {
        parsed.set_month(1).ok()?;
    }
    if grain > Grain::Time {
        return Some(parsed.to_naive_date().ok()?.and_time(NaiveTime::MIN));
    }
    if parsed.minute().is_none() {
        parsed.set_minute(0).ok()?;
    }
    let clock = parsed
        .to_naive_date()
        .ok()?
        .and_time(parsed.to_naive_time().ok()?);
    // No feed's clock is known to show the 61st second of a minute.
    (clock.nanosecond() < 1_000_000_000).then_some(clock)
}

/// How fine a pattern is, found by writing a time with it and reading that back.
fn understood(items: &[Item<'static>]) -> Result<(Grain, bool), Detail> {
    let mut has_offset = false;
    for item in items {
        match item {
            Item::Numeric(Numeric::Timestamp, _) => {
                return Err(detail!(
                    "不读 %s，请写 unix",
                    "%s is not read; the name for it is unix"
                ));
            }
            Item::Fixed(Fixed::TimezoneName) => {
                return Err(detail!(
                    "不读 %Z：同一个时区简称可指多个时区",
                    "%Z is not read: a zone's short name means many zones"
                ));
            }
            Item::Fixed(
                Fixed::TimezoneOffset
                | Fixed::TimezoneOffsetColon
                | Fixed::TimezoneOffsetColonZ
                | Fixed::TimezoneOffsetDoubleColon
                | Fixed::TimezoneOffsetTripleColon
                | Fixed::TimezoneOffsetZ
                | Fixed::RFC2822
                | Fixed::RFC3339,
            ) => has_offset = true,
            _ => {}
        }
    }
    let sample = DateTime::<Utc>::from_timestamp(1_637_676_000, 0)
        .ok_or_else(no_way_back)?
        .fixed_offset();
    let mut text = String::new();
    write!(text, "{}", sample.format_with_items(items.iter())).map_err(|_| no_way_back())?;
    let mut fields = Parsed::new();
    parse(&mut fields, &text, items.iter()).map_err(|_| no_way_back())?;
    let timed =
        fields.hour_mod_12().is_some() || fields.minute().is_some() || fields.second().is_some();
    let grains: &[Grain] = match timed {
        true => &[Grain::Time],
        false => &[Grain::Day, Grain::Month, Grain::Year],
    };
    let found = grains.iter().copied().find(|grain| {
        let read = by_pattern(&text, items, *grain, has_offset);
        read.is_some_and(|read| same(read.clock, sample.naive_utc(), *grain))
    });
    let grain = found.ok_or_else(|| {
        detail!(
            "格式没有指明某一日、某一月或某一年",
            "a pattern that does not name one day, month or year"
        )
    })?;
    Ok((grain, has_offset))
}

fn no_way_back() -> Detail {
    detail!(
        "用这个格式写出的时间无法再读回",
        "a pattern that cannot be read back"
    )
}

/// Whether a time says what the sample says, as far as it says anything.
fn same(read: NaiveDateTime, sample: NaiveDateTime, grain: Grain) -> bool {
    let signs = match grain {
        Grain::Time => "%Y-%m-%d %H:%M",
        Grain::Day => "%Y-%m-%d",
        Grain::Month => "%Y-%m",
        Grain::Year => "%Y",
    };
    read.format(signs).to_string() == sample.format(signs).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str, text: &str) -> Option<String> {
        let stated = Pattern::new(pattern).expect("a pattern").read(text)?;
        Some(match stated.offset {
            Some(offset) => format!("{}{offset}", stated.clock),
            None => stated.clock.to_string(),
        })
    }

    #[test]
    fn named_ways_and_patterns_read_times() {
        for (pattern, text, time) in [
            ("%d/%m/%Y %H:%M", "1/2/2018 0:15", "2018-02-01 00:15:00"),
            (
                "%Y年%m月%d日 %H时%M分",
                "2026年1月2日 3时4分",
                "2026-01-02 03:04:00",
            ),
            (
                "%Y-%m-%d %I:%M:%S %p",
                "2026-01-02 12:00:01 AM",
                "2026-01-02 00:00:01",
            ),
            ("%Y%m%d%H%M%S", "20260102030405", "2026-01-02 03:04:05"),
            ("%Y-%m-%d %H", "2026-01-02 03", "2026-01-02 03:00:00"),
            (
                "%Y-%m-%d %H:%M:%S%.f",
                "2026-01-02 03:04:05.25",
                "2026-01-02 03:04:05.250",
            ),
            ("%Y / %m", "1990 / 08", "1990-08-01 00:00:00"),
            ("%d.%m.%y", "2.1.26", "2026-01-02 00:00:00"),
            ("%Y", "2026", "2026-01-01 00:00:00"),
            (
                "%Y-%m-%dT%H:%M:%S%:z",
                "2026-01-02T03:04:05+08:00",
                "2026-01-02 03:04:05+08:00",
            ),
            (
                "rfc3339",
                "2015-11-22T00:00:00-06:00",
                "2015-11-22 00:00:00-06:00",
            ),
            ("unix", "1637676000", "2021-11-23 14:00:00+00:00"),
            ("unix_ms", "1637676000250", "2021-11-23 14:00:00.250+00:00"),
            ("excel", "43101.010416666664", "2018-01-01 00:15:00"),
            ("excel1904", "0", "1904-01-01 00:00:00"),
            ("local", "9/21/2015 14:53", "2015-09-21 14:53:00"),
        ] {
            assert_eq!(
                read(pattern, text).as_deref(),
                Some(time),
                "{pattern} {text}"
            );
        }
        for (pattern, text) in [
            ("%d/%m/%Y %H:%M", "1/13/2018 0:15"),
            ("%d/%m/%Y %H:%M", "1/1/2018 24:00"),
            ("%d/%m/%Y %H:%M", "1/1/2018 0:15 "),
            ("%Y / %m", "1990 / 13"),
            ("%Y / %m", "1990 / 08 / 01"),
            ("rfc3339", "2015-11-22T00:00:00"),
            ("unix", "16376760001637676000"),
            ("unix", "1.5"),
            ("excel", "60"),
            ("excel", "4e4"),
            ("local", "soon"),
        ] {
            assert_eq!(read(pattern, text), None, "{pattern} {text}");
        }
    }

    #[test]
    fn the_short_way_reads_what_the_library_reads() {
        for pattern in [
            "%d/%m/%Y %H:%M",
            "%Y-%m-%d %H:%M:%S",
            "%Y%m%d",
            "%Y年%m月%d日%H时%M分",
        ] {
            let items = StrftimeItems::new(pattern).parse_to_owned().expect("items");
            for text in [
                "1/2/2018 0:15",
                "01/02/2018 00:15",
                "1/2/2018  0:15",
                "1/2/18 0:15",
                "31/2/2018 0:15",
                "2018-02-01 00:15:59",
                "2018-2-1 0:15:60",
                "2018-02-01 00:15:5x",
                "20180201",
                "201802",
                "2018年2月1日3时4分",
                "",
                "-1/2/2018 0:15",
                "1/2/2018 24:00",
            ] {
                let mut parsed = Parsed::new();
                let slow = parse(&mut parsed, text, items.iter()).ok().and_then(|()| {
                    let grain = if pattern == "%Y%m%d" {
                        Grain::Day
                    } else {
                        Grain::Time
                    };
                    clock(&mut parsed, grain)
                });
                if let Some(fast) = plain(text, &items) {
                    assert_eq!(Some(fast), slow, "{pattern} {text}");
                }
            }
            assert!(plain("1/2/2018 0:15", &items).is_some() || pattern != "%d/%m/%Y %H:%M");
        }
    }

    #[test]
    fn a_pattern_that_names_no_time_is_refused_before_any_file() {
        for pattern in [
            "",
            "iso",
            "%",
            "%Q",
            "%d/%m %H:%M",
            "%H:%M",
            "%Y-%m-%d %I:%M",
            "%s",
            "%Y-%m-%d %Z",
            "%Y %d",
            "%%",
        ] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
        let grain = |text| Pattern::new(text).map(|pattern| pattern.grain);
        assert_eq!(grain("%F"), Ok(Grain::Day));
        assert_eq!(grain("%B %Y"), Ok(Grain::Month));
        assert_eq!(grain("%G-W%V-%u"), Ok(Grain::Day));
    }
}
