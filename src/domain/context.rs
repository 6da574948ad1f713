//! What a use case may not fetch for itself: who acts, when it is, and fresh identifiers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Who acts, as the audit chain records it: a role and a pseudonymous id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `system`, `citizen`, `merchant`, `partner`, `bureau`, `verifier`, `operator` or `auditor`.
    pub role: &'static str,
    /// The party's id; nil for the system itself.
    pub id: Uuid,
}

impl Actor {
    /// The platform acting by itself: jobs and reconcilers.
    pub const SYSTEM: Actor = Actor {
        role: "system",
        id: Uuid::nil(),
    };
}

/// Arrives as an argument wherever time or identity matters; fixed before a transaction starts,
/// so that a retried transaction writes the same ids.
#[derive(Debug, Clone)]
pub struct Ctx {
    pub actor: Actor,
    pub now: DateTime<Utc>,
    ids: IdSource,
}

impl Ctx {
    pub fn new(actor: Actor, now: DateTime<Utc>, seed: [u8; 10]) -> Ctx {
        Ctx {
            actor,
            now,
            ids: IdSource { seed, next: 0 },
        }
    }

    /// The next identifier of this use case: UUIDv7 of `now`, so that keys arrive in order, with
    /// the seed and a counter in the random part.
    pub fn id(&mut self) -> Uuid {
        self.ids.next(self.now)
    }
}

#[derive(Debug, Clone)]
struct IdSource {
    seed: [u8; 10],
    next: u32,
}

impl IdSource {
    fn next(&mut self, now: DateTime<Utc>) -> Uuid {
        let mut random = self.seed;
        // The counter leads, in the 18 bits around UUIDv7's version and variant, so that ids made
        // in one use case sort in the order they were made.
        assert!(
            self.next < 1 << 18,
            "a use case makes fewer than 262,144 ids"
        );
        let [_, high, middle, low] = self.next.to_be_bytes();
        random[0] = (high << 2) | (middle >> 6);
        random[1] = (middle << 2) | (low >> 6);
        random[2] = low & 0x3f;
        self.next += 1;
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn ids_of_one_use_case_are_distinct_ordered_and_repeatable() {
        let now = Utc.with_ymd_and_hms(2026, 11, 20, 8, 0, 0).unwrap();
        let make = || {
            let mut ctx = Ctx::new(Actor::SYSTEM, now, [7; 10]);
            (0..5_000).map(|_| ctx.id()).collect::<Vec<_>>()
        };
        let ids = make();
        assert_eq!(ids, make());
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
