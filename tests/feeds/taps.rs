//! The taps of Shenzhen Tong in every order of columns in which they were passed on: the same taps
//! say the same.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{check_json, shared};

const TAPS: &str = "szt-metro-taps/page1x100.json";

fn rows(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("readable");
    let page: Value = serde_json::from_str(&text).expect("JSON");
    page["data"].as_array().expect("rows").clone()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

/// Each row as the named columns, in GBK or UTF-8.
fn written(
    dir: &tempfile::TempDir,
    name: &str,
    rows: &[Value],
    columns: &[&str],
    gbk: bool,
) -> PathBuf {
    let lines: String = rows
        .iter()
        .map(|row| {
            let fields: Vec<&str> = columns.iter().map(|name| text(row, name)).collect();
            fields.join(",") + "\n"
        })
        .collect();
    let path = dir.path().join(name);
    let bytes = match gbk {
        true => encoding_rs::GBK.encode(&lines).0.into_owned(),
        false => lines.into_bytes(),
    };
    std::fs::write(&path, bytes).expect("written");
    path
}

/// 卡号, 交易日期时间, 交易类型, 交易金额, 交易值, 设备编码, 公司名称, 线路站点, 车牌号, 联程标记, 结算日期.
const TABLE: [&str; 11] = [
    "card_no",
    "deal_date",
    "deal_type",
    "deal_money",
    "deal_value",
    "equ_no",
    "company_name",
    "station",
    "car_no",
    "conn_mark",
    "close_date",
];

const ANSWER: [&str; 11] = [
    "deal_date",
    "close_date",
    "card_no",
    "deal_value",
    "deal_type",
    "company_name",
    "car_no",
    "station",
    "conn_mark",
    "deal_money",
    "equ_no",
];

#[test]
fn taps_without_a_header_say_the_same_in_each_order() {
    let Some(file) = shared(TAPS) else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let rows = rows(&file);
    let expected = check_json(&["--adapter", "shenzhen-tong"], &[&file]);
    assert_eq!(expected["seen"]["rows"], json!(100));
    for (name, columns) in [
        ("table.csv", &TABLE[..]),
        ("short.csv", &TABLE[..9]),
        ("answer.csv", &ANSWER[..]),
    ] {
        for gbk in [false, true] {
            let copy = written(&dir, name, &rows, columns, gbk);
            let said = check_json(&["--adapter", "shenzhen-tong"], &[&copy]);
            assert_eq!(said, expected, "{name} {gbk}");
        }
    }
    // An order of nobody's, which the scene names.
    let columns = [
        "equ_no",
        "station",
        "deal_date",
        "card_no",
        "car_no",
        "deal_money",
        "deal_type",
    ];
    let copy = written(&dir, "named.csv", &rows, &columns, true);
    let set = "columns=-,station,deal_date,card_no,car_no,deal_money,deal_type";
    let said = check_json(&["--adapter", "shenzhen-tong", "--set", set], &[&copy]);
    assert_eq!(said, expected);
    // Times as fourteen digits, and pages one a line.
    let digits: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            let plain = text(&row, "deal_date").replace(['-', ':', ' '], "");
            row["deal_date"] = json!(plain);
            row
        })
        .collect();
    let copy = written(&dir, "digits.csv", &digits, &TABLE, true);
    assert_eq!(
        check_json(&["--adapter", "shenzhen-tong"], &[&copy]),
        expected
    );
    let pages: String = digits
        .chunks(33)
        .map(|rows| format!("{}\n", json!({"total": 100, "data": rows})))
        .collect();
    let copy = dir.path().join("pages.jsons");
    std::fs::write(&copy, pages).expect("written");
    assert_eq!(
        check_json(&["--adapter", "shenzhen-tong"], &[&copy]),
        expected
    );
}

#[test]
fn taps_of_the_gates_are_the_metros_without_fares() {
    let Some(file) = shared(TAPS) else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let gates: Vec<Value> = rows(&file)
        .into_iter()
        .filter(|row| text(row, "deal_type") != "巴士")
        .map(|mut row| {
            let code = match text(&row, "deal_type") {
                "地铁入站" => "21",
                _ => "22",
            };
            row["deal_type"] = json!(code);
            row["deal_date"] = json!(text(&row, "deal_date").replace(' ', "T") + ".000Z");
            row
        })
        .collect();
    let columns = [
        "conn_mark",
        "card_no",
        "equ_no",
        "deal_type",
        "deal_date",
        "company_name",
        "station",
        "car_no",
    ];
    let copy = written(&dir, "gates.csv", &gates, &columns, false);
    assert_eq!(
        check_json(&["--adapter", "shenzhen-tong"], &[&copy]),
        json!({"adapter": "shenzhen-tong", "records": 6, "refused": {"missing_field": 2},
            "held": {"unpaired_tap": 76},
            "totals": [{"quantity": "distance", "unit": "km", "value": "0"}],
            "seen": {"rows": 90, "entries": 64, "exits": 26, "bus": 0, "cards": 83}})
    );
}
