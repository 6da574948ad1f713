//! Rounding has a name.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

/// A rounding mode (修约规则).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Toward zero: conservative for a reduction.
    Down,
    /// Away from zero.
    Up,
    /// To nearest, ties away from zero (四舍五入).
    HalfUp,
    /// To nearest, ties toward zero.
    HalfDown,
    /// To nearest, ties to the even digit (四舍六入五成双, GB/T 8170).
    HalfEven,
}

impl Rounding {
    pub const ALL: [Rounding; 5] = [
        Rounding::Down,
        Rounding::Up,
        Rounding::HalfUp,
        Rounding::HalfDown,
        Rounding::HalfEven,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Rounding::Down => "down",
            Rounding::Up => "up",
            Rounding::HalfUp => "half_up",
            Rounding::HalfDown => "half_down",
            Rounding::HalfEven => "half_even",
        }
    }

    pub fn parse(text: &str) -> Option<Rounding> {
        Rounding::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    fn strategy(self) -> RoundingStrategy {
        match self {
            Rounding::Down => RoundingStrategy::ToZero,
            Rounding::Up => RoundingStrategy::AwayFromZero,
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::HalfDown => RoundingStrategy::MidpointTowardZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        }
    }

    /// To whole numbers.
    pub fn whole(self, value: Decimal) -> Decimal {
        value.round_dp_with_strategy(0, self.strategy())
    }

    /// To `places` decimal places.
    pub fn places(self, value: Decimal, places: u32) -> Decimal {
        value.round_dp_with_strategy(places, self.strategy())
    }

    /// To a multiple of `step`. `None` if `step` is zero or the number leaves `Decimal`.
    pub fn multiple(self, value: Decimal, step: Decimal) -> Option<Decimal> {
        self.whole(value.checked_div(step)?).checked_mul(step)
    }
}

/// Toward minus infinity, to whole numbers.
pub fn floor(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(0, RoundingStrategy::ToNegativeInfinity)
}

/// Whole, toward zero; `None` if it leaves `i64`.
pub fn toward_zero(value: Decimal) -> Option<i64> {
    i64::try_from(Rounding::Down.whole(value).mantissa()).ok()
}
