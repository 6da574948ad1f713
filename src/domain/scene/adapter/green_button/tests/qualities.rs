//! Qualities that ESPI does not have.

use super::*;

#[test]
fn a_quality_that_espi_does_not_have_is_said_and_not_dropped() {
    for (stated, word) in [
        ("99", "unknown"),
        ("300", "unknown"),
        ("good", "unknown"),
        ("8", "estimated"),
    ] {
        let one = reading("1293868800", "3600", "450").replace(
            "<quality>8</quality>",
            &format!("<quality>{stated}</quality>"),
        );
        let outcomes = outcomes(&[POINT, METER, TYPE, &block(&[one])]);
        let records = records(&outcomes);
        let [record] = records.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(record.attribute("quality"), Some(word), "{stated}");
    }
}
