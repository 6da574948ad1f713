//! Prices.

use std::fmt;

use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::unit::{Fen, Tonnes};

/// A price in fen per tonne; always above zero. Written in yuan with two decimals: `45.00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

impl Price {
    /// Ten million yuan a tonne; beyond it a price is a slip of the pen.
    pub const MAX: Price = Price(1_000_000_000);

    /// # Errors
    /// `price_invalid` unless between one fen and [`Price::MAX`].
    pub fn from_fen(fen: i64) -> Result<Price, Problem> {
        if !(1..=Price::MAX.0).contains(&fen) {
            return Err(Problem::at(Code::PriceInvalid, "price", Detail::value(fen)));
        }
        Ok(Price(fen))
    }

    /// Reads yuan with exactly two decimals.
    ///
    /// # Errors
    /// `price_invalid` for anything else.
    pub fn parse(text: &str) -> Result<Price, Problem> {
        parse_fen(text)
            .ok_or_else(|| {
                Problem::at(
                    Code::PriceInvalid,
                    "price",
                    detail!("以元为单位，两位小数", "Yuan with two decimals."),
                )
            })
            .and_then(Price::from_fen)
    }

    pub fn fen(self) -> i64 {
        self.0
    }

    /// What `quantity` costs at this price.
    ///
    /// # Errors
    /// `quantity_out_of_range` if the product leaves `i64`.
    pub fn times(self, quantity: Tonnes) -> Result<Fen, Problem> {
        self.0
            .checked_mul(quantity.0)
            .map(Fen)
            .ok_or_else(|| Problem::on(Code::QuantityOutOfRange, "quantity"))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

fn parse_fen(text: &str) -> Option<i64> {
    let (yuan, fen) = text.split_once('.')?;
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(yuan) || !digits(fen) || fen.len() != 2 {
        return None;
    }
    let yuan: i64 = yuan.parse().ok()?;
    yuan.checked_mul(100)?.checked_add(fen.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_read_as_they_are_written() {
        assert_eq!(Price::parse("45.00").unwrap().fen(), 4_500);
        assert_eq!(Price::parse("0.01").unwrap().to_string(), "0.01");
        for bad in [
            "",
            "45",
            "45.0",
            "45.000",
            "-1.00",
            "+1.00",
            "0.00",
            "1e2.00",
            "1,000.00",
            ".50",
            "99999999999999999999.00",
            "10000000.01",
        ] {
            assert_eq!(
                Price::parse(bad).unwrap_err().code,
                Code::PriceInvalid,
                "{bad}"
            );
        }
    }
}
