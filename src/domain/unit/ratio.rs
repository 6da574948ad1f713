//! Exact ratios of whole numbers: the scale of a unit.

/// A positive ratio in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    pub const ONE: Ratio = Ratio {
        numerator: 1,
        denominator: 1,
    };

    /// `None` unless both are positive.
    pub fn new(numerator: i128, denominator: i128) -> Option<Ratio> {
        if numerator <= 0 || denominator <= 0 {
            return None;
        }
        let divisor = common_divisor(numerator, denominator);
        Some(Ratio {
            numerator: numerator / divisor,
            denominator: denominator / divisor,
        })
    }

    /// `None` if a part leaves `i128`.
    pub fn times(self, other: Ratio) -> Option<Ratio> {
        let left = common_divisor(self.numerator, other.denominator);
        let right = common_divisor(other.numerator, self.denominator);
        Some(Ratio {
            numerator: (self.numerator / left).checked_mul(other.numerator / right)?,
            denominator: (self.denominator / right).checked_mul(other.denominator / left)?,
        })
    }

    pub fn inverse(self) -> Ratio {
        Ratio {
            numerator: self.denominator,
            denominator: self.numerator,
        }
    }

    /// `None` if a part leaves `i128`.
    pub fn power(self, exponent: i8) -> Option<Ratio> {
        let base = if exponent < 0 { self.inverse() } else { self };
        let mut result = Ratio::ONE;
        for _ in 0..exponent.unsigned_abs() {
            result = result.times(base)?;
        }
        Some(result)
    }

    pub fn numerator(self) -> i128 {
        self.numerator
    }

    pub fn denominator(self) -> i128 {
        self.denominator
    }

    /// Whether the ratio is a finite decimal fraction: no prime but 2 and 5 below the line.
    pub fn is_finite_decimal(self) -> bool {
        let mut rest = self.denominator;
        for prime in [2, 5] {
            while rest % prime == 0 {
                rest /= prime;
            }
        }
        rest == 1
    }
}

fn common_divisor(mut left: i128, mut right: i128) -> i128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}
