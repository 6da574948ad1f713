//! Forgets the answers kept for clients that retry, once nobody retries any more.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;

use crate::config::Clock;
use crate::store::idempotency::forget_before;
use crate::store::{Pool, StoreError};

/// How long a client may repeat a request under its key.
const KEEP: TimeDelta = TimeDelta::days(7);
/// How often old answers are looked for.
const PERIOD: Duration = Duration::from_secs(3600);

pub(super) async fn run(pool: Pool, clock: Clock, mut stop: watch::Receiver<bool>) {
    loop {
        let before = (clock.now() - KEEP).into();
        match pool
            .write::<_, StoreError>(move |tx| forget_before(tx, before))
            .await
        {
            Ok(0) => {}
            Ok(answers) => tracing::info!(answers, "old answers forgotten"),
            Err(error) => tracing::warn!(%error, "old answers could not be forgotten"),
        }
        // Both a stop and a platform that is gone end the job.
        let stopped = stop.wait_for(|stop| *stop);
        if tokio::time::timeout(PERIOD, stopped).await.is_ok() {
            return;
        }
    }
}
