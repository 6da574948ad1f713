//! The driver's location points as a distance: great circles from point to point.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::super::great_circle::{Point, millimetres};

/// 120 km/h is the most that any vehicle may drive in the country (道路交通安全法实施条例, article 78).
const SPEED_MAX_MM_S: i64 = 33_334;

/// By so much two fixes of one place may differ between houses: our own bound.
const SLACK_MM: i64 = 200_000;

/// Of ten points one may be off; a track with more is no evidence.
const OFF_MAX_TENTHS: usize = 1;

/// One point, in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fix {
    pub(super) at: DateTime<Utc>,
    pub(super) point: Point,
}

/// Kilometres along the points between `from` and `to`, in millimetre steps. A point that no
/// vehicle can have reached from the last good one is passed over. `None` where the points show
/// no way: fewer than two, more than a tenth passed over, or the last of them.
pub(super) fn kilometres(fixes: &[Fix], from: DateTime<Utc>, to: DateTime<Utc>) -> Option<Decimal> {
    let mut within = fixes.iter().filter(|fix| fix.at >= from && fix.at <= to);
    let mut last = within.next()?;
    let (mut good, mut off, mut sum) = (1_usize, 0_usize, 0_i64);
    let mut ends_well = false;
    for fix in within {
        let step = millimetres(last.point, fix.point);
        let seconds = (fix.at - last.at).num_seconds();
        ends_well = step
            <= seconds
                .saturating_mul(SPEED_MAX_MM_S)
                .saturating_add(SLACK_MM);
        if ends_well {
            sum = sum.saturating_add(step);
            good += 1;
            last = fix;
        } else {
            off += 1;
        }
    }
    let trusted = ends_well && off * 10 <= (good + off) * OFF_MAX_TENTHS;
    trusted.then(|| Decimal::new(sum, 6).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a time")
    }

    /// Points on a meridian: seconds and thousandths of a degree, 111.195 m each.
    fn track(points: &[(i64, &str)]) -> Vec<Fix> {
        let fix = |(seconds, north): &(i64, &str)| Fix {
            at: at(*seconds),
            point: Point::parse(north, "114").expect("a point"),
        };
        points.iter().map(fix).collect()
    }

    fn km(points: &[(i64, &str)]) -> Option<String> {
        kilometres(&track(points), at(0), at(10_000)).map(|km| km.to_string())
    }

    #[test]
    fn steps_are_summed_and_jumps_are_passed_over() {
        assert_eq!(
            km(&[(0, "22.000"), (60, "22.010")]).as_deref(),
            Some("1.111951")
        );
        let steady: Vec<(i64, String)> = (0..20)
            .map(|i| (i * 60, format!("22.{:03}", i * 10)))
            .collect();
        let mut points: Vec<(i64, &str)> = steady.iter().map(|(s, n)| (*s, n.as_str())).collect();
        assert_eq!(km(&points).as_deref(), Some("21.127069"));
        // One fix in the next province, and the way is as long as before.
        points.insert(5, (270, "25.000"));
        assert_eq!(km(&points).as_deref(), Some("21.127069"));
        // Three of 23 are more than a tenth.
        points.insert(7, (330, "25.000"));
        points.insert(9, (390, "25.000"));
        assert_eq!(km(&points), None);
    }

    #[test]
    fn what_shows_no_way_is_no_distance() {
        assert_eq!(km(&[]), None);
        assert_eq!(km(&[(0, "22.000")]), None);
        assert_eq!(km(&[(0, "22.000"), (60, "23.000")]), None);
        // Before departure and after receipt nothing counts.
        let outside = [
            (-60, "22.000"),
            (0, "22.010"),
            (60, "22.020"),
            (10_060, "22.030"),
        ];
        assert_eq!(km(&outside).as_deref(), Some("1.111951"));
        // Standing still is a way of nothing, and known.
        assert_eq!(km(&[(0, "22.000"), (60, "22.000")]).as_deref(), Some("0"));
    }
}
