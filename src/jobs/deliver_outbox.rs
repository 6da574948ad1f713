//! Delivers what flows left in the outbox. A message is taken with a lease, delivered with no
//! transaction open, and its effect and its end are written together: a process that dies in
//! between delivers it again, under the same key.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use tokio::sync::watch;
use uuid::Uuid;

use crate::config::Clock;
use crate::domain::context::Ctx;
use crate::domain::market::ListingState;
use crate::flow::list_on_market::{
    TOPIC_LIST, TOPIC_UNLIST, order_accepted, order_refused, order_withdrawn,
};
use crate::flow::{FlowError, FlowResult};
use crate::gateway::{ExchangeClient, ExchangeError, Order};
use crate::store::outbox::{self, OutboxRow};
use crate::store::{Pool, StoreError, Tx, market};

use super::system_ctx;

/// How often the outbox is looked at.
const PERIOD: Duration = Duration::from_secs(1);
/// Messages taken at once: even if each waits for its time-out, the lease outlasts them.
const TAKEN_AT_ONCE: i64 = 8;
/// How long a taken message is hidden from other workers.
const LEASE: TimeDelta = TimeDelta::seconds(120);
/// The longest wait between two attempts.
const BACK_OFF_MAX_SECONDS: i64 = 3600;

/// Who delivers; a topic without its gateway waits.
#[derive(Clone, Default)]
pub struct Gateways {
    pub exchange: Option<ExchangeClient>,
}

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    pub done: usize,
    pub retried: usize,
}

#[derive(Deserialize)]
struct Payload {
    listing: Uuid,
}

pub(super) async fn run(
    pool: Pool,
    clock: Clock,
    gateways: Gateways,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        if let Err(error) = deliver_due(&pool, &clock, &gateways).await {
            tracing::warn!(%error, "the outbox could not be read");
        }
        let stopped = stop.wait_for(|stop| *stop);
        if tokio::time::timeout(PERIOD, stopped).await.is_ok() {
            return;
        }
    }
}

/// Delivers every message that is due, and returns when none is.
///
/// # Errors
/// The store failed; a message that cannot be delivered is no error but waits.
pub async fn deliver_due(pool: &Pool, clock: &Clock, gateways: &Gateways) -> FlowResult<Delivered> {
    let mut sum = Delivered::default();
    loop {
        let now = clock.now().into();
        let rows = pool
            .write::<_, StoreError>(move |tx| outbox::claim_due(tx, now, LEASE, TAKEN_AT_ONCE))
            .await?;
        if rows.is_empty() {
            return Ok(sum);
        }
        for row in rows {
            match deliver(pool, clock, gateways, &row).await {
                Ok(()) => sum.done += 1,
                Err(error) => {
                    sum.retried += 1;
                    put_back(pool, clock, &row, error).await?;
                }
            }
        }
    }
}

/// Why a message goes back.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Flow(#[from] FlowError),
    #[error("{0}")]
    Waits(&'static str),
    #[error("the payload cannot be read")]
    Payload(#[from] serde_json::Error),
}

impl From<StoreError> for NotYet {
    fn from(error: StoreError) -> NotYet {
        NotYet::Flow(error.into())
    }
}

async fn deliver(
    pool: &Pool,
    clock: &Clock,
    gateways: &Gateways,
    row: &OutboxRow,
) -> Result<(), NotYet> {
    let exchange = || {
        let client = gateways.exchange.as_ref();
        client.ok_or(NotYet::Waits("no exchange is configured"))
    };
    match row.topic.as_str() {
        TOPIC_LIST => place(pool, clock, exchange()?, row).await,
        TOPIC_UNLIST => withdraw(pool, clock, exchange()?, row).await,
        _ => Err(NotYet::Waits("nobody delivers this topic")),
    }
}

async fn place(
    pool: &Pool,
    clock: &Clock,
    exchange: &ExchangeClient,
    row: &OutboxRow,
) -> Result<(), NotYet> {
    let Payload { listing: id } = serde_json::from_str(&row.payload)?;
    let found = pool.read::<_, StoreError>(move |conn| market::listing(conn, id));
    let listing = found.await?.ok_or(StoreError::NotFound)?;
    match exchange.place(id, listing.quantity, listing.price).await {
        Ok(Order { id: order_id, .. }) => {
            finish(pool, clock, row, move |tx, ctx| {
                order_accepted(tx, ctx, id, &order_id)
            })
            .await
        }
        Err(ExchangeError::Refused(reason)) => {
            finish(pool, clock, row, move |tx, ctx| {
                order_refused(tx, ctx, id, &reason)
            })
            .await
        }
        Err(error) => Err(error.into()),
    }
}

async fn withdraw(
    pool: &Pool,
    clock: &Clock,
    exchange: &ExchangeClient,
    row: &OutboxRow,
) -> Result<(), NotYet> {
    let Payload { listing: id } = serde_json::from_str(&row.payload)?;
    let found = pool.read::<_, StoreError>(move |conn| market::listing(conn, id));
    let listing = found.await?.ok_or(StoreError::NotFound)?;
    match (&listing.order_id, listing.state) {
        (None, ListingState::Refused) => finish(pool, clock, row, |_, _| Ok(())).await,
        (None, _) => Err(NotYet::Waits("the order itself is not answered yet")),
        (Some(order_id), _) => {
            let order = exchange.withdraw(order_id).await?;
            finish(pool, clock, row, move |tx, ctx| {
                order_withdrawn(tx, ctx, id, order.filled)
            })
            .await
        }
    }
}

/// Writes what the answer means and the end of the message in one transaction.
async fn finish(
    pool: &Pool,
    clock: &Clock,
    row: &OutboxRow,
    effect: impl Fn(&mut Tx<'_>, &mut Ctx) -> FlowResult<()> + Send + 'static,
) -> Result<(), NotYet> {
    let (ctx, id) = (system_ctx(clock), row.id);
    let done = pool.write::<_, FlowError>(move |tx| {
        let mut ctx = ctx.clone();
        effect(tx, &mut ctx)?;
        Ok(outbox::mark_done(tx, id, ctx.now.into())?)
    });
    Ok(done.await?)
}

async fn put_back(pool: &Pool, clock: &Clock, row: &OutboxRow, error: NotYet) -> FlowResult<()> {
    let error = with_causes(&error);
    let attempts = row.attempts;
    tracing::warn!(
        outbox.topic = row.topic,
        outbox.attempts = attempts,
        error,
        "a message waits"
    );
    let (id, at) = (row.id, (clock.now() + back_off(attempts)).into());
    let put = pool.write::<_, FlowError>(move |tx| Ok(outbox::retry_at(tx, id, at, &error)?));
    put.await
}

/// Doubles from two seconds to an hour.
fn back_off(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(12);
    TimeDelta::seconds((1i64 << doublings).min(BACK_OFF_MAX_SECONDS))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let seconds: Vec<_> = [1, 2, 3, 11, 12, 40, i32::MAX]
            .map(|attempts| back_off(attempts).num_seconds())
            .into();
        assert_eq!(seconds, [2, 4, 8, 2048, 3600, 3600, 3600]);
    }
}
