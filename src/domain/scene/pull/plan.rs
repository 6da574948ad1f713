//! Which windows of time are due: a pure function of the declaration, the watermark and the clock.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::{Declaration, PageRule};

/// The most new windows of one turn; what is left follows in the next.
const NEW_WINDOWS_MAX: i32 = 48;

/// A half-open range of time `[from, to)` that one request (and its pages) is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// What one turn asks for, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub windows: Vec<Window>,
    /// Not everything up to now fits in this turn.
    pub more: bool,
}

/// Which times the requests of a feed are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One request a UTC hour, once the hour is over.
    Hours,
    /// Ranges of at most the declared span.
    Range,
    /// Everything since.
    Since,
    /// The whole file each time.
    Whole,
}

impl Declaration {
    /// Whether each body is all that the source has, and not what one window or page adds to others.
    pub fn brings_all(&self) -> bool {
        self.shape == Shape::Whole && self.page == PageRule::None
    }

    /// The windows that are due. The watermark (everything before it was taken in once) is gone
    /// back from by the overlap, never before the declared start: what came late is seen then, and
    /// what was there before is answered as a replay.
    pub fn plan(&self, watermark: DateTime<Utc>, now: DateTime<Utc>) -> Plan {
        let end = floor_second(now - self.delay);
        let from = (watermark - self.overlap).max(self.start);
        match self.shape {
            Shape::Hours => self.slices(
                floor_hour(from),
                floor_hour(end),
                watermark,
                TimeDelta::hours(1),
            ),
            Shape::Range => self.slices(from, end, watermark, self.span),
            Shape::Since => one(from, end),
            Shape::Whole => one(watermark.min(end - TimeDelta::seconds(1)), end),
        }
    }

    fn slices(
        &self,
        from: DateTime<Utc>,
        end: DateTime<Utc>,
        watermark: DateTime<Utc>,
        span: TimeDelta,
    ) -> Plan {
        let mut windows = Vec::new();
        let (mut at, mut new) = (from, 0);
        while at < end && new < NEW_WINDOWS_MAX {
            let to = (at + span).min(end);
            windows.push(Window { from: at, to });
            new += i32::from(to > watermark);
            at = to;
        }
        let more = at < end;
        // Without anything new only the overlap is asked for again, which is meant.
        Plan { windows, more }
    }
}

fn one(from: DateTime<Utc>, to: DateTime<Utc>) -> Plan {
    let windows = match from < to {
        true => vec![Window { from, to }],
        false => Vec::new(),
    };
    Plan {
        windows,
        more: false,
    }
}

/// The beginning of the UTC hour.
pub fn floor_hour(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

/// Addresses name whole seconds; a watermark between two would skip what lies behind it.
fn floor_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at)
}
