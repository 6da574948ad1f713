//! Looks for scenes, methodologies, rules and keys that another node changed.

use std::time::Duration;

use tokio::sync::watch;

use super::Ground;

/// How long a change made on another node may stay unseen here.
const PERIOD: Duration = Duration::from_secs(5);

/// Runs until `stop` says so.
pub(super) async fn run(ground: Ground, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            _ = stop.changed() => return,
        }
        if let Err(error) = ground.catalogue.reload(&ground.pool).await {
            tracing::warn!(%error, "the catalogue could not be read");
        }
    }
}
