//! Amounts that the books are kept in, and the units of measure that come before them. Three
//! amounts, never mixed: reductions in milligrams of CO₂e, points, and certified units in whole
//! tonnes; money in fen.

mod amount;
mod dimension;
mod measure;
mod ratio;
pub mod rounding;
mod symbol;

#[cfg(test)]
mod tests;

pub use amount::{Fen, MgCo2e, OutOfRange, Points, Tonnes};
pub use dimension::{Base, Dimension};
pub use measure::{Conversion, Unit, UnitError, display_decimal, parse_quantity};
pub use rounding::Rounding;
