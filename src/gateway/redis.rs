//! The short-lived store that nodes share.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Script};

use super::memory::Memory;
use super::{ShortLivedError, Verdict};
use crate::config::Quota;

/// How long a command may take; a request waits on it.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
/// What our keys begin with, so that a Redis may be shared with others.
const PREFIX: &str = "tanpuhui:";

/// A leaky bucket (GCRA) by Redis's own clock: the key holds the instant at which the bucket is
/// empty again. Answers `{allowed, remaining, wait in microseconds}`.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local burst = tonumber(ARGV[1])
local step = 60000000 / burst
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local empty = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + step
local spare = now + 60000000 - empty
if spare < 0 then
    return {0, 0, math.ceil(-spare)}
end
redis.call('SET', KEYS[1], string.format('%.0f', empty), 'PX', math.ceil((empty - now) / 1000) + 1)
return {1, math.floor(spare / step), 0}
",
    )
});

/// One multiplexed connection; clones share it.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    /// Counts requests while Redis does not answer.
    stand_in: Memory,
}

impl Redis {
    pub(super) fn new(url: &str) -> Result<Redis, ShortLivedError> {
        let client = Client::open(url).map_err(ShortLivedError)?;
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(ANSWER_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT))
            .set_number_of_retries(1);
        let connection =
            ConnectionManager::new_lazy_with_config(client, settings).map_err(ShortLivedError)?;
        Ok(Redis {
            connection,
            stand_in: Memory::default(),
        })
    }

    pub(super) async fn once(&self, key: &str, keep: Duration) -> Result<bool, ShortLivedError> {
        let set: Option<String> = redis::cmd("SET")
            .arg(format!("{PREFIX}once:{key}"))
            .arg(1)
            .arg("NX")
            .arg("PX")
            .arg(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX).max(1))
            .query_async(&mut self.connection.clone())
            .await
            .map_err(ShortLivedError)?;
        Ok(set.is_some())
    }

    pub(super) async fn count(&self, key: &str, quota: Quota) -> Verdict {
        if quota.per_minute == 0 {
            return self.stand_in.count(key, quota);
        }
        let answer = COUNT
            .key(format!("{PREFIX}count:{}:{key}", quota.per_minute))
            .arg(quota.per_minute)
            .invoke_async::<(u8, u32, u64)>(&mut self.connection.clone())
            .await;
        match answer {
            Ok((allowed, remaining, wait)) => Verdict {
                allowed: allowed == 1,
                remaining,
                wait: Duration::from_micros(wait),
            },
            Err(error) => {
                tracing::warn!(%error, "Redis does not answer; this node counts for itself");
                self.stand_in.count(key, quota)
            }
        }
    }
}
