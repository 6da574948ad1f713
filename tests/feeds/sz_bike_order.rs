//! The order that Shenzhen's open-data platform shows as its sample.

use serde_json::json;
use tanpuhui::domain::scene::adapter::{self, Options, Outcome, Settings};

use super::{check_json, feed_check, shared};

const SAMPLE: &str = "sz-opendata-bike-order/sample_response.json";

#[test]
fn the_published_order_is_537_97_m_in_wgs_84_and_226_s() {
    let Some(file) = shared(SAMPLE) else { return };
    // That number is for WGS 84; another datum moves both ends, and the distance by less than 2 m.
    for (datum, km) in [
        ("wgs84", "0.537973"),
        ("gcj02", "0.53833"),
        ("bd09", "0.53648"),
    ] {
        let options = Options {
            settings: Settings::parse(&format!("datum = '{datum}'")).expect("TOML"),
            ..Options::default()
        };
        let adapter = adapter::by_name("sz-bike-order").expect("an adapter");
        let bytes = std::fs::read(&file).expect("readable");
        let mut found = Vec::new();
        (adapter.read)(&mut bytes.as_slice(), &options, &mut |outcome| {
            found.push(outcome);
        })
        .expect("readable");
        let [Outcome::Record(_, record)] = found.as_slice() else {
            panic!("{found:?}");
        };
        let distance = record.quantity("distance").expect("a distance");
        assert_eq!(distance.value.to_string(), km, "{datum}");
        assert_eq!((record.to - record.from).num_seconds(), 226);
        assert_eq!(record.from.to_rfc3339(), "2021-01-30T05:19:32+00:00");
    }
    let said = check_json(
        &["--adapter", "sz-bike-order", "--set", "datum=wgs84"],
        &[&file],
    );
    let totals = json!([{"quantity": "distance", "unit": "km", "value": "0.538"}]);
    assert_eq!((&said["records"], &said["totals"]), (&json!(1), &totals));
}

#[test]
fn without_a_datum_nothing_is_read() {
    let Some(file) = shared(SAMPLE) else { return };
    let output = feed_check(&["--adapter", "sz-bike-order"], &[&file]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("missing_field") && said.contains("settings.datum"),
        "{said}"
    );
}
