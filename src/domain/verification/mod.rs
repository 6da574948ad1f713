//! From many reductions to one certified quantity: a monitoring period of a scene is closed, its
//! members are re-added by a verifier who did not close it, and the accepted whole tonnes go to
//! issuance. What is not a whole accepted tonne is carried to the next period; nothing is lost.

mod period;
mod statement;

pub use period::{FINDING_ROUNDS_MAX, PeriodState, Totals, Window, four_eyes};
pub use statement::Statement;
