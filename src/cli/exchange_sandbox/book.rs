//! The exchange's book: what a member may do, and the events that follow. Deciding and applying are
//! apart, so that the journal stands between them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::market::{Price, TradingRules};
use crate::domain::problem::{Kind, Problem};
use crate::domain::unit::Tonnes;

/// Something that happened, as the journal keeps it. Prices in fen, quantities in tonnes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    Opened {
        last_close: i64,
    },
    Listed {
        order: u64,
        seller: String,
        key: String,
        quantity: i64,
        price: i64,
        at: DateTime<Utc>,
    },
    Traded {
        trade: u64,
        order: u64,
        buyer: String,
        key: Option<String>,
        quantity: i64,
        at: DateTime<Utc>,
    },
    Withdrawn {
        order: u64,
    },
    /// The day's close, from which tomorrow's limits follow.
    Closed {
        last_close: i64,
    },
}

impl Event {
    /// Whether this is the trade of that number.
    pub fn is_trade(&self, seq: u64) -> bool {
        matches!(self, Event::Traded { trade, .. } if *trade == seq)
    }
}

/// A seller's order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub id: u64,
    pub seller: String,
    pub key: String,
    pub quantity: i64,
    pub filled: i64,
    pub price: i64,
    pub withdrawn: bool,
    pub at: DateTime<Utc>,
}

impl Order {
    pub fn open(&self) -> i64 {
        match self.withdrawn {
            true => 0,
            false => self.quantity - self.filled,
        }
    }
}

/// A trade, numbered in the order of the report.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    pub seq: u64,
    pub order: u64,
    pub order_key: String,
    pub seller: String,
    pub buyer: String,
    pub key: Option<String>,
    pub quantity: i64,
    pub price: i64,
    pub at: DateTime<Utc>,
}

/// Why the exchange does not do it.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub detail: String,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Refusal {
        let detail = detail.into();
        Refusal {
            status,
            code,
            detail,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        let status = match problem.code.kind() {
            Kind::Invalid => 400,
            _ => 422,
        };
        Refusal::new(status, problem.code.as_str(), problem.detail.to_string())
    }
}

/// What a buyer takes: from one listing, or from the best ones up to a price.
#[derive(Debug, Clone, Copy)]
pub(super) enum Take {
    Order(u64),
    Best { limit: Option<i64> },
}

#[derive(Debug, Default)]
pub(super) struct Book {
    pub last_close: i64,
    pub orders: BTreeMap<u64, Order>,
    pub deals: Vec<Deal>,
    order_keys: HashMap<(String, String), u64>,
    /// Deals before this one belong to earlier days.
    today: usize,
}

impl Book {
    pub const RULES: TradingRules = TradingRules::SHENZHEN;

    pub fn apply(&mut self, event: &Event) {
        match event.clone() {
            Event::Opened { last_close } => self.last_close = last_close,
            Event::Listed {
                order,
                seller,
                key,
                quantity,
                price,
                at,
            } => {
                self.order_keys.insert((seller.clone(), key.clone()), order);
                let listed = Order {
                    id: order,
                    seller,
                    key,
                    quantity,
                    filled: 0,
                    price,
                    withdrawn: false,
                    at,
                };
                self.orders.insert(order, listed);
            }
            Event::Traded {
                trade,
                order,
                buyer,
                key,
                quantity,
                at,
            } => {
                let Some(order) = self.orders.get_mut(&order) else {
                    return;
                };
                order.filled += quantity;
                self.deals.push(Deal {
                    seq: trade,
                    order: order.id,
                    order_key: order.key.clone(),
                    seller: order.seller.clone(),
                    buyer,
                    key,
                    quantity,
                    price: order.price,
                    at,
                });
            }
            Event::Withdrawn { order } => {
                if let Some(order) = self.orders.get_mut(&order) {
                    order.withdrawn = true;
                }
            }
            Event::Closed { last_close } => {
                self.last_close = last_close;
                self.today = self.deals.len();
            }
        }
    }

    /// Places an order, or finds the one that was placed under the same key before.
    pub fn list(
        &self,
        seller: &str,
        key: &str,
        (quantity, price): (i64, Price),
        at: DateTime<Utc>,
    ) -> Result<(u64, Vec<Event>), Refusal> {
        if let Some(id) = self.order_keys.get(&(seller.to_owned(), key.to_owned())) {
            let same = self
                .orders
                .get(id)
                .is_some_and(|o| o.quantity == quantity && o.price == price.fen());
            let other = || Refusal::new(409, "key_used", "The key stands for another order.");
            return same.then(|| (*id, Vec::new())).ok_or_else(other);
        }
        Book::RULES.check_quantity(Tonnes(quantity))?;
        Book::RULES.check_price(price, self.close()?)?;
        price.times(Tonnes(quantity))?;
        let order = self.orders.len() as u64 + 1;
        let listed = Event::Listed {
            order,
            seller: seller.to_owned(),
            key: key.to_owned(),
            quantity,
            price: price.fen(),
            at,
        };
        Ok((order, vec![listed]))
    }

    /// Buys `quantity` tonnes, all or nothing. The same key buys once; its trades are found again.
    pub fn buy(
        &self,
        buyer: &str,
        key: Option<&str>,
        take: Take,
        quantity: i64,
        at: DateTime<Utc>,
    ) -> Result<Vec<Event>, Refusal> {
        Book::RULES.check_quantity(Tonnes(quantity))?;
        let mut left = quantity;
        let mut events = Vec::new();
        for order in self.offers(buyer, take)? {
            let slice = left.min(order.open());
            if slice == 0 {
                continue;
            }
            left -= slice;
            events.push(Event::Traded {
                trade: (self.deals.len() + events.len()) as u64 + 1,
                order: order.id,
                buyer: buyer.to_owned(),
                key: key.map(str::to_owned),
                quantity: slice,
                at,
            });
        }
        if left > 0 {
            let detail = format!("{} t are on offer.", quantity - left);
            return Err(Refusal::new(422, "quantity_out_of_range", detail));
        }
        Ok(events)
    }

    /// Takes an order out of the book; doing it twice is doing it once.
    pub fn withdraw(&self, seller: &str, order: u64) -> Result<Vec<Event>, Refusal> {
        let order = self.order(order)?;
        if order.seller != seller {
            return Err(Refusal::new(403, "not_yours", ""));
        }
        match order.withdrawn {
            true => Ok(Vec::new()),
            false => Ok(vec![Event::Withdrawn { order: order.id }]),
        }
    }

    /// Closes the day at the volume-weighted average of its trades, rounded half up to the tick;
    /// without a trade the close stays.
    pub fn close_day(&self) -> Vec<Event> {
        let today = self.deals.get(self.today..).unwrap_or_default();
        let volume: i128 = today.iter().map(|d| i128::from(d.quantity)).sum();
        let value: i128 = today
            .iter()
            .map(|d| i128::from(d.quantity) * i128::from(d.price))
            .sum();
        let last_close = match volume {
            0 => self.last_close,
            _ => i64::try_from((2 * value + volume) / (2 * volume)).unwrap_or(self.last_close),
        };
        vec![Event::Closed { last_close }]
    }

    /// Open listings in the order of price, then time.
    pub fn open_orders(&self) -> Vec<&Order> {
        let mut open: Vec<&Order> = self.orders.values().filter(|o| o.open() > 0).collect();
        open.sort_by_key(|o| (o.price, o.at, o.id));
        open
    }

    pub fn order(&self, id: u64) -> Result<&Order, Refusal> {
        let missing = || Refusal::new(404, "not_found", "There is no such order.");
        self.orders.get(&id).ok_or_else(missing)
    }

    /// The deals that a buyer's key led to.
    pub fn bought(&self, buyer: &str, key: &str) -> Vec<&Deal> {
        let by_key = |d: &&Deal| d.buyer == buyer && d.key.as_deref() == Some(key);
        self.deals.iter().filter(by_key).collect()
    }

    fn offers(&self, buyer: &str, take: Take) -> Result<Vec<&Order>, Refusal> {
        match take {
            Take::Order(id) => {
                let order = self.order(id)?;
                if order.seller == buyer {
                    return Err(Refusal::new(
                        422,
                        "own_order",
                        "Nobody buys from themselves.",
                    ));
                }
                Ok(vec![order])
            }
            Take::Best { limit } => Ok(self
                .open_orders()
                .into_iter()
                .filter(|o| o.seller != buyer && limit.is_none_or(|limit| o.price <= limit))
                .collect()),
        }
    }

    fn close(&self) -> Result<Price, Refusal> {
        Ok(Price::from_fen(self.last_close)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Book {
        let mut book = Book::default();
        book.apply(&Event::Opened { last_close: 4_500 });
        book
    }

    fn run(book: &mut Book, events: Vec<Event>) {
        events.iter().for_each(|event| book.apply(event));
    }

    fn list(book: &mut Book, key: &str, quantity: i64, price: &str) -> u64 {
        let offer = (quantity, Price::parse(price).unwrap());
        let (id, events) = book.list("s", key, offer, DateTime::default()).unwrap();
        run(book, events);
        id
    }

    #[test]
    fn the_same_key_is_the_same_order() {
        let mut book = book();
        assert_eq!(
            list(&mut book, "k", 5, "45.00"),
            list(&mut book, "k", 5, "45.00")
        );
        assert_eq!(book.orders.len(), 1);
        let other = (6, Price::parse("45.00").unwrap());
        assert_eq!(
            book.list("s", "k", other, DateTime::default())
                .unwrap_err()
                .status,
            409
        );
    }

    #[test]
    fn best_takes_by_price_then_time_and_all_or_nothing() {
        let mut book = book();
        list(&mut book, "dear", 5, "46.00");
        list(&mut book, "early", 5, "45.00");
        list(&mut book, "late", 5, "45.00");
        let best = Take::Best { limit: Some(4_500) };
        assert!(book.buy("b", None, best, 11, DateTime::default()).is_err());
        let events = book.buy("b", None, best, 7, DateTime::default()).unwrap();
        run(&mut book, events);
        let took: Vec<_> = book
            .deals
            .iter()
            .map(|d| (d.order_key.as_str(), d.quantity))
            .collect();
        assert_eq!(took, [("early", 5), ("late", 2)]);
        assert!(
            book.buy("s", None, best, 1, DateTime::default()).is_err(),
            "own order"
        );
    }

    #[test]
    fn withdrawn_orders_sell_no_more_and_the_day_closes_at_the_average() {
        let mut book = book();
        let id = list(&mut book, "a", 5, "45.01");
        let other = list(&mut book, "b", 5, "45.02");
        for order in [id, other] {
            let events = book
                .buy("b", None, Take::Order(order), 1, DateTime::default())
                .unwrap();
            run(&mut book, events);
        }
        let events = book.withdraw("s", id).unwrap();
        run(&mut book, events);
        assert!(book.withdraw("s", id).unwrap().is_empty());
        assert!(book.withdraw("x", id).is_err());
        assert!(
            book.buy("b", None, Take::Order(id), 1, DateTime::default())
                .is_err()
        );
        // (45.01 + 45.02) / 2 = 45.015, half up.
        let events = book.close_day();
        run(&mut book, events);
        assert_eq!(book.last_close, 4_502);
        let events = book.close_day();
        run(&mut book, events);
        assert_eq!(
            book.last_close, 4_502,
            "a day without trades keeps the close"
        );
    }
}
