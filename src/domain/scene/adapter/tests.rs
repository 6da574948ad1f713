//! What every adapter promises: no panic and bounded memory on any bytes. The helpers are shared
//! by the adapters' own tests.

use std::io::{BufReader, Read};

use proptest::prelude::*;

use super::*;

mod long_values;

/// Everything one file gives.
pub(super) fn read_with(
    name: &str,
    bytes: &[u8],
    options: &Options,
) -> Result<(Seen, Vec<Outcome>), Problem> {
    let adapter = by_name(name).expect("an adapter of that name");
    let mut outcomes = Vec::new();
    // A small odd buffer, so that chunks split rows, tags and characters.
    let mut source = BufReader::with_capacity(61, bytes);
    let seen = (adapter.read)(&mut source, options, &mut |outcome| outcomes.push(outcome))?;
    Ok((seen, outcomes))
}

/// What an adapter must be told before it reads at all.
fn declared(name: &str) -> Options {
    let settings = match name {
        "sz-bike-order" => "datum = 'gcj02'",
        "table" => {
            "format = 'csv'\nzone = 'America/New_York'\n[columns]\nid = 'bikeid'\nsubject = 'bikeid'\nat = 'starttime'\n\
             [time]\nformat = ['local', 'unix']\n[quantities.count]\ncolumn = 'tripduration'\nunit = 'item'\n"
        }
        "gpx" => "subject = 'one'\nmode = 'bike'",
        _ => "",
    };
    told(settings)
}

fn told(settings: &str) -> Options {
    Options {
        settings: Settings::parse(settings).expect("TOML"),
        ..Options::default()
    }
}

pub(super) fn read_all(name: &str, bytes: &[u8]) -> Result<(Seen, Vec<Outcome>), Problem> {
    read_with(name, bytes, &declared(name))
}

/// Place, code and field of each refusal, in order.
pub(super) fn refusals(outcomes: &[Outcome]) -> Vec<(String, String, String)> {
    outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Refused(refused) => Some((
                refused.place.to_string(),
                refused.problem.code.as_str().to_owned(),
                refused.problem.param.clone().unwrap_or_default(),
            )),
            _ => None,
        })
        .collect()
}

#[test]
fn every_adapter_is_found_by_its_name() {
    for name in [
        "citibike-csv",
        "shenzhen-tong",
        "green-button",
        "native",
        "sz-bike-order",
        "mds-trips",
        "gpx",
        "nem12",
        "csg-household",
        "freight-waybill",
        "epcis",
        "recycling-weigh",
        "native",
        "table",
        "ileap-tad",
    ] {
        assert_eq!(by_name(name).map(|adapter| adapter.name), Some(name));
    }
    assert!(by_name("fax").is_none());
}

#[test]
fn a_line_of_100_mb_is_refused_by_all_and_read_by_none() {
    for (name, start) in [
        ("citibike-csv", "Trip Duration,"),
        ("shenzhen-tong", "{\"data\":[{\"card_no\":\""),
        ("shenzhen-tong", "卡号,"),
        ("green-button", "<feed><title>"),
        ("gbt-32960", "vin,"),
        ("gbt-32960", "{\"vin\":\""),
        ("ocpi-cdr", "{\n\"id\":\""),
        ("ocpi-cdr", "{\"data\":[{\"id\":\""),
        ("nem12", "100,NEM12,"),
        ("shenzhen-tong", "1,20180901080500,地铁入站,0,0,2,a,b,c\n"),
        ("csg-household", "{\"eleCustNumber\":\""),
        ("csg-household", "{\n\"data\":{\"result\":[{\"date\":\""),
        ("freight-waybill", "{\"vehicleInfo\":{\"vehicleNumber\":\""),
        ("freight-waybill", "[{\"locations\":[\""),
        ("native", "[{\"id\":\""),
        ("native", "{\"id\":\""),
        ("sz-bike-order", "{\"data\":[{\"USER_ID\":\""),
        ("mds-trips", "{\"trips\":[{\"trip_id\":\""),
        ("gpx", "<gpx version=\"1.1\"><trk><name>"),
        ("table", "bikeid,"),
        ("ileap-tad", "{\"data\":[{\"activityId\":\""),
    ] {
        let mut taken = 0u64;
        let endless = start
            .as_bytes()
            .chain(std::io::repeat(b'x').take(100_000_000));
        let counted = Counted {
            inner: endless,
            taken: &mut taken,
        };
        let mut source = BufReader::with_capacity(64 * 1024, counted);
        let adapter = by_name(name).expect("an adapter");
        let problem = (adapter.read)(&mut source, &declared(name), &mut |_| {}).expect_err(start);
        assert_eq!(problem.code, Code::LineTooLong, "{name} {start}");
        assert!(taken < 1_000_000, "{name} read {taken} bytes");
    }
}

struct Counted<'a, R> {
    inner: R,
    taken: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        *self.taken += u64::try_from(read).unwrap_or(0);
        Ok(read)
    }
}

#[test]
fn utf16_is_refused_by_all() {
    for adapter in all() {
        let text = "<feed/> [] tripduration";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [utf16.clone(), [&[0xff, 0xfe][..], &utf16].concat()] {
            let problem = read_all(adapter.name, &bytes).expect_err("refused");
            assert_eq!(problem.code, Code::EncodingUnsupported, "{}", adapter.name);
        }
    }
}

/// Pieces of real formats, so that random text gets past the first line.
const PIECES: &[&str] = &[
    "{\"data\":[",
    "{\"records\":[",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\"",
    ":",
    "\n",
    "\\",
    "<feed>",
    "</feed>",
    "<entry>",
    "</entry>",
    "<IntervalBlock>",
    "<IntervalReading>",
    "<value>",
    "9",
    "</value>",
    "<link ",
    "rel=\"self\" href=\"a\"/>",
    "<updated>2026-01-01T00:00:00Z</updated>",
    "<UsageSummary><billingPeriod><start>9</start><duration>9</duration></billingPeriod>",
    "<overallConsumptionLastPeriod><uom>72</uom><value>9</value></overallConsumptionLastPeriod>",
    "<LocalTimeParameters><tzOffset>-9</tzOffset><dstStartRule>360E2000</dstStartRule>",
    "&amp;",
    "&x;",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a>",
    "\u{feff}",
    "Trip Duration,Start Time,Stop Time,Start Station ID,Start Station Latitude,Start Station Longitude,End Station ID,End Station Latitude,End Station Longitude,Bike ID,User Type\n",
    "bikeid,starttime,tripduration\n",
    "7,1637676000,3\n",
    "60,2015-11-01 01:30:00,2015-11-01 01:31:00,1,40,-74,2,40,-74,7,x\n",
    "卡号,交易日期时间,交易类型,交易金额,公司名称,线路站点,车牌号\n",
    "1,20180901080500,地铁入站,0,a,罗湖,c\n",
    "100,NEM12,202601310900,A,B\n",
    "100,NEM13,202601310900,A,B\n",
    "200,NMI0000001,E1,1,E1,N1,S,kWh,60,\n",
    "300,20260120,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,V,,,,\n",
    "400,1,24,E52,1,\n",
    "250,NMI0000001,11,1,11,11,S,E,1,20251005093055,A,,,2,20260107100333,A,,,1,kWh,,,\n",
    "900\n",
    "\"card_no\":\"A\"",
    "000,1,2,21,2018-09-01T08:05:00.000Z,地铁一号线,罗湖,IGT-1\n",
    "2018-09-01 08:20:00,,1,200,地铁出站,a,b,老街,0,190,2\n",
    "{\"eleCustNumber\":\"1\",\"meteringPointId\":\"2\",\"data\":{\"totalPower\":\"1\",\"result\":[",
    "{\"date\":\"2026-02-01\",\"power\":\"1\"}",
    "\"electricAndChargeList\":[{\"yearMonth\":\"202602\",\"billingElectricity\":1,\"from\":\"2026-02-28\",\"to\":\"9999-12-31\"}]",
    "{\"shippingNoteNumber\":\"1\",\"serialNumber\":\"0101\",\"goodsInfo\":[{\"goodsItemGrossWeight\":",
    "\"vehicleInfo\":{\"vehicleNumber\":\"粤\",\"despatchActualDateTime\":\"20260201083000\",",
    "\"locations\":[{\"longitude\":\"114\",\"latitude\":\"-22\",\"time\":\"20260201083000\"}]",
    "79228162514264337593543950335",
    "\"id\":\"1\"",
    "vin,time,runMode,mileage\n",
    "A,26-05-01 08:00:00,1,1000\n",
    "A,2026-05-01 09:00:00,254,4294967294\n",
    "\"vin\":\"A\",\"time\":\"260501080000\",\"runMode\":1,\"mileage\":",
    "\"Vin\":\"A\",\"Data\":{\"Time\":{\"Year\":26,\"Month\":5,\"Day\":1,\"Hour\":8,\"Minute\":0,\"Second\":0},\"Infos\":[{\"Type\":\"Vehicle\",\"Mode\":1,\"Mileage\":",
    "\"status_code\":1000",
    "\"data\":{",
    "\"country_code\":\"CN\",\"party_id\":\"SZX\",\"id\":\"1\",\"cdr_token\":{\"contract_id\":\"1\"},\"start_date_time\":\"2026-01-01T00:00:00\",\"end_date_time\":\"2026-01-01T01:00:00Z\"",
    "\"cdr_location\":{\"connector_power_type\":\"DC\",\"coordinates\":{\"latitude\":\"114\",\"longitude\":\"22\"}}",
    "\"total_energy\":",
    "\"total_time\":1,\"total_cost\":-1,\"last_updated\":\"2026-01-01T00:00:00Z\"",
    "\"charging_periods\":[{\"dimensions\":[{\"type\":\"ENERGY\",\"volume\":",
    "}]}]",
    "\"activityId\":\"1\",\"consignmentIds\":[\"1\"]",
    "\"distance\":{\"gcd\":\"1\"},\"mass\":\"1\"",
    "\"at\":\"2026-01-01T00:00:00Z\"",
    "<gpx version=\"1.1\">",
    "<trk>",
    "<trkseg>",
    "<trkpt lat=\"22.5\" lon=\"114\"><time>2026-01-01T00:00:00Z</time></trkpt>",
    "<trkpt lat=\"22.5001\" lon=\"114\"><time>2026-01-01T00:00:09Z</time></trkpt>",
    "<trkpt lat=\"-90\" lon=\"180\"><time>9999-12-31T23:59:59Z</time></trkpt>",
    "</trkseg>",
    "</trk>",
    "</gpx>",
    "\"USER_ID\":\"00112233445566778899\",\"COM_ID\":\"1\"",
    "\"START_TIME\":\"2021-03-01 08:00:00\",\"END_TIME\":\"2021-03-01 08:09:00\"",
    "\"START_LAT\":\"22.5\",\"START_LNG\":\"114\",\"END_LAT\":\"-90\",\"END_LNG\":\"180\"",
    "{\"trips\":[",
    "\"provider_id\":\"11111111-2222-4333-8444-555555555555\"",
    "\"device_id\":\"11111111-2222-4333-8444-555555555555\"",
    "\"trip_id\":\"11111111-2222-4333-8444-555555555555\"",
    "\"start_time\":1767254400000,\"end_time\":1767255000000,\"duration\":600",
    "\"distance\":9223372036854775807",
    "\"start_location\":{\"lat\":22.5,\"lng\":1e-3},\"end_location\":{\"lat\":22.51,\"lng\":114}",
    "\"trip_type\":",
    "-1",
    "1e999",
    "null",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_make_an_adapter_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for adapter in all() {
            let _ = read_with(adapter.name, &bytes, &declared(adapter.name));
        }
        let _ = DistanceTable::read(&mut bytes.as_slice());
    }

    #[test]
    fn no_near_miss_makes_an_adapter_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        for adapter in all() {
            let _ = read_with(adapter.name, text.as_bytes(), &declared(adapter.name));
        }
        let _ = DistanceTable::read(&mut text.as_bytes());
    }
}

/// A sound file of some adapters, to be damaged.
const SEEDS: &[(&str, &str)] = &[
    (
        "sz-bike-order",
        r#"{"total":1,"data":[{"START_TIME":"2021-03-01 08:00:00","START_LAT":"22.5400","END_TIME":"2021-03-01 08:05:00","END_LNG":"114.0500","USER_ID":"00112233445566778899aabbccddeeff","START_LNG":"114.0500","END_LAT":"22.5489","COM_ID":"0755A"}]}"#,
    ),
    (
        "mds-trips",
        r#"{"version":"2.0.0","trips":[{"provider_id":"11111111-2222-4333-8444-555555555555","device_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","trip_id":"01234567-89ab-4cde-8f01-23456789abcd","start_time":1767254400000,"end_time":1767255000500,"start_location":{"lat":22.54,"lng":114.05},"end_location":{"lat":22.5489932,"lng":114.05},"duration":600,"distance":1250,"trip_type":["rider"]}]}"#,
    ),
    (
        "gpx",
        r#"<gpx version="1.1"><wpt lat="1" lon="2"/><trk><type>walking</type><trkseg><trkpt lat="22.5" lon="114"><time>2026-01-01T00:00:00Z</time></trkpt><trkpt lat="22.5001" lon="114"><time>2026-01-01T00:00:09Z</time></trkpt></trkseg></trk></gpx>"#,
    ),
];

#[test]
fn a_sound_file_gives_a_record_and_any_beginning_of_it_none() {
    for (name, text) in SEEDS {
        let records = |text: &str| {
            read_with(name, text.as_bytes(), &declared(name)).map(|(_, outcomes)| {
                let is_record = |outcome: &&Outcome| matches!(outcome, Outcome::Record(..));
                outcomes.iter().filter(is_record).count()
            })
        };
        assert_eq!(records(text), Ok(1), "{name}");
        for end in 0..text.len() {
            let code = records(&text[..end]).map_err(|problem| problem.code);
            let whole = [Err(Code::FileTruncated), Err(Code::FormatMismatch)];
            assert!(whole.contains(&code), "{name} {end} {code:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_changed_byte_makes_an_adapter_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for (name, text) in SEEDS {
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = read_with(name, &bytes, &declared(name));
        }
    }
}

#[test]
fn an_array_is_no_row_of_a_feed_of_objects() {
    // A parser that fills fields in their order would take one.
    for name in [
        "shenzhen-tong",
        "sz-bike-order",
        "mds-trips",
        "ocpi-cdr",
        "gbt-32960",
        "csg-household",
        "freight-waybill",
        "epcis",
        "recycling-weigh",
        "native",
        "ileap-tad",
    ] {
        let options = match name {
            "epcis" => told("subject = 'readPoint'"),
            "recycling-weigh" => told("unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30"),
            name => declared(name),
        };
        match read_with(name, br#"[["a","b","1","2"]]"#, &options) {
            Ok((_, outcomes)) => {
                let codes: Vec<_> = refusals(&outcomes)
                    .into_iter()
                    .map(|(_, code, _)| code)
                    .collect();
                assert_eq!(codes, ["row_malformed"], "{name}");
            }
            Err(problem) => assert_eq!(problem.code, Code::FormatMismatch, "{name}"),
        }
    }
}
