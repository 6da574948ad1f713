use super::super::tests::{read_all, read_with, refusals};
use super::super::{DistanceTable, Options, Outcome, Settings, by_name};
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

/// A waybill of our own making, from one division to another.
pub(super) fn waybill() -> Value {
    json!({
        "originalDocumentNumber": "O-1", "shippingNoteNumber": "YD2026020100001", "serialNumber": "0000",
        "vehicleAmount": "1", "transportTypeCode": "1", "sendToProDateTime": "20260202090000",
        "consignmentDateTime": "20260201080000", "despatchActualDateTime": "20260201083000",
        "goodsReceiptDateTime": "20260201113000", "totalMonetaryAmount": "1000.000",
        "consignorInfo": {"consignor": "x", "countrySubdivisionCode": "440305"},
        "consigneeInfo": {"consignee": "y", "countrySubdivisionCode": "441900"},
        "vehicleInfo": {
            "vehicleNumber": "粤B00000D", "vehiclePlateColorCode": "94", "vehicleEnergyType": "C",
            "vehicleTonnage": "1.50", "grossMass": "4.50",
            "goodsInfo": [{"goodsItemGrossWeight": "800.125"}, {"goodsItemGrossWeight": 199.875}],
        },
    })
}

pub(super) fn with(pointer: &str, value: Value) -> Value {
    let mut waybill = waybill();
    put(&mut waybill, pointer, value);
    waybill
}

/// Sets a member, which need not be there yet; `null` takes it away.
pub(super) fn put(waybill: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let object = waybill
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("an object");
    object.insert(key.to_owned(), value);
}

pub(super) fn options(settings: &str) -> Options {
    let mut csv = "440305,441900,72.5\n440305,430100,700\n".as_bytes();
    Options {
        distances: Some(Arc::new(DistanceTable::read(&mut csv).expect("a table"))),
        settings: Settings::parse(&format!("datum = 'wgs84'\n{settings}")).expect("TOML"),
        ..Options::default()
    }
}

pub(super) fn outcomes(waybills: &[Value], options: &Options) -> Vec<Outcome> {
    let text: String = waybills
        .iter()
        .map(|waybill| format!("{waybill}\n"))
        .collect();
    read_with("freight-waybill", text.as_bytes(), options)
        .expect("read")
        .1
}

pub(super) fn record(waybill: &Value) -> Record {
    match outcomes(std::slice::from_ref(waybill), &options("")).pop() {
        Some(Outcome::Record(_, record)) => record,
        other => panic!("{other:?}"),
    }
}

fn value(record: &Record, name: &str) -> Option<String> {
    let quantity = record.quantity(name)?;
    Some(format!("{} {}", quantity.value, quantity.unit))
}

#[test]
fn a_waybill_is_a_load_over_a_distance() {
    let record = record(&waybill());
    assert_eq!(record.source_id, "YD2026020100001/0000");
    assert_eq!(record.subject, "粤B00000D_94");
    assert_eq!(record.from.to_rfc3339(), "2026-02-01T00:30:00+00:00");
    assert_eq!(record.to.to_rfc3339(), "2026-02-01T03:30:00+00:00");
    assert_eq!(value(&record, "mass").as_deref(), Some("1 t"));
    assert_eq!(value(&record, "distance").as_deref(), Some("72.5 km"));
    assert_eq!(value(&record, "loaded"), None);
    for (name, expected) in [
        ("mode", "road"),
        ("evidence", "platform"),
        ("energy", "electric"),
        ("plate_colour", "gradient_green"),
        ("quality", "plate_agrees"),
        ("origin", "440305"),
        ("destination", "441900"),
        ("transport_type", "1"),
        ("leg", "0"),
        ("distance_source", "table"),
        ("capacity_t", "1.5"),
        ("gross_mass_t", "4.5"),
        ("stated_at", "2026-02-02T01:00:00Z"),
    ] {
        assert_eq!(record.attribute(name), Some(expected), "{name}");
    }
    let stated = with("/loadedKilometres", json!("70.10"));
    assert_eq!(
        value(&self::record(&stated), "loaded").as_deref(),
        Some("70.1 km")
    );
}

#[test]
fn a_leg_has_its_own_way_and_its_load_is_counted_once() {
    let leg = |serial: &str, from: &str, to: &str| {
        let mut waybill = with("/serialNumber", json!(serial));
        for (name, value) in [
            ("despatchActualDateTime", "20260201083000"),
            ("goodsReceiptDateTime", "20260201093000"),
            ("loadingCountrySubdivisionCode", from),
            ("receiptCountrySubdivisionCode", to),
        ] {
            put(&mut waybill, &format!("/vehicleInfo/{name}"), json!(value));
        }
        put(&mut waybill, "/vehicleAmount", json!(2));
        waybill
    };
    let waybills = [
        leg("0101", "440305", "441900"),
        leg("0102", "441900", "440305"),
        leg("0201", "440305", "441900"),
    ];
    let text = Value::from(waybills.to_vec()).to_string();
    let (seen, outcomes) =
        read_with("freight-waybill", text.as_bytes(), &options("")).expect("read");
    assert_eq!(outcomes.len(), 3);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Record(..))),
        "{outcomes:?}"
    );
    let shipped = seen.totals.first().expect("a total");
    assert_eq!(
        (shipped.value, shipped.unit.as_ref()),
        (Decimal::from(2), "t")
    );
    assert_eq!(
        seen.counts,
        [
            ("waybills", 3),
            ("by_track", 0),
            ("by_table", 3),
            ("later_legs", 1)
        ]
    );
    // A leg without its own places does not take those of the whole waybill.
    let mut bare = leg("0101", "440305", "441900");
    put(
        &mut bare,
        "/vehicleInfo/receiptCountrySubdivisionCode",
        Value::Null,
    );
    let bare = super::tests::outcomes(&[bare], &options(""));
    assert!(matches!(&bare[..], [Outcome::Held(held)] if held.code == Code::DistanceUnknown));
    let mut bare = leg("0101", "440305", "441900");
    put(
        &mut bare,
        "/vehicleInfo/despatchActualDateTime",
        Value::Null,
    );
    let bare = super::tests::outcomes(&[bare], &options(""));
    assert_eq!(refusals(&bare)[0].2, "despatchActualDateTime");
}

pub(super) fn points(step_km: i64, count: i64) -> Value {
    let point = |i: i64| {
        let north = Decimal::new(22_000 + i * step_km * 9, 3);
        json!({"longitude": "114.000", "latitude": north.to_string(),
            "time": format!("202602010{}{:02}00", 8 + (30 + i * 5) / 60, (30 + i * 5) % 60)})
    };
    Value::from((0..count).map(point).collect::<Vec<_>>())
}

#[test]
fn a_track_goes_before_the_table_and_a_broken_one_does_not() {
    let record = record(&with("/locations", points(5, 11)));
    assert_eq!(value(&record, "distance").as_deref(), Some("50.03779 km"));
    assert_eq!(record.attribute("distance_source"), Some("track"));
    // 27 km in five minutes, every time.
    let jumping = self::record(&with("/locations", points(27, 11)));
    assert_eq!(jumping.attribute("distance_source"), Some("table"));
    for locations in [json!(null), json!([])] {
        let record = self::record(&with("/locations", locations));
        assert_eq!(record.attribute("distance_source"), Some("table"));
    }
}

#[test]
fn points_are_read_in_the_declared_datum() {
    let tracked = with("/locations", points(5, 11));
    let km = |datum: &str| {
        let mut options = options("");
        options.settings.set("datum", datum);
        match outcomes(std::slice::from_ref(&tracked), &options).pop() {
            Some(Outcome::Record(_, record)) => value(&record, "distance").expect("a distance"),
            other => panic!("{other:?}"),
        }
    };
    let [wgs84, gcj02, bd09] = ["wgs84", "gcj02", "bd09"].map(km);
    assert_eq!(wgs84, "50.03779 km");
    assert!(wgs84 != gcj02 && gcj02 != bd09 && bd09 != wgs84);
    // Nobody said: the points are not left aside in silence.
    let undeclared = Options {
        settings: Settings::default(),
        ..options("")
    };
    let refused = refusals(&outcomes(std::slice::from_ref(&tracked), &undeclared));
    assert_eq!(refused[0].1, "missing_field");
    assert_eq!(refused[0].2, "settings.datum");
    assert!(refusals(&outcomes(&[waybill()], &undeclared)).is_empty());
}

#[test]
fn a_table_cannot_outrun_the_clock() {
    // 72.5 km in 36 minutes are 121 km/h; 37 minutes are enough.
    let until = |time: &str| outcomes(&[with("/goodsReceiptDateTime", json!(time))], &options(""));
    let refused = refusals(&until("20260201090600"));
    assert_eq!(refused[0].1, "quantity_out_of_range");
    assert_eq!(refused[0].2, "goodsReceiptDateTime");
    match until("20260201090600").pop() {
        Some(Outcome::Refused(refused)) => assert_eq!(
            refused.problem.detail.zh(),
            "自发货起 72.5 km，速度超过 120 km/h"
        ),
        other => panic!("{other:?}"),
    }
    assert!(refusals(&until("20260201090700")).is_empty());
}

#[test]
fn without_track_or_table_the_distance_is_unknown() {
    let codes =
        |of: &Value, options: &Options| match outcomes(std::slice::from_ref(of), options).pop() {
            Some(Outcome::Held(held)) => held.code,
            other => panic!("{other:?}"),
        };
    let none = Options::default();
    assert_eq!(codes(&waybill(), &none), Code::DistanceUnknown);
    // Within one division the table says nothing, also not zero.
    let within = with("/consigneeInfo/countrySubdivisionCode", json!("440305"));
    assert_eq!(codes(&within, &options("")), Code::DistanceUnknown);
    // On by rail, and nothing says how far by road.
    let rail = with("/transportTypeCode", json!(2));
    assert_eq!(codes(&rail, &options("")), Code::DistanceUnknown);
    let mut tracked = rail;
    put(&mut tracked, "/locations", points(5, 11));
    assert_eq!(record(&tracked).attribute("transport_type"), Some("2"));
}

#[test]
fn units_and_wrappings_are_as_declared_and_found() {
    let tonnes = with(
        "/vehicleInfo/goodsInfo",
        json!({"goodsItemGrossWeight": "1.000000"}),
    );
    let mut outside = with("/vehicleInfo/goodsInfo", json!(null));
    put(
        &mut outside,
        "/goodsInfo",
        json!([{"goodsItemGrossWeight": 1000.000}]),
    );
    let listed = json!([outside["vehicleInfo"]]);
    put(&mut outside, "/vehicleInfo", listed);
    let expected = record(&waybill());
    let read = |text: &str, settings: &str| {
        let (_, outcomes) =
            read_with("freight-waybill", text.as_bytes(), &options(settings)).expect("read");
        match outcomes.as_slice() {
            [Outcome::Record(_, record)] => record.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(&tonnes.to_string(), "mass_unit = 't'"), expected);
    let (gbk, _, _) = encoding_rs::GBK.encode("粤");
    assert_eq!(gbk.len(), 2);
    for text in [
        outside.to_string(),
        format!("[{outside}]"),
        format!("{{\"data\":[{outside}]}}"),
        serde_json::to_string_pretty(&outside).expect("JSON"),
    ] {
        assert_eq!(read(&text, ""), expected, "{text}");
        let (gbk, _, _) = encoding_rs::GBK.encode(&text);
        let (_, outcomes) = read_with("freight-waybill", &gbk, &options("")).expect("read");
        assert!(matches!(outcomes.as_slice(), [Outcome::Record(_, it)] if *it == expected));
        let torn = read_all("freight-waybill", &text.as_bytes()[..text.len() - 1]);
        assert_eq!(torn.expect_err("torn").code, Code::FileTruncated);
    }
    let adapter = by_name("freight-waybill").expect("an adapter");
    for (text, param) in [
        ("mass_unit = 'lb'", "settings.mass_unit"),
        ("plate_salt = 'short'", "settings.plate_salt"),
        ("salt = 'x'", "settings.salt"),
    ] {
        let problem = (adapter.check)(&options(text)).expect_err(text);
        assert_eq!(problem.param.as_deref(), Some(param));
    }
}

#[test]
fn no_part_of_a_file_says_more_than_the_file() {
    let with_track = with("/locations", points(5, 3));
    for text in [
        format!("{with_track}\n{}\n", waybill()),
        serde_json::to_string_pretty(&with_track).expect("JSON"),
    ] {
        for end in 0..text.len() {
            let part = &text.as_bytes()[..end];
            if let Ok((_, outcomes)) = read_with("freight-waybill", part, &options("")) {
                assert!(
                    part.ends_with(b"}") || part.ends_with(b"\n"),
                    "{:?}",
                    &text[end.saturating_sub(40)..end]
                );
                assert!(
                    outcomes
                        .iter()
                        .all(|outcome| matches!(outcome, Outcome::Record(..)))
                );
            }
        }
    }
}
