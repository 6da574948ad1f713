//! Bars, one a day, drawn on the server in whole units.

use crate::domain::wallet::Day;

use super::figure;

/// Days in a chart.
pub(super) const DAYS: i32 = 14;
/// A day's share of the width, and what of it the bar takes.
const STEP: i32 = 22;
const BAR: i32 = 16;
/// The height of the highest bar; captions stand above and below.
const HEIGHT: i64 = 100;
const TOP: i64 = 18;

/// One bar, in units of the picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub x: i32,
    pub y: i64,
    pub height: i64,
    pub middle: i32,
    pub above: i64,
    pub points: i64,
    /// `11-20`.
    pub label: String,
    pub title: String,
    /// Every other day is named, counted from the newest.
    pub named: bool,
}

/// Points a day, the newest day on the right.
#[derive(Debug)]
pub(super) struct Chart {
    pub bars: Vec<Bar>,
    pub width: i32,
    pub height: i64,
    pub base: i64,
    pub caption: i64,
    pub bar_width: i32,
}

impl Chart {
    /// The last [`DAYS`] days up to `today`; days without points have no height.
    pub(super) fn new(today: Day, points: &[(Day, i64)]) -> Chart {
        let of = |day: Day| {
            let found = points.iter().find(|(known, _)| *known == day);
            found.map_or(0, |(_, points)| (*points).max(0))
        };
        let first = today.saturating_sub(DAYS - 1);
        let most = (first..=today).map(of).max().unwrap_or(0).max(1);
        let bars = (first..=today)
            .zip(0..)
            .map(|(day, place)| bar(day, place, of(day), most))
            .collect();
        Chart {
            bars,
            width: STEP * DAYS,
            height: TOP + HEIGHT + 20,
            base: TOP + HEIGHT,
            caption: TOP + HEIGHT + 15,
            bar_width: BAR,
        }
    }
}

fn bar(day: Day, place: i32, points: i64, most: i64) -> Bar {
    let height = i128::from(points) * i128::from(HEIGHT) / i128::from(most);
    let height = i64::try_from(height).unwrap_or(HEIGHT);
    // What is there at all is seen.
    let height = if points > 0 { height.max(2) } else { 0 };
    let date = figure::day(day);
    Bar {
        x: place * STEP + (STEP - BAR) / 2,
        y: TOP + HEIGHT - height,
        height,
        middle: place * STEP + STEP / 2,
        above: TOP + HEIGHT - height - 4,
        points,
        label: date.get(5..).unwrap_or_default().to_owned(),
        title: format!("{date}: {}", figure::grouped(points)),
        named: (DAYS - 1 - place) % 2 == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_never_leave_the_picture() {
        let chart = Chart::new(100, &[(100, 50), (99, 25), (98, 1), (1, 9_999)]);
        let heights: Vec<i64> = chart.bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights.len(), 14);
        assert_eq!(heights[11..], [2, 50, 100]);
        assert!(heights[..11].iter().all(|height| *height == 0));
        let huge = Chart::new(0, &[(0, i64::MAX), (-1, i64::MAX)]);
        assert!(
            huge.bars
                .iter()
                .all(|bar| bar.y >= TOP && bar.y + bar.height == huge.base)
        );
    }
}
