//! What lives for minutes and is never the truth: nonces already seen, requests already counted.
//! Several nodes share it through Redis; without Redis it is kept in this process.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::memory::Memory;
use super::redis::Redis;
use crate::config::Quota;

/// The store, in Redis or in this process; clones share it.
#[derive(Clone)]
pub enum ShortLived {
    Redis(Redis),
    Memory(Memory),
}

/// Redis did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the short-lived store did not answer")]
pub struct ShortLivedError(#[source] pub(super) ::redis::RedisError);

/// Whether one more request fits a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: bool,
    /// Requests left before the next is refused.
    pub remaining: u32,
    /// Until another request fits; zero when one does.
    pub wait: Duration,
}

impl ShortLived {
    /// Redis at `url`, or this process. Does not connect yet: a platform starts without Redis.
    ///
    /// # Errors
    /// The address is not one of Redis.
    pub fn new(url: Option<&SecretString>) -> Result<ShortLived, ShortLivedError> {
        Ok(match url {
            Some(url) => ShortLived::Redis(Redis::new(url.expose_secret())?),
            None => ShortLived::Memory(Memory::default()),
        })
    }

    /// True the first time `key` is seen within `keep`; false when it comes again. Nonces are
    /// asked here: on an error the caller refuses the request rather than let a replay in.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn once(&self, key: &str, keep: Duration) -> Result<bool, ShortLivedError> {
        match self {
            ShortLived::Redis(redis) => redis.once(key, keep).await,
            ShortLived::Memory(memory) => Ok(memory.once(key, keep)),
        }
    }

    /// Counts one request of `key` against `quota`. While Redis does not answer each node counts
    /// for itself: a lost counter must not close the platform.
    pub async fn count(&self, key: &str, quota: Quota) -> Verdict {
        match self {
            ShortLived::Redis(redis) => redis.count(key, quota).await,
            ShortLived::Memory(memory) => memory.count(key, quota),
        }
    }
}
