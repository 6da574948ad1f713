//! What every handler may reach for.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::idempotency::Running;
use crate::config::{Clock, Config};
use crate::domain::context::{Actor, Ctx};
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
    /// Idempotent requests that this process is serving right now.
    pub running: Running,
}

impl AppState {
    /// # Errors
    /// The settings name a Redis by something that is no address.
    pub fn new(
        pool: Pool,
        config: Config,
        clock: Clock,
        public_url: &str,
    ) -> Result<AppState, ShortLivedError> {
        Ok(AppState {
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
