//! Whole amounts in their smallest unit, with checked arithmetic.

use std::fmt;

/// An amount left the range of its type; says which amounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{unit} out of range: {left} {operation} {right}")]
pub struct OutOfRange {
    unit: &'static str,
    left: i64,
    operation: &'static str,
    right: i64,
}

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub i64);

        impl $name {
            pub const ZERO: $name = $name(0);

            /// # Errors
            /// [`OutOfRange`] if the sum leaves `i64`.
            pub fn plus(self, other: $name) -> Result<$name, OutOfRange> {
                self.0.checked_add(other.0).map($name).ok_or(OutOfRange {
                    unit: $unit, left: self.0, operation: "+", right: other.0,
                })
            }

            /// # Errors
            /// [`OutOfRange`] if the difference leaves `i64`.
            pub fn minus(self, other: $name) -> Result<$name, OutOfRange> {
                self.0.checked_sub(other.0).map($name).ok_or(OutOfRange {
                    unit: $unit, left: self.0, operation: "-", right: other.0,
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", self.0, $unit)
            }
        }
    };
}

amount!(
    /// A reduction (减排量), in milligrams of CO₂ equivalent.
    MgCo2e, "mg CO2e"
);
amount!(
    /// Carbon points (碳积分): a gift, never bought, sold or passed between people.
    Points, "points"
);
amount!(
    /// Certified units (核证减排量), in whole tonnes.
    Tonnes, "t CO2e"
);
amount!(
    /// Money, in fen (分), a hundredth of a yuan.
    Fen, "fen"
);

impl MgCo2e {
    /// Milligrams in one tonne.
    pub const PER_TONNE: i64 = 1_000_000_000;

    /// Whole tonnes, rounded toward zero (conservative), and the milligrams left over.
    pub fn whole_tonnes(self) -> (Tonnes, MgCo2e) {
        (
            Tonnes(self.0 / Self::PER_TONNE),
            MgCo2e(self.0 % Self::PER_TONNE),
        )
    }
}
