//! The bridge to the exchange (市场联通): what a listing may be, how a trade moves title, and the
//! trading rules that both the bridge and the sandbox exchange check.

mod listing;
mod price;
mod rules;
mod trade;

pub use listing::{Listing, ListingState, Settled};
pub use price::Price;
pub use rules::TradingRules;
pub use trade::Trade;
