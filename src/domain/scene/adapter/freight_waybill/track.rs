//! The driver's location points as a distance: great circles from point to point.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::super::great_circle::{self, Point, millimetres};
use super::super::speed::SpeedLimit;

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
/// no way: fewer than two, more than a tenth passed over, or the last of them; or steps that
/// together are faster than the road allows, as the noise of many close points is.
pub(super) fn kilometres(fixes: &[Fix], from: DateTime<Utc>, to: DateTime<Utc>) -> Option<Decimal> {
    let mut within = fixes.iter().filter(|fix| fix.at >= from && fix.at <= to);
    let first = within.next()?;
    let (mut last, mut sum) = (first, 0_i64);
    let (mut good, mut off) = (1_usize, 0_usize);
    let mut ends_well = false;
    for fix in within {
        let step = millimetres(last.point, fix.point);
        ends_well = can_be(step, last, fix);
        if ends_well {
            sum = sum.saturating_add(step);
            good += 1;
            last = fix;
        } else {
            off += 1;
        }
    }
    let few_off = off * 10 <= (good + off) * OFF_MAX_TENTHS;
    let trusted = ends_well && few_off && can_be(sum, first, last);
    trusted.then(|| great_circle::kilometres(sum))
}

/// Whether a vehicle can have driven so far from one fix to another.
fn can_be(millimetres: i64, from: &Fix, to: &Fix) -> bool {
    let milliseconds = (to.at - from.at).num_milliseconds();
    let driven = millimetres.saturating_sub(SLACK_MM).max(0);
    !SpeedLimit::ROAD.exceeded(driven, milliseconds)
}

#[cfg(test)]
mod tests {
    use super::super::super::great_circle::Datum;
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a time")
    }

    /// Points on a meridian: seconds and thousandths of a degree, 111.195 m each.
    fn track(points: &[(i64, &str)]) -> Vec<Fix> {
        let fix = |(seconds, north): &(i64, &str)| Fix {
            at: at(*seconds),
            point: Point::parse(north, "114", Datum::Wgs84).expect("a point"),
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
    fn noise_is_no_way() {
        // Each second 111 m north and back: every step is within the slack, all of them are not.
        let north = ["22.000", "22.001"];
        let points: Vec<(i64, &str)> = (0..100)
            .map(|i| (i, north[usize::from(i % 2 == 1)]))
            .collect();
        assert_eq!(km(&points[..3]).as_deref(), Some("0.22239"));
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
