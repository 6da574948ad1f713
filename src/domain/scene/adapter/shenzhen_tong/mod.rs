//! `shenzhen-tong`: card taps (刷卡) of Shenzhen Tong, as the city's open-data platform serves
//! them: a page `{"total":…,"data":[…]}`, JSON lines, or CSV with Chinese or English header.
//!
//! A tap is no trip: entries and exits are paired by card ([`pairing`]), the distance comes from
//! the scene's table, and what has no partner, no alighting or no distance is held. See
//! `docs/adapters/shenzhen-tong.md`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::encoding::{Decoded, problem_of};
use super::json_rows::{JsonRows, Wrapper};
use super::json_text::Text;
use super::lines::{Fields, Lines};
use super::local_time::LocalTime;
use super::{Adapter, Held, Options, Outcome, Place, Seen, no_settings, refused};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem};

mod distances;
mod pairing;

pub use distances::DistanceTable;
use pairing::{Card, Kind, Settled, Tap, Window};

const PAGE: Wrapper = Wrapper {
    key: "data",
    pointer: "/data",
    beside: None,
};

/// Above this many cards the distinct count is left out rather than the memory bound.
const CARDS_MAX: usize = 2_000_000;

/// A ride that costs more than 10,000 yuan is no ride.
const FARE_MAX_FEN: u32 = 1_000_000;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "shenzhen-tong",
    default_zone: chrono_tz::Asia::Shanghai,
    derived: &[],
    check: no_settings,
    read,
};

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut decoded = Decoded::new(source);
    let start = decoded
        .fill_buf()
        .map_err(problem_of)?
        .trim_ascii_start()
        .first()
        .copied();
    let mut reader = Reader::new(options);
    match start {
        Some(b'{' | b'[') => reader.read_json(JsonRows::new(decoded, PAGE)?, sink)?,
        _ => reader.read_csv(Lines::new(decoded), sink)?,
    }
    Ok(reader.finish(sink))
}

/// How rows are counted: as elements of an array, or as lines.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Array(&'static str),
    Lines,
}

impl Layout {
    fn place(self, row: u64) -> Place {
        match self {
            Layout::Array(pointer) => Place::Item(pointer, row),
            Layout::Lines => Place::Line(row),
        }
    }
}

/// One tap as the file writes it; absent and blank are the same.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, default)]
    card_no: Option<Text<'a>>,
    #[serde(borrow, default)]
    deal_date: Option<Text<'a>>,
    #[serde(borrow, default)]
    deal_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    deal_money: Option<Text<'a>>,
    #[serde(borrow, default)]
    company_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    station: Option<Text<'a>>,
    #[serde(borrow, default)]
    car_no: Option<Text<'a>>,
}

/// The columns of the CSV layouts, in the order of [`Row`]: Chinese header, English header.
const COLUMNS: [(&str, &str); 7] = [
    ("卡号", "card_no"),
    ("交易日期时间", "deal_date"),
    ("交易类型", "deal_type"),
    ("交易金额", "deal_money"),
    ("公司名称", "company_name"),
    ("线路站点", "station"),
    ("车牌号", "car_no"),
];

impl<'a> Row<'a> {
    fn of_fields(fields: &'a Fields, at: &[usize; 7]) -> Row<'a> {
        let [card, date, kind, money, company, station, car] =
            at.map(|index| Some(Text(Cow::Borrowed(fields.get(index)))));
        Row {
            card_no: card,
            deal_date: date,
            deal_type: kind,
            deal_money: money,
            company_name: company,
            station,
            car_no: car,
        }
    }
}

fn text<'a>(field: &'a Option<Text<'_>>) -> &'a str {
    field.as_ref().map_or("", |text| text.as_str().trim())
}

fn required<'a>(field: &'a Option<Text<'_>>, name: &str) -> Result<&'a str, Problem> {
    match text(field) {
        "" => Err(Problem::at(Code::MissingField, name, "")),
        text => Ok(text),
    }
}

#[derive(Clone, Copy)]
enum What {
    Metro(Kind),
    Bus,
}

struct Reader {
    zone: Tz,
    counts: [u64; 4],
    cards: HashSet<u64>,
    fare: u64,
    window: Window,
    book: Book,
}

impl Reader {
    fn new(options: &Options) -> Reader {
        Reader {
            zone: options.zone.unwrap_or(chrono_tz::Asia::Shanghai),
            counts: [0; 4],
            cards: HashSet::new(),
            fare: 0,
            window: Window::new(),
            book: Book {
                layout: Layout::Lines,
                stations: Names::default(),
                lines: Names::default(),
                distances: options.distances.clone().unwrap_or_default(),
            },
        }
    }

    fn read_json<R: BufRead>(
        &mut self,
        mut rows: JsonRows<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        loop {
            let parsed = match rows.next()? {
                None => return Ok(()),
                Some((place, text)) => {
                    let at = match place {
                        Place::Item(pointer, index) => {
                            self.book.layout = Layout::Array(pointer);
                            index
                        }
                        Place::Line(number) => number,
                        Place::Pointer(_) => 0,
                    };
                    match serde_json::from_str(text) {
                        Ok(row) => {
                            self.take(at, &row, sink);
                            None
                        }
                        Err(error) => Some((place, error)),
                    }
                }
            };
            let Some((place, error)) = parsed else {
                continue;
            };
            if rows.torn() && error.is_eof() {
                return Err(Problem::at(
                    Code::FileTruncated,
                    place.to_string(),
                    "a torn row",
                ));
            }
            self.counts[0] += 1;
            sink(refused(
                place,
                Problem {
                    code: Code::RowMalformed,
                    param: None,
                    detail: error.to_string(),
                },
            ));
        }
    }

    fn read_csv<R: BufRead>(
        &mut self,
        mut lines: Lines<R>,
        sink: &mut dyn FnMut(Outcome),
    ) -> Result<(), Problem> {
        let mut fields = Fields::default();
        let (at, width) = columns(&mut lines, &mut fields)?;
        while let Some((number, line)) = lines.next()? {
            let split = fields.split(line);
            let whole = split.is_ok() && fields.len() == width;
            if whole {
                self.take(number, &Row::of_fields(&fields, &at), sink);
            } else if lines.torn() {
                return Err(Problem::at(
                    Code::FileTruncated,
                    format!("line {number}"),
                    "a torn row",
                ));
            } else {
                self.counts[0] += 1;
                let detail = format!("{width} columns are expected");
                sink(refused(
                    Place::Line(number),
                    Problem {
                        code: Code::RowMalformed,
                        param: None,
                        detail,
                    },
                ));
            }
        }
        Ok(())
    }

    fn take(&mut self, at: u64, row: &Row<'_>, sink: &mut dyn FnMut(Outcome)) {
        self.counts[0] += 1;
        match self.tap(at, row) {
            Err(problem) => sink(refused(self.book.layout.place(at), problem)),
            Ok(None) => {
                let place = self.book.layout.place(at);
                sink(Outcome::Held(Held {
                    place,
                    code: Code::BusWithoutAlighting,
                }));
            }
            Ok(Some(tap)) => {
                let book = &self.book;
                self.window
                    .add(tap, &mut |settled| sink(book.outcome(settled)));
            }
        }
    }

    /// A metro tap, or none for a bus tap. Type, fare and card are counted before anything else
    /// can refuse the row, because the totals are over all taps read.
    fn tap(&mut self, at: u64, row: &Row<'_>) -> Result<Option<Tap>, Problem> {
        let what = self.kind(required(&row.deal_type, "deal_type")?)?;
        let fare = fare(required(&row.deal_money, "deal_money")?)?;
        self.fare += u64::from(fare);
        let card = Card::new(required(&row.card_no, "card_no")?).ok_or_else(|| {
            Problem::at(Code::InvalidField, "card_no", "1 to 32 visible characters")
        })?;
        if self.cards.len() <= CARDS_MAX {
            self.cards.insert(card.hash());
        }
        if text(&row.station).is_empty() && text(&row.car_no).is_empty() {
            return Err(Problem::at(
                Code::MissingField,
                "station",
                "car_no is missing too",
            ));
        }
        let station = required(&row.station, "station")?;
        required(&row.car_no, "car_no")?;
        let time = self.instant(required(&row.deal_date, "deal_date")?)?;
        let What::Metro(kind) = what else {
            return Ok(None);
        };
        Ok(Some(Tap {
            card,
            at: time,
            kind,
            station: self.book.stations.number(station, "station")?,
            line: self
                .book
                .lines
                .number(text(&row.company_name), "company_name")?,
            fare,
            row: u32::try_from(at).unwrap_or(u32::MAX),
            settled: false,
        }))
    }

    fn kind(&mut self, deal_type: &str) -> Result<What, Problem> {
        let [_, entries, exits, bus] = &mut self.counts;
        let (what, count) = match deal_type {
            "地铁入站" => (What::Metro(Kind::Entry), entries),
            "地铁出站" => (What::Metro(Kind::Exit), exits),
            "巴士" => (What::Bus, bus),
            _ => {
                let detail = "地铁入站, 地铁出站 or 巴士 is expected";
                return Err(Problem::at(Code::InvalidField, "deal_type", detail));
            }
        };
        *count += 1;
        Ok(what)
    }

    fn instant(&self, text: &str) -> Result<u32, Problem> {
        LocalTime::parse(text)
            .and_then(|time| time.instants(self.zone).into_iter().flatten().next())
            .and_then(|instant| u32::try_from(instant.timestamp()).ok())
            .ok_or_else(|| {
                Problem::at(
                    Code::TimeInvalid,
                    "deal_date",
                    format!("no such time in {}", self.zone),
                )
            })
    }

    fn finish(self, sink: &mut dyn FnMut(Outcome)) -> Seen {
        let book = &self.book;
        self.window
            .finish(&mut |settled| sink(book.outcome(settled)));
        let [rows, entries, exits, bus] = self.counts;
        let mut counts = vec![
            ("rows", rows),
            ("entries", entries),
            ("exits", exits),
            ("bus", bus),
        ];
        if self.cards.len() <= CARDS_MAX {
            counts.push(("cards", u64::try_from(self.cards.len()).unwrap_or(u64::MAX)));
        }
        let fare = Quantity {
            name: Cow::Borrowed("fare"),
            value: Decimal::from(self.fare),
            unit: Cow::Borrowed("fen"),
        };
        Seen {
            counts,
            totals: vec![fare],
        }
    }
}

fn columns<R: BufRead>(
    lines: &mut Lines<R>,
    fields: &mut Fields,
) -> Result<([usize; 7], usize), Problem> {
    let absent = |detail: String| Problem::at(Code::FormatMismatch, "line 1", detail);
    let (_, header) = lines
        .next()?
        .ok_or_else(|| absent("the file is empty".to_owned()))?;
    fields
        .split(header)
        .map_err(|_| absent("no header".to_owned()))?;
    let mut at = [0; 7];
    for (slot, (chinese, english)) in at.iter_mut().zip(COLUMNS) {
        *slot = fields
            .iter()
            .position(|name| name == chinese || name.eq_ignore_ascii_case(english))
            .ok_or_else(|| absent(format!("no column {english} ({chinese})")))?;
    }
    Ok((at, fields.len()))
}

fn fare(text: &str) -> Result<u32, Problem> {
    let problem = |code, detail| Problem::at(code, "deal_money", detail);
    if text.starts_with('-') {
        return Err(problem(Code::QuantityOutOfRange, "a fare is not negative"));
    }
    let fen: u32 = text
        .parse()
        .map_err(|_| problem(Code::InvalidField, "whole fen are expected"))?;
    if fen > FARE_MAX_FEN {
        return Err(problem(Code::QuantityOutOfRange, "more than 10,000 yuan"));
    }
    Ok(fen)
}

/// What turns settled taps into outcomes.
struct Book {
    layout: Layout,
    stations: Names,
    lines: Names,
    distances: Arc<DistanceTable>,
}

impl Book {
    fn outcome(&self, settled: Settled) -> Outcome {
        match settled {
            Settled::Trip(entry, exit) => self.trip(&entry, &exit),
            Settled::Unpaired(tap) => Outcome::Held(Held {
                place: tap.place(self.layout),
                code: Code::UnpairedTap,
            }),
            Settled::Repeated(tap) => {
                let problem =
                    Problem::at(Code::DuplicateReading, "deal_date", "the same tap again");
                refused(tap.place(self.layout), problem)
            }
        }
    }

    fn trip(&self, entry: &Tap, exit: &Tap) -> Outcome {
        let place = exit.place(self.layout);
        let (from, to) = (
            self.stations.name(entry.station),
            self.stations.name(exit.station),
        );
        let Some(km) = self.distances.between(from, to) else {
            return Outcome::Held(Held {
                place,
                code: Code::DistanceUnknown,
            });
        };
        let (start, stop) = (instant(entry.at), instant(exit.at));
        let card = entry.card.as_str();
        let stamp = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let record = Record {
            source_id: format!("{card}@{}/{}", stamp(start), stamp(stop)),
            subject: card.to_owned(),
            from: start,
            to: stop,
            quantities: vec![Quantity {
                name: Cow::Borrowed("distance"),
                value: km,
                unit: Cow::Borrowed("km"),
            }],
            attributes: vec![
                (Cow::Borrowed("mode"), "metro".to_owned()),
                (Cow::Borrowed("from_station"), from.to_owned()),
                (Cow::Borrowed("to_station"), to.to_owned()),
                (
                    Cow::Borrowed("line"),
                    self.lines.name(entry.line).to_owned(),
                ),
                (Cow::Borrowed("fare_fen"), exit.fare.to_string()),
            ],
            revises: None,
        };
        Outcome::Record(place, record)
    }
}

fn instant(seconds: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(seconds), 0).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Station and line names, numbered as they come; at most 65,536 of at most 64 bytes.
#[derive(Default)]
struct Names {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl Names {
    fn number(&mut self, name: &str, field: &str) -> Result<u16, Problem> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let next = u16::try_from(self.names.len())
            .ok()
            .filter(|_| name.len() <= 64);
        let number = next.ok_or_else(|| {
            Problem::at(
                Code::InvalidField,
                field,
                "longer than 64 bytes, or one name too many",
            )
        })?;
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        Ok(number)
    }

    fn name(&self, number: u16) -> &str {
        self.names.get(usize::from(number)).map_or("", |name| name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read_all, read_with, refusals};
    use super::*;

    fn tap(card: &str, time: &str, kind: &str, station: &str, fen: &str) -> String {
        format!(
            r#"{{"card_no":"{card}","deal_date":"2018-09-01 {time}","deal_type":"{kind}","deal_money":"{fen}","company_name":"地铁一号线","station":"{station}","car_no":"IGT-1","extra":1}}"#
        )
    }

    fn page(taps: &[String]) -> String {
        format!(r#"{{"total":9,"data":[{}],"page":1}}"#, taps.join(","))
    }

    fn table() -> Options {
        let mut csv = "from,to,km\n罗湖,老街,1.9\n".as_bytes();
        let distances = DistanceTable::read(&mut csv).expect("a table");
        Options {
            distances: Some(Arc::new(distances)),
            ..Options::default()
        }
    }

    #[test]
    fn an_entry_and_an_exit_become_a_trip_whatever_their_order() {
        let taps = [
            tap("A", "08:20:00", "地铁出站", "老街站", "190"),
            tap("A", "08:05:30", "地铁入站", "罗湖", "0"),
        ];
        let (seen, outcomes) =
            read_with("shenzhen-tong", page(&taps).as_bytes(), &table()).expect("read");
        let [Outcome::Record(place, record)] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(place.to_string(), "/data/0");
        assert_eq!(
            record.source_id,
            "A@2018-09-01T00:05:30Z/2018-09-01T00:20:00Z"
        );
        assert_eq!(
            record
                .quantity("distance")
                .map(|q| q.value.to_string())
                .as_deref(),
            Some("1.9")
        );
        assert_eq!(record.attribute("fare_fen"), Some("190"));
        assert_eq!(
            seen.totals.first().map(|q| q.value),
            Some(Decimal::from(190))
        );
        assert_eq!(
            seen.counts,
            [
                ("rows", 2),
                ("entries", 1),
                ("exits", 1),
                ("bus", 0),
                ("cards", 1)
            ]
        );
    }

    #[test]
    fn what_cannot_be_a_trip_yet_is_held_with_its_reason() {
        let taps = [
            tap("A", "08:05:00", "地铁入站", "罗湖", "0"),
            tap("A", "08:20:00", "地铁出站", "布吉", "190"),
            tap("B", "08:20:00", "地铁出站", "老街", "190"),
            tap("C", "08:20:00", "巴士", "M433", "200"),
        ];
        let (_, outcomes) =
            read_with("shenzhen-tong", page(&taps).as_bytes(), &table()).expect("read");
        let mut held: Vec<_> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Outcome::Held(held) => (held.place.to_string(), held.code),
                other => panic!("{other:?}"),
            })
            .collect();
        held.sort();
        assert_eq!(
            held,
            [
                ("/data/1".to_owned(), Code::DistanceUnknown),
                ("/data/2".to_owned(), Code::UnpairedTap),
                ("/data/3".to_owned(), Code::BusWithoutAlighting),
            ]
        );
    }

    #[test]
    fn bad_rows_are_refused_with_pointer_and_field() {
        let good = tap("A", "08:05:00", "地铁入站", "罗湖", "0");
        let bad = [
            (good.replace("罗湖", ""), "missing_field", "station"),
            (
                good.replace("\"car_no\"", "\"car\""),
                "missing_field",
                "car_no",
            ),
            (good.replace("\"A\"", "null"), "missing_field", "card_no"),
            (
                good.replace("地铁入站", "轮渡"),
                "invalid_field",
                "deal_type",
            ),
            (
                good.replace("\"deal_money\":\"0\"", "\"deal_money\":\"-5\""),
                "quantity_out_of_range",
                "deal_money",
            ),
            (
                good.replace("\"deal_money\":\"0\"", "\"deal_money\":\"1.5\""),
                "invalid_field",
                "deal_money",
            ),
            (
                good.replace("08:05:00", "25:05:00"),
                "time_invalid",
                "deal_date",
            ),
            (good.replace("\"A\"", "7"), "row_malformed", ""),
        ];
        let rows: Vec<String> = bad.iter().map(|(row, _, _)| row.clone()).collect();
        let expected: Vec<_> = bad
            .iter()
            .enumerate()
            .map(|(i, (_, code, field))| {
                (
                    format!("/data/{i}"),
                    (*code).to_owned(),
                    (*field).to_owned(),
                )
            })
            .collect();
        let (_, outcomes) = read_all("shenzhen-tong", page(&rows).as_bytes()).expect("read");
        assert_eq!(refusals(&outcomes), expected);
    }

    #[test]
    fn the_csv_layouts_say_the_same_in_utf8_and_gbk() {
        let csv = "卡号,交易日期时间,交易类型,交易金额,交易值,设备编码,公司名称,线路站点,车牌号,联程标记,结算日期\n\
            1,20180901080500,地铁入站,0,0,2,地铁一号线,罗湖站,AGM-1,0,20180901\n\
            1,20180901082000,地铁出站,190,200,2,地铁一号线,老街站,AGM-1,0,20180901\n";
        let (gbk, _, _) = encoding_rs::GBK.encode(csv);
        let english = csv.replacen("卡号,交易日期时间,交易类型,交易金额,交易值,设备编码,公司名称,线路站点,车牌号,联程标记,结算日期",
            "card_no,deal_date,deal_type,deal_money,deal_value,equ_no,company_name,station,car_no,conn_mark,close_date", 1);
        let lines = csv.lines().skip(1).map(|_| ()).count();
        assert_eq!(lines, 2);
        let read = |bytes: &[u8]| read_with("shenzhen-tong", bytes, &table()).expect("read");
        let plain = read(csv.as_bytes());
        assert!(
            matches!(plain.1.as_slice(), [Outcome::Record(Place::Line(3), _)]),
            "{plain:?}"
        );
        assert_eq!(read(&gbk), plain);
        assert_eq!(read(english.as_bytes()), plain);
        let ndjson = format!(
            "{}\n{}\n",
            tap("1", "08:05:00", "地铁入站", "罗湖站", "0"),
            tap("1", "08:20:00", "地铁出站", "老街站", "190")
        );
        assert_eq!(read(ndjson.as_bytes()).0, plain.0);
    }

    #[test]
    fn torn_files_are_refused_whole() {
        let taps = page(&[tap("A", "08:05:00", "地铁入站", "罗湖", "0")]);
        let line = tap("A", "08:05:00", "地铁入站", "罗湖", "0");
        let two = format!("{line}\n{line}");
        for text in [&taps[..taps.len() - 1], &two[..two.len() - 1]] {
            let problem = read_all("shenzhen-tong", text.as_bytes()).expect_err("torn");
            assert_eq!(problem.code, Code::FileTruncated);
        }
        assert_eq!(
            read_all("shenzhen-tong", b"hello")
                .expect_err("foreign")
                .code,
            Code::FormatMismatch
        );
    }
}
