//! One reading of an odometer (累计里程) and the values it is made of. A marker for an abnormal or
//! invalid value is never a number.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::super::local_time::{LocalTime, rfc3339};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// The standard's largest odometer value, in 0.1 km.
const MILEAGE_MAX: u32 = 9_999_999;

/// What drove the vehicle (运行模式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// 1: the battery alone.
    Electric,
    /// 2 or 3: an engine, alone or with the battery.
    Fuel,
    /// 254, 255, or not stated.
    Unknown,
    /// Of a row that is refused and did not say 1: its odometer is not known, and the way over it
    /// is nobody's to call electric.
    Doubtful,
}

/// The unit in which the feed writes the odometer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// As the standard transmits it: whole 0.1 km.
    Tenth,
    /// Kilometres with at most one decimal.
    Kilometre,
}

/// One vehicle's odometer at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// Number in the fleet's list.
    pub(super) vehicle: u32,
    /// In 0.1 km.
    pub(super) mileage: u32,
    /// Unix seconds.
    pub(super) at: i64,
    /// The local day, counted from the year 1.
    pub(super) day: i32,
    pub(super) mode: Mode,
    /// Index or line in the file.
    pub(super) row: u64,
}

/// The vehicle's number as the feed writes it; a VIN has no case.
pub(super) fn vehicle(text: &str) -> Result<String, Problem> {
    if text.is_empty() {
        return Err(Problem::on(Code::MissingField, "vin"));
    }
    if text.len() > 64 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let detail = detail!("应为 1 至 64 个可见字符", "1 to 64 visible characters");
        return Err(Problem::at(Code::InvalidField, "vin", detail));
    }
    let vin = text.len() == 17 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    Ok(if vin {
        text.to_ascii_uppercase()
    } else {
        text.to_owned()
    })
}

/// The instant and the local day: a local time without offset and with a year of two or four
/// digits, in the scene's zone, or RFC 3339. Of an hour lived twice the first.
pub(super) fn time(text: &str, zone: Tz) -> Result<(i64, i32), Problem> {
    if text.is_empty() {
        return Err(Problem::on(Code::MissingField, "time"));
    }
    let invalid = |detail: Detail| Problem::at(Code::TimeInvalid, "time", detail);
    if let Some(local) = local(text) {
        let [instant, _] = local.instants(zone);
        let instant = instant.ok_or_else(|| {
            invalid(detail!(
                "时区 {zone} 没有这个时间",
                "no such time in {zone}"
            ))
        })?;
        let day = local.time.date().num_days_from_ce();
        return Ok((instant.timestamp(), day));
    }
    let instant: DateTime<Utc> = rfc3339(text)
        .ok_or_else(|| invalid(detail!("不是日期时间", "not a date and time")))?
        .to_utc();
    let day = instant.with_timezone(&zone).date_naive().num_days_from_ce();
    Ok((instant.timestamp(), day))
}

fn local(text: &str) -> Option<LocalTime> {
    let short = match text.as_bytes() {
        [_, _, b'-' | b'/', _, _, b'-' | b'/', _, _, b' ' | b'T', ..] => true,
        digits => digits.len() == 12 && digits.iter().all(u8::is_ascii_digit),
    };
    if short {
        LocalTime::parse(&format!("20{text}"))
    } else {
        LocalTime::parse(text)
    }
}

/// The odometer in 0.1 km.
pub(super) fn mileage(text: &str, step: Step) -> Result<u32, Problem> {
    let problem = |code, detail: Detail| Problem::at(code, "mileage", detail);
    if text.is_empty() {
        return Err(problem(Code::MissingField, Detail::default()));
    }
    if let Some(marker) = marker(text, step) {
        return Err(problem(Code::QuantityOutOfRange, marker));
    }
    let expected = || match step {
        Step::Tenth => detail!(
            "应为以 0.1 km 计的整数；如以 km 计，请声明 mileage = \"km\"",
            "whole 0.1 km are expected; a feed in km is declared by mileage = \"km\""
        ),
        Step::Kilometre => detail!(
            "应为公里数，最多一位小数",
            "kilometres with at most one decimal are expected"
        ),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let plain = !whole.is_empty() && !decimals.is_empty() && digits(whole) && digits(decimals);
    let value = Decimal::from_str_exact(text).ok().filter(|_| plain);
    let value = value.ok_or_else(|| problem(Code::InvalidField, expected()))?;
    let tenths = match step {
        Step::Tenth => Some(value),
        Step::Kilometre => value.checked_mul(Decimal::TEN),
    };
    match tenths {
        Some(tenths) if tenths.fract().is_zero() => tenths
            .to_u32()
            .filter(|tenths| *tenths <= MILEAGE_MAX)
            .ok_or_else(|| {
                problem(
                    Code::QuantityOutOfRange,
                    detail!(
                        "里程表的范围为 0 至 999,999.9 km",
                        "0 to 999,999.9 km is what an odometer shows"
                    ),
                )
            }),
        Some(_) => Err(problem(Code::InvalidField, expected())),
        None => Err(problem(
            Code::QuantityOutOfRange,
            detail!("里程表不可能显示此值", "no odometer shows it"),
        )),
    }
}

/// The two values of a double word that mean no value, however they are written.
fn marker(text: &str, step: Step) -> Option<Detail> {
    let same = |known: &[&str]| known.iter().any(|known| text.eq_ignore_ascii_case(known));
    let (abnormal, invalid): (&[&str], &[&str]) = match step {
        Step::Tenth => (
            &["4294967294", "0xFFFFFFFE", "FFFFFFFE"],
            &["4294967295", "0xFFFFFFFF", "FFFFFFFF"],
        ),
        Step::Kilometre => (
            &["429496729.4", "4294967294", "0xFFFFFFFE"],
            &["429496729.5", "4294967295", "0xFFFFFFFF"],
        ),
    };
    if same(abnormal) {
        Some(detail!(
            "0xFFFFFFFE：车辆标记该值异常",
            "0xFFFFFFFE: the vehicle calls the value abnormal"
        ))
    } else if same(invalid) {
        Some(detail!(
            "0xFFFFFFFF：车辆标记该值无效",
            "0xFFFFFFFF: the vehicle calls the value invalid"
        ))
    } else {
        None
    }
}

/// What drove the vehicle; `unknown` for the markers 254 and 255, and where it is not stated.
pub(super) fn mode(text: &str, unknown: Mode) -> Result<Mode, Problem> {
    match text {
        "1" | "01" | "0x01" | "纯电" => Ok(Mode::Electric),
        "2" | "3" | "02" | "03" | "0x02" | "0x03" | "混动" | "燃油" => Ok(Mode::Fuel),
        "" | "254" | "255" | "0xFE" | "0xFF" | "0xfe" | "0xff" => Ok(unknown),
        _ => {
            let detail = detail!(
                "应为 1 纯电、2 混动、3 燃油、254 异常或 255 无效",
                "1 electric, 2 hybrid, 3 fuel, 254 abnormal or 255 invalid"
            );
            Err(Problem::at(Code::InvalidField, "runMode", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odometer_is_read_in_the_declared_step() {
        for (text, step, tenths) in [
            ("0", Step::Tenth, 0),
            ("12345", Step::Tenth, 12_345),
            ("12345.0", Step::Tenth, 12_345),
            ("9999999", Step::Tenth, MILEAGE_MAX),
            ("254", Step::Tenth, 254),
            ("255", Step::Tenth, 255),
            ("1234.5", Step::Kilometre, 12_345),
            ("1234", Step::Kilometre, 12_340),
            ("999999.9", Step::Kilometre, MILEAGE_MAX),
        ] {
            assert_eq!(mileage(text, step), Ok(tenths), "{text}");
        }
    }

    #[test]
    fn no_marker_and_nothing_beyond_the_range_is_an_odometer() {
        use Code::{InvalidField, MissingField, QuantityOutOfRange};
        for (text, step, code) in [
            ("4294967294", Step::Tenth, QuantityOutOfRange),
            ("4294967295", Step::Tenth, QuantityOutOfRange),
            ("0xfffffffe", Step::Tenth, QuantityOutOfRange),
            ("FFFFFFFF", Step::Tenth, QuantityOutOfRange),
            ("429496729.5", Step::Kilometre, QuantityOutOfRange),
            ("10000000", Step::Tenth, QuantityOutOfRange),
            ("1000000", Step::Kilometre, QuantityOutOfRange),
            ("-1", Step::Tenth, QuantityOutOfRange),
            (
                "79228162514264337593543950335",
                Step::Kilometre,
                QuantityOutOfRange,
            ),
            ("1234.5", Step::Tenth, InvalidField),
            ("1234.55", Step::Kilometre, InvalidField),
            ("1e3", Step::Tenth, InvalidField),
            ("1_0", Step::Tenth, InvalidField),
            (".5", Step::Kilometre, InvalidField),
            ("", Step::Tenth, MissingField),
        ] {
            assert_eq!(mileage(text, step).expect_err(text).code, code, "{text}");
        }
        let tenth = mileage("1234.5", Step::Tenth).expect_err("half a step");
        assert_eq!(
            tenth.detail.zh(),
            "应为以 0.1 km 计的整数；如以 km 计，请声明 mileage = \"km\""
        );
    }

    #[test]
    fn years_of_two_digits_are_of_this_century_and_times_are_local() {
        let shanghai = chrono_tz::Asia::Shanghai;
        let known = time("2026-05-01 00:30:00", shanghai).expect("a time");
        for text in [
            "26-05-01 00:30:00",
            "26/05/01 00:30:00",
            "260501003000",
            "20260501003000",
            "2026-05-01T00:30:00+08:00",
            "2026-04-30T16:30:00Z",
        ] {
            assert_eq!(time(text, shanghai), Ok(known), "{text}");
        }
        for text in ["26-13-01 00:00:00", "1777566600", "26-05-01", "yesterday"] {
            let problem = time(text, shanghai).expect_err(text);
            assert_eq!(problem.code, Code::TimeInvalid, "{text}");
        }
    }

    #[test]
    fn a_mode_that_is_not_known_is_what_the_scene_says() {
        assert_eq!(mode("1", Mode::Unknown), Ok(Mode::Electric));
        assert_eq!(mode("2", Mode::Unknown), Ok(Mode::Fuel));
        assert_eq!(mode("3", Mode::Electric), Ok(Mode::Fuel));
        for text in ["", "254", "255", "0xFF"] {
            assert_eq!(mode(text, Mode::Unknown), Ok(Mode::Unknown));
            assert_eq!(mode(text, Mode::Electric), Ok(Mode::Electric));
        }
        assert_eq!(
            mode("9", Mode::Unknown).expect_err("9").code,
            Code::InvalidField
        );
    }

    #[test]
    fn a_vin_has_no_case_and_a_pseudonym_has() {
        assert_eq!(
            vehicle("lvtest00000000001").as_deref(),
            Ok("LVTEST00000000001")
        );
        assert_eq!(vehicle("aB-1").as_deref(), Ok("aB-1"));
        assert_eq!(vehicle("").expect_err("none").code, Code::MissingField);
        assert_eq!(vehicle("粤B1").expect_err("no").code, Code::InvalidField);
    }
}
