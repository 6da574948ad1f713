//! The short-lived store of a single node.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, RateLimiter};
use sha2::{Digest, Sha256};

use super::Verdict;
use crate::config::Quota;

type Limiter = DefaultKeyedRateLimiter<String, StateInformationMiddleware>;

/// How many callers are remembered before stale ones are looked for.
const SWEEP_AT: usize = 100_000;

/// Nonces and request counters in this process; clones share them.
#[derive(Clone, Default)]
pub struct Memory(Arc<Shelves>);

#[derive(Default)]
struct Shelves {
    seen: Mutex<HashMap<Duration, Generations>>,
    limiters: Mutex<HashMap<Quota, Arc<Limiter>>>,
}

/// Keys that are kept equally long, in two generations: when the younger one is as old as its
/// keys live, the older one holds stale keys only and is dropped whole. Nothing is ever searched
/// for stale keys, so that a flood of nonces costs each of them the same.
struct Generations {
    young: HashMap<u128, Instant>,
    old: HashMap<u128, Instant>,
    turned: Instant,
}

impl Generations {
    fn new(now: Instant) -> Generations {
        Generations {
            young: HashMap::new(),
            old: HashMap::new(),
            turned: now,
        }
    }

    fn once(&mut self, key: u128, now: Instant, keep: Duration) -> bool {
        if now.duration_since(self.turned) >= keep {
            self.old = std::mem::take(&mut self.young);
            self.turned = now;
        }
        let live = |until: &Instant| *until > now;
        if self.young.get(&key).is_some_and(live) || self.old.get(&key).is_some_and(live) {
            return false;
        }
        self.young.insert(key, now + keep);
        true
    }
}

/// Sixteen bytes of SHA-256 stand for a key: two keys never meet by chance.
fn digest(key: &str) -> u128 {
    let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    hash.first_chunk::<16>()
        .map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

impl Memory {
    pub(super) fn once(&self, key: &str, keep: Duration) -> bool {
        let now = Instant::now();
        let mut seen = lock(&self.0.seen);
        seen.entry(keep)
            .or_insert_with(|| Generations::new(now))
            .once(digest(key), now, keep)
    }

    pub(super) fn count(&self, key: &str, quota: Quota) -> Verdict {
        let Some(per_minute) = NonZeroU32::new(quota.per_minute) else {
            return Verdict {
                allowed: true,
                remaining: u32::MAX,
                wait: Duration::ZERO,
            };
        };
        match self.limiter(quota, per_minute).check_key(&key.to_owned()) {
            Ok(state) => Verdict {
                allowed: true,
                remaining: state.remaining_burst_capacity(),
                wait: Duration::ZERO,
            },
            Err(until) => Verdict {
                allowed: false,
                remaining: 0,
                wait: until.wait_time_from(DefaultClock::default().now()),
            },
        }
    }

    fn limiter(&self, quota: Quota, per_minute: NonZeroU32) -> Arc<Limiter> {
        let mut limiters = lock(&self.0.limiters);
        let limiter = limiters.entry(quota).or_insert_with(|| {
            let quota = governor::Quota::per_minute(per_minute);
            Arc::new(RateLimiter::keyed(quota).with_middleware())
        });
        if limiter.len() >= SWEEP_AT {
            limiter.retain_recent();
        }
        Arc::clone(limiter)
    }
}

/// The maps hold no half-done work: a panic elsewhere cannot have broken them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_remembered_exactly_as_long_as_asked_across_generations() {
        let start = Instant::now();
        let keep = Duration::from_secs(10);
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut seen = Generations::new(start);
        assert!(seen.once(1, at(9), keep));
        assert!(!seen.once(1, at(18), keep), "across a turn");
        assert!(seen.once(1, at(19), keep), "and no longer");
        assert!(!seen.once(1, at(28), keep));
        assert!(seen.once(2, at(60), keep));
        assert!(
            seen.young.len() + seen.old.len() <= 2,
            "stale generations are dropped"
        );
    }

    #[test]
    fn a_nonce_is_new_once_until_it_is_forgotten() {
        let memory = Memory::default();
        assert!(memory.once("a", Duration::from_millis(30)));
        assert!(!memory.once("a", Duration::from_millis(30)));
        assert!(memory.once("b", Duration::from_millis(30)));
        std::thread::sleep(Duration::from_millis(40));
        assert!(memory.once("a", Duration::from_millis(30)));
    }

    #[test]
    fn a_quota_refuses_the_next_and_says_how_long() {
        let memory = Memory::default();
        let quota = Quota { per_minute: 3 };
        let left: Vec<u32> = (0..3).map(|_| memory.count("a", quota).remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = memory.count("a", quota);
        assert!(!refused.allowed);
        assert!(refused.wait > Duration::from_secs(15) && refused.wait <= Duration::from_secs(20));
        assert!(memory.count("b", quota).allowed);
    }
}
