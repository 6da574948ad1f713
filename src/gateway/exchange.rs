//! The exchange, as a client of its JSON API sees it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use crate::domain::market::{Price, Trade};
use crate::domain::unit::Tonnes;

/// How long an answer may take, connection included.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Talks to one exchange as one member of it; cheap to clone.
#[derive(Clone)]
pub struct ExchangeClient {
    http: reqwest::Client,
    base_url: String,
    token: SecretString,
}

/// An order as the exchange shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: String,
    /// Tonnes sold so far.
    pub filled: Tonnes,
}

/// Why the exchange did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// It heard us and will never do it: a rule of the market refuses.
    #[error("the exchange refuses: {0}")]
    Refused(String),
    /// What became of the request is not known; asking again with the same key is safe.
    #[error("the exchange did not answer")]
    Unknown(#[source] reqwest::Error),
    /// It answered something else than its interface says.
    #[error("the exchange answered {0}")]
    Unexpected(String),
}

#[derive(Deserialize)]
struct OrderBody {
    order_id: String,
    filled: i64,
}

#[derive(Deserialize)]
struct RefusalBody {
    code: String,
    detail: String,
}

#[derive(Deserialize)]
struct TradesBody {
    trades: Vec<TradeBody>,
}

#[derive(Deserialize)]
struct TradeBody {
    trade_id: String,
    seq: i64,
    order_id: String,
    key: String,
    buyer: String,
    quantity: i64,
    price: String,
    at: DateTime<Utc>,
}

impl ExchangeClient {
    /// `base_url` without a slash at the end; `token` is the member's.
    ///
    /// # Errors
    /// The client cannot be built on this machine.
    pub fn new(base_url: &str, token: SecretString) -> Result<ExchangeClient, ExchangeError> {
        // One provider a process; somebody may have named it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .build()
            .map_err(ExchangeError::Unknown)?;
        Ok(ExchangeClient {
            http,
            base_url: base_url.to_owned(),
            token,
        })
    }

    /// Places an order under `key`; the exchange takes the same key for the same order.
    ///
    /// # Errors
    /// [`ExchangeError::Refused`] if it will never take it; any other error says nothing about
    /// whether it did.
    pub async fn place(
        &self,
        key: Uuid,
        quantity: Tonnes,
        price: Price,
    ) -> Result<Order, ExchangeError> {
        let body = json!({ "quantity": quantity.0, "price": price.to_string() });
        let request = self
            .request(Method::POST, "/orders")
            .header("Idempotency-Key", key.to_string())
            .json(&body);
        ask::<OrderBody>(request).await.map(Order::from)
    }

    /// Takes an order out of the book, however often; answers what it sold in all.
    ///
    /// # Errors
    /// As [`ExchangeClient::place`].
    pub async fn withdraw(&self, order_id: &str) -> Result<Order, ExchangeError> {
        let path = format!("/orders/{order_id}");
        let request = self.request(Method::DELETE, &path);
        ask::<OrderBody>(request).await.map(Order::from)
    }

    /// The trade report after a place in it, in its order; empty at the end.
    ///
    /// # Errors
    /// As [`ExchangeClient::place`].
    pub async fn trades(&self, after: i64) -> Result<Vec<Trade>, ExchangeError> {
        let request = self
            .request(Method::GET, "/trades")
            .query(&[("after", after)]);
        let body: TradesBody = ask(request).await?;
        body.trades.into_iter().map(TradeBody::trade).collect()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base_url))
            .bearer_auth(self.token.expose_secret())
    }
}

async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ExchangeError> {
    let response = request.send().await.map_err(ExchangeError::Unknown)?;
    match response.status() {
        status if status.is_success() => response.json().await.map_err(ExchangeError::Unknown),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            let body: RefusalBody = response.json().await.map_err(ExchangeError::Unknown)?;
            let text = format!("{} {}", body.code, body.detail);
            Err(ExchangeError::Refused(text.trim().to_owned()))
        }
        status => Err(ExchangeError::Unexpected(status.to_string())),
    }
}

impl From<OrderBody> for Order {
    fn from(body: OrderBody) -> Order {
        Order {
            id: body.order_id,
            filled: Tonnes(body.filled),
        }
    }
}

impl TradeBody {
    fn trade(self) -> Result<Trade, ExchangeError> {
        let unreadable =
            |_| ExchangeError::Unexpected(format!("trade {} at {}", self.trade_id, self.price));
        Ok(Trade {
            price: Price::parse(&self.price).map_err(unreadable)?,
            id: self.trade_id,
            seq: self.seq,
            order_id: self.order_id,
            listing: Uuid::parse_str(&self.key).ok(),
            buyer: self.buyer,
            quantity: Tonnes(self.quantity),
            at: self.at,
        })
    }
}
