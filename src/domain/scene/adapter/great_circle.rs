//! Great-circle distance between two points, the one place in the domain that computes in binary
//! floating point: the result is quantised to whole millimetres at once.

/// Mean radius of the Earth, in metres: IUGG R₁ for WGS 84, (2a + b) / 3.
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A WGS 84 point, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    latitude: f64,
    longitude: f64,
}

impl Point {
    /// Two decimal numbers of degrees within ±90 and ±180. The point (0, 0) is none: exports
    /// write it for a station whose place is unknown.
    pub(super) fn parse(latitude: &str, longitude: &str) -> Option<Point> {
        let point = Point {
            latitude: degrees(latitude, 90.0)?,
            longitude: degrees(longitude, 180.0)?,
        };
        (point.latitude != 0.0 || point.longitude != 0.0).then_some(point)
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
            Point::parse(from.0, from.1).expect("from"),
            Point::parse(to.0, to.1).expect("to"),
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
                Point::parse(latitude, longitude),
                None,
                "{latitude} {longitude}"
            );
        }
    }
}
