//! Readings that wait for their period, periods to be computed, and what they came to.

mod queue;
mod reading;
mod result;
mod year;

pub use queue::*;
pub use reading::*;
pub use result::*;
pub use year::*;
