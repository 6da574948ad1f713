//! What one vehicle drove on one local day: the sum of what its odometer rose between one reading
//! and the next, apart by what drove it.

use super::reading::{Mode, Reading};

/// The fastest a vehicle can say it is, in 0.1 km/h: the top of the standard's range of speed.
const SPEED_MAX: u64 = 2_200;

/// A fall of up to ten steps of the odometer (1 km) is two of its sources disagreeing, and what
/// it rises to its old value again is not driven. A larger fall is another count.
const JITTER: u32 = 10;

/// The day that a vehicle is on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) day: i32,
    /// Unix seconds of the first and the latest reading.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) readings: u32,
    /// Seconds.
    pub(super) longest_gap: i64,
    /// In 0.1 km.
    pub(super) electric: u64,
    pub(super) fuel: u64,
    pub(super) resets: u32,
    pub(super) jumps: u32,
    /// The latest row.
    pub(super) row: u64,
    mileage: u32,
    mode: Mode,
}

/// How far a vehicle went from one reading to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// In 0.1 km.
    Driven(u64),
    /// Up to [`JITTER`] back.
    Jitter,
    /// Further back: the odometer was reset or changed.
    Reset,
    /// Further than it can have driven.
    Jump,
}

impl Day {
    pub(super) fn begin(reading: &Reading) -> Day {
        Day {
            day: reading.day,
            from: reading.at,
            to: reading.at,
            readings: 1,
            longest_gap: 0,
            electric: 0,
            fuel: 0,
            resets: 0,
            jumps: 0,
            row: reading.row,
            mileage: reading.mileage,
            mode: reading.mode,
        }
    }

    /// Takes the next reading of the same day. What was driven is electric only if both readings
    /// say so; a reset or a jump adds nothing, and the count goes on from the new value.
    pub(super) fn add(&mut self, reading: &Reading) {
        let electric = self.mode == Mode::Electric && reading.mode == Mode::Electric;
        let step = self.step(reading);
        match step {
            Step::Driven(tenths) if electric => self.electric += tenths,
            Step::Driven(tenths) => self.fuel += tenths,
            Step::Jitter => {}
            Step::Reset => self.resets += 1,
            Step::Jump => self.jumps += 1,
        }
        if step != Step::Jitter {
            self.mileage = reading.mileage;
        }
        self.longest_gap = self.longest_gap.max(reading.at - self.to);
        self.to = reading.at;
        self.mode = reading.mode;
        self.row = reading.row;
        self.readings = self.readings.saturating_add(1);
    }

    /// A row of the same day that is refused: what is driven until the next reading is not electric.
    pub(super) fn doubt(&mut self, reading: &Reading) {
        if reading.day == self.day {
            self.mode = Mode::Doubtful;
        }
    }

    /// What was driven from this day's last reading to the next day's first, in 0.1 km; it is of
    /// neither day.
    pub(super) fn across(&self, reading: &Reading) -> u64 {
        match self.step(reading) {
            Step::Driven(tenths) => tenths,
            _ => 0,
        }
    }

    fn step(&self, reading: &Reading) -> Step {
        let Some(tenths) = reading.mileage.checked_sub(self.mileage) else {
            return if self.mileage - reading.mileage <= JITTER {
                Step::Jitter
            } else {
                Step::Reset
            };
        };
        let seconds = u64::try_from(reading.at - self.to).unwrap_or(0);
        // The odometer is cut to 0.1 km at either end: one step more than was driven.
        let whole = u64::from(tenths.saturating_sub(1));
        if whole * 3_600 > SPEED_MAX * seconds {
            Step::Jump
        } else {
            Step::Driven(u64::from(tenths))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(readings: &[(i64, u32, Mode)]) -> Day {
        let mut day: Option<Day> = None;
        for (at, mileage, mode) in readings {
            let reading = Reading {
                vehicle: 0,
                mileage: *mileage,
                at: *at,
                day: 1,
                mode: *mode,
                row: 0,
            };
            match &mut day {
                None => day = Some(Day::begin(&reading)),
                Some(day) => day.add(&reading),
            }
        }
        day.expect("a reading")
    }

    use Mode::{Electric, Fuel, Unknown};

    #[test]
    fn an_interval_is_electric_only_if_both_its_readings_are() {
        let day = day(&[
            (0, 1_000, Electric),
            (600, 1_050, Electric),
            (1_200, 1_100, Fuel),
            (1_800, 1_150, Fuel),
            (2_400, 1_200, Electric),
            (3_600, 1_260, Electric),
            (4_200, 1_261, Unknown),
        ]);
        assert_eq!((day.electric, day.fuel), (110, 151));
        assert_eq!((day.readings, day.longest_gap), (7, 1_200));
        assert_eq!((day.from, day.to), (0, 4_200));
    }

    #[test]
    fn a_reset_a_jump_and_a_spike_add_nothing() {
        let reset = day(&[
            (0, 9_999_990, Electric),
            (60, 5, Electric),
            (660, 55, Electric),
        ]);
        assert_eq!((reset.electric, reset.resets, reset.jumps), (50, 1, 0));
        let jump = day(&[
            (0, 1_000, Electric),
            (60, 90_000, Electric),
            (660, 90_050, Electric),
        ]);
        assert_eq!((jump.electric, jump.resets, jump.jumps), (50, 0, 1));
        let spike = day(&[
            (0, 1_000, Electric),
            (60, 90_000, Electric),
            (660, 1_050, Electric),
        ]);
        assert_eq!((spike.electric, spike.resets, spike.jumps), (0, 1, 1));
    }

    #[test]
    fn an_odometer_that_wavers_is_not_driven_twice() {
        let rows: Vec<_> = (0..100)
            .map(|at| (at * 60, 1_000 - u32::from(at % 2 == 1), Electric))
            .collect();
        assert_eq!(day(&rows).electric, 0);
        let up = day(&[
            (0, 1_000, Electric),
            (60, 995, Electric),
            (660, 1_050, Electric),
        ]);
        assert_eq!((up.electric, up.resets), (50, 0));
    }

    #[test]
    fn the_top_speed_is_kept_to_one_step_of_the_odometer() {
        // 220 km/h for an hour are 2,200 steps, and one more from the cut.
        for (tenths, jumps) in [(2_201, 0), (2_202, 1)] {
            let day = day(&[(0, 0, Electric), (3_600, tenths, Electric)]);
            assert_eq!(day.jumps, jumps, "{tenths}");
        }
        let still = day(&[(0, 100, Electric), (1, 101, Electric)]);
        assert_eq!(still.electric, 1);
    }

    proptest! {
        #[test]
        fn no_odometer_makes_a_vehicle_faster_than_it_can_be(
            steps in prop::collection::vec((1_i64..4_000, 0_u32..10_000_000, 0_u8..3), 1..40),
        ) {
            let mut at = 0;
            let rows: Vec<_> = steps.iter().map(|(gap, mileage, mode)| {
                at += gap;
                (at, *mileage, [Electric, Fuel, Unknown][usize::from(*mode)])
            }).collect();
            let day = day(&rows);
            let seconds = u64::try_from(day.to - day.from).unwrap();
            let most = SPEED_MAX * seconds / 3_600 + u64::from(day.readings);
            prop_assert!(day.electric + day.fuel <= most);
        }
    }
}
