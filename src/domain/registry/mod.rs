//! The registry of certified units (核证减排量): ranges of serials, each in one account and one
//! state. Pure rules; the same rules stand as constraints in the tables.

mod block;
mod holder;
mod retirement;
mod serial;

pub use block::{Block, Carved, Status};
pub use holder::HolderKind;
pub use retirement::{Claim, Purpose, Reason, masked};
pub use serial::{Serial, SerialRange, Series};
