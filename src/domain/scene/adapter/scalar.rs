//! A JSON text or number as the characters it is written with: services write `"12.50"` and
//! `12.50` for one thing, and neither may pass through binary floating point.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

use super::json_text::Text;

const WHOLE_DIGITS_MAX: usize = 18;
const DECIMALS_MAX: usize = 12;

/// Whether our own form can state it: at most 18 digits before the point and 12 after it.
pub(super) fn can_be_stated(value: Decimal) -> bool {
    const WHOLE_MAX: i128 = 10_i128.pow(18);
    let whole = value.trunc().mantissa().unsigned_abs();
    value.normalize().scale() <= 12 && whole < WHOLE_MAX.unsigned_abs()
}

/// The characters; blank for `null`, which no field distinguishes from absence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scalar<'a>(Cow<'a, str>);

impl Scalar<'_> {
    /// Without surrounding spaces.
    pub(super) fn text(&self) -> &str {
        self.0.trim()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text().is_empty()
    }

    /// A plain decimal number: digits, at most one point, at most one leading minus; as in our own
    /// form up to 18 digits before the point and 12 after it. No exponent, no plus, no thousands
    /// separator.
    pub(super) fn decimal(&self) -> Option<Decimal> {
        let text = self.text();
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        let closed = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
        if !plain || !closed(digits.first()) || !closed(digits.last()) {
            return None;
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if whole.trim_start_matches('-').len() > WHOLE_DIGITS_MAX || decimals.len() > DECIMALS_MAX {
            return None;
        }
        Decimal::from_str_exact(text).ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar<'a>, D::Error> {
        let raw: &'de RawValue = Deserialize::deserialize(deserializer)?;
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'"') if !text.contains('\\') => {
                let inside = text.get(1..text.len().saturating_sub(1));
                Ok(Scalar(Cow::Borrowed(inside.unwrap_or_default())))
            }
            Some(b'"') => serde_json::from_str::<Text<'de>>(text)
                .map(|text| Scalar(text.0))
                .map_err(|_| Error::custom("a text is broken")),
            Some(b'-' | b'0'..=b'9') => Ok(Scalar(Cow::Borrowed(text))),
            Some(b'n') => Ok(Scalar::default()),
            _ => Err(Error::custom("a text or a number is expected")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let scalar: Scalar<'_> = serde_json::from_str(json).ok()?;
        Some(scalar.text().to_owned())
    }

    #[test]
    fn texts_and_numbers_keep_their_characters() {
        assert_eq!(read("12.500").as_deref(), Some("12.500"));
        assert_eq!(read("\" 12.500 \"").as_deref(), Some("12.500"));
        assert_eq!(read("\"\\u7535\"").as_deref(), Some("电"));
        assert_eq!(read("null").as_deref(), Some(""));
        assert_eq!(
            read("0.1000000000000000055511151231257827")
                .as_deref()
                .map(str::len),
            Some(36)
        );
        for json in ["true", "[1]", "{}", ""] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn what_our_own_form_states_is_bounded_on_both_sides() {
        let of = |text: &str| can_be_stated(Decimal::from_str_exact(text).expect("a number"));
        assert!(of("999999999999999999") && of("-0.000000000001") && of("1.0000000000000"));
        assert!(!of("1000000000000000000") && !of("0.0000000000001"));
    }

    #[test]
    fn only_plain_numbers_are_decimals() {
        let decimal = |text: &str| Scalar(Cow::Borrowed(text)).decimal();
        assert_eq!(decimal("12.500"), Some(Decimal::new(12_500, 3)));
        assert_eq!(decimal("-1"), Some(Decimal::NEGATIVE_ONE));
        let widest = "-999999999999999999.999999999999";
        assert_eq!(decimal(widest).map(|d| d.to_string()).as_deref(), None);
        let widest = "-999999999999999.999999999999";
        assert_eq!(
            decimal(widest).map(|d| d.to_string()).as_deref(),
            Some(widest)
        );
        for text in [
            "",
            "-",
            "1e3",
            "+1",
            "1,000",
            ".5",
            "5.",
            "1.2.3",
            "--1",
            "NaN",
            "１",
            "1000000000000000000",
            "5.2011111111111",
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
