//! Behaviour records (行为记录): what a scene partner says somebody did, in one normal form
//! whatever the feed's own format was.

mod record;

pub use record::{Quantity, Record};
