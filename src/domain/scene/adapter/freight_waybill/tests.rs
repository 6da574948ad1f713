use super::super::tests::{read_all, read_with, refusals};
use super::super::{DistanceTable, Options, Outcome, Settings, by_name};
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

/// A waybill of our own making, from one division to another.
fn waybill() -> Value {
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

fn with(pointer: &str, value: Value) -> Value {
    let mut waybill = waybill();
    put(&mut waybill, pointer, value);
    waybill
}

/// Sets a member, which need not be there yet; `null` takes it away.
fn put(waybill: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let object = waybill
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("an object");
    object.insert(key.to_owned(), value);
}

fn options(settings: &str) -> Options {
    let mut csv = "440305,441900,72.5\n440305,430100,700\n".as_bytes();
    Options {
        distances: Some(Arc::new(DistanceTable::read(&mut csv).expect("a table"))),
        settings: Settings::parse(settings).expect("TOML"),
        ..Options::default()
    }
}

fn outcomes(waybills: &[Value], options: &Options) -> Vec<Outcome> {
    let text: String = waybills
        .iter()
        .map(|waybill| format!("{waybill}\n"))
        .collect();
    read_with("freight-waybill", text.as_bytes(), options)
        .expect("read")
        .1
}

fn record(waybill: &Value) -> Record {
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
        ("mode", "truck"),
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
fn a_plate_stands_in_no_id_and_no_attribute() {
    let of = |settings: &str, plate: &str| {
        let waybill = with("/vehicleInfo/vehicleNumber", json!(plate));
        match outcomes(&[waybill], &options(settings)).pop() {
            Some(Outcome::Record(_, record)) => record,
            other => panic!("{other:?}"),
        }
    };
    let plain = of("", "粤B00000D");
    let vehicle = |record: &Record| record.attribute("vehicle").map(str::to_owned);
    let seen = plain
        .attributes
        .iter()
        .any(|(_, value)| value.contains("B00000D"));
    assert!(!seen && !plain.source_id.contains("B00000D"));
    assert_eq!(vehicle(&of("", "粤b 00000d")), vehicle(&plain));
    assert_ne!(vehicle(&of("", "粤B00001D")), vehicle(&plain));
    assert_ne!(
        vehicle(&of("plate_salt = 'sixteen bytes or more'", "粤B00000D")),
        vehicle(&plain)
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

fn points(step_km: i64, count: i64) -> Value {
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
fn without_track_or_table_the_distance_is_unknown() {
    let codes = |of: &Value, options: &Options| match outcomes(&[of.clone()], options).pop() {
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
fn plate_and_energy_must_go_together() {
    let of = |colour: &str, energy: Value| {
        let mut waybill = with("/vehicleInfo/vehiclePlateColorCode", json!(colour));
        put(&mut waybill, "/vehicleInfo/vehicleEnergyType", energy);
        outcomes(&[waybill], &options(""))
    };
    for colour in ["5", "93", "94"] {
        for energy in ["A", "B", "D", "E", "F", "L", "M", "Y"] {
            let refused = refusals(&of(colour, json!(energy)));
            assert_eq!(refused.len(), 1, "{colour} {energy}");
            assert_eq!(refused[0].2, "vehicleEnergyType");
        }
    }
    for (colour, energy, quality) in [
        ("5", json!("C"), Some("plate_agrees")),
        ("93", json!("O"), Some("plate_agrees")),
        ("94", json!("Z"), Some("plate_agrees")),
        ("1", json!("C"), Some("plate_unconfirmed")),
        ("2", json!("O"), Some("plate_unconfirmed")),
        ("2", json!("B"), None),
        ("93", json!(null), None),
        ("", json!("C"), None),
    ] {
        let outcomes = of(colour, energy.clone());
        let [Outcome::Record(_, record)] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(record.attribute("quality"), quality, "{colour} {energy}");
    }
}

#[test]
fn each_broken_rule_is_named_with_its_field() {
    let rules = [
        (
            "/shippingNoteNumber",
            json!(null),
            "missing_field",
            "shippingNoteNumber",
        ),
        (
            "/shippingNoteNumber",
            json!("123456789012345678901"),
            "invalid_field",
            "shippingNoteNumber",
        ),
        ("/serialNumber", json!(""), "missing_field", "serialNumber"),
        (
            "/serialNumber",
            json!("101"),
            "invalid_field",
            "serialNumber",
        ),
        (
            "/serialNumber",
            json!("0201"),
            "invalid_field",
            "vehicleAmount",
        ),
        ("/vehicleAmount", json!(2), "invalid_field", "vehicleAmount"),
        (
            "/vehicleAmount",
            json!("0"),
            "invalid_field",
            "vehicleAmount",
        ),
        (
            "/transportTypeCode",
            json!(9),
            "invalid_field",
            "transportTypeCode",
        ),
        (
            "/sendToProDateTime",
            json!("yesterday"),
            "time_invalid",
            "sendToProDateTime",
        ),
        (
            "/despatchActualDateTime",
            json!(null),
            "missing_field",
            "despatchActualDateTime",
        ),
        (
            "/despatchActualDateTime",
            json!("20260231083000"),
            "time_invalid",
            "despatchActualDateTime",
        ),
        (
            "/goodsReceiptDateTime",
            json!("20260201082959"),
            "time_invalid",
            "goodsReceiptDateTime",
        ),
        (
            "/consignorInfo/countrySubdivisionCode",
            json!("44 03"),
            "invalid_field",
            "loadingCountrySubdivisionCode",
        ),
        ("/vehicleInfo", json!(null), "missing_field", "vehicleInfo"),
        (
            "/vehicleInfo",
            json!([{}, {}]),
            "invalid_field",
            "vehicleInfo",
        ),
        (
            "/vehicleInfo/vehicleNumber",
            json!(""),
            "missing_field",
            "vehicleNumber",
        ),
        (
            "/vehicleInfo/vehicleNumber",
            json!("粤B/1"),
            "invalid_field",
            "vehicleNumber",
        ),
        (
            "/vehicleInfo/vehiclePlateColorCode",
            json!("6"),
            "invalid_field",
            "vehiclePlateColorCode",
        ),
        (
            "/vehicleInfo/vehicleEnergyType",
            json!("c"),
            "invalid_field",
            "vehicleEnergyType",
        ),
        (
            "/vehicleInfo/vehicleTonnage",
            json!("1.505"),
            "invalid_field",
            "vehicleTonnage",
        ),
        (
            "/vehicleInfo/grossMass",
            json!("-1.00"),
            "invalid_field",
            "grossMass",
        ),
        (
            "/vehicleInfo/goodsInfo",
            json!([]),
            "missing_field",
            "goodsItemGrossWeight",
        ),
        (
            "/vehicleInfo/goodsInfo",
            json!({"goodsItemGrossWeight": null}),
            "missing_field",
            "goodsItemGrossWeight",
        ),
        (
            "/vehicleInfo/goodsInfo",
            json!({"goodsItemGrossWeight": "1.0005"}),
            "invalid_field",
            "goodsItemGrossWeight",
        ),
        (
            "/vehicleInfo/goodsInfo",
            json!({"goodsItemGrossWeight": "-1"}),
            "quantity_out_of_range",
            "goodsItemGrossWeight",
        ),
        (
            "/vehicleInfo/goodsInfo",
            json!({"goodsItemGrossWeight": "4500.001"}),
            "quantity_out_of_range",
            "goodsItemGrossWeight",
        ),
        (
            "/emptyKilometres",
            json!("-1"),
            "quantity_out_of_range",
            "emptyKilometres",
        ),
        (
            "/loadedKilometres",
            json!("far"),
            "invalid_field",
            "loadedKilometres",
        ),
        (
            "/locations",
            json!([{"longitude": "114", "latitude": "91", "time": "20260201083000"}]),
            "invalid_field",
            "locations",
        ),
        (
            "/locations",
            json!([{"longitude": "114", "latitude": "22", "time": ""}]),
            "time_invalid",
            "locations",
        ),
        ("/goodsInfo", json!(7), "row_malformed", ""),
    ];
    let waybills: Vec<Value> = rules
        .iter()
        .map(|(pointer, value, _, _)| with(pointer, value.clone()))
        .collect();
    let outcomes = outcomes(&waybills, &options(""));
    let expected: Vec<_> = rules
        .iter()
        .zip(1..)
        .map(|((_, _, code, field), line)| {
            (
                format!("line {line}"),
                (*code).to_owned(),
                (*field).to_owned(),
            )
        })
        .collect();
    assert_eq!(refusals(&outcomes), expected);
    let backwards = json!([
        {"longitude": "114", "latitude": "22", "time": "20260201090000"},
        {"longitude": "114", "latitude": "22", "time": "20260201085959"},
    ]);
    let outcomes = self::outcomes(&[with("/locations", backwards)], &options(""));
    assert_eq!(refusals(&outcomes).len(), 1);
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
