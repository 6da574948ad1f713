//! Serial numbers: one per tonne over the whole registry, written as ranges.

use std::fmt;

use chrono::{Days, NaiveDate};

use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::unit::Tonnes;

/// A run of serial numbers, both ends included; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialRange {
    first: i64,
    last: i64,
}

impl SerialRange {
    /// # Errors
    /// `serial_invalid` unless `1 <= first <= last`.
    pub fn new(first: i64, last: i64) -> Result<SerialRange, Problem> {
        if first < 1 || last < first || last == i64::MAX {
            let detail = detail!(
                "{first} 至 {last} 不构成区间",
                "{first} to {last} is no range."
            );
            return Err(Problem::at(Code::SerialInvalid, "serial", detail));
        }
        Ok(SerialRange { first, last })
    }

    /// The `quantity` numbers that follow `taken` numbers already given out.
    ///
    /// # Errors
    /// `serial_invalid` if nothing is asked for, or the numbers run out.
    pub fn after(taken: i64, quantity: Tonnes) -> Result<SerialRange, Problem> {
        let first = taken.saturating_add(1);
        SerialRange::new(first, taken.saturating_add(quantity.0))
    }

    pub fn first(self) -> i64 {
        self.first
    }

    pub fn last(self) -> i64 {
        self.last
    }

    /// One serial is one tonne.
    pub fn tonnes(self) -> Tonnes {
        Tonnes(self.last - self.first + 1)
    }

    pub fn overlaps(self, other: SerialRange) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// The first `quantity` numbers and the rest, which together are exactly this range.
    ///
    /// # Errors
    /// `quantity_out_of_range` unless both parts have at least one number.
    pub fn split(self, quantity: Tonnes) -> Result<(SerialRange, SerialRange), Problem> {
        if quantity < Tonnes(1) || quantity >= self.tonnes() {
            return Err(out_of_range(quantity, self.tonnes()));
        }
        let cut = self.first + quantity.0;
        let head = SerialRange::new(self.first, cut - 1)?;
        Ok((head, SerialRange::new(cut, self.last)?))
    }
}

pub(super) fn out_of_range(asked: Tonnes, there: Tonnes) -> Problem {
    let detail = detail!(
        "申请 {} 吨，可用 1 至 {} 吨",
        "{} t asked for, 1 to {} t are there.",
        asked.0,
        there.0
    );
    Problem::at(Code::QuantityOutOfRange, "quantity_t", detail)
}

/// What a serial says before its numbers: registry, methodology, scene, vintage and batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    text: String,
}

impl Series {
    /// `SZ-PH-<methodology>-<scene no.>-<vintage from>-<vintage to>-<batch>`, dates as `yyyymmdd`.
    /// The official layout is not published, so the registry's prefix is configuration.
    ///
    /// # Errors
    /// `serial_invalid` if a code is blank or holds other than ASCII letters, digits, `-` and `.`.
    pub fn new(
        prefix: &str,
        methodology: &str,
        scene: i32,
        vintage: (i32, i32),
        batch: i32,
    ) -> Result<Series, Problem> {
        for part in [prefix, methodology] {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
            if part.is_empty() || !part.bytes().all(plain) {
                return Err(Problem::at(
                    Code::SerialInvalid,
                    "series",
                    Detail::value(part),
                ));
            }
        }
        let (from, to) = (date(vintage.0)?, date(vintage.1)?);
        let text = format!("{prefix}-{methodology}-{scene}-{from}-{to}-{batch}");
        Ok(Series { text })
    }

    /// A series as it was stored.
    pub fn stored(text: String) -> Series {
        Series { text }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn date(day: i32) -> Result<String, Problem> {
    u64::try_from(day)
        .ok()
        .and_then(|day| NaiveDate::default().checked_add_days(Days::new(day)))
        .map(|date| date.format("%Y%m%d").to_string())
        .ok_or_else(|| Problem::at(Code::SerialInvalid, "vintage", Detail::value(day)))
}

/// A full serial: a series and a range. Written and read as `<series>-<first>-<last>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serial {
    pub series: Series,
    pub range: SerialRange,
}

impl Serial {
    /// Reads a serial from its end, because a methodology's code may hold hyphens.
    ///
    /// # Errors
    /// `serial_invalid` if it does not end in two numbers.
    pub fn parse(text: &str) -> Result<Serial, Problem> {
        let refuse = || Problem::on(Code::SerialInvalid, "serial");
        let mut parts = text.trim().rsplitn(3, '-');
        let mut number = || parts.next().and_then(digits);
        let (last, first) = (number().ok_or_else(refuse)?, number().ok_or_else(refuse)?);
        let series = parts.next().filter(|s| !s.is_empty()).ok_or_else(refuse)?;
        Ok(Serial {
            series: Series::stored(series.to_owned()),
            range: SerialRange::new(first, last)?,
        })
    }
}

/// A number as we write it: digits only, no sign, no leading zero.
fn digits(text: &str) -> Option<i64> {
    let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.range.first, self.range.last);
        write!(f, "{}-{first}-{last}", self.series.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_reads_as_it_was_written() {
        let series = Series::new("SZ-PH", "SZ-METRO-BUS", 7, (20_454, 20_484), 2).unwrap();
        assert_eq!(series.as_str(), "SZ-PH-SZ-METRO-BUS-7-20260101-20260131-2");
        let range = SerialRange::after(140, Tonnes(60)).unwrap();
        let serial = Serial { series, range };
        assert_eq!(
            serial.to_string(),
            "SZ-PH-SZ-METRO-BUS-7-20260101-20260131-2-141-200"
        );
        assert_eq!(Serial::parse(&serial.to_string()).unwrap(), serial);
    }

    #[test]
    fn broken_serials_are_refused() {
        for text in [
            "",
            "-",
            "1-2",
            "A-2-1",
            "A-0-3",
            "A-+1-3",
            "A-01-3",
            "A-1-x",
            "-1-2",
            "A-1-99999999999999999999",
            "A-1-9223372036854775807",
        ] {
            let problem = Serial::parse(text).unwrap_err();
            assert_eq!(problem.code, Code::SerialInvalid, "{text}");
        }
        assert!(Series::new("深", "M", 1, (0, 1), 1).is_err());
        assert!(Series::new("SZ", "", 1, (0, 1), 1).is_err());
        assert!(Series::new("SZ", "M", 1, (-1, 1), 1).is_err());
        assert!(SerialRange::after(i64::MAX - 1, Tonnes(5)).is_err());
        assert!(SerialRange::after(3, Tonnes(0)).is_err());
    }
}
