//! Which stretches of time one series already covers.

use std::collections::BTreeMap;

/// Stretches that touch are one, so an unbroken year of readings is a single entry.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    stretches: BTreeMap<i64, i64>,
}

impl Coverage {
    /// Whether any of `from..to` is covered.
    pub(super) fn overlaps(&self, from: i64, to: i64) -> bool {
        let before = self.stretches.range(..to).next_back();
        before.is_some_and(|(_, end)| *end > from)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// In how many pieces it is.
    pub(super) fn len(&self) -> usize {
        self.stretches.len()
    }

    /// Adds `from..to`, in Unix seconds; false if any of it is already covered.
    pub(super) fn add(&mut self, from: i64, to: i64) -> bool {
        let before = self
            .stretches
            .range(..=from)
            .next_back()
            .map(|(a, b)| (*a, *b));
        let after = self.stretches.range(from..).next().map(|(a, b)| (*a, *b));
        let clash =
            before.is_some_and(|(_, end)| end > from) || after.is_some_and(|(start, _)| start < to);
        if clash {
            return false;
        }
        let mut stretch = (from, to);
        if let Some((start, end)) = before
            && end == from
        {
            stretch.0 = start;
        }
        if let Some((start, end)) = after
            && start == to
        {
            self.stretches.remove(&start);
            stretch.1 = end;
        }
        self.stretches.insert(stretch.0, stretch.1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps_are_found_and_neighbours_join() {
        let mut coverage = Coverage::default();
        for (from, to) in [(0, 10), (20, 30), (10, 20), (40, 50)] {
            assert!(coverage.add(from, to), "{from}");
        }
        assert_eq!(coverage.stretches.len(), 2);
        for (from, to) in [
            (0, 10),
            (5, 6),
            (29, 31),
            (35, 41),
            (-5, 60),
            (40, 41),
            (49, 50),
        ] {
            assert!(coverage.overlaps(from, to), "{from}");
            assert!(!coverage.add(from, to), "{from}");
        }
        assert!(
            !coverage.overlaps(30, 40) && !coverage.overlaps(-9, 0) && !coverage.overlaps(50, 60)
        );
        assert!(coverage.add(30, 40) && coverage.add(-1, 0));
        assert_eq!(coverage.stretches.len(), 1);
    }
}
