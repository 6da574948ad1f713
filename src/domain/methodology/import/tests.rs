//! Imports of invented sources; the real ones are read in `tests/feeds`.

use super::*;
use crate::domain::methodology::{Library, Standing};
use crate::domain::problem::Code;

fn stated(code: &str, version: &str) -> Statement {
    Statement {
        code: code.to_owned(),
        version: version.to_owned(),
        from: "2024-01-01".to_owned(),
        to: Some("2025-01-01".to_owned()),
        grade: Grade::D,
        source: "the annex \"as read\"".to_owned(),
        document_no: "No. 1".to_owned(),
        published: "2025-01-01".to_owned(),
        retrieved: "2026-01-01".to_owned(),
        evidence_sha256: "ab".repeat(32),
    }
}

fn file(text: &str) -> SourceFile {
    SourceFile {
        name: "a.csv".to_owned(),
        text: text.to_owned(),
        sha256: "cd".repeat(32),
    }
}

fn import_grid(text: &str) -> Result<Imported, crate::domain::problem::Problem> {
    let library = Library::embedded().unwrap();
    let known = library.table("grid-factor", "2023.1").unwrap();
    grid(&file(text), 2024, &stated("grid-factor", "2024.1"), known)
}

#[test]
fn an_annex_is_read_as_csv_as_text_and_as_json() {
    let csv = "地区,因子\n全国,0.5000\n南方电网,0.4000\n广东省,0.4100\n";
    let text = "表1 全国 0.5000\n表2 南方 0.4000 广东\n0.4100 （单位）";
    let json = r#"[{"region":"全国","value":0.5000},{"region":"南方","value":"0.4000"},{"region":"CN-GD","value":0.4100}]"#;
    for source in [csv, text, json] {
        let imported = import_grid(source).unwrap();
        assert_eq!(imported.tally.rows_written, 3, "{source}");
        assert_eq!(imported.tally.missing.len(), 37);
        let library = Library::load([("new.toml", imported.document.as_str())]).unwrap();
        let table = library.table("grid-factor", "2024.1").unwrap();
        assert_eq!(table.value(&["CN-GD"]), Some("0.4100"));
        assert_eq!(table.value(&["CN-BJ"]), None);
    }
    let tally = import_grid(csv).unwrap().tally;
    assert_eq!(tally.unread, ["地区", "因子"]);
}

#[test]
fn footprints_are_no_average_factors() {
    for text in [
        "2024 年全国电力碳足迹因子\n表 1\n全国 0.5777\n",
        "地区,因子（kgCO2e/kWh）\n全国,0.5777\n",
    ] {
        let refused = import_grid(text).unwrap_err();
        assert_eq!(refused.code, Code::InvalidField, "{text}");
        assert_eq!(refused.param.as_deref(), Some("file"));
        assert!(refused.detail.zh().contains("碳足迹"), "{refused}");
        assert!(refused.detail.en().contains("footprints"), "{refused}");
    }
}

/// An annex laid out as the ministry's, with the values of the built-in table.
#[test]
fn the_nation_is_told_apart_by_the_heading() {
    let library = Library::embedded().unwrap();
    let known = library.table("grid-factor", "2023.1").unwrap();
    let value = |key: &str| known.value(&[key]).unwrap();
    let rows = known.entry.rows.iter().map(toml::Spanned::get_ref);
    let regions: String = rows
        .filter(|row| !row.key[0].starts_with("CN:") && row.key[0] != "CN")
        .map(|row| format!("{} {}\n", row.name, value(&row.key[0])))
        .collect();
    let text = format!(
        "— 3 —\n附件\n表 1 2023 年全国电力平均二氧化碳排放因子\n因子（kgCO2/kWh）\n全国 {}\n表 2\n{regions}\
         表 4 2023 年全国电力平均二氧化碳排放因子（不包括市场化交易的非化石能源电量）\n全国 {}\n\
         表 5 2023 年全国化石能源电力二氧化碳排放因子\n全国 {}\n",
        value("CN"),
        value("CN:excluding-traded-non-fossil"),
        value("CN:fossil"),
    );
    let imported = import_grid(&text).unwrap();
    assert_eq!(imported.tally.missing, [""; 0]);
    let loaded = Library::load([("new.toml", imported.document.as_str())]).unwrap();
    let table = loaded.table("grid-factor", "2024.1").unwrap();
    assert_eq!(table.row_count(), 40);
    for row in known.entry.rows.iter().map(toml::Spanned::get_ref) {
        let key = row.key[0].as_str();
        assert_eq!(table.value(&[key]), known.value(&[key]), "{key}");
    }
}

#[test]
fn an_annex_that_contradicts_itself_is_refused() {
    for (source, param) in [
        ("全国,0.5\n全国,0.6\n", "全国"),
        ("全国,5.6\n", "全国"),
        ("全国,0.5\n广东,0.0\n", "广东"),
        (r#"[{"region":"全国","value":"-0.5"}]"#, "全国"),
        (r#"[{"region":"全国"}]"#, "file"),
    ] {
        let problem = import_grid(source).unwrap_err();
        assert_eq!(
            (problem.code, problem.param.as_deref()),
            (Code::InvalidField, Some(param))
        );
    }
    assert_eq!(
        import_grid("广东,0.4\n").unwrap_err().code,
        Code::MissingField
    );
    assert_eq!(
        import_grid("全国,0.5\n全国,0.5\n").unwrap().tally.repeated,
        ["全国"]
    );
}

const HEAD: &str = "ID,Scope,Level 1,Level 2,Level 3,Level 4,Column Text,UOM,GHG/Unit,GHG Conversion Factor 2030\n";

fn group(key: &str, uom: &str, values: [&str; 4]) -> String {
    let gases = [
        "kg CO2e",
        "kg CO2e of CO2 per unit",
        "kg CO2e of CH4 per unit",
        "kg CO2e of N2O per unit",
    ];
    let rows = gases.iter().zip(values);
    rows.map(|(gas, value)| format!("1,Scope 3,{key},{uom},{gas},{value}\n"))
        .collect()
}

#[test]
fn a_flat_file_becomes_a_table_with_a_unit_a_row() {
    let mut text = HEAD.to_owned();
    text += &group(
        "Freight,Vans,Small,,Diesel",
        "tonne.km",
        ["0.87423", "0.86501", "0.00001", "0.00921"],
    );
    text += &group("Freight,Vans,Small,,Diesel", "km", ["0.5", "0.5", "0", "0"]);
    text += &group("Freight,Vans,Small,,Electric", "km", ["", "", "", ""]);
    text += &group(
        "Freight,Vans,\"Big, new\",2 t,Diesel",
        "leagues",
        ["1", "1", "0", "0"],
    );
    text += "2,Scope 3,Material use,Glass,Glass,,Re-used,tonnes,kg CO2e,12.5\n";
    let imported = uk_flat(&[file(&text)], &stated("uk-ghg", "2030.1")).unwrap();
    let tally = &imported.tally;
    assert_eq!(
        (tally.rows_read, tally.rows_written, tally.parts_read),
        (17, 3, 12)
    );
    assert_eq!(tally.groups_that_add_up, 3);
    assert_eq!(tally.blank, ["Freight | Vans | Small | Electric | km"]);
    assert_eq!(tally.unmapped_units.get("leagues"), Some(&1));
    let pins = |lookup: &str, kind: &str, unit: &str| {
        format!(
            r#"format = 1
kind = "methodology"
identity = {{ code = "t", version = "1", title_zh = "", title_en = "", text_grade = "D" }}
effect = {{ from = "2024-01-01", zone = "Asia/Shanghai" }}
scope = {{ region = "CN", scene = "t", subject = "site", quantity_kind = "{kind}", period = "event" }}
[inputs.tkm]
type = "quantity"
unit = "t-km"
[inputs.item]
type = "key"
[tables.uk]
from = "uk-ghg"
versions = ["2030.1"]
[formula]
reduction = '{lookup}'
unit = "{unit}"
[[examples]]
name = "pinned"
at = "2024-06-01"
inputs = {{ tkm = "100 t-km", item = "Small" }}
result = "87.423 kgCO2e"
"#
        )
    };
    let load =
        |text: String| Library::load([("uk.toml", imported.document.as_str()), ("t.toml", &text)]);
    let library = load(pins(
        r#"tkm * uk["Freight", "Vans", item, "Diesel", "tonne.km"]"#,
        "co2e",
        "kgCO2e",
    ))
    .unwrap();
    let methodology = library.get("t", "1").unwrap();
    assert!(
        methodology
            .run_examples()
            .iter()
            .all(|example| example.passed)
    );
    assert_eq!(methodology.standing(), Standing::LiveAble);
    for (lookup, part) in [
        (
            r#"tkm * uk["Freight", "Vans", item, "Diesel", item]"#,
            "rows of table",
        ),
        (
            r#"tkm * uk["Freight", "Vans", item, "Diesel", "km"]"#,
            "vehicle",
        ),
        (
            r#"1 t * uk["Material use", "Glass", "Glass", "Re-used", "tonnes"]"#,
            "footprint",
        ),
        (
            r#"tkm * uk["Material use", "Vans", item, "Diesel", "km"]"#,
            "no row",
        ),
    ] {
        let defects = load(pins(lookup, "co2e", "kgCO2e")).unwrap_err();
        assert!(
            defects[0].message.contains(part),
            "{lookup}: {}",
            defects[0]
        );
    }
}

#[test]
fn a_flat_file_whose_parts_do_not_add_up_is_refused() {
    let good = |values| HEAD.to_owned() + &group("Freight,Vans,Small,,Diesel", "km", values);
    let told = |text: String| {
        uk_flat(&[file(&text)], &stated("uk-ghg", "1"))
            .unwrap_err()
            .detail
            .to_string()
    };
    assert!(
        uk_flat(
            &[file(&good(["0.50002", "0.5", "0", "0"]))],
            &stated("uk-ghg", "1")
        )
        .is_ok()
    );
    assert!(told(good(["0.50003", "0.5", "0", "0"])).contains("add up"));
    assert!(told(good(["x", "0.5", "0", "0"])).contains("decimal"));
    assert!(told(good(["1e-3", "0.5", "0", "0"])).contains("decimal"));
    assert!(told("a,b\n1,2\n".to_owned()).contains("UK flat file"));
    let again =
        good(["0.5", "0.5", "0", "0"]) + "1,Scope 3,Freight,Vans,Small,,Diesel,km,kg CO2e,0.6\n";
    assert!(told(again).contains("0.5 and 0.6"));
    let apart = uk_flat(
        &[file(&good(["0.50003", "0.5", "0", "0"]))],
        &stated("uk-ghg", "1"),
    );
    let detail = apart.unwrap_err().detail;
    assert_eq!(detail.zh(), "各分项之和为 0.5，合计为 0.50003");
    let other = good(["0.5", "0.5", "0", "0"]).replace("2030", "2031");
    let files = [file(&good(["0.5", "0.5", "0", "0"])), file(&other)];
    assert!(
        uk_flat(&files, &stated("uk-ghg", "1"))
            .unwrap_err()
            .detail
            .en()
            .contains("two years")
    );
}

#[test]
fn parts_beyond_every_number_are_refused() {
    let most = "79228162514264337593543950335";
    for values in [[most; 4], ["-1", most, "0", "0"]] {
        let text = HEAD.to_owned() + &group("Fuels,Gas,Butane,,", "tonnes", values);
        let problem = uk_flat(&[file(&text)], &stated("uk", "1")).unwrap_err();
        assert_eq!(problem.code, Code::InvalidField, "{problem:?}");
    }
}

#[test]
fn a_file_that_leaves_no_row_is_no_table() {
    for text in [
        HEAD.to_owned(),
        HEAD.to_owned() + &group("Fuels,Gas,Butane,,", "tonnes", ["", "", "", ""]),
        HEAD.to_owned() + &group("Fuels,Gas,Butane,,", "cubits", ["1", "1", "0", "0"]),
    ] {
        let problem = uk_flat(&[file(&text)], &stated("uk", "1")).unwrap_err();
        assert_eq!(problem.code, Code::MissingField, "{problem:?}");
    }
}
