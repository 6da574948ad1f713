//! Whether steps keep one speed to the second, as planners' computed times do and nobody else.

/// Steps shorter than this say nothing: their time is rounded too coarsely.
const STEP_MS: i64 = 10_000;
/// Times are written in whole seconds: a step may be that much longer or shorter.
const SLACK_MS: i64 = 1_000;
/// So many steps must agree.
const STEPS_MIN: u32 = 30;

/// The speeds that would explain every step so far, as millimetres over milliseconds.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pace {
    steps: u32,
    least: Option<(i64, i64)>,
    most: Option<(i64, i64)>,
}

impl Pace {
    pub(super) fn add(&mut self, millimetres: i64, milliseconds: i64) {
        if milliseconds < STEP_MS {
            return;
        }
        self.steps = self.steps.saturating_add(1);
        let slow = (millimetres, milliseconds + SLACK_MS);
        let fast = (millimetres, milliseconds - SLACK_MS);
        if self.least.is_none_or(|least| less(least, slow)) {
            self.least = Some(slow);
        }
        if self.most.is_none_or(|most| less(fast, most)) {
            self.most = Some(fast);
        }
    }

    pub(super) fn is_even(self) -> bool {
        let (Some(least), Some(most)) = (self.least, self.most) else {
            return false;
        };
        self.steps >= STEPS_MIN && most.0 > 0 && !less(most, least)
    }
}

fn less(a: (i64, i64), b: (i64, i64)) -> bool {
    i128::from(a.0) * i128::from(b.1) < i128::from(b.0) * i128::from(a.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(steps: impl Iterator<Item = (i64, i64)>) -> Pace {
        let mut pace = Pace::default();
        steps.for_each(|(millimetres, milliseconds)| pace.add(millimetres, milliseconds));
        pace
    }

    #[test]
    fn one_speed_to_the_second_is_even_and_a_halt_is_not() {
        // 2.5 m/s with times in whole seconds.
        let steps = |count: i64| (0..count).map(|i| (2_500 * (10 + i) + 900, (10 + i) * 1_000));
        assert!(pace(steps(30)).is_even());
        assert!(!pace(steps(29)).is_even());
        assert!(!pace(steps(30).chain([(0, 30_000)])).is_even());
        assert!(!pace(steps(30).chain([(100_000, 30_000)])).is_even());
        assert!(!pace((0..99).map(|_| (2_500, 1_000))).is_even());
        assert!(!pace((0..99).map(|_| (0, 60_000))).is_even());
    }
}
