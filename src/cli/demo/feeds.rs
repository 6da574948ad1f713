//! Sample feeds (示例数据) of our own making: invented people, stations, buses and roofs. The same
//! days give the same feeds on every machine.

use std::fmt::Write as _;

use chrono::{DateTime, Days, FixedOffset, Months, NaiveDate, NaiveTime, TimeDelta, Weekday};
use chrono::{Datelike, SecondsFormat};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// People with a card; the last [`STRANGERS`] of them never linked it.
pub const CARDS: u32 = 310;
/// Cards that nobody linked, so that their trips are held.
pub const STRANGERS: u32 = 10;
/// People who also ride the electric bus.
pub const RIDERS: u32 = 120;
/// Roofs with panels.
pub const ROOFS: u32 = 20;
/// Riders of the pilot, two years ago.
pub const PILOTS: u32 = 40;

/// Stations of the invented line, each with its place along it in units of 10 m.
const STATIONS: [(&str, i64); 12] = [
    ("示例东港", 0),
    ("示例渔村", 212),
    ("示例北湖", 468),
    ("示例工业园", 745),
    ("示例体育城", 1010),
    ("示例市民广场", 1266),
    ("示例中央公园", 1498),
    ("示例大学城", 1822),
    ("示例科学馆", 2110),
    ("示例西站", 2415),
    ("示例空港", 2790),
    ("示例海湾", 3054),
];

/// Where Shenzhen's clocks stand: eight hours east all year.
fn east() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).expect("eight hours are less than a day")
}

/// A number that looks random and is the same every time.
fn draw(purpose: &str, who: u32, day: i32, below: u32) -> u32 {
    let digest = Sha256::digest(format!("{purpose}/{who}/{day}"));
    let [a, b, c, d] = [digest[0], digest[1], digest[2], digest[3]];
    u32::from_be_bytes([a, b, c, d]) % below.max(1)
}

fn at(day: NaiveDate, minute: u32) -> DateTime<FixedOffset> {
    let midnight = day.and_time(NaiveTime::MIN).and_local_timezone(east());
    midnight.single().unwrap_or_default() + TimeDelta::minutes(i64::from(minute))
}

pub fn card(no: u32) -> String {
    format!("SAMPLE-{no:04}")
}

pub fn rider(no: u32) -> String {
    format!("sample-rider-{no:04}")
}

pub fn roof(no: u32) -> String {
    format!("sample-roof-{no:02}")
}

/// `from,to,km` for every pair of the invented stations.
pub fn distances() -> String {
    let mut table = String::from("from,to,km\n");
    for (place, (from, start)) in STATIONS.iter().enumerate() {
        for (to, end) in STATIONS.iter().skip(place + 1) {
            let tens = end - start;
            let _ = writeln!(table, "{from},{to},{}.{:02}", tens / 100, tens % 100);
        }
    }
    table
}

/// Home and work of a card's owner, at least five stations apart.
fn commute(no: u32) -> (usize, usize) {
    let home = draw("home", no, 0, 7) as usize;
    let work = home + 5 + draw("work", no, 0, 12 - 5 - home as u32) as usize;
    (home, work)
}

fn travels(no: u32, day: NaiveDate) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    !weekend || draw("weekend", no, day.num_days_from_ce(), 2) == 0
}

/// Start and end of the way to work.
fn morning(no: u32, day: NaiveDate) -> (DateTime<FixedOffset>, DateTime<FixedOffset>) {
    let start = 7 * 60 + 15 + draw("morning", no, day.num_days_from_ce(), 90);
    (at(day, start), at(day, start + minutes(no)))
}

fn evening(no: u32, day: NaiveDate) -> (DateTime<FixedOffset>, DateTime<FixedOffset>) {
    let start = 17 * 60 + 30 + draw("evening", no, day.num_days_from_ce(), 120);
    (at(day, start), at(day, start + minutes(no)))
}

fn minutes(no: u32) -> u32 {
    let (home, work) = commute(no);
    4 + 3 * (work - home) as u32
}

/// One day's taps of every card, as a file of the `shenzhen-tong` adapter. The first day also has
/// rows that are wrong on purpose.
pub fn metro_file(day: NaiveDate, first: bool) -> Vec<u8> {
    let header = "card_no,deal_date,deal_type,deal_money,company_name,station,car_no\n";
    let mut taps: Vec<(DateTime<FixedOffset>, String)> = Vec::new();
    for no in (1..=CARDS).filter(|no| travels(*no, day)) {
        let (home, work) = commute(no);
        let legs = [
            (morning(no, day), home, work),
            (evening(no, day), work, home),
        ];
        for ((start, end), from, to) in legs {
            let fare = 200 + 50 * from.abs_diff(to);
            taps.push((start, tap(&card(no), start, "地铁入站", "0", from)));
            taps.push((end, tap(&card(no), end, "地铁出站", &fare.to_string(), to)));
        }
    }
    taps.sort();
    let mut file = String::from(header);
    file.extend(taps.into_iter().map(|(_, line)| line));
    if first {
        let noon = at(day, 12 * 60);
        // An entry that never left, a fare that is none, a type that is none, half a row.
        file += &tap("SAMPLE-LOST", noon, "地铁入站", "0", 3);
        file += &tap("SAMPLE-FARE", noon, "地铁入站", "-5", 3);
        file += &tap("SAMPLE-TYPE", noon, "示例错误", "0", 3);
        file += "SAMPLE-HALF,2020-01-01\n";
    }
    file.into_bytes()
}

fn tap(card: &str, when: DateTime<FixedOffset>, kind: &str, fare: &str, station: usize) -> String {
    let name = STATIONS.get(station).map_or("", |(name, _)| name);
    let when = when.format("%Y-%m-%d %H:%M:%S");
    format!("{card},{when},{kind},{fare},示例地铁一号线,{name},示例-{station:02}\n")
}

/// A bus trip as a record of the native form.
fn ride(id: &str, no: u32, from: DateTime<FixedOffset>, minutes: u32, km: &str) -> Value {
    json!({
        "id": id,
        "subject": rider(no),
        "from": stamp(from),
        "to": stamp(from + TimeDelta::minutes(i64::from(minutes))),
        "quantities": {"distance": {"value": km, "unit": "km"}},
        "attributes": {"mode": "bus-electric"},
    })
}

fn stamp(when: DateTime<FixedOffset>) -> String {
    when.to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// Rides around noon of one day, when nobody takes the metro.
pub fn bus_rides(day: NaiveDate, riders: u32) -> Vec<Value> {
    let number = day.num_days_from_ce();
    (1..=riders)
        .filter(|no| draw("bus", *no, number, 4) > 0)
        .map(|no| {
            let start = at(day, 12 * 60 + draw("noon", no, number, 60));
            let (minutes, tenths) = (
                12 + draw("minutes", no, number, 18),
                25 + draw("metres", no, number, 110),
            );
            let km = format!("{}.{}", tenths / 10, tenths % 10);
            ride(&format!("sample-{day}-{no:04}"), no, start, minutes, &km)
        })
        .collect()
}

/// Rides that cannot be: on the bus while the same person's card is on the metro.
pub fn impossible_rides(day: NaiveDate) -> Vec<Value> {
    (1..=RIDERS)
        .filter(|no| travels(*no, day))
        .take(5)
        .map(|no| {
            let (start, _) = morning(no, day);
            let id = format!("sample-twice-{day}-{no:04}");
            ride(&id, no, start + TimeDelta::minutes(2), 10, "4.0")
        })
        .collect()
}

/// Rides that are wrong, each in its own way; `day` is today.
pub fn wrong_rides(day: NaiveDate) -> Vec<Value> {
    let noon = at(day - Days::new(1), 15 * 60);
    let good = |id: &str| ride(id, 1, noon, 20, "5.0");
    let mut negative = good("sample-negative");
    negative["quantities"]["distance"]["value"] = json!("-5.0");
    let mut unit = good("sample-unit");
    unit["quantities"]["distance"]["unit"] = json!("furlong");
    let mut mass = good("sample-mass");
    mass["quantities"]["distance"]["unit"] = json!("kg");
    let mut mode = good("sample-mode");
    mode["attributes"]["mode"] = json!("helicopter");
    let mut extra = good("sample-extra");
    extra["colour"] = json!("green");
    let future = ride("sample-future", 1, at(day + Days::new(3), 720), 20, "5.0");
    let nothing = ride("sample-nothing", 1, noon, 20, "0");
    let mut backwards = good("sample-backwards");
    backwards["to"] = json!(stamp(noon - TimeDelta::hours(1)));
    vec![
        negative, unit, mass, mode, extra, future, nothing, backwards,
    ]
}

/// A rider whom nobody linked.
pub fn unknown_rider(day: NaiveDate) -> Value {
    ride("sample-unknown", 9_999, at(day, 13 * 60), 20, "6.2")
}

/// Whole months before `today`, the earlier one first.
pub fn months_before(today: NaiveDate, count: u32) -> Vec<NaiveDate> {
    let this = today.with_day(1).unwrap_or(today);
    (1..=count)
        .rev()
        .filter_map(|back| this.checked_sub_months(Months::new(back)))
        .collect()
}

/// The month's generation of every roof.
pub fn roof_months(month: NaiveDate) -> Vec<Value> {
    let number = month.num_days_from_ce();
    (1..=ROOFS)
        .map(|no| {
            let tenths = 4_100 + draw("sun", no, number, 1_600);
            let kwh = format!("{}.{}", tenths / 10, tenths % 10);
            roof_month(&format!("sample-{month}-{no:02}"), no, month, &kwh, "5")
        })
        .collect()
}

/// The same meter and month under another name, and a roof above one megawatt.
pub fn wrong_roof_months(month: NaiveDate) -> Vec<Value> {
    let mut large = roof_month("sample-large", 2, month, "90000", "1200");
    large["attributes"]["meter"] = json!("SAMPLE-METER-LARGE");
    vec![roof_month("sample-again", 1, month, "433.3", "5"), large]
}

fn roof_month(id: &str, no: u32, month: NaiveDate, kwh: &str, kw: &str) -> Value {
    let next = month.checked_add_months(Months::new(1)).unwrap_or(month);
    json!({
        "id": id,
        "subject": roof(no),
        "from": stamp(at(month, 0)),
        "to": stamp(at(next, 0)),
        "quantities": {
            "generation": {"value": kwh, "unit": "kWh"},
            "capacity": {"value": kw, "unit": "kW"},
        },
        "attributes": {
            "region": "CN-440300",
            "meter": format!("SAMPLE-METER-{no:02}"),
            "certificate": "none",
        },
    })
}

/// One record a line.
pub fn ndjson(records: &[Value]) -> Vec<u8> {
    let mut text = String::new();
    for record in records {
        let _ = writeln!(text, "{record}");
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::scene::adapter::{DistanceTable, Options, Outcome, by_name};

    fn monday() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 16).unwrap()
    }

    #[test]
    fn a_day_is_the_same_every_time_and_its_adapter_reads_all_that_is_right() {
        let file = metro_file(monday(), true);
        assert_eq!(file, metro_file(monday(), true));
        let table = DistanceTable::read(&mut distances().as_bytes()).unwrap();
        let options = Options {
            zone: Some(chrono_tz::Asia::Shanghai),
            distances: Some(Arc::new(table)),
            ..Options::default()
        };
        let (mut trips, mut held, mut refused) = (0, 0, 0);
        let adapter = by_name("shenzhen-tong").unwrap();
        (adapter.read)(&mut &file[..], &options, &mut |outcome| match outcome {
            Outcome::Record(_, record) => {
                assert!(record.quantities[0].value >= rust_decimal::Decimal::from(5));
                trips += 1;
            }
            Outcome::Held(_) => held += 1,
            Outcome::Refused(_) => refused += 1,
        })
        .unwrap();
        assert_eq!((trips, held, refused), (2 * CARDS, 1, 3));
    }

    #[test]
    fn months_are_whole_and_before_today() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(
            months_before(day(2027, 1, 31), 2),
            [day(2026, 11, 1), day(2026, 12, 1)]
        );
    }

    #[test]
    fn impossible_rides_lie_within_the_same_persons_metro_trip() {
        let rides = impossible_rides(monday());
        assert_eq!(rides.len(), 5);
        for (ride, no) in rides.iter().zip(1..) {
            let from = ride["from"]
                .as_str()
                .unwrap()
                .parse::<DateTime<FixedOffset>>();
            let (start, end) = morning(no, monday());
            assert!((start..end).contains(&from.unwrap()));
        }
    }
}
