//! Documents and feeds speak the same names: what an adapter gives is what a document reads.

use std::sync::Arc;

use super::{Compiled, Library, Refusal};
use crate::domain::behaviour::Record;
use crate::domain::scene::adapter::{DistanceTable, Options, Outcome, Settings, by_name};

const BIKE_ORDER: &str = r#"{"START_TIME":"2023-03-01 08:00:00","START_LAT":"22.5400000000","END_TIME":"2023-03-01 08:05:00","END_LNG":"114.0500000000","USER_ID":"00112233445566778899aabbccddeeff","START_LNG":"114.0500000000","END_LAT":"22.5489932000","COM_ID":"0755A"}"#;
const MDS: &str = r#"{"provider_id":"11111111-2222-4333-8444-555555555555","device_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","trip_id":"01234567-89ab-4cde-8f01-23456789abcd","start_time":1767254400000,"end_time":1767255000500,"start_location":{"lat":22.54,"lng":114.05},"end_location":{"lat":22.5489932,"lng":114.05},"duration":600,"distance":1250,"trip_type":["rider"]}"#;
const TAPS: &str = "card_no,deal_date,deal_type,deal_money,deal_value,equ_no,company_name,station,car_no\nA,2026-01-05 08:00:00,21,0,0,1,地铁一号线,南山,IGT-1\nA,2026-01-05 08:30:00,22,400,400,2,地铁一号线,福田,OGT-1\n";
const CDR: &str = r#"{"country_code":"CN","party_id":"SZX","id":"c-1","start_date_time":"2026-05-01T01:00:00Z","end_date_time":"2026-05-01T03:00:00","session_id":"s-1","cdr_token":{"uid":"u","type":"APP_USER","contract_id":"CN-SZX-1"},"auth_method":"WHITELIST","cdr_location":{"id":"L1","country":"CHN","coordinates":{"latitude":"22.54","longitude":"114.06"},"evse_uid":"E1","evse_id":"CN*SZX*E1","connector_power_type":"DC"},"currency":"CNY","charging_periods":[{"start_date_time":"2026-05-01T01:00:00Z","dimensions":[{"type":"ENERGY","volume":18.46}]}],"total_cost":{"excl_vat":12.30},"total_energy":18.46,"total_time":2,"last_updated":"2026-05-01T03:01:00Z"}"#;
const TRACK: &str = r#"<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg><trkpt lat="22.5400" lon="114.05"><time>2026-01-01T00:00:00Z</time></trkpt><trkpt lat="22.5410" lon="114.05"><time>2026-01-01T00:02:00Z</time></trkpt></trkseg></trk></gpx>"#;
const WAYBILL: &str = r#"{"originalDocumentNumber":"O-1","shippingNoteNumber":"YD1","serialNumber":"0000","vehicleAmount":"1","transportTypeCode":"1","sendToProDateTime":"20260202090000","despatchActualDateTime":"20260201083000","goodsReceiptDateTime":"20260201113000","consignorInfo":{"countrySubdivisionCode":"440305"},"consigneeInfo":{"countrySubdivisionCode":"441900"},"loadedKilometres":"100","emptyKilometres":"10","vehicleInfo":{"vehicleNumber":"粤B00000D","vehiclePlateColorCode":"94","vehicleEnergyType":"C","vehicleTonnage":"1.50","grossMass":"4.50","goodsInfo":[{"goodsItemGrossWeight":"1000"}]}}"#;
const WEIGHED: &str = "id,user,bin,type,weight,time\n1,u-1,B-1,PET,2,2026-05-01 08:00:00\n";
const BOX: &str = r#"{"eventID":"urn:uuid:00000000-0000-4000-8000-000000000001","type":"ObjectEvent","eventTime":"2026-05-01T09:30:00+08:00","eventTimeZoneOffset":"+08:00","action":"OBSERVE","bizStep":"receiving","bizTransactionList":[{"type":"po","bizTransaction":"urn:example:waybill:9"}],"destinationList":[{"type":"possessing_party","destination":"urn:example:resident:42"}],"epcList":["urn:epc:id:grai:6900000.00001.7"]}"#;
const RAIL: &str = r#"{"activityId":"a-1","consignmentIds":["c-7"],"distance":{"sfd":"1100"},"mass":"20000","origin":{"city":"Shenzhen","country":"CN"},"destination":{"city":"Wuhan","country":"CN"},"departureAt":"2026-05-01T00:00:00Z","arrivalAt":"2026-05-01T09:30:00Z","mode":"Rail"}"#;
const HOUSEHOLD: &str = r#"{"areaCode":"090000","eleCustNumber":"0900000000000017","meteringPointId":"MP-17","sta":"00","data":{"totalPower":"4","result":[{"date":"2026-02-01","power":"4"}]}}"#;
const ODOMETER: &str = "vin,time,runMode,mileage\nLVTEST00000000001,2026-05-01 08:00:00,1,1000\nLVTEST00000000001,2026-05-01 09:00:00,1,1600\nLVTEST00000000001,2026-05-01 09:10:00,2,1600\nLVTEST00000000001,2026-05-01 10:00:00,2,2000\n";

/// The records that an adapter gives of a file.
fn read(adapter: &str, settings: &str, file: &str) -> Vec<Record> {
    let table =
        DistanceTable::read(&mut "from,to,km\n南山,福田,12.5\n440305,441900,50\n".as_bytes());
    let options = Options {
        settings: Settings::parse(settings).unwrap(),
        distances: table.ok().map(Arc::new),
        ..Options::default()
    };
    let adapter = by_name(adapter).unwrap();
    (adapter.check)(&options).unwrap();
    let mut records = Vec::new();
    let seen = (adapter.read)(
        &mut file.as_bytes(),
        &options,
        &mut |outcome| match outcome {
            Outcome::Record(_, record) => records.push(record),
            other => panic!("{}: {other:?}", adapter.name),
        },
    );
    seen.unwrap();
    records
}

fn document(library: &Library, name: &str) -> Arc<Compiled> {
    let (code, version) = name.split_once('@').unwrap();
    Arc::clone(library.get(code, version).unwrap())
}

/// Milligrams, or the code and the field of the refusal.
fn outcome(
    compiled: &Compiled,
    record: &Record,
    assumed: &[(&str, &str)],
) -> Result<i64, (&'static str, String)> {
    let explained = compiled.explain_assuming(record, assumed.iter().copied());
    explained
        .map(|explained| explained.reduction_mg)
        .map_err(|refusal: Refusal| {
            let problem = refusal.into_problem();
            (problem.code.as_str(), problem.param.unwrap_or_default())
        })
}

#[test]
fn what_feeds_give_is_what_documents_of_events_read() {
    let library = Library::embedded().unwrap();
    let ebike = "mode = 'shared_ebike'";
    let scales = "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30\n[materials]\nPET = 'plastic'\n";
    type Case<'a> = (
        (&'a str, &'a str, &'a str),
        &'a str,
        &'a [(&'a str, &'a str)],
        Result<i64, (&'a str, &'a str)>,
    );
    let cases: [Case<'_>; 14] = [
        (
            ("sz-bike-order", "datum = 'wgs84'", BIKE_ORDER),
            "sz-shared-bike@2022.1",
            &[],
            Ok(48_700),
        ),
        (
            ("mds-trips", ebike, MDS),
            "sz-shared-bike@2022.1",
            &[],
            Ok(77_250),
        ),
        (
            ("mds-trips", ebike, MDS),
            "cq-shared-ebike@2023.1",
            &[],
            Ok(53_750),
        ),
        (
            ("mds-trips", "mode = 'shared_bike'", MDS),
            "cq-shared-ebike@2023.1",
            &[],
            Err(("invalid_field", "attributes.mode")),
        ),
        (
            ("mds-trips", "mode = 'shared_bike'", MDS),
            "wuhan-carbon-rivers@2024.1",
            &[],
            Ok(50_000),
        ),
        (
            ("shenzhen-tong", "", TAPS),
            "sz-public-transport@2021.1",
            &[],
            Ok(585_000),
        ),
        (
            ("shenzhen-tong", "", TAPS),
            "metro-trip@2017.1",
            &[],
            Ok(515_500),
        ),
        (
            ("ocpi-cdr", "", CDR),
            "vm0038-session@1.0",
            &[
                ("consumption", "0.2 kWh/vehicle-km"),
                ("ef_fuel", "0.2 kgCO2/vehicle-km"),
            ],
            Ok(7_848_000),
        ),
        (
            ("gpx", "subject = 'one'\nmode = 'walk'", TRACK),
            "jjj-low-carbon-travel@2024.1",
            &[
                ("ef_baseline", "0.1 kgCO2/person-km"),
                ("ef_walk", "0 kgCO2/person-km"),
            ],
            Ok(11_119),
        ),
        (
            ("freight-waybill", "", WAYBILL),
            "freight-empty-km@0.1",
            &[
                ("empty_rate", "0.4"),
                ("ef_loaded", "0.8 kgCO2/vehicle-km"),
                ("ef_empty", "0.5 kgCO2/vehicle-km"),
            ],
            Ok(15_000_000),
        ),
        // What no waybill says must be stated by the operator: the class, and nothing else.
        (
            ("freight-waybill", "", WAYBILL),
            "freight-new-energy-truck@0.1",
            &[],
            Err(("missing_field", "attributes.class")),
        ),
        (
            ("recycling-weigh", scales, WEIGHED),
            "smart-sorting@2024.1",
            &[("ef_plastic", "1 kgCO2e/kg"), ("contamination", "10 %")],
            Ok(1_800_000),
        ),
        (
            ("epcis", "subject = 'destination:possessing_party'", BOX),
            "reusable-parcel-box@2021.1",
            &[],
            Ok(283_024),
        ),
        (
            ("ileap-tad", "", RAIL),
            "freight-modal-shift@0.1",
            &[],
            Err(("missing_field", "quantities.road")),
        ),
    ];
    for ((adapter, settings, file), name, assumed, wanted) in cases {
        let compiled = document(&library, name);
        let records = read(adapter, settings, file);
        assert_eq!(records.len(), 1, "{adapter}");
        let found = outcome(&compiled, &records[0], assumed);
        let wanted = wanted.map_err(|(code, field)| (code, field.to_owned()));
        assert_eq!(found, wanted, "{adapter} for {name}: {:?}", records[0]);
        if found.is_ok() {
            let claims = compiled.claim_texts(&records[0]);
            assert!(claims.is_ok(), "{adapter} for {name}: {claims:?}");
        }
    }
}

/// A statement that the operator posts beside the feed, in the platform's own form.
fn stated(quantities: &str, attributes: &str, like: &Record) -> Record {
    let text = format!(
        r#"[{{"id":"said","subject":"{}","at":"2026-01-15T00:00:00+08:00","quantities":{{{quantities}}},"attributes":{{{attributes}}}}}]"#,
        like.subject
    );
    let mut records = read("native", "", &text);
    records.remove(0)
}

#[test]
fn what_feeds_give_is_what_documents_of_periods_read() {
    let library = Library::embedded().unwrap();
    let day = read("csg-household", "", HOUSEHOLD).remove(0);
    let members = r#""members":{"value":"2","unit":"person"}"#;
    let household = document(&library, "sz-household-electricity@2022.1");
    let said = stated(members, "", &day);
    assert_eq!(
        (household.accept(&day), household.accept(&said)),
        (Ok(()), Ok(()))
    );
    let periods = household.gather(&[day], &[said]);
    let period = periods[0].1.as_ref().unwrap();
    let b = [("b_winter", "1.2 kgCO2/person/day")];
    // TV-C01, day A: 2.4 - 4 * 0.4419.
    assert_eq!(outcome(&household, period, &b), Ok(632_400));
    assert!(household.claim_texts(period).is_ok());

    let day = read("gbt-32960", "", ODOMETER).remove(0);
    let vehicles = document(&library, "ev-trips@2021.1");
    let words =
        r#""powertrain":"phev","use":"private","baseline_fuel":"petrol","region":"CN-440300""#;
    let said = stated("", words, &day);
    let mut filled = stated(
        r#""electricity":{"value":"5","unit":"kWh"},"fuel":{"value":"3","unit":"L"}"#,
        "",
        &day,
    );
    (filled.from, filled.to) = (day.from, day.from);
    for record in [&day, &said, &filled] {
        assert_eq!(vehicles.accept(record), Ok(()));
    }
    let periods = vehicles.gather(&[day, filled], &[said]);
    assert_eq!(periods.len(), 1);
    let period = periods[0].1.as_ref().unwrap();
    let assumed = [
        ("sfc_private", "0.07 L/vehicle-km"),
        ("leakage_rate", "0 kgCO2/vehicle-km"),
    ];
    // 60 km electric and 40 km not: 100 km at 0.07 L, less 5 kWh and 3 L.
    assert_eq!(outcome(&vehicles, period, &assumed), Ok(7_270_500));
    assert!(vehicles.claim_texts(period).is_ok());
}

/// A called day of which an hour of the window was not read is no response to the call.
#[test]
fn a_reading_that_is_missing_is_no_demand_response() {
    let library = Library::embedded().unwrap();
    let compiled = document(&library, "wuhan-demand-response@2023.1");
    let hours = |day: u32, called: &str, skipped: Option<u32>| {
        let hour = |hour: u32| {
            let text = format!(
                r#"[{{"id":"{day}-{hour}","subject":"h","from":"2024-07-{day:02}T{hour:02}:00:00+08:00","to":"2024-07-{:02}T{:02}:00:00+08:00","quantities":{{"electricity":{{"value":"1","unit":"kWh"}}}},"attributes":{{"meter":"M-1","called":"{called}"}}}}]"#,
                day + (hour + 1) / 24,
                (hour + 1) % 24
            );
            read("native", "", &text).remove(0)
        };
        let hours = (0..24).filter(|hour| Some(*hour) != skipped);
        hours.map(hour).collect::<Vec<Record>>()
    };
    let whole = compiled.gather(&hours(8, "yes", None), &[]);
    let day = whole[0].1.as_ref().unwrap();
    let used = |name: &str| day.quantity(name).unwrap().value;
    assert_eq!(used("electricity.event"), rust_decimal::Decimal::from(2));
    assert_eq!(used("electricity.rest"), rust_decimal::Decimal::from(22));
    let holed = compiled.gather(&hours(8, "yes", Some(20)), &[]);
    let problem = holed[0].1.as_ref().unwrap_err();
    assert_eq!(problem.code.as_str(), "period_incomplete");
}

/// A year of a Shanghai household through its own document, with the blanks filled for the test.
#[test]
fn the_third_tier_takes_a_shanghai_year_back() {
    let name = "methodologies/sh-household-electricity/2024.1.toml";
    let mut documents = super::EMBEDDED_DOCUMENTS.iter();
    let (_, text) = documents.find(|(file, _)| *file == name).unwrap();
    let filled = text
        .replace(
            "[parameters.ef_peak]",
            "[parameters.ef_peak]\nvalue = \"0.5\"",
        )
        .replace(
            "[parameters.ef_valley]",
            "[parameters.ef_valley]\nvalue = \"0.4\"",
        )
        .replace(
            "[parameters.third_tier]",
            "[parameters.third_tier]\nvalue = \"1000\"",
        );
    let examples = filled.find("[[examples]]").unwrap();
    let library = Library::load([(name, &filled[..examples])]).unwrap();
    let compiled = document(&library, "sh-household-electricity@2024.1");
    let month = |from: &str, to: &str, peak: u32, valley: u32| {
        let text = format!(
            r#"[{{"id":"{from}","subject":"h","from":"{from}T00:00:00+08:00","to":"{to}T00:00:00+08:00","quantities":{{"electricity.peak":{{"value":"{peak}","unit":"kWh"}},"electricity.valley":{{"value":"{valley}","unit":"kWh"}}}},"attributes":{{"meter":"M-1"}}}}]"#
        );
        read("native", "", &text).remove(0)
    };
    let mut said = stated(
        "",
        r#""tariff":"time-of-use","own_pv":"none""#,
        &month("2024-05-01", "2024-06-01", 1, 1),
    );
    said.from = "2024-04-01T00:00:00Z".parse().unwrap();
    said.to = said.from;
    assert_eq!(compiled.accept(&said), Ok(()));
    let of = |last: u32| {
        let records = [
            month("2024-07-01", "2024-08-01", 500, 300),
            month("2025-06-01", "2025-07-01", 400, 200),
            month("2025-07-01", "2025-08-01", last, 200),
        ];
        let gathered = compiled.gather(&records, std::slice::from_ref(&said));
        let months = gathered.into_iter().map(|(_, month)| month.unwrap());
        months.collect::<Vec<Record>>()
    };
    let mut series = super::Series::default();
    let months = of(199);
    compiled.open_series(&months, &mut series);
    let july = compiled.quantify_in(&months, 2, &mut series).unwrap();
    // (500 * 0.5 + 300 * 0.4) - (199 * 0.5 + 200 * 0.4)
    assert_eq!(july.reduction_mg.0, 190_500_000);
    assert_eq!(compiled.year_verdict(&months[1..], &mut series), Ok(()));
    // 1,000 kWh in the year reach the tier; 999 do not.
    let refused = compiled.year_verdict(&of(200)[1..], &mut series);
    let problem = refused.unwrap_err().into_problem();
    assert_eq!(problem.param.as_deref(), Some("third_tier"));
}
