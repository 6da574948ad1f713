//! Where a pull feed stands, and what follows from the end of a turn.

use chrono::{DateTime, TimeDelta, Utc};

/// The first wait after a failure.
const BACK_OFF_FIRST_SECONDS: i64 = 30;
/// The longest wait after a failure that names none.
const BACK_OFF_MAX_SECONDS: i64 = 3_600;
/// The longest that a source may ask us to stay away.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::hours(24);

/// Where a pull feed stands.
///
/// ```text
///               taken by one node, with a lease
///     idle ──────────────────────────────────────▶ running ──┐ a lease ran out:
///      ▲ ▲  everything answered, or "later"        │ │ │ ▲ ◀─┘ taken again
///      │ └─────────────────────────────────────────┘ │ │ │
///      │        no answer, 429, 5xx, a broken file   │ │ │ when its time has come
///      │                                             ▼ │ │
///      │                                    backing off ─┘
///      │ resume          401, 403, no credential       │
///      ├──────────────── stopped ◀─────────────────────┘
///      │ resume
///      └──────────────── suspended ◀── suspend, from anywhere
/// ```
///
/// Idle is due when `next_at` has come; running holds the end of its lease there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Idle,
    Running,
    BackingOff,
    /// The source will not have us; an officer must look.
    Stopped,
    /// By an officer's act.
    Suspended,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything that was planned is in; `more` is due at once.
    Done {
        more: bool,
    },
    /// The source has not got it yet, and may have said when it will.
    Later {
        retry_after: Option<TimeDelta>,
    },
    Failed {
        retry_after: Option<TimeDelta>,
    },
    Denied,
    /// This node stops; another may go on at once.
    Interrupted,
}

/// What a feed is after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    pub state: State,
    pub at: DateTime<Utc>,
    pub failures: i32,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Running => "running",
            State::BackingOff => "backing_off",
            State::Stopped => "stopped",
            State::Suspended => "suspended",
        }
    }
}

impl End {
    /// What follows at `now` for a feed with so many failures in a row. `jitter` spreads waits, in
    /// 65,536ths of half the wait, so that feeds that failed together do not come back together.
    pub fn then(self, failures: i32, every: TimeDelta, now: DateTime<Utc>, jitter: u16) -> Next {
        let idle = |wait| Next {
            state: State::Idle,
            at: now + wait,
            failures: 0,
        };
        match self {
            End::Done { more: true } => idle(TimeDelta::zero()),
            End::Done { more: false } => idle(every),
            End::Later { retry_after } => idle(retry_after.map_or(every, asked)),
            End::Interrupted => Next {
                failures,
                ..idle(TimeDelta::zero())
            },
            End::Denied => Next {
                state: State::Stopped,
                at: now,
                failures: failures.saturating_add(1),
            },
            End::Failed { retry_after } => {
                let failures = failures.saturating_add(1);
                let wait =
                    back_off(failures, jitter).max(retry_after.map_or_else(TimeDelta::zero, asked));
                Next {
                    state: State::BackingOff,
                    at: now + wait,
                    failures,
                }
            }
        }
    }
}

/// Never in the past, never so far that a typing error at the source silences it.
fn asked(wait: TimeDelta) -> TimeDelta {
    wait.clamp(TimeDelta::seconds(1), RETRY_AFTER_MAX)
}

/// Doubles from half a minute to an hour, and up to half as much again.
fn back_off(failures: i32, jitter: u16) -> TimeDelta {
    let doublings = u32::try_from(failures.saturating_sub(1))
        .unwrap_or(0)
        .min(12);
    let seconds = (BACK_OFF_FIRST_SECONDS << doublings).min(BACK_OFF_MAX_SECONDS);
    let spread = seconds * 1_000 / 2 * i64::from(jitter) / 65_536;
    TimeDelta::milliseconds(seconds * 1_000 + spread)
}
