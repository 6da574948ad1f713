//! The points of one track segment, summed as they come: no list of them is kept.

use super::super::great_circle::{self, Point};
use super::super::local_time::with_offset;
use super::super::speed::SpeedLimit;
use super::pace::Pace;

/// The shortest time over which a speed is judged: a receiver's noise evens out in a minute.
const WINDOW_MS: i64 = 60_000;
/// A step so many times as fast as the limit is no movement: the receiver lost its place.
const JUMP_FACTOR: u32 = 3;

/// What bounds a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) limit: SpeedLimit,
    pub(super) gap_ms: i64,
}

/// Sums over the points so far.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pub(super) points: u64,
    /// Points without a place on the Earth, or with a time that cannot be read.
    pub(super) unreadable: u64,
    pub(super) untimed: u64,
    /// Points earlier than one before them.
    pub(super) backward: u64,
    /// Points at the very time of the one before them, which some recorders write.
    pub(super) repeated: u64,
    /// Steps that count.
    pub(super) steps: u64,
    pub(super) gaps: u64,
    pub(super) jumps: u64,
    pub(super) millimetres: i64,
    first_ms: Option<i64>,
    last: Option<(Point, i64)>,
    window: Window,
    pace: Pace,
}

impl Segment {
    pub(super) fn add(&mut self, point: Option<Point>, time: Option<&str>, bounds: Bounds) {
        self.points += 1;
        let Some(time) = time.filter(|time| !time.is_empty()) else {
            self.untimed += 1;
            return;
        };
        let (Some(point), Some(time)) = (point, milliseconds(time)) else {
            self.unreadable += 1;
            return;
        };
        let Some((before, then)) = self.last else {
            self.first_ms = Some(time);
            self.last = Some((point, time));
            return;
        };
        if time <= then {
            match time < then {
                true => self.backward += 1,
                false => self.repeated += 1,
            }
            return;
        }
        self.last = Some((point, time));
        self.step(
            great_circle::millimetres(before, point),
            time - then,
            bounds,
        );
    }

    fn step(&mut self, millimetres: i64, milliseconds: i64, bounds: Bounds) {
        if milliseconds > bounds.gap_ms {
            self.gaps += 1;
            self.window.close(bounds.limit);
            return;
        }
        if bounds
            .limit
            .times(JUMP_FACTOR)
            .exceeded(millimetres, milliseconds)
        {
            self.jumps += 1;
            return;
        }
        self.steps += 1;
        self.millimetres = self.millimetres.saturating_add(millimetres);
        self.window.add(millimetres, milliseconds, bounds.limit);
        self.pace.add(millimetres, milliseconds);
    }

    /// First and last time in milliseconds since 1970; none before the second point.
    pub(super) fn span_ms(&self) -> Option<(i64, i64)> {
        let (first, (_, last)) = (self.first_ms?, self.last?);
        (last > first).then_some((first, last))
    }

    /// Whether any minute, or what is left at the end, was faster than the limit.
    pub(super) fn too_fast(&self, limit: SpeedLimit) -> bool {
        let mut window = self.window;
        window.close(limit);
        window.too_fast
    }

    /// Whether the times look as if they had been computed from the places.
    pub(super) fn even_pace(&self) -> bool {
        self.pace.is_even()
    }
}

/// Steps of a minute at least, and the minute before them.
#[derive(Debug, Default, Clone, Copy)]
struct Window {
    now: (i64, i64),
    before: (i64, i64),
    too_fast: bool,
}

impl Window {
    fn add(&mut self, millimetres: i64, milliseconds: i64, limit: SpeedLimit) {
        self.now = sum(self.now, (millimetres, milliseconds));
        if self.now.1 >= WINDOW_MS {
            self.judge(self.now, limit);
            self.before = std::mem::take(&mut self.now);
        }
    }

    /// What is left is judged together with the minute before it.
    fn close(&mut self, limit: SpeedLimit) {
        self.judge(sum(self.before, self.now), limit);
        self.now = (0, 0);
        self.before = (0, 0);
    }

    fn judge(&mut self, (millimetres, milliseconds): (i64, i64), limit: SpeedLimit) {
        self.too_fast = self.too_fast || limit.exceeded(millimetres, milliseconds);
    }
}

fn sum(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.saturating_add(b.0), a.1.saturating_add(b.1))
}

/// An XML date and time. GPX times are UTC; so is one without an offset.
fn milliseconds(text: &str) -> Option<i64> {
    let parsed = with_offset(text).or_else(|| with_offset(&format!("{text}Z")))?;
    Some(parsed.timestamp_millis())
}
