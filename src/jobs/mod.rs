//! Reconcilers: each looks at what is there, does what is missing, and may be stopped at any
//! moment.

mod expire_points;
mod forget_answers;
mod reload_catalogue;
mod sequence_log;

pub mod deliver_outbox;
pub mod pull_feeds;
pub mod quantify_periods;
pub mod reconcile_market;

use std::sync::Arc;

use actix_web::rt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Clock, Config};
use crate::domain::context::{Actor, Ctx};
use crate::flow::catalogue::Current;
use crate::flow::log_keys::LogKeys;
use crate::gateway::ExchangeClient;
use crate::gateway::partner_feed::FeedClient;
use crate::store::Pool;

use deliver_outbox::Gateways;

/// What jobs stand on.
#[derive(Clone)]
pub struct Ground {
    pub pool: Pool,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub keys: Arc<LogKeys>,
    pub catalogue: Current,
}

/// The jobs that run beside the web server.
pub struct Jobs(Vec<JoinHandle<()>>);

/// Starts every job; each ends by itself once `stop` says so.
pub fn start(ground: &Ground, stop: &watch::Receiver<bool>) -> Jobs {
    let (pool, clock) = (&ground.pool, &ground.clock);
    let exchange = exchange_of(&ground.config);
    let gateways = Gateways {
        exchange: exchange.clone(),
    };
    let zone = ground.config.redemption.zone;
    let mut jobs = vec![
        rt::spawn(sequence_log::run(ground.clone(), stop.clone())),
        rt::spawn(reload_catalogue::run(ground.clone(), stop.clone())),
        rt::spawn(quantify_periods::run(ground.clone(), stop.clone())),
        rt::spawn(forget_answers::run(
            pool.clone(),
            clock.clone(),
            stop.clone(),
        )),
        rt::spawn(expire_points::run(
            pool.clone(),
            clock.clone(),
            zone,
            stop.clone(),
        )),
        rt::spawn(deliver_outbox::run(
            pool.clone(),
            clock.clone(),
            gateways,
            stop.clone(),
        )),
    ];
    if let Some(exchange) = exchange {
        jobs.push(rt::spawn(reconcile_market::run(
            pool.clone(),
            clock.clone(),
            exchange,
            stop.clone(),
        )));
    }
    if let Some(client) = feed_client(&ground.config) {
        jobs.extend((0..ground.config.pull.workers).map(|_| {
            let (ground, client) = (ground.clone(), client.clone());
            rt::spawn(pull_feeds::run(ground, client, stop.clone()))
        }));
    }
    Jobs(jobs)
}

fn feed_client(config: &Config) -> Option<FeedClient> {
    match FeedClient::new(config.pull.private_networks) {
        Ok(client) => Some(client),
        Err(error) => {
            tracing::error!(%error, "no feed can be pulled");
            None
        }
    }
}

fn exchange_of(config: &Config) -> Option<ExchangeClient> {
    let url = config.exchange.url.as_deref()?;
    let token = config.exchange.token.clone().unwrap_or_default();
    match ExchangeClient::new(url, token) {
        Ok(client) => Some(client),
        Err(error) => {
            tracing::error!(%error, "the exchange cannot be used");
            None
        }
    }
}

/// A context for one step of a job: the system acts, with fresh randomness for its ids.
fn system_ctx(clock: &Clock) -> Ctx {
    let mut seed = [0; 10];
    getrandom::fill(&mut seed).expect("the operating system gives random bytes");
    Ctx::new(Actor::SYSTEM, clock.now(), seed)
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
