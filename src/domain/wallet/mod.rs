//! The points wallet (碳积分钱包): lots that expire, credits by a versioned exchange rule, and
//! balanced movements between accounts.

mod credit;
mod exchange_rule;
mod lot;
mod posting;
#[cfg(test)]
mod vectors;

pub mod sharing;

pub use credit::{Credit, Earner};
pub use exchange_rule::{ExchangeRule, RuleError};
pub use lot::{Lot, Spend};
pub use posting::{EXPIRED, Entry, ISSUANCE, REDEEMED, Transfer, TransferKind, Unbalanced};

/// A calendar day, in days since 1970-01-01, in the zone that the scene declares.
pub type Day = i32;
