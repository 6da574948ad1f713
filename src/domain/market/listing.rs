//! Listings (挂牌): units frozen in the registry while the exchange offers them.

use uuid::Uuid;

use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::unit::{Fen, Tonnes};

use super::price::Price;
use super::trade::Trade;

/// Where a listing stands.
///
/// ```text
/// Pending ──accepted──▶ Open ──all sold──▶ Filled
///    │ │                │  └─trade does not fit─▶ Incident ──resolved──▶ Open, Closing, Filled, Closed
///    │ └─────unlist─────┴─▶ Closing ──rest returned, all trades settled──▶ Closed
///    └──refused──▶ Refused (all units returned)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingState {
    /// The order waits to be delivered, or its answer is not known.
    Pending,
    /// The exchange offers the units.
    Open,
    /// The seller wants the rest back; the exchange has not answered yet, or trades made before
    /// it answered are still to be settled.
    Closing,
    /// The exchange did not take the order.
    Refused,
    Filled,
    /// Part or nothing was sold, the rest went back.
    Closed,
    /// A trade does not fit what was listed: nothing moves until an officer resolves it.
    Incident,
}

impl ListingState {
    pub const ALL: [ListingState; 7] = [
        ListingState::Pending,
        ListingState::Open,
        ListingState::Closing,
        ListingState::Refused,
        ListingState::Filled,
        ListingState::Closed,
        ListingState::Incident,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ListingState::Pending => "pending",
            ListingState::Open => "open",
            ListingState::Closing => "closing",
            ListingState::Refused => "refused",
            ListingState::Filled => "filled",
            ListingState::Closed => "closed",
            ListingState::Incident => "incident",
        }
    }

    pub fn parse(text: &str) -> Option<ListingState> {
        ListingState::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// Part of a block, offered at a price. `filled + returned + still frozen = quantity`, always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Also the key under which the exchange knows the order: sending it again is the same order.
    pub id: Uuid,
    pub seller: Uuid,
    pub issuance: Uuid,
    pub quantity: Tonnes,
    pub price: Price,
    pub filled: Tonnes,
    pub returned: Tonnes,
    pub proceeds: Fen,
    pub state: ListingState,
    pub order_id: Option<String>,
    pub refusal: Option<String>,
    pub version: i32,
}

/// What a trade does to its listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Title to this many tonnes moves; the listing becomes this.
    Moves(Listing),
    /// Nothing moves; the reason, and the listing as it becomes.
    Incident(Detail, Listing),
}

impl Listing {
    pub fn placed(
        id: Uuid,
        seller: Uuid,
        issuance: Uuid,
        quantity: Tonnes,
        price: Price,
    ) -> Listing {
        Listing {
            id,
            seller,
            issuance,
            quantity,
            price,
            filled: Tonnes::ZERO,
            returned: Tonnes::ZERO,
            proceeds: Fen::ZERO,
            state: ListingState::Pending,
            order_id: None,
            refusal: None,
            version: 1,
        }
    }

    /// Units still frozen in the registry for this listing.
    pub fn frozen(&self) -> Tonnes {
        Tonnes(self.quantity.0 - self.filled.0 - self.returned.0)
    }

    /// The exchange took the order. An answer that arrives twice changes nothing, and one that
    /// arrives after the trades it led to only adds the order's id.
    ///
    /// # Errors
    /// `listing_state` if the order was refused before, or has another id.
    pub fn accepted(&self, order_id: &str) -> Result<Listing, Problem> {
        if self.order_id.as_deref() == Some(order_id) {
            return Ok(self.clone());
        }
        if self.order_id.is_some() {
            return Err(self.not(detail!("须为此前记下的订单", "the order named before")));
        }
        let state = match self.state {
            ListingState::Pending => ListingState::Open,
            ListingState::Closing | ListingState::Incident => self.state,
            _ => return Err(self.not(detail!("须为 pending", "pending"))),
        };
        Ok(Listing {
            order_id: Some(order_id.to_owned()),
            ..self.becomes(state)
        })
    }

    /// The exchange refused the order: every unit goes back to the seller.
    ///
    /// # Errors
    /// `listing_state` if the order was accepted before.
    pub fn refused(&self, reason: &str) -> Result<Listing, Problem> {
        let waits = matches!(self.state, ListingState::Pending | ListingState::Closing);
        if !waits || self.order_id.is_some() {
            return Err(self.not(detail!("须为 pending", "pending")));
        }
        Ok(Listing {
            returned: self.quantity,
            refusal: Some(reason.to_owned()),
            ..self.becomes(ListingState::Refused)
        })
    }

    /// The seller asks for the unsold rest back.
    ///
    /// # Errors
    /// `listing_state` unless pending or open.
    pub fn unlist(&self) -> Result<Listing, Problem> {
        match self.state {
            ListingState::Pending | ListingState::Open => Ok(self.becomes(ListingState::Closing)),
            _ => Err(self.not(detail!("须为 pending 或 open", "pending or open"))),
        }
    }

    /// The exchange took the order out of its book after `filled` tonnes had been sold in all. Only
    /// what it never sold goes back; what it sold stays frozen until its trades are settled.
    ///
    /// # Errors
    /// `listing_state` if it is not closing, or the exchange's figure does not fit.
    pub fn withdrawn(&self, filled: Tonnes) -> Result<(Tonnes, Listing), Problem> {
        if self.state != ListingState::Closing || self.returned != Tonnes::ZERO {
            return Err(self.not(detail!("须为 closing", "closing")));
        }
        if filled < self.filled || filled > self.quantity {
            let detail = detail!(
                "交易所称已售 {} 吨",
                "The exchange says {} t were sold.",
                filled.0
            );
            return Err(Problem::at(Code::ListingState, "filled", detail));
        }
        let rest = Tonnes(self.quantity.0 - filled.0);
        let listing = Listing {
            returned: rest,
            ..self.becomes(ListingState::Closing)
        };
        Ok((rest, listing.at_rest()))
    }

    /// Settles one trade: title moves if it fits, an incident if it does not.
    pub fn settle(&self, trade: &Trade) -> Settled {
        match self.fits(trade) {
            Ok(proceeds) => Settled::Moves(
                Listing {
                    filled: Tonnes(self.filled.0 + trade.quantity.0),
                    proceeds,
                    order_id: self.order_id.clone().or(Some(trade.order_id.clone())),
                    ..self.becomes(self.state_on_trade())
                }
                .at_rest(),
            ),
            Err(reason) => Settled::Incident(reason, self.becomes(ListingState::Incident)),
        }
    }

    /// Goes on after an officer resolved what was wrong.
    ///
    /// # Errors
    /// `listing_state` unless there is an incident.
    pub fn resolved(&self) -> Result<Listing, Problem> {
        if self.state != ListingState::Incident {
            return Err(self.not(detail!("须为 incident", "incident")));
        }
        let state = match (self.returned, &self.order_id) {
            (Tonnes::ZERO, Some(_)) => ListingState::Open,
            (Tonnes::ZERO, None) => ListingState::Pending,
            _ => ListingState::Closing,
        };
        Ok(self.becomes(state).at_rest())
    }

    fn fits(&self, trade: &Trade) -> Result<Fen, Detail> {
        let state = self.state;
        let sells = matches!(
            state,
            ListingState::Pending | ListingState::Open | ListingState::Closing
        );
        if !sells {
            return Err(detail!(
                "挂牌状态为 {}",
                "the listing is {}",
                state.as_str()
            ));
        }
        if trade.quantity < Tonnes(1) || trade.quantity > self.frozen() {
            let frozen = self.frozen().0;
            return Err(detail!(
                "成交 {} 吨，挂牌中 {frozen} 吨",
                "{} t traded, {frozen} t listed",
                trade.quantity.0
            ));
        }
        if trade.price < self.price {
            return Err(detail!(
                "成交价 {}，挂牌价 {}",
                "traded at {}, listed at {}",
                trade.price,
                self.price
            ));
        }
        if self
            .order_id
            .as_ref()
            .is_some_and(|id| *id != trade.order_id)
        {
            return Err(detail!(
                "订单 {} 不属于该挂牌",
                "order {} is not the listing's",
                trade.order_id
            ));
        }
        trade
            .price
            .times(trade.quantity)
            .ok()
            .and_then(|amount| self.proceeds.plus(amount).ok())
            .ok_or_else(|| {
                detail!(
                    "金额超出可表示的范围",
                    "the amount leaves the range of money"
                )
            })
    }

    /// A trade proves that the order was accepted, even when the answer has not arrived.
    fn state_on_trade(&self) -> ListingState {
        match self.state {
            ListingState::Pending => ListingState::Open,
            state => state,
        }
    }

    /// A listing with nothing frozen any more has reached its end.
    fn at_rest(self) -> Listing {
        let state = match (self.frozen(), self.returned) {
            (Tonnes::ZERO, Tonnes::ZERO) => ListingState::Filled,
            (Tonnes::ZERO, _) => ListingState::Closed,
            _ => self.state,
        };
        Listing { state, ..self }
    }

    fn not(&self, needed: Detail) -> Problem {
        let state = self.state.as_str();
        let detail = Detail::told(
            format_args!("挂牌当前为 {state}，{}", needed.zh()),
            format_args!("It is {state}, and must be {}.", needed.en()),
        );
        Problem::at(Code::ListingState, "listing", detail)
    }

    fn becomes(&self, state: ListingState) -> Listing {
        Listing {
            state,
            version: self.version + 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests;
