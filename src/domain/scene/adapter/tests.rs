//! What every adapter promises: no panic and bounded memory on any bytes. The helpers are shared
//! by the adapters' own tests.

use std::io::{BufReader, Read};

use proptest::prelude::*;

use super::*;

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

pub(super) fn read_all(name: &str, bytes: &[u8]) -> Result<(Seen, Vec<Outcome>), Problem> {
    read_with(name, bytes, &declared(name))
}

/// What a scene declares where an adapter cannot do without.
fn declared(name: &str) -> Options {
    let settings = match name {
        "table" => {
            "format = 'csv'\nzone = 'America/New_York'\n[columns]\nid = 'bikeid'\nsubject = 'bikeid'\nat = 'starttime'\n\
             [time]\nformat = ['local', 'unix']\n[quantities.count]\ncolumn = 'tripduration'\nunit = 'item'\n"
        }
        _ => "",
    };
    Options {
        settings: Settings::parse(settings).expect("settings"),
        ..Options::default()
    }
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
        "table",
        "ileap-tad",
    ] {
        assert_eq!(by_name(name).map(|adapter| adapter.name), Some(name));
    }
    assert!(by_name("gpx").is_none());
}

#[test]
fn a_line_of_100_mb_is_refused_by_all_and_read_by_none() {
    for (name, start) in [
        ("citibike-csv", "Trip Duration,"),
        ("shenzhen-tong", "{\"data\":[{\"card_no\":\""),
        ("shenzhen-tong", "卡号,"),
        ("green-button", "<feed><title>"),
        ("native", "[{\"id\":\""),
        ("native", "{\"id\":\""),
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
    "\"card_no\":\"A\"",
    "\"id\":\"1\"",
    "\"activityId\":\"1\",\"consignmentIds\":[\"1\"]",
    "\"distance\":{\"gcd\":\"1\"},\"mass\":\"1\"",
    "\"at\":\"2026-01-01T00:00:00Z\"",
    "-1",
    "1e999",
    "null",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_make_an_adapter_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for adapter in all() {
            let _ = read_all(adapter.name, &bytes);
        }
        let _ = DistanceTable::read(&mut bytes.as_slice());
    }

    #[test]
    fn no_near_miss_makes_an_adapter_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        for adapter in all() {
            let _ = read_all(adapter.name, text.as_bytes());
        }
        let _ = DistanceTable::read(&mut text.as_bytes());
    }
}
