//! A line of the exchange's trade report.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::unit::Tonnes;

use super::price::Price;

/// One trade (成交) as the exchange reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// The exchange's id of the trade; title moves once for it.
    pub id: String,
    /// Place in the report.
    pub seq: i64,
    /// The exchange's id of the order.
    pub order_id: String,
    /// The key under which the order was placed: the listing, if it is ours.
    pub listing: Option<Uuid>,
    /// The exchange's code of the buyer.
    pub buyer: String,
    pub quantity: Tonnes,
    pub price: Price,
    pub at: DateTime<Utc>,
}
