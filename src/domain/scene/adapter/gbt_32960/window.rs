//! Readings in the order of time, vehicle by vehicle, though a file has them as they arrived:
//! platforms send again (补发) what a vehicle could not send when it was.
//!
//! Readings wait in a window of [`WINDOW`]; a file with fewer is put in order exactly. When it is
//! full, every vehicle's readings up to the latest of the older half are handed on.

use super::reading::{Mode, Reading};

/// Readings that wait at once: 16 MB.
const WINDOW: usize = 500_000;

/// The room that is asked for at first.
const SMALL: usize = 4_096;

pub(super) struct Window {
    readings: Vec<Reading>,
    limit: usize,
}

impl Window {
    pub(super) fn new() -> Window {
        Window::holding(WINDOW)
    }

    pub(super) fn holding(limit: usize) -> Window {
        Window {
            readings: Vec::with_capacity(limit.min(SMALL)),
            limit,
        }
    }

    pub(super) fn add(&mut self, reading: Reading, next: &mut dyn FnMut(Reading)) {
        if self.readings.len() >= self.limit {
            self.release_half(next);
        }
        if self.readings.len() == self.readings.capacity() {
            let room = self.limit.saturating_sub(self.readings.len());
            self.readings.reserve_exact(room);
        }
        self.readings.push(reading);
    }

    /// At the end of the file.
    pub(super) fn finish(mut self, next: &mut dyn FnMut(Reading)) {
        sort(&mut self.readings);
        self.readings.into_iter().for_each(next);
    }

    fn release_half(&mut self, next: &mut dyn FnMut(Reading)) {
        let middle = self.readings.len() / 2;
        let (_, older, _) = self
            .readings
            .select_nth_unstable_by_key(middle, |reading| reading.row);
        let older = older.row;
        sort(&mut self.readings);
        for vehicle in self.readings.chunk_by_mut(|a, b| a.vehicle == b.vehicle) {
            let last = vehicle.iter().rposition(|reading| reading.row <= older);
            for reading in vehicle.iter_mut().take(last.map_or(0, |last| last + 1)) {
                next(*reading);
                reading.row = HANDED_ON;
            }
        }
        self.readings.retain(|reading| reading.row != HANDED_ON);
    }
}

/// No file has so many rows.
const HANDED_ON: u64 = u64::MAX;

/// Of two rows of one vehicle and time the one that does not say electric comes first, and is
/// taken: which of them the file has first decides nothing.
fn sort(readings: &mut [Reading]) {
    readings.sort_unstable_by_key(|reading| {
        let electric = reading.mode == Mode::Electric;
        (reading.vehicle, reading.at, electric, reading.row)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(limit: usize, rows: &[(u32, i64)]) -> Vec<(u32, i64)> {
        let mut window = Window::holding(limit);
        let mut out = Vec::new();
        let mut next = |reading: Reading| out.push((reading.vehicle, reading.at));
        for (row, (vehicle, at)) in (0..).zip(rows) {
            let reading = Reading {
                vehicle: *vehicle,
                at: *at,
                row,
                mileage: 0,
                day: 0,
                mode: Mode::Electric,
            };
            window.add(reading, &mut next);
        }
        window.finish(&mut next);
        out
    }

    #[test]
    fn a_small_file_comes_out_in_order_of_vehicle_and_time() {
        let rows = [(1, 5), (0, 9), (1, 3), (0, 1), (1, 4)];
        assert_eq!(order(9, &rows), [(0, 1), (0, 9), (1, 3), (1, 4), (1, 5)]);
    }

    #[test]
    fn of_a_long_file_each_vehicle_stays_in_order_while_it_is_not_later_than_the_window() {
        // Two vehicles in turn for 500 seconds, every seventh row 3 seconds late.
        let mut rows = Vec::new();
        for at in 0..500_i64 {
            rows.push((0, at));
            rows.push((1, if at % 7 == 3 { at - 3 } else { at }));
        }
        let out = order(20, &rows);
        assert_eq!(out.len(), rows.len());
        for vehicle in [0, 1] {
            let times: Vec<i64> = out
                .iter()
                .filter_map(|(v, at)| (*v == vehicle).then_some(*at))
                .collect();
            assert!(times.is_sorted(), "{times:?}");
        }
    }
}
