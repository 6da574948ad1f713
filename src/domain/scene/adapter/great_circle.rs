//! Points on the Earth: the datum they are in, and the great-circle distance between two. The one
//! place in the domain that computes in binary floating point: a distance is quantised to whole
//! millimetres at once.

use std::f64::consts::PI;

use rust_decimal::Decimal;

use super::settings::{Settings, param};
use crate::domain::behaviour::Quantity;
use crate::domain::problem::{Code, Problem, detail};

/// Mean radius of the Earth, in metres: IUGG R₁ for WGS 84, (2a + b) / 3.
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// What the degrees of a feed mean. Chinese maps shift every point by some hundred metres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Datum {
    /// As satellite receivers give it.
    Wgs84,
    /// 国测局坐标: what maps published in China must use.
    Gcj02,
    /// 百度坐标: GCJ-02 and a shift of Baidu's own.
    Bd09,
}

impl Datum {
    /// The words that a scene declares it by.
    pub(super) const WORDS: &[(&str, Datum)] = &[
        ("wgs84", Datum::Wgs84),
        ("gcj02", Datum::Gcj02),
        ("bd09", Datum::Bd09),
    ];

    /// The setting's key.
    pub(super) const KEY: &str = "datum";

    /// The setting `datum`; none where it is not declared.
    ///
    /// # Errors
    /// `invalid_field` at the setting.
    pub(super) fn declared(settings: &Settings) -> Result<Option<Datum>, Problem> {
        settings.choice(Datum::KEY, Datum::WORDS)
    }

    /// Points were found, and nobody said what their degrees mean.
    pub(super) fn missing() -> Problem {
        let detail = detail!(
            "应为 wgs84、gcj02 或 bd09：坐标本身不说明用哪个坐标系",
            "wgs84, gcj02 or bd09: coordinates do not say which they are"
        );
        Problem::at(Code::MissingField, param(Datum::KEY), detail)
    }
}

/// Two ends of a city's trip are never farther apart; a lost digit in a coordinate is.
pub(super) const CITY_TRIP_MAX_MM: i64 = 200_000_000;

/// A point in degrees of WGS 84.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    latitude: f64,
    longitude: f64,
}

impl Point {
    /// Two decimal numbers of degrees within ±90 and ±180, in a datum. The point (0, 0) is none:
    /// exports write it for a station whose place is unknown.
    pub(super) fn parse(latitude: &str, longitude: &str, datum: Datum) -> Option<Point> {
        let point = Point {
            latitude: degrees(latitude, 90.0)?,
            longitude: degrees(longitude, 180.0)?,
        };
        let placed = point.latitude != 0.0 || point.longitude != 0.0;
        placed.then(|| point.in_wgs84(datum))
    }

    /// The place in WGS 84 of what was read as if it were in it.
    ///
    /// Both shifts are published as forward formulas only, so they are undone by fixed-point
    /// iteration, which gains some two digits a round, until a round moves the point by less
    /// than [`CLOSE_DEGREES`], or [`ROUNDS_MAX`] are done.
    fn in_wgs84(self, datum: Datum) -> Point {
        match datum {
            Datum::Wgs84 => self,
            Datum::Gcj02 => undo(self, gcj02_of_wgs84),
            Datum::Bd09 => undo(undo(self, bd09_of_gcj02), gcj02_of_wgs84),
        }
    }

    fn plus(self, north: f64, east: f64) -> Point {
        Point {
            latitude: self.latitude + north,
            longitude: self.longitude + east,
        }
    }
}

/// A millimetre on the ground: the round that moves a point by that leaves it off by micrometres.
const CLOSE_DEGREES: f64 = 1e-8;
/// At the edge of the box outside which nothing is shifted, no point may be the answer.
const ROUNDS_MAX: u32 = 8;

fn undo(shifted: Point, shift: fn(Point) -> Point) -> Point {
    let mut guess = shifted;
    for _ in 0..ROUNDS_MAX {
        let again = shift(guess);
        let north = shifted.latitude - again.latitude;
        let east = shifted.longitude - again.longitude;
        guess = guess.plus(north, east);
        if north.abs().max(east.abs()) < CLOSE_DEGREES {
            break;
        }
    }
    guess
}

/// Krasovsky 1940, the ellipsoid of the shift: semi-major axis in metres.
const KRASOVSKY_A: f64 = 6_378_245.0;
/// And the square of its eccentricity.
const KRASOVSKY_E2: f64 = 0.006_693_421_622_965_943;

/// The shift that Chinese maps apply, by the formula that has been public since the early 2010s
/// (first in the sources of the "EvilTransform" program, since then in `eviltransform`,
/// `coordtransform`, `gcoord` and others, all with these constants). The state has not published it; maps agree
/// with it to some metres. Outside a box around China there is no shift.
fn gcj02_of_wgs84(point: Point) -> Point {
    let Point {
        latitude,
        longitude,
    } = point;
    if !(0.8293..=55.8271).contains(&latitude) || !(72.004..=137.8347).contains(&longitude) {
        return point;
    }
    let (x, y) = (longitude - 105.0, latitude - 35.0);
    let wave = |amplitude: f64, turns: f64| amplitude * (turns * PI).sin();
    let ripple = wave(20.0, 6.0 * x) + wave(20.0, 2.0 * x);
    // Waves along one direction; the two longest differ from the one to the other.
    let waves = |along: f64, long: f64, longest: f64| {
        let short = wave(20.0, along) + wave(40.0, along / 3.0);
        (ripple + short + wave(long, along / 12.0) + wave(longest, along / 30.0)) * 2.0 / 3.0
    };
    let (twist, root) = (0.1 * x * y, x.abs().sqrt());
    let north_plane = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y;
    let east_plane = 300.0 + x + 2.0 * y + 0.1 * x * x;
    let north = north_plane + twist + 0.2 * root + waves(y, 160.0, 320.0);
    let east = east_plane + twist + 0.1 * root + waves(x, 150.0, 300.0);
    let phi = latitude.to_radians();
    let w2 = 1.0 - KRASOVSKY_E2 * phi.sin() * phi.sin();
    let meridian = KRASOVSKY_A * (1.0 - KRASOVSKY_E2) / (w2 * w2.sqrt());
    let parallel = KRASOVSKY_A / w2.sqrt() * phi.cos();
    point.plus(
        (north / meridian).to_degrees(),
        (east / parallel).to_degrees(),
    )
}

/// Baidu's shift on top, by the formula that is public beside the other.
fn bd09_of_gcj02(point: Point) -> Point {
    let (x, y) = (point.longitude, point.latitude);
    let turn = PI * 3000.0 / 180.0;
    let radius = x.hypot(y) + 0.000_02 * (y * turn).sin();
    let angle = y.atan2(x) + 0.000_003 * (x * turn).cos();
    Point {
        latitude: radius * angle.sin() + 0.006,
        longitude: radius * angle.cos() + 0.0065,
    }
}

fn degrees(text: &str, bound: f64) -> Option<f64> {
    // `f64::from_str` also takes `inf`, `nan` and exponents, which no coordinate column has.
    if !text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'))
    {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    (-bound..=bound).contains(&value).then_some(value)
}

/// A distance in millimetres as the quantity that a record has: kilometres, exact.
pub(super) fn distance(millimetres: i64) -> Quantity {
    Quantity::new("distance", kilometres(millimetres), "km")
}

pub(super) fn kilometres(millimetres: i64) -> Decimal {
    Decimal::new(millimetres, 6).normalize()
}

/// Haversine distance in whole millimetres, ties to even.
///
/// Coordinates of six decimals place a station to a decimetre, so a millimetre is far below what
/// the input carries and far above where two machines' arithmetic may differ.
pub(super) fn millimetres(from: Point, to: Point) -> i64 {
    let (a, b) = (from.latitude.to_radians(), to.latitude.to_radians());
    let north = ((b - a) / 2.0).sin();
    let east = ((to.longitude.to_radians() - from.longitude.to_radians()) / 2.0).sin();
    let h = (north * north + a.cos() * b.cos() * east * east).clamp(0.0, 1.0);
    let metres = 2.0 * EARTH_RADIUS_M * h.sqrt().asin();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most half the girth: 2e10 mm"
    )]
    let whole = (metres * 1000.0).round_ties_even() as i64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: (&str, &str), to: (&str, &str)) -> i64 {
        millimetres(
            Point::parse(from.0, from.1, Datum::Wgs84).expect("from"),
            Point::parse(to.0, to.1, Datum::Wgs84).expect("to"),
        )
    }

    #[test]
    fn known_distances() {
        // One degree of latitude: R·π/180.
        assert_eq!(between(("0", "1"), ("1", "1")), 111_195_080);
        // Half the girth: R·π.
        assert_eq!(between(("0", "90"), ("0", "-90")), 20_015_114_442);
        assert_eq!(
            between(("40.7177325", "-74.043845"), ("40.7177325", "-74.043845")),
            0
        );
    }

    fn point(latitude: f64, longitude: f64) -> Point {
        Point {
            latitude,
            longitude,
        }
    }

    /// Pairs that `eviltransform`, `coordtransform` and `geotool` publish with their formulas.
    #[test]
    fn published_pairs_of_points_agree() {
        for (wgs84, gcj02) in [
            (
                point(31.177_427_6, 121.527_210_6),
                point(31.175_303_983_645_97, 121.531_541_859_215),
            ),
            (
                point(22.543_847, 113.912_316),
                point(22.540_796_131_694_766, 113.917_176_480_836_3),
            ),
            (
                point(39.911_954, 116.377_817),
                point(39.913_345_455_360_69, 116.384_047_224_556_57),
            ),
        ] {
            assert_eq!(millimetres(gcj02_of_wgs84(wgs84), gcj02), 0);
            assert_eq!(millimetres(gcj02.in_wgs84(Datum::Gcj02), wgs84), 0);
            assert!(millimetres(wgs84, gcj02) > 400_000);
        }
        let wgs84 = point(30.610_777_9, 121.091_707_7);
        let gcj02 = point(30.608_604_331_756_705, 121.096_269_355_750_27);
        let bd09 = point(30.614_845_721_850_35, 121.102_717_323_712_03);
        // `geotool` rounds the eccentricity otherwise, which moves a point by 8 mm.
        assert!(millimetres(gcj02_of_wgs84(wgs84), gcj02) < 10);
        assert_eq!(millimetres(bd09_of_gcj02(gcj02), bd09), 0);
        assert!(millimetres(bd09.in_wgs84(Datum::Bd09), wgs84) < 10);
        // The inverse that is published for Baidu's shift is an approximation, to a metre here.
        let published = point(39.908_656_739_576_31, 116.397_627_291_193_15);
        let exact = undo(point(39.915, 116.404), bd09_of_gcj02);
        assert!(millimetres(published, exact) < 1_000);
    }

    #[test]
    fn a_shift_undone_and_done_again_is_the_same_point() {
        for north in 0..60 {
            for east in 0..80 {
                let there = point(f64::from(north) * 0.9 + 1.0, f64::from(east) * 0.8 + 72.9);
                let back = gcj02_of_wgs84(there.in_wgs84(Datum::Gcj02));
                assert_eq!(millimetres(back, there), 0, "{there:?}");
                let baidu = bd09_of_gcj02(gcj02_of_wgs84(there.in_wgs84(Datum::Bd09)));
                assert_eq!(millimetres(baidu, there), 0, "{there:?}");
            }
        }
        // Paris is not shifted.
        let paris = point(48.8566, 2.3522);
        assert_eq!(paris.in_wgs84(Datum::Gcj02), paris);
    }

    #[test]
    fn nonsense_is_no_point() {
        for (latitude, longitude) in [
            ("", "1"),
            ("nan", "1"),
            ("inf", "1"),
            ("91", "1"),
            ("1", "181"),
            ("0.0", "0"),
            ("1e1", "1"),
        ] {
            assert_eq!(
                Point::parse(latitude, longitude, Datum::Wgs84),
                None,
                "{latitude} {longitude}"
            );
        }
    }
}
