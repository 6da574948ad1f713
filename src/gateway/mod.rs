//! Outgoing clients. Each has a timeout and a twin that runs in this process.

mod exchange;
pub mod log_client;
mod memory;
pub mod partner_client;
pub mod partner_feed;
mod redis;
mod short_lived;

pub use exchange::{ExchangeClient, ExchangeError, Order};
pub use short_lived::{ShortLived, ShortLivedError, Verdict};
