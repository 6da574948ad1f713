//! A 200 row: which channel of which meter the days below it belong to.

use super::super::lines::Fields;
use super::amount::{Unit, short};
use crate::domain::problem::{Code, Problem, detail};

/// A channel whose days are counted.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    /// The national metering identifier: the connection point.
    pub(super) nmi: String,
    /// `E1`: which of its data streams.
    pub(super) suffix: String,
    /// The meter's serial number, where it is stated.
    pub(super) serial: Option<String>,
    /// `electricity` or `electricity_export`.
    pub(super) quantity: &'static str,
    pub(super) unit: Unit,
    /// Intervals of a whole day.
    pub(super) intervals: usize,
}

impl Channel {
    /// # Errors
    /// What keeps the days below from being counted; they are refused with the same problem.
    pub(super) fn parse(row: &Fields) -> Result<Channel, Problem> {
        let nmi = nmi(row.get(1))?;
        let suffix = suffix(row.get(4))?;
        // Reactive streams are told by their unit, whatever they are called.
        let unit = Unit::parse(row.get(7))?;
        Ok(Channel {
            quantity: quantity(&suffix)?,
            nmi,
            suffix,
            serial: serial(row.get(6)),
            unit,
            intervals: intervals(row.get(8))?,
        })
    }

    pub(super) fn meter(&self) -> String {
        format!("{}/{}", self.nmi, self.suffix)
    }
}

/// # Errors
/// `missing_field`, or `invalid_field` for anything but 6 to 16 letters and digits (an NMI has
/// 10, with its check digit 11).
pub(super) fn nmi(text: &str) -> Result<String, Problem> {
    identifier("NMI", text, 6..=16)
}

/// # Errors
/// `missing_field`, or `invalid_field` for anything but two letters and digits.
pub(super) fn suffix(text: &str) -> Result<String, Problem> {
    identifier("NMISuffix", text, 2..=2)
}

/// A serial number that can be an attribute; others are left out.
pub(super) fn serial(text: &str) -> Option<String> {
    let plain = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    plain.then(|| text.to_owned())
}

fn identifier(
    field: &str,
    text: &str,
    length: std::ops::RangeInclusive<usize>,
) -> Result<String, Problem> {
    if text.is_empty() {
        return Err(Problem::on(Code::MissingField, field));
    }
    if !length.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let detail = detail!(
            "应为 {} 至 {} 个字母或数字",
            "{} to {} letters and digits",
            length.start(),
            length.end()
        );
        return Err(Problem::at(Code::InvalidField, field, detail));
    }
    Ok(text.to_ascii_uppercase())
}

/// Only the streams that hold the register's own readings: E is what the customer took from the
/// grid, B what the customer fed in. Check meters, averages and net streams (A, C, D, F, N, …)
/// tell the same energy once more.
fn quantity(suffix: &str) -> Result<&'static str, Problem> {
    match suffix.as_bytes().first() {
        Some(b'E') => Ok("electricity"),
        Some(b'B') => Ok("electricity_export"),
        _ => Err(Problem::at(
            Code::UnitUnsupported,
            "NMISuffix",
            detail!(
                "{} 不计量：只计 E 和 B 数据流",
                "{} is not counted: only streams E and B are",
                short(suffix)
            ),
        )),
    }
}

/// How many intervals a day has.
fn intervals(text: &str) -> Result<usize, Problem> {
    match text {
        "" => Err(Problem::on(Code::MissingField, "IntervalLength")),
        "1" => Ok(1_440),
        "5" => Ok(288),
        "10" => Ok(144),
        "15" => Ok(96),
        "30" => Ok(48),
        "60" => Ok(24),
        _ => Err(Problem::at(
            Code::InvalidField,
            "IntervalLength",
            detail!(
                "应为 1、5、10、15、30 或 60 分钟",
                "1, 5, 10, 15, 30 or 60 minutes"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(row: &str) -> Result<Channel, Problem> {
        let mut fields = Fields::default();
        fields.split(row).expect("fields");
        Channel::parse(&fields)
    }

    #[test]
    fn a_channel_says_what_its_days_count() {
        let channel = parse("200,nmi0000001,E1B1,1,E1,N1,S-7,KWH,30,").expect("a channel");
        assert_eq!(channel.meter(), "NMI0000001/E1");
        assert_eq!((channel.quantity, channel.intervals), ("electricity", 48));
        assert_eq!(channel.serial.as_deref(), Some("S-7"));
        let fed_in = parse("200,NMI0000001,E1B1,2,B1,,,Wh,5,").expect("a channel");
        assert_eq!(fed_in.quantity, "electricity_export");
        assert_eq!((fed_in.intervals, fed_in.serial), (288, None));
    }

    #[test]
    fn other_streams_and_broken_rows_are_refused() {
        for (row, code, field) in [
            (
                "200,NMI0000001,,1,Q1,,,kVArh,30,",
                Code::UnitUnsupported,
                "UOM",
            ),
            (
                "200,NMI0000001,,1,Q1,,,kWh,30,",
                Code::UnitUnsupported,
                "NMISuffix",
            ),
            (
                "200,NMI0000001,,1,F1,,,kWh,30,",
                Code::UnitUnsupported,
                "NMISuffix",
            ),
            (
                "200,NMI0000001,,1,N1,,,kWh,30,",
                Code::UnitUnsupported,
                "NMISuffix",
            ),
            ("200,NMI0000001,,1,E1,,,,30,", Code::UnitMissing, "UOM"),
            (
                "200,NMI0000001,,1,E1,,,kWh,7,",
                Code::InvalidField,
                "IntervalLength",
            ),
            (
                "200,NMI0000001,,1,E1,,,kWh",
                Code::MissingField,
                "IntervalLength",
            ),
            ("200,,,1,E1,,,kWh,30,", Code::MissingField, "NMI"),
            ("200,NMI/000001,,1,E1,,,kWh,30,", Code::InvalidField, "NMI"),
            (
                "200,NMI0000001,,1,E,,,kWh,30,",
                Code::InvalidField,
                "NMISuffix",
            ),
        ] {
            let problem = parse(row).expect_err(row);
            assert_eq!(
                (problem.code, problem.param.as_deref()),
                (code, Some(field)),
                "{row}"
            );
        }
    }
}
