//! Gives committed batches their place in the public log, soon after they committed.

use std::time::Duration;

use tokio::sync::watch;

use crate::flow::FlowError;
use crate::flow::sequence_log::{Sequenced, sequence_log};

use super::{Ground, system_ctx};

/// How long a batch waits at most before it is looked for.
const PERIOD: Duration = Duration::from_millis(500);

/// Runs until `stop` says so.
pub(super) async fn run(ground: Ground, mut stop: watch::Receiver<bool>) {
    loop {
        // What one run leaves over is taken at once.
        while !*stop.borrow() {
            match step(&ground).await {
                Ok(done) if done.batches > 0 => {
                    tracing::debug!(batches = done.batches, size = done.size, "log grew");
                }
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "the log could not be extended");
                    break;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn step(ground: &Ground) -> Result<Sequenced, FlowError> {
    let ctx = system_ctx(&ground.clock);
    let keys = ground.keys.clone();
    ground
        .pool
        .write(move |tx| sequence_log(tx, &ctx, &keys.origin, &keys.signer))
        .await
}
