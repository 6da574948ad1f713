//! Shenzhen's published trading rules, as data.

use crate::domain::problem::{Code, Problem, detail};
use crate::domain::unit::Tonnes;

use super::price::Price;

/// What an order must keep to.
///
/// # Source
/// Shenzhen emission exchange, interim spot trading rules (2013), 4.1.7 lot, 4.1.8 tick, 4.1.10
/// daily limit; the exchange may change each, so they are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradingRules {
    /// Smallest quantity and its step, in tonnes.
    pub lot: Tonnes,
    /// Smallest price step, in fen.
    pub tick_fen: i64,
    /// Furthest distance from the last close, in percent.
    pub band_percent: i64,
}

impl TradingRules {
    pub const SHENZHEN: TradingRules = TradingRules {
        lot: Tonnes(1),
        tick_fen: 1,
        band_percent: 10,
    };

    /// # Errors
    /// `quantity_out_of_range` unless a positive multiple of the lot.
    pub fn check_quantity(&self, quantity: Tonnes) -> Result<(), Problem> {
        if quantity.0 >= self.lot.0 && quantity.0 % self.lot.0 == 0 {
            return Ok(());
        }
        let detail = detail!("须为 {} 吨的整数倍", "A multiple of {} t.", self.lot.0);
        Err(Problem::at(Code::QuantityOutOfRange, "quantity", detail))
    }

    /// The lowest and highest price of the day: the last close less and plus the band, each rounded
    /// half up to the tick, and never below one tick.
    pub fn band(&self, last_close: Price) -> (i64, i64) {
        let at = |percent: i64| self.half_up_to_tick(last_close.fen() * percent);
        let low = at(100 - self.band_percent).max(self.tick_fen);
        (low, at(100 + self.band_percent))
    }

    /// # Errors
    /// `price_invalid` if off the tick, `price_outside_band` if too far from the last close.
    pub fn check_price(&self, price: Price, last_close: Price) -> Result<(), Problem> {
        if price.fen() % self.tick_fen != 0 {
            return Err(Problem::at(
                Code::PriceInvalid,
                "price",
                detail!("不是最小变动价位的整数倍", "Off the tick."),
            ));
        }
        let (low, high) = self.band(last_close);
        if (low..=high).contains(&price.fen()) {
            return Ok(());
        }
        let (low, high) = (Price::from_fen(low)?, Price::from_fen(high)?);
        let detail = detail!("今日价格范围为 {low} 至 {high}", "Today {low} to {high}.");
        Err(Problem::at(Code::PriceOutsideBand, "price", detail))
    }

    /// `hundredths` of a fen, rounded half up to whole ticks, in fen.
    fn half_up_to_tick(&self, hundredths: i64) -> i64 {
        let tick = self.tick_fen * 100;
        (hundredths + tick / 2) / tick * self.tick_fen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_is_rounded_half_up_to_the_tick() {
        let rules = TradingRules::SHENZHEN;
        let band = |fen| rules.band(Price::from_fen(fen).unwrap());
        assert_eq!(band(4_500), (4_050, 4_950));
        // 45.05 × 0.9 = 40.545 and × 1.1 = 49.555: both halves go up.
        assert_eq!(band(4_505), (4_055, 4_956));
        assert_eq!(band(4_504), (4_054, 4_954));
        assert_eq!(band(1), (1, 1));
        let coarse = TradingRules {
            tick_fen: 5,
            ..rules
        };
        assert_eq!(coarse.band(Price::from_fen(4_505).unwrap()), (4_055, 4_955));
    }

    #[test]
    fn prices_and_quantities_outside_are_refused() {
        let rules = TradingRules::SHENZHEN;
        let close = Price::parse("45.00").unwrap();
        for (price, ok) in [
            ("40.49", false),
            ("40.50", true),
            ("49.50", true),
            ("49.51", false),
        ] {
            assert_eq!(
                rules
                    .check_price(Price::parse(price).unwrap(), close)
                    .is_ok(),
                ok,
                "{price}"
            );
        }
        let high = rules.check_price(Price::parse("49.51").unwrap(), close);
        let told = high.unwrap_err().detail;
        assert_eq!(told.zh(), "今日价格范围为 40.50 至 49.50");
        assert_eq!(told.en(), "Today 40.50 to 49.50.");
        let lots = TradingRules {
            lot: Tonnes(10),
            ..rules
        };
        for (quantity, ok) in [
            (i64::MIN, false),
            (0, false),
            (5, false),
            (10, true),
            (15, false),
            (20, true),
        ] {
            assert_eq!(
                lots.check_quantity(Tonnes(quantity)).is_ok(),
                ok,
                "{quantity}"
            );
        }
    }
}
