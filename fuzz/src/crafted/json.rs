//! JSON feeds, and CloudEvents around them.

use tanpuhui::domain::scene::adapter::{Envelope, native};

use super::{Case, file, long_rows, read, repeated};

/// Adapter, scene, the key of its page, and one sound row with `#` where its number goes.
const FEEDS: &[(&str, u8, &str, &str)] = &[
    (
        "native",
        0,
        "records",
        r##"{"id":"r#","subject":"s#","at":"2026-11-20T08:00:00Z","quantities":{"distance":{"value":"12.50","unit":"km"}}}"##,
    ),
    (
        "shenzhen-tong",
        0,
        "data",
        r##"{"card_no":"A#","deal_date":"2018-09-01 08:05:30","deal_type":"地铁入站","deal_money":"0","company_name":"l","station":"罗湖","car_no":"c"}"##,
    ),
    (
        "sz-bike-order",
        1,
        "data",
        r##"{"START_TIME":"2021-03-01 08:00:00","START_LAT":"22.5400","END_TIME":"2021-03-01 08:05:00","END_LNG":"114.0500","USER_ID":"0011223344556677#","START_LNG":"114.0500","END_LAT":"22.5489","COM_ID":"0755A"}"##,
    ),
    (
        "mds-trips",
        0,
        "trips",
        r##"{"provider_id":"11111111-2222-4333-8444-555555555555","device_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","trip_id":"01234567-89ab-4cde-8f01-23456789abcd","start_time":1767254400000,"end_time":1767255000500,"start_location":{"lat":22.54,"lng":114.05},"end_location":{"lat":22.5489932,"lng":114.05},"duration":600,"distance":1250}"##,
    ),
    (
        "ocpi-cdr",
        0,
        "data",
        r##"{"country_code":"CN","party_id":"SZX","id":"c-#","start_date_time":"2026-05-01T01:00:00Z","end_date_time":"2026-05-01T03:00:00","cdr_token":{"contract_id":"cn-Szx-1"},"cdr_location":{"id":"L1","coordinates":{"latitude":"22.54","longitude":"114.06"},"connector_power_type":"DC"},"charging_periods":[{"start_date_time":"2026-05-01T01:00:00Z","dimensions":[{"type":"ENERGY","volume":20.5}]}],"total_energy":20.5,"total_time":1.5,"total_cost":{"excl_vat":1},"last_updated":"2026-05-01T03:01:00Z"}"##,
    ),
    (
        "gbt-32960",
        0,
        "data",
        r##"{"vin":"A#","time":"260501080000","runMode":1,"mileage":10}"##,
    ),
    (
        "csg-household",
        0,
        "data",
        r##"{"eleCustNumber":"09#","meteringPointId":"MP-#","result":[{"date":"2026-02-01","power":"5.20"}]}"##,
    ),
    (
        "freight-waybill",
        0,
        "data",
        r##"{"shippingNoteNumber":"Y#","serialNumber":"0000","despatchActualDateTime":"20260201083000","goodsReceiptDateTime":"20260201113000","consignorInfo":{"countrySubdivisionCode":"440305"},"consigneeInfo":{"countrySubdivisionCode":"441900"},"vehicleInfo":{"vehicleNumber":"粤B00000D","goodsInfo":[{"goodsItemGrossWeight":"800"}]}}"##,
    ),
    (
        "epcis",
        0,
        "eventList",
        r##"{"eventID":"urn:uuid:#","type":"ObjectEvent","eventTime":"2026-05-01T09:30:00+08:00","eventTimeZoneOffset":"+08:00","action":"OBSERVE","bizStep":"collecting","sourceList":[{"type":"possessing_party","source":"urn:example:resident:42"}],"quantityList":[{"epcClass":"urn:epc:class:lgtin:6900000.012345.PET","quantity":2.50,"uom":"KGM"}]}"##,
    ),
    (
        "recycling-weigh",
        0,
        "data",
        r##"{"id":"W#","user":"u7","bin":"B3","type":"3","weight":1250,"time":"2026-05-01 08:30:00"}"##,
    ),
    (
        "ileap-tad",
        0,
        "data",
        r##"{"activityId":"a-#","consignmentIds":["c-7"],"distance":{"actual":"423"},"mass":"87","origin":{"city":"Shenzhen","country":"CN"},"destination":{"city":"Wuhan","country":"CN"},"departureAt":"2026-05-01T00:00:00Z","arrivalAt":"2026-05-01T09:30:00Z","mode":"Road"}"##,
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = FEEDS.iter().flat_map(of_feed).collect();
    cases.extend(long_lists());
    cases.extend(events());
    cases.extend(batches());
    cases
}

fn of_feed(&(name, scene, key, row): &(&'static str, u8, &'static str, &'static str)) -> Vec<Case> {
    let numbered = move |number: usize| row.replace('#', &number.to_string());
    let (array, page) = (
        |what: &str| format!("array of {what}"),
        format!("{{\"{key}\":["),
    );
    let paged = page.clone();
    vec![
        file(name, scene, "sound rows", move |size| {
            repeated(size, "", |n| format!("{}\n", numbered(n)), "")
        }),
        file(name, scene, "one row again and again", move |size| {
            repeated(size, "", |_| format!("{}\n", numbered(7)), "")
        }),
        file(name, scene, &array("{}"), move |size| {
            repeated(size, &page, |_| "{},".to_owned(), "{}]}")
        }),
        file(name, scene, &array("1"), move |size| {
            repeated(size, "[", |_| "1,".to_owned(), "1]")
        }),
        file(name, scene, "other keys first", move |size| {
            repeated(
                size,
                "{",
                |n| format!("\"k{n}\":0,"),
                &format!("\"{key}\":[]}}"),
            )
        }),
        file(name, scene, "rows nested in brackets", move |size| {
            let row = format!("{}{},", "[".repeat(30_000), "]".repeat(30_000));
            repeated(size, &paged, |_| row.clone(), "1]}")
        }),
        file(name, scene, "lines nested in objects", move |size| {
            let row = format!("{}1{}\n", "{\"a\":".repeat(9_000), "}".repeat(9_000));
            repeated(size, &format!("{}\n", numbered(0)), |_| row.clone(), "")
        }),
        file(name, scene, "long numbers", move |size| {
            let long = row
                .replace('#', "1")
                .replacen("12.50", &"9".repeat(60_000), 1);
            let long = long.replacen("1250", &"9".repeat(60_000), 1).replacen(
                "20.5",
                &"9".repeat(60_000),
                1,
            );
            repeated(size, "", |_| format!("{long}\n"), "")
        }),
        file(name, scene, "exponents", move |size| {
            let vast = numbered(1)
                .replace("1250", "1e999999")
                .replace("20.5", "1e999999")
                .replace("\"12.50\"", "1e-999999");
            repeated(size, "", |_| format!("{vast}\n"), "")
        }),
        file(name, scene, "rows of other keys", move |size| {
            let open = row.replace('#', "1");
            let open = open.strip_suffix('}').unwrap_or_default();
            long_rows(size, "", [open, ",\"x\":0", "}", "\n"], "")
        }),
        file(name, scene, "rows of different keys", move |size| {
            let keys: String = (0..6_000).map(|n| format!(",\"x{n}\":0")).collect();
            let row = numbered(1);
            let row = format!("{}{keys}}}\n", row.strip_suffix('}').unwrap_or_default());
            repeated(size, "", |_| row.clone(), "")
        }),
        file(name, scene, "escapes", move |size| {
            let open = row
                .replacen('#', &"\\u4e2d".repeat(9_000), 1)
                .replace('#', "1");
            repeated(size, "", |_| format!("{open}\n"), "")
        }),
        file(name, scene, "blank", move |size| {
            repeated(size, "", |_| " \n".to_owned(), "")
        }),
        file(name, scene, "spaces within", move |size| {
            repeated(size, "[", |_| " ".repeat(1_000), "]")
        }),
    ]
}

/// Rows that hold long lists.
fn long_lists() -> Vec<Case> {
    let lists: [(&str, u8, &str, [&str; 3]); 12] = [
        (
            "ocpi-cdr",
            0,
            "periods",
            [
                r#"{"country_code":"CN","party_id":"SZX","id":"c","start_date_time":"2026-05-01T01:00:00Z","end_date_time":"2026-05-01T03:00:00","cdr_token":{"contract_id":"c"},"total_energy":20.5,"total_time":1.5,"last_updated":"2026-05-01T03:01:00Z","total_cost":1,"charging_periods":[{"dimensions":[]}"#,
                r#",{"start_date_time":"2026-05-01T01:00:00Z","dimensions":[{"type":"ENERGY","volume":0.1}]}"#,
                "]}",
            ],
        ),
        (
            "ocpi-cdr",
            0,
            "dimensions",
            [
                r#"{"country_code":"CN","party_id":"SZX","id":"c","start_date_time":"2026-05-01T01:00:00Z","end_date_time":"2026-05-01T03:00:00","cdr_token":{"contract_id":"c"},"total_energy":20.5,"total_time":1.5,"last_updated":"2026-05-01T03:01:00Z","total_cost":1,"charging_periods":[{"dimensions":[{"type":"TIME","volume":1}"#,
                r#",{"type":"ENERGY","volume":0.1}"#,
                "]}]}",
            ],
        ),
        (
            "ocpi-cdr",
            1,
            "outlets",
            [
                r#"{"id":"c-2","start_date_time":"2026-05-01T01:00:00Z","stop_date_time":"2026-05-01T02:00:00Z","auth_id":"a","total_cost":4,"total_energy":7,"total_time":1,"last_updated":"2026-05-01T03:01:00Z","charging_periods":[],"location":{"evses":[{"uid":"E1","connectors":[]}"#,
                r#",{"uid":"E1","connectors":[{"id":"1","power_type":"AC_3_PHASE"}]}"#,
                "]}}",
            ],
        ),
        (
            "csg-household",
            0,
            "days",
            [
                r#"{"eleCustNumber":"09","meteringPointId":"MP","result":[{"date":"2026-02-01","power":"5.20"}"#,
                r#",{"date":"2026-02-01","power":"5.20"}"#,
                "]}",
            ],
        ),
        (
            "csg-household",
            2,
            "bills",
            [
                r#"{"eleCustNumber":"09","meteringPointId":"MP","electricAndChargeList":[{"yearMonth":"202602","billingElectricity":1}"#,
                r#",{"yearMonth":"202602","billingElectricity":1,"from":"2026-01-01","to":"2026-12-31"}"#,
                "]}",
            ],
        ),
        (
            "freight-waybill",
            0,
            "goods",
            [
                r#"{"shippingNoteNumber":"Y","serialNumber":"0000","despatchActualDateTime":"20260201083000","goodsReceiptDateTime":"20260201113000","vehicleInfo":{"vehicleNumber":"粤B00000D","goodsInfo":[{"goodsItemGrossWeight":1}"#,
                r#",{"goodsItemGrossWeight":0.1}"#,
                "]}}",
            ],
        ),
        (
            "freight-waybill",
            0,
            "points of a track",
            [
                r#"{"shippingNoteNumber":"Y","serialNumber":"0000","despatchActualDateTime":"20260201083000","goodsReceiptDateTime":"20260201113000","vehicleInfo":{"vehicleNumber":"粤B00000D","goodsInfo":[{"goodsItemGrossWeight":1}]},"locations":[{"longitude":"114","latitude":"22","time":"20260201083000"}"#,
                r#",{"longitude":"114","latitude":"22","time":"20260201083000"}"#,
                "]}",
            ],
        ),
        (
            "epcis",
            1,
            "objects",
            [
                r#"{"eventID":"urn:1","type":"ObjectEvent","eventTime":"2026-05-01T09:30:00+08:00","action":"OBSERVE","epcList":["urn:a""#,
                r#","urn:epc:id:sgtin:6900000.012345.1""#,
                "]}",
            ],
        ),
        (
            "epcis",
            1,
            "classes",
            [
                r#"{"eventID":"urn:1","type":"ObjectEvent","eventTime":"2026-05-01T09:30:00+08:00","action":"OBSERVE","epcList":["urn:a"],"quantityList":[{"epcClass":"urn:c","quantity":1}"#,
                r#",{"epcClass":"urn:c:1","quantity":2.5,"uom":"KGM"}"#,
                "]}",
            ],
        ),
        (
            "epcis",
            4,
            "orders",
            [
                r#"{"eventID":"urn:1","type":"ObjectEvent","eventTime":"2026-05-01T09:30:00+08:00","action":"OBSERVE","bizTransactionList":[{"type":"x","bizTransaction":"urn:x"}"#,
                r#",{"type":"x","bizTransaction":"urn:y"}"#,
                "]}",
            ],
        ),
        (
            "ileap-tad",
            0,
            "carriers",
            [
                r#"{"activityId":"a","consignmentIds":["c-7"],"distance":{"actual":"423"},"mass":"87","departureAt":"2026-05-01T00:00:00Z","arrivalAt":"2026-05-01T09:30:00Z","mode":"Road","energyCarriers":[{"energyCarrier":"Diesel","relativeShare":"0"}"#,
                r#",{"energyCarrier":"Diesel","relativeShare":"0.0001"}"#,
                "]}",
            ],
        ),
        (
            "native",
            0,
            "quantities",
            [
                r#"{"id":"r","subject":"s","at":"2026-11-20T08:00:00Z","quantities":{"a":{"value":1,"unit":"km"}"#,
                r#","b":{"value":1,"unit":"km"}"#,
                "}}",
            ],
        ),
    ];
    lists
        .into_iter()
        .map(|(name, scene, what, [open, inner, close])| {
            let what = format!("rows of many {what}");
            file(name, scene, &what, move |size| {
                long_rows(size, "", [open, inner, close, "\n"], "")
            })
        })
        .collect()
}

/// Events, each of which opens an adapter.
fn events() -> Vec<Case> {
    let adapters = [
        (
            "native",
            0,
            r#"{"id":"r","subject":"s","at":"2026-11-20T08:00:00Z","quantities":{}}"#,
        ),
        ("shenzhen-tong", 0, "{}"),
        ("gbt-32960", 0, "{}"),
        ("recycling-weigh", 0, "{}"),
        ("epcis", 0, "{}"),
        ("table", 0, "\"a,b,c,d\""),
        ("gpx", 0, "\"<gpx/>\""),
        ("green-button", 0, "\"<feed/>\""),
        ("nem12", 0, "\"100,NEM12,202601310900,A,B\\n900\\n\""),
    ];
    let case = |(name, scene, data): (&'static str, u8, &'static str)| {
        let kind = if data.starts_with('"') {
            r#""datacontenttype":"text/x","#
        } else {
            ""
        };
        let event = move |n| {
            format!(
                "{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"/\",\"type\":\"t\",{kind}\"data\":{data}}}\n"
            )
        };
        Case {
            name: format!("cloudevents of {name}"),
            make: Box::new(move |size| repeated(size, "", event, "")),
            run: Box::new(move |bytes| read(Envelope::Events, name, scene, bytes)),
        }
    };
    let mut cases: Vec<Case> = adapters.into_iter().map(case).collect();
    cases.push(Case {
        name: "cloudevents of many attributes".to_owned(),
        make: Box::new(|size| {
            let attributes: String = (0..5_000).map(|n| format!(",\"x{n}\":0")).collect();
            repeated(
                size,
                "",
                |_| format!("{{\"specversion\":\"1.0\"{attributes}}}\n"),
                "",
            )
        }),
        run: Box::new(|bytes| read(Envelope::Events, "native", 0, bytes)),
    });
    cases
}

/// The ingestion path's own reader.
fn batches() -> Vec<Case> {
    let json = |what: &str, make: fn(usize) -> Vec<u8>| Case {
        name: format!("native batch: {what}"),
        make: Box::new(make),
        run: Box::new(|bytes| {
            std::hint::black_box(native::parse_batch(bytes, native::Format::Json).is_ok());
        }),
    };
    vec![
        json("empty objects", |size| {
            repeated(size, "[", |_| "{},".to_owned(), "{}]")
        }),
        json("numbers", |size| {
            repeated(size, "[", |_| "1,".to_owned(), "1]")
        }),
        json("nested", |size| repeated(size, "", |_| "[".to_owned(), "")),
        json("one string", |size| {
            repeated(size, "[\"", |_| "x".to_owned(), "\"]")
        }),
        json("one number", |size| {
            repeated(size, "[", |_| "9".to_owned(), "]")
        }),
        json("many keys", |size| {
            repeated(size, "{", |n| format!("\"k{n}\":1,"), "\"records\":[]}")
        }),
        json("bad rows of many members", |size| {
            let members: String = (0..6_000).map(|n| format!(",\"x{n}\":0")).collect();
            repeated(size, "[", |_| format!("{{\"id\":\"r\"{members}}},"), "1]")
        }),
    ]
}
