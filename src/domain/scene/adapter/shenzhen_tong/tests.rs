use std::sync::Arc;

use rust_decimal::Decimal;

use super::super::DistanceTable;
use super::super::pseudonym::pseudonym;
use super::super::tests::{read_all, read_with, refusals};
use super::super::{Options, Outcome, Place, Settings, by_name};
use crate::domain::problem::Code;

mod masked;

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
    let times = ["2018-09-01T00:05:30Z", "2018-09-01T00:20:00Z"];
    assert_eq!(
        record.source_id,
        pseudonym("trip", "", &["A", times[0], times[1]])
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
    let (_, outcomes) = read_with("shenzhen-tong", page(&taps).as_bytes(), &table()).expect("read");
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

fn declared(text: &str) -> Options {
    Options {
        settings: Settings::parse(text).expect("TOML"),
        ..table()
    }
}

#[test]
fn every_order_without_a_header_says_the_same() {
    let trip = |text: &str, options: &Options| {
        let (seen, outcomes) = read_with("shenzhen-tong", text.as_bytes(), options).expect("read");
        let [Outcome::Record(_, record)] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        let (gbk, _, _) = encoding_rs::GBK.encode(text);
        let again = read_with("shenzhen-tong", &gbk, options).expect("read");
        assert_eq!(again, (seen.clone(), outcomes.clone()));
        (seen, record.clone())
    };
    let table_order = "7,20180901080500,地铁入站,0,0,2600,地铁一号线,罗湖站,AGM-1,0,20180901\n\
        7,20180901082000,地铁出站,190,200,2601,地铁一号线,老街站,AGM-2,0,20180901\n";
    let (seen, record) = trip(table_order, &table());
    assert_eq!(record.attribute("fare_fen"), Some("190"));
    assert_eq!(seen.counts.first(), Some(&("rows", 2)));
    // Without its last columns.
    let short: String = table_order
        .lines()
        .map(|line| line.rsplitn(3, ',').last().unwrap_or_default().to_owned() + "\n")
        .collect();
    assert_eq!(trip(&short, &table()).1, record);
    // The platform's keys in their own order.
    let answer = "2018-09-01 08:05:00,2018-09-01 00:00:00,7,0,地铁入站,地铁一号线,AGM-1,罗湖站,0,0,2600\n\
        2018-09-01 08:20:00,2018-09-01 00:00:00,7,200,地铁出站,地铁一号线,AGM-2,老街站,0,190,2601\n";
    assert_eq!(trip(answer, &table()), (seen.clone(), record.clone()));
    // Fares in yuan, declared.
    let yuan = table_order
        .replace("190,200", "1.9,  2.00")
        .replace("站,0,0,", "站,0.00,0,");
    assert_eq!(
        trip(&yuan, &declared("money = 'yuan'")),
        (seen.clone(), record.clone())
    );
    // Named by the scene.
    let columns = "columns = '-,station,deal_type,card_no,deal_date,deal_money,company_name'";
    let named =
        "a,罗湖站,21,7,20180901080500,0,地铁一号线\nb,老街站,22,7,20180901082000,190,地铁一号线\n";
    assert_eq!(trip(named, &declared(columns)), (seen, record));
}

#[test]
fn taps_of_the_gates_have_no_fare_and_a_z_that_is_not_meant() {
    let gates = "000,7,2600,地铁入站,2018-09-01T08:05:00.000Z,地铁一号线,罗湖,IGT-1\n\
        001,7,2601,22,2018-09-01T08:20:00.000Z,地铁一号线,老街\n\
        002,8,2601,21,2018-09-01T08:20:00.000Z,地铁一号线\n\
        003,8,2601,21,2018-09-01T08:20:00.000Z,地铁一号线,老街,a,b\n";
    let (seen, outcomes) = read_with("shenzhen-tong", gates.as_bytes(), &table()).expect("read");
    assert_eq!(
        refusals(&outcomes),
        [
            ("line 3", "missing_field", "station"),
            ("line 4", "row_malformed", "")
        ]
        .map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()))
    );
    let Some(Outcome::Record(_, record)) = outcomes.last() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(record.from.to_rfc3339(), "2018-09-01T00:05:00+00:00");
    assert_eq!(record.to.to_rfc3339(), "2018-09-01T00:20:00+00:00");
    assert_eq!(record.attribute("fare_fen"), None);
    assert_eq!(seen.totals, []);
    let utc = read_with(
        "shenzhen-tong",
        gates.as_bytes(),
        &declared("z_times = 'utc'"),
    );
    let (_, outcomes) = utc.expect("read");
    let Some(Outcome::Record(_, record)) = outcomes.last() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(record.from.to_rfc3339(), "2018-09-01T08:05:00+00:00");
}

#[test]
fn pages_one_a_line_are_one_file() {
    let first = page(&[tap("A", "08:05:30", "地铁入站", "罗湖站", "0")]);
    let second = page(&[tap("A", "08:20:00", "地铁出站", "老街站", "190")]);
    let text = format!("{first}\n{second}\n");
    let (seen, outcomes) = read_with("shenzhen-tong", text.as_bytes(), &table()).expect("read");
    assert_eq!(seen.counts.first(), Some(&("rows", 2)));
    let [Outcome::Record(place, _)] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(place.to_string(), "/data/1");
    let problem = read_all("shenzhen-tong", &text.as_bytes()[..text.len() - 3]).expect_err("torn");
    assert_eq!(problem.code, Code::FileTruncated);
}

#[test]
fn fares_and_orders_that_are_not_declared_are_refused() {
    let yuan = "7,20180901080500,地铁入站,3.8,4.00,2600,地铁一号线,罗湖站,AGM-1\n";
    let (_, outcomes) = read_all("shenzhen-tong", yuan.as_bytes()).expect("read");
    assert_eq!(
        refusals(&outcomes),
        [("line 1", "invalid_field", "deal_money")].map(|(a, b, c)| (
            a.to_owned(),
            b.to_owned(),
            c.to_owned()
        ))
    );
    let finer = yuan.replace("3.8", "3.805");
    let (_, outcomes) = read_with(
        "shenzhen-tong",
        finer.as_bytes(),
        &declared("money = 'yuan'"),
    )
    .expect("read");
    assert_eq!(refusals(&outcomes).len(), 1);
    for text in [
        "7,地铁入站,20180901080500\n",
        "卡号,交易类型\n",
        "7,x,地铁入站,0,0,2,a,b,c\n",
    ] {
        let problem = read_all("shenzhen-tong", text.as_bytes()).expect_err(text);
        assert_eq!(problem.code, Code::FormatMismatch);
    }
    let timeless = read_all("shenzhen-tong", "卡号,交易类型\n".as_bytes()).expect_err("no time");
    assert_eq!(timeless.detail.zh(), "缺少列 deal_date（交易日期时间）");
    assert_eq!(timeless.detail.en(), "no column deal_date (交易日期时间)");
    for (text, param) in [
        ("money = 'usd'", "settings.money"),
        ("z_times = 'z'", "settings.z_times"),
        (
            "columns = 'card_no,deal_date,deal_type'",
            "settings.columns",
        ),
        (
            "columns = 'card_no,card_no,deal_date,deal_type,station'",
            "settings.columns",
        ),
        (
            "columns = 'card_no,deal_date,deal_type,station,x'",
            "settings.columns",
        ),
        ("colums = 'card_no'", "settings.colums"),
    ] {
        let adapter = by_name("shenzhen-tong").expect("an adapter");
        let problem = (adapter.check)(&declared(text)).expect_err(text);
        assert_eq!(problem.param.as_deref(), Some(param), "{text}");
        assert!(read_with("shenzhen-tong", b"[]", &declared(text)).is_err());
    }
}
