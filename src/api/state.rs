//! What every handler may reach for.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::counter::Counter;
use super::idempotency::Running;
use crate::config::{Clock, Config};
use crate::domain::context::{Actor, Ctx};
use crate::domain::problem::Problem;
use crate::flow::FlowError;
use crate::flow::catalogue::Current;
use crate::flow::group_commit::GroupLimits;
use crate::flow::ingest::{SingleQueue, start_single_queue};
use crate::flow::log_keys::LogKeys;
use crate::gateway::{ShortLived, ShortLivedError};
use crate::store::Pool;

/// One a process; handlers take `web::Data<AppState>`. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub pool: Pool,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub short_lived: ShortLived,
    /// Where people and partners reach this platform, without a slash at the end.
    pub public_url: Arc<str>,
    pub redemption: Counter,
    /// Scenes, methodologies, rules and keys in force.
    pub catalogue: Current,
    /// The public log's keys.
    pub keys: Arc<LogKeys>,
    /// Single posts of partners, committed in groups.
    pub single_posts: Arc<SingleQueue>,
    /// Idempotent requests that this process is serving right now.
    pub running: Running,
}

/// Why the state of a platform could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("TANPUHUI_REDIS_URL cannot be used")]
    Redis(#[from] ShortLivedError),
    #[error("the operating system gives no thread")]
    Thread(#[from] std::io::Error),
    #[error("the catalogue cannot be read: {0}")]
    Catalogue(#[from] FlowError),
    #[error("the public log cannot be signed: {0}")]
    Log(#[from] Problem),
}

impl AppState {
    /// # Errors
    /// The settings name something that cannot be used, or the catalogue cannot be read.
    pub fn new(
        pool: Pool,
        config: Config,
        clock: Clock,
        public_url: &str,
    ) -> Result<AppState, StateError> {
        let keys = Arc::new(log_keys(&config)?);
        // One committer makes the largest groups; several only wait for each other's wallets.
        let limits = GroupLimits {
            committers: 1,
            ..GroupLimits::default()
        };
        let single_posts = start_single_queue(&pool, Arc::clone(&keys), limits)?;
        Ok(AppState {
            redemption: Counter::new(&pool, &config.redemption)?,
            catalogue: Current::load(&pool)?,
            keys,
            single_posts: Arc::new(single_posts),
            pool,
            clock,
            short_lived: ShortLived::new(config.redis.url.as_ref())?,
            public_url: public_url.into(),
            running: Running::default(),
            config: Arc::new(config),
        })
    }

    /// A context for one use case: the clock's time and fresh randomness for its ids.
    pub fn ctx(&self, actor: Actor) -> Ctx {
        let mut seed = [0; 10];
        getrandom::fill(&mut seed).expect("the operating system gives random bytes");
        Ctx::new(actor, self.now(), seed)
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// The log's keys; without a configured seed, keys that die with this process, which is said.
fn log_keys(config: &Config) -> Result<LogKeys, Problem> {
    let origin = config.log.origin.as_deref().unwrap_or("localhost/tanpuhui");
    let seed = config.log.seed.as_ref().map_or_else(
        || {
            tracing::warn!("TANPUHUI_LOG_SEED is not set: the log is signed with a passing key");
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).expect("the operating system gives random bytes");
            seed
        },
        |seed| seed.bytes(),
    );
    LogKeys::from_seed(origin, seed)
}
