//! What every handler may reach for.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::counter::Counter;
use super::idempotency::Running;
use crate::config::{Clock, Config};
use crate::domain::context::{Actor, Ctx};
use crate::flow::catalogue::Current;
use crate::flow::ingest::SingleQueue;
use crate::flow::log_keys::LogKeys;
use crate::gateway::ShortLived;
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

impl AppState {
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
