//! The platform's clock, which rehearsals and tests may move. The only file that asks the machine
//! for the time of day.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use chrono::{DateTime, TimeDelta, Utc};

/// What time it is on this platform; clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<Hands>>);

#[derive(Debug, Clone, Copy)]
enum Hands {
    /// The machine's clock, so much later.
    Running(TimeDelta),
    /// Stands still until it is moved.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// The machine's clock moved by `offset`.
    pub fn running(offset: TimeDelta) -> Clock {
        Clock(Arc::new(Mutex::new(Hands::Running(offset))))
    }

    /// A clock that stands at `at`; for tests.
    pub fn fixed(at: DateTime<Utc>) -> Clock {
        Clock(Arc::new(Mutex::new(Hands::Fixed(at))))
    }

    /// To the microsecond, which is what both databases keep.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> DateTime<Utc> {
        let now = match *self.hands() {
            Hands::Running(offset) => Utc::now() + offset,
            Hands::Fixed(at) => at,
        };
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// Moves the clock; every clone moves with it.
    pub fn advance(&self, by: TimeDelta) {
        let mut hands = self.hands();
        *hands = match *hands {
            Hands::Running(offset) => Hands::Running(offset + by),
            Hands::Fixed(at) => Hands::Fixed(at + by),
        };
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        // Two plain values: a panic elsewhere cannot have left them half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
