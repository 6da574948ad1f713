//! Reconcilers: each looks at what is there, does what is missing, and may be stopped at any
//! moment.

mod expire_points;
mod forget_answers;

use actix_web::rt;
use chrono_tz::Tz;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Clock;
use crate::store::Pool;

/// The jobs that run beside the web server.
pub struct Jobs(Vec<JoinHandle<()>>);

/// Starts every job; each ends by itself once `stop` says so.
pub fn start(pool: &Pool, clock: &Clock, zone: Tz, stop: &watch::Receiver<bool>) -> Jobs {
    let (forget, expire) = (pool.clone(), pool.clone());
    Jobs(vec![
        rt::spawn(forget_answers::run(forget, clock.clone(), stop.clone())),
        rt::spawn(expire_points::run(
            expire,
            clock.clone(),
            zone,
            stop.clone(),
        )),
    ])
}

impl Jobs {
    /// Waits until each job has ended.
    pub async fn finish(self) {
        for job in self.0 {
            if let Err(error) = job.await {
                tracing::error!(%error, "a job ended badly");
            }
        }
    }
}
