//! Reads the exchange's trade report and settles each line. The place to go on from is the last line
//! recorded, so nothing is skipped: a line that cannot be settled now stops the reading.

use std::time::Duration;

use tokio::sync::watch;

use crate::config::Clock;
use crate::domain::market::Trade;
use crate::flow::settle_trade::{Outcome, settle_trade};
use crate::flow::{FlowError, FlowResult};
use crate::gateway::{ExchangeClient, ExchangeError};
use crate::store::{Pool, StoreError, market};

use super::system_ctx;

/// How often the report is read.
const PERIOD: Duration = Duration::from_secs(2);

/// Why a reading stopped before the end.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Flow(#[from] FlowError),
}

/// What one reading did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconciled {
    pub settled: usize,
    pub incidents: usize,
    /// Lines that were recorded before.
    pub known: usize,
}

pub(super) async fn run(
    pool: Pool,
    clock: Clock,
    exchange: ExchangeClient,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        if let Err(error) = reconcile(&pool, &clock, &exchange).await {
            tracing::warn!(%error, "the trade report could not be settled");
        }
        let stopped = stop.wait_for(|stop| *stop);
        if tokio::time::timeout(PERIOD, stopped).await.is_ok() {
            return;
        }
    }
}

/// Reads the report from the last line recorded to its end.
///
/// # Errors
/// The exchange did not answer, or a line could not be settled now; the next reading begins there.
pub async fn reconcile(
    pool: &Pool,
    clock: &Clock,
    exchange: &ExchangeClient,
) -> Result<Reconciled, ReconcileError> {
    let read = pool.read::<_, StoreError>(market::report_watermark);
    let mut after = read.await.map_err(FlowError::from)?;
    let mut sum = Reconciled::default();
    loop {
        let page = exchange.trades(after).await?;
        let Some(last) = page.last() else {
            return Ok(sum);
        };
        after = last.seq;
        for trade in &page {
            count(&mut sum, settle(pool, clock, trade.clone()).await?, trade);
        }
    }
}

async fn settle(pool: &Pool, clock: &Clock, trade: Trade) -> FlowResult<Outcome> {
    let ctx = system_ctx(clock);
    let settled = pool.write::<_, FlowError>(move |tx| settle_trade(tx, &mut ctx.clone(), &trade));
    settled.await
}

fn count(sum: &mut Reconciled, outcome: Outcome, trade: &Trade) {
    match outcome {
        Outcome::Settled => sum.settled += 1,
        Outcome::Known => sum.known += 1,
        Outcome::Incident(reason) => {
            sum.incidents += 1;
            tracing::error!(trade.id = trade.id, reason, "a trade waits for an officer");
        }
    }
}
