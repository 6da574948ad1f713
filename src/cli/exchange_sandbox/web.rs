//! The exchange's JSON API. Prices are yuan as text with two decimals, quantities whole tonnes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::Clock;
use crate::domain::market::Price;

use super::Fault;
use super::book::{Book, Deal, Event, Order, Refusal, Take};
use super::journal::Journal;

/// Trades told in one answer.
const TRADES_PER_PAGE: usize = 500;
/// The member that may close the day and read every trade.
const OPERATOR: &str = "operator";

/// What every handler sees.
pub(super) struct Exchange {
    pub journal: Mutex<Journal>,
    /// Members by their token.
    pub members: HashMap<String, String>,
    pub clock: Clock,
    pub fault: Option<Fault>,
    pub fault_done: AtomicBool,
}

pub(super) fn routes(services: &mut web::ServiceConfig) {
    services
        .route("/rules", web::get().to(rules))
        .route("/quotes", web::get().to(quotes))
        .route("/book", web::get().to(book))
        .route("/orders", web::post().to(place))
        .route("/orders/{id}", web::get().to(show))
        .route("/orders/{id}", web::delete().to(withdraw))
        .route("/orders/{id}/click", web::post().to(click))
        .route("/click", web::post().to(click_best))
        .route("/trades", web::get().to(trades))
        .route("/close", web::post().to(close_day));
}

type Answer = Result<HttpResponse, Refused>;

/// A refusal on its way out.
#[derive(Debug)]
struct Refused(Refusal);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let body = json!({ "code": self.0.code, "detail": self.0.detail });
        HttpResponse::build(self.status_code()).json(body)
    }
}

impl<E: Into<Refusal>> From<E> for Refused {
    fn from(error: E) -> Refused {
        Refused(error.into())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    quantity: i64,
    price: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Click {
    quantity: i64,
    limit: Option<String>,
}

#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn rules() -> HttpResponse {
    let rules = Book::RULES;
    HttpResponse::Ok().json(json!({
        "mode": "listing click (挂牌点选)",
        "lot_t": rules.lot.0,
        "tick": yuan(rules.tick_fen),
        "band_percent": rules.band_percent,
        "band_rounding": "half up to the tick",
        "close": "volume-weighted average of the day's trades, half up to the tick",
        "hours": "always open",
        "orders": "good until withdrawn",
        "source": "Shenzhen emission exchange, interim spot trading rules (2013), 4.1.6 to 4.1.12",
        "sandbox": "a rehearsal: nothing here has value",
    }))
}

async fn quotes(exchange: web::Data<Exchange>) -> Answer {
    exchange.read(|book| {
        let (low, high) = Book::RULES.band(Price::from_fen(book.last_close)?);
        let best = book.open_orders().first().map(|o| yuan(o.price));
        Ok(json!({
            "last_close": yuan(book.last_close), "low": yuan(low), "high": yuan(high),
            "best_offer": best, "last": book.deals.last().map(|d| yuan(d.price)),
        }))
    })
}

async fn book(exchange: web::Data<Exchange>) -> Answer {
    exchange.read(|book| {
        let offers: Vec<Value> = book
            .open_orders()
            .into_iter()
            .map(|o| json!({ "order_id": order_id(o.id), "quantity": o.open(), "price": yuan(o.price) }))
            .collect();
        Ok(json!({ "offers": offers }))
    })
}

async fn place(
    exchange: web::Data<Exchange>,
    request: HttpRequest,
    body: web::Json<NewOrder>,
) -> Answer {
    let seller = exchange.member(&request)?;
    let key = key_of(&request)
        .ok_or_else(|| Refusal::new(400, "key_missing", "Idempotency-Key is needed."))?;
    let offer = (body.quantity, Price::parse(&body.price)?);
    let (order, events) = exchange.write(|book, at| {
        let (id, events) = book.list(&seller, &key, offer, at)?;
        Ok((id, events))
    })?;
    let fresh = !events.is_empty();
    if fresh && let Some(broken) = exchange.break_once() {
        return Ok(broken);
    }
    let status = if fresh {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let shown = exchange.look(|book| Ok(order_json(book.order(order)?)))?;
    Ok(HttpResponse::build(status).json(shown))
}

async fn show(
    exchange: web::Data<Exchange>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Answer {
    exchange.member(&request)?;
    let id = order_number(&id)?;
    exchange.read(|book| Ok(order_json(book.order(id)?)))
}

async fn withdraw(
    exchange: web::Data<Exchange>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Answer {
    let seller = exchange.member(&request)?;
    let id = order_number(&id)?;
    exchange.write(|book, _| Ok(((), book.withdraw(&seller, id)?)))?;
    exchange.read(|book| Ok(order_json(book.order(id)?)))
}

async fn click(
    exchange: web::Data<Exchange>,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Json<Click>,
) -> Answer {
    let take = Take::Order(order_number(&id)?);
    buy(&exchange, &request, take, body.quantity)
}

async fn click_best(
    exchange: web::Data<Exchange>,
    request: HttpRequest,
    body: web::Json<Click>,
) -> Answer {
    let limit = body.limit.as_deref().map(Price::parse).transpose()?;
    let limit = limit.map(Price::fen);
    buy(&exchange, &request, Take::Best { limit }, body.quantity)
}

fn buy(exchange: &Exchange, request: &HttpRequest, take: Take, quantity: i64) -> Answer {
    let buyer = exchange.member(request)?;
    let key = key_of(request);
    let (known, events) = exchange.write(|book, at| {
        let known = key.as_deref().map(|key| told(book.bought(&buyer, key)));
        match known.filter(|trades| !trades.is_empty()) {
            Some(trades) => Ok((Some(trades), Vec::new())),
            None => {
                let events = book.buy(&buyer, key.as_deref(), take, quantity, at)?;
                Ok((None, events))
            }
        }
    })?;
    let trades = match known {
        Some(trades) => trades,
        None => exchange.look(|book| {
            let made = |d: &&Deal| events.iter().any(|event| event.is_trade(d.seq));
            Ok(told(book.deals.iter().filter(made).collect()))
        })?,
    };
    Ok(HttpResponse::Ok().json(json!({ "trades": trades })))
}

async fn trades(
    exchange: web::Data<Exchange>,
    request: HttpRequest,
    query: web::Query<After>,
) -> Answer {
    let member = exchange.member(&request)?;
    exchange.read(|book| {
        let mine = |d: &&Deal| {
            d.seq > query.after && (member == OPERATOR || d.seller == member || d.buyer == member)
        };
        let page = book.deals.iter().filter(mine).take(TRADES_PER_PAGE);
        Ok(json!({ "trades": told(page.collect()) }))
    })
}

async fn close_day(exchange: web::Data<Exchange>, request: HttpRequest) -> Answer {
    if exchange.member(&request)? != OPERATOR {
        return Err(Refusal::new(403, "operator_only", "").into());
    }
    exchange.write(|book, _| Ok(((), book.close_day())))?;
    exchange.read(|book| Ok(json!({ "last_close": yuan(book.last_close) })))
}

impl Exchange {
    /// Decides on the book as it is, and commits what follows before anybody is answered.
    /// Returns what followed.
    fn write<T>(
        &self,
        decide: impl FnOnce(&Book, DateTime<Utc>) -> Result<(T, Vec<Event>), Refusal>,
    ) -> Result<(T, Vec<Event>), Refused> {
        let at = self.clock.now();
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, events) = decide(&journal.book, at)?;
        journal
            .commit(&events)
            .map_err(|error| Refusal::new(500, "journal", error.to_string()))?;
        Ok((value, events))
    }

    fn look<T>(&self, show: impl FnOnce(&Book) -> Result<T, Refusal>) -> Result<T, Refused> {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(show(&journal.book)?)
    }

    fn read(&self, show: impl FnOnce(&Book) -> Result<Value, Refusal>) -> Answer {
        Ok(HttpResponse::Ok().json(self.look(show)?))
    }

    fn member(&self, request: &HttpRequest) -> Result<String, Refused> {
        let unknown = || Refusal::new(401, "token_invalid", "");
        let header = request.headers().get("Authorization");
        let token = header
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.strip_prefix("Bearer "))
            .ok_or_else(unknown)?;
        Ok(self.members.get(token).cloned().ok_or_else(unknown)?)
    }

    /// The order is in the journal; the answer gets lost, once, when a rehearsal asks for it.
    fn break_once(&self) -> Option<HttpResponse> {
        let fault = self.fault?;
        if self.fault_done.swap(true, Ordering::SeqCst) {
            return None;
        }
        match fault {
            Fault::DropResponseOnce => {
                let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                let body = futures_util::stream::once(async move { Err::<web::Bytes, _>(cut) });
                Some(HttpResponse::Created().streaming(body))
            }
            Fault::DieAfterAccept => std::process::exit(70),
        }
    }
}

fn key_of(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get("Idempotency-Key")?.to_str().ok()?;
    (!value.is_empty() && value.len() <= 200).then(|| value.to_owned())
}

fn order_json(order: &Order) -> Value {
    json!({
        "order_id": order_id(order.id), "key": order.key, "quantity": order.quantity,
        "filled": order.filled, "price": yuan(order.price), "withdrawn": order.withdrawn,
        "at": order.at.to_rfc3339_opts(SecondsFormat::Micros, true),
    })
}

fn told(mut deals: Vec<&Deal>) -> Vec<Value> {
    deals.sort_by_key(|d| d.seq);
    let line = |d: &Deal| {
        json!({
            "trade_id": format!("T-{:08}", d.seq), "seq": d.seq, "order_id": order_id(d.order),
            "key": d.order_key, "seller": d.seller, "buyer": d.buyer, "quantity": d.quantity,
            "price": yuan(d.price), "at": d.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        })
    };
    deals.into_iter().map(line).collect()
}

fn order_id(number: u64) -> String {
    format!("O-{number:08}")
}

fn order_number(id: &str) -> Result<u64, Refusal> {
    let missing = || Refusal::new(404, "not_found", "There is no such order.");
    let digits = id.strip_prefix("O-").ok_or_else(missing)?;
    digits.parse().map_err(|_| missing())
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
