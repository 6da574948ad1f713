//! What an input may cost: processor time and memory in proportion to its bytes. Measured on the
//! thread, so that a busy machine is no finding.

use std::time::Duration;

use cpu_time::ThreadTime;

use crate::memory;

/// What an input of no bytes may take: tables of a zone, buffers, maps of what was sent before.
const MEMORY_BASE: usize = 48 << 20;
/// A row of three bytes may become an outcome of some hundred.
const MEMORY_A_BYTE: usize = 256;
const TIME_BASE: Duration = Duration::from_millis(400);
/// With coverage counters and overflow checks; without them it is a fifth.
const TIME_A_BYTE: Duration = Duration::from_micros(12);

/// What running something took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub time: Duration,
    pub memory: usize,
}

/// Runs it and says what it took.
pub fn measured<T>(run: impl FnOnce() -> T) -> (T, Cost) {
    let before = memory::mark();
    let clock = ThreadTime::now();
    let result = run();
    let cost = Cost {
        time: clock.elapsed(),
        memory: memory::peak().saturating_sub(before),
    };
    (result, cost)
}

/// Runs it and fails if it took more than an input of so many bytes may take.
pub fn bounded<T>(bytes: usize, run: impl FnOnce() -> T) -> T {
    bounded_with(bytes, 0, run)
}

/// The same where so many bytes of memory more are allowed, whatever the input.
pub fn bounded_with<T>(bytes: usize, more: usize, run: impl FnOnce() -> T) -> T {
    let (result, cost) = measured(run);
    let time = TIME_BASE + TIME_A_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX);
    assert!(cost.time <= time, "{bytes} bytes took {:?}", cost.time);
    let memory = MEMORY_BASE + more + MEMORY_A_BYTE * bytes;
    assert!(
        cost.memory <= memory,
        "{bytes} bytes took {} MiB",
        cost.memory >> 20
    );
    result
}
