//! Numbers as people and spreadsheets write them, read exactly and in one pass.

use rust_decimal::Decimal;

use super::super::scalar::can_be_stated;
use crate::domain::problem::{Detail, detail};

/// Digits before and after the decimal sign, as in our own format.
const WHOLE_DIGITS_MAX: u32 = 18;
const DECIMALS_MAX: u32 = 12;

/// The signs of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numerals {
    pub(super) decimal: char,
    pub(super) thousands: Option<char>,
}

impl Numerals {
    pub(super) const PLAIN: Numerals = Numerals {
        decimal: '.',
        thousands: None,
    };

    /// The number a text writes: digits, in groups of three after the first where a thousands
    /// separator stands, then the decimal sign and up to 12 digits. No exponent, no sign for
    /// money or percent: what such a number means is not for an importer to guess.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(self, text: &str) -> Result<Decimal, Detail> {
        let (negative, digits) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let mut reading = Reading::default();
        for letter in digits.chars() {
            match letter {
                '0'..='9' => reading.digit(letter)?,
                _ if letter == self.decimal => reading.point()?,
                _ if self.groups_with(letter) => reading.group()?,
                _ => return Err(no_number()),
            }
        }
        reading.end(negative)
    }

    /// A narrow or fixed space groups as a plain one does.
    fn groups_with(self, letter: char) -> bool {
        match self.thousands {
            Some(' ') => matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
            thousands => thousands == Some(letter),
        }
    }
}

#[derive(Default)]
struct Reading {
    mantissa: i128,
    whole: u32,
    decimals: u32,
    /// Digits since the last thousands separator.
    group: Option<u32>,
    pointed: bool,
}

impl Reading {
    fn digit(&mut self, digit: char) -> Result<(), Detail> {
        if self.pointed {
            self.decimals += 1;
        } else {
            self.whole += 1;
            if let Some(group) = &mut self.group {
                *group += 1;
            }
        }
        if self.whole > WHOLE_DIGITS_MAX || self.decimals > DECIMALS_MAX {
            return Err(detail!(
                "超过 18 位数字，或小数超过 12 位",
                "more than 18 digits, or more than 12 after the decimal sign"
            ));
        }
        let digit = digit.to_digit(10).unwrap_or(0);
        self.mantissa = self.mantissa * 10 + i128::from(digit);
        Ok(())
    }

    fn point(&mut self) -> Result<(), Detail> {
        if self.pointed || self.whole == 0 || !self.grouped() {
            return Err(detail!(
                "小数点的位置不对",
                "a decimal sign where none belongs"
            ));
        }
        self.pointed = true;
        Ok(())
    }

    fn group(&mut self) -> Result<(), Detail> {
        let first = self.group.is_none() && (1..=3).contains(&self.whole);
        if self.pointed || !(first || self.group == Some(3)) {
            return Err(ungrouped());
        }
        self.group = Some(0);
        Ok(())
    }

    fn grouped(&self) -> bool {
        self.group.is_none_or(|digits| digits == 3)
    }

    fn end(self, negative: bool) -> Result<Decimal, Detail> {
        if !self.grouped() {
            return Err(ungrouped());
        }
        if self.whole == 0 || (self.pointed && self.decimals == 0) {
            return Err(no_number());
        }
        let mantissa = if negative {
            -self.mantissa
        } else {
            self.mantissa
        };
        Decimal::try_from_i128_with_scale(mantissa, self.decimals)
            .map_err(|_| detail!("位数过多", "too many digits"))
    }
}

fn no_number() -> Detail {
    detail!(
        "不是按声明的符号书写的数",
        "not a number in the declared signs"
    )
}

fn ungrouped() -> Detail {
    detail!(
        "千位分隔符没有每三位一组",
        "a thousands separator that does not group by three"
    )
}

/// `a * b`, if that is exact, which a product of more than 28 digits is not, and our own form can
/// state it.
pub(super) fn times(a: Decimal, b: Decimal) -> Option<Decimal> {
    let product = a.checked_mul(b)?;
    let exact = a.is_zero() || product.scale() == a.scale() + b.scale();
    (exact && can_be_stated(product)).then(|| product.normalize())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(decimal: char, thousands: Option<char>, text: &str) -> Option<String> {
        let numerals = Numerals { decimal, thousands };
        numerals.read(text).ok().map(|number| number.to_string())
    }

    #[test]
    fn declared_signs_are_read_and_others_refused() {
        for (decimal, thousands, text, number) in [
            ('.', None, "3.170", "3.170"),
            ('.', None, "+0", "0"),
            ('.', None, "-2.5", "-2.5"),
            ('.', Some(','), "1,234,567.89", "1234567.89"),
            ('.', Some(','), "1234567.89", "1234567.89"),
            (',', Some('.'), "1.234,5", "1234.5"),
            (',', Some(' '), "12\u{a0}345,6", "12345.6"),
            ('.', Some('\''), "1'000", "1000"),
        ] {
            assert_eq!(
                read(decimal, thousands, text).as_deref(),
                Some(number),
                "{text}"
            );
        }
        for (decimal, thousands, text) in [
            ('.', None, "3,17"),
            ('.', Some(','), "3,17"),
            ('.', Some(','), "1,2345"),
            ('.', Some(','), "1234,567"),
            ('.', Some(','), ",123"),
            ('.', Some(','), "1,,234"),
            ('.', Some(','), "1.234,567"),
            (',', Some('.'), "1.5"),
            ('.', None, "1.2.3"),
            ('.', None, ".5"),
            ('.', None, "5."),
            ('.', None, ""),
            ('.', None, "-"),
            ('.', None, "--1"),
            ('.', None, "1e3"),
            ('.', None, "1_0"),
            ('.', None, "5%"),
            ('.', None, "nan"),
            ('.', None, "１２"),
            ('.', None, "1234567890123456789"),
            ('.', None, "0.1234567890123"),
        ] {
            assert_eq!(read(decimal, thousands, text), None, "{text}");
        }
    }

    #[test]
    fn a_product_is_exact_or_none() {
        let tonne: Decimal = "907.18474".parse().expect("a number");
        let product = |text: &str| times(text.parse().expect("a number"), tonne);
        assert_eq!(
            product("3258.3").map(|n| n.to_string()).as_deref(),
            Some("2955880.038342")
        );
        assert_eq!(product("0.0"), Some(Decimal::ZERO));
        assert_eq!(product("123456789012345678.123456789012"), None);
    }

    proptest! {
        #[test]
        fn plain_numbers_read_as_the_library_reads_them(text in "-?[0-9]{1,18}(\\.[0-9]{1,10})?") {
            prop_assert_eq!(Numerals::PLAIN.read(&text).ok(), text.parse::<Decimal>().ok());
        }
    }
}
