//! Whether a location's coordinates were written the wrong way round.

use rust_decimal::Decimal;

use super::field::decimal;

/// A country and the box around it in whole degrees: south, west, north, east.
struct Country {
    codes: [&'static str; 2],
    around: [i32; 4],
}

const fn country(codes: [&'static str; 2], around: [i32; 4]) -> Country {
    Country { codes, around }
}

/// Mainlands: the extents of Natural Earth's 1:110m countries (public domain), as
/// github.com/sandstrom/country-bounding-boxes lists them, outward to whole degrees; with Corsica
/// and Svalbard. Where a country is not here, only a latitude beyond 90 degrees gives the exchange
/// away.
const COUNTRIES: &[Country] = &[
    country(["AUT", "AT"], [46, 9, 50, 17]),
    country(["BEL", "BE"], [49, 2, 52, 7]),
    country(["CHE", "CH"], [45, 6, 48, 11]),
    country(["CHN", "CN"], [18, 73, 54, 136]),
    country(["CZE", "CZ"], [48, 12, 52, 19]),
    country(["DEU", "DE"], [47, 5, 55, 16]),
    country(["DNK", "DK"], [54, 8, 58, 13]),
    country(["ESP", "ES"], [35, -10, 44, 4]),
    country(["EST", "EE"], [57, 23, 60, 29]),
    country(["FIN", "FI"], [59, 20, 71, 32]),
    country(["FRA", "FR"], [41, -5, 52, 10]),
    country(["GBR", "GB"], [49, -8, 59, 2]),
    country(["HUN", "HU"], [45, 16, 49, 23]),
    country(["IRL", "IE"], [51, -10, 56, -6]),
    country(["ISR", "IL"], [29, 34, 34, 36]),
    country(["ITA", "IT"], [36, 6, 48, 19]),
    country(["JPN", "JP"], [31, 129, 46, 146]),
    country(["KOR", "KR"], [34, 126, 39, 130]),
    country(["LUX", "LU"], [49, 5, 51, 7]),
    country(["NLD", "NL"], [50, 3, 54, 8]),
    country(["NOR", "NO"], [58, 4, 81, 32]),
    country(["POL", "PL"], [49, 14, 55, 25]),
    country(["PRT", "PT"], [36, -10, 43, -6]),
    country(["SWE", "SE"], [55, 11, 70, 24]),
];

/// True if latitude and longitude fit only when they change places: beyond 90 degrees, or outside
/// the country's box and inside it the other way round.
pub(super) fn swapped(latitude: &str, longitude: &str, country: &str) -> bool {
    let (Some(north), Some(east)) = (decimal(latitude.trim()), decimal(longitude.trim())) else {
        return false;
    };
    let quarter = Decimal::from(90);
    if north.abs() > quarter {
        return east.abs() <= quarter && north.abs() <= Decimal::from(180);
    }
    let known = COUNTRIES.iter().find(|known| {
        known
            .codes
            .iter()
            .any(|code| country.eq_ignore_ascii_case(code))
    });
    known.is_some_and(|known| !known.holds(north, east) && known.holds(east, north))
}

impl Country {
    fn holds(&self, north: Decimal, east: Decimal) -> bool {
        let [south, west, top, right] = self.around.map(Decimal::from);
        (south..=top).contains(&north) && (west..=right).contains(&east)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_that_fit_only_the_other_way_round_are_found() {
        assert!(swapped("3.75", "51.05", "BEL"));
        assert!(swapped("3.75", "51.05", "be"));
        assert!(!swapped("51.05", "3.75", "BEL"));
        // Futian, and 114.06 is no latitude whatever the country.
        assert!(swapped("114.06", "22.54", "CHN"));
        assert!(swapped("114.06", "22.54", "XXX"));
        assert!(!swapped("22.54", "114.06", "CHN"));
        // Kashgar: both numbers are latitudes.
        assert!(swapped("75.99", "39.47", "CHN"));
        // Elsewhere than the country either way, unknown, or no numbers: nothing is said.
        assert!(!swapped("10", "20", "BEL"));
        assert!(!swapped("3.75", "51.05", "XXX"));
        assert!(!swapped("north", "51.05", "BEL"));
        assert!(!swapped("190", "51.05", "BEL"));
    }

    #[test]
    fn every_box_has_an_inside_and_its_country_once() {
        for known in COUNTRIES {
            let [south, west, north, east] = known.around;
            assert!(south < north && west < east, "{:?}", known.codes);
            let of = |code: &&str| COUNTRIES.iter().filter(|c| c.codes.contains(code)).count();
            assert_eq!(known.codes.iter().map(of).sum::<usize>(), 2);
        }
    }
}
