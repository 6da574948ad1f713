//! Amounts that the books are kept in. Three units, never mixed: reductions in milligrams of
//! CO₂e, points, and certified units in whole tonnes; money in fen.

mod amount;

pub use amount::{Fen, MgCo2e, OutOfRange, Points, Tonnes};
