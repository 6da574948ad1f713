//! Real tables of partners without a standard, each with the mapping that an officer would write.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tanpuhui::domain::behaviour::Record;
use tanpuhui::domain::scene::adapter::{self, Options, Outcome, Settings};
use zip::write::SimpleFileOptions;

use crate::{check_json, feed_check, shared};

const STEEL: &str = "steel-sme-electricity/Steel_industry_data.csv";
const TONNAGE: &str = "dsny-recycling-tonnage/DSNY_Monthly_Tonnage_Data.csv";

/// Quarter-hours labelled by their end; midnight carries the date of the day that it ends.
const STEEL_MAPPING: &str = r#"
format = "csv"
zone = "Asia/Seoul"
[columns]
id = "date"
to = "date"
[time]
format = "%d/%m/%Y %H:%M"
length = "PT15M"
midnight = "ends_day"
[quantities.electricity]
column = "Usage_kWh"
unit = "kWh"
[attributes]
load = { column = "Load_Type", values = { "Light_Load" = "light", "Medium_Load" = "medium", "Maximum_Load" = "maximum" } }
[constants]
subject = "plant"
meter = "plant-1"
evidence = "meter"
"#;

/// Months; short tons of 2,000 lb of 0.45359237 kg, exactly.
const TONNAGE_MAPPING: &str = r#"
format = "csv"
zone = "America/New_York"
blank = "skip"
[columns]
id = ["MONTH", "BOROUGH", "COMMUNITYDISTRICT"]
subject = ["BOROUGH", "COMMUNITYDISTRICT"]
from = "MONTH"
[time]
format = "%Y / %m"
length = "P1M"
[quantities.paper]
column = "PAPERTONSCOLLECTED"
unit = "kg"
scale = "907.18474"
[quantities.mgp]
column = "MGPTONSCOLLECTED"
unit = "kg"
scale = "907.18474"
"#;

fn written(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

/// What the command says of a file under a mapping.
fn check(mapping: &str, file: &Path) -> Value {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = written(&dir, "mapping.toml", mapping.as_bytes());
    let settings = settings.to_str().expect("a path");
    check_json(&["--adapter", "table", "--settings", settings], &[file])
}

fn records(mapping: &str, bytes: &[u8]) -> Vec<Record> {
    let options = Options {
        settings: Settings::parse(mapping).expect("settings"),
        ..Options::default()
    };
    let table = adapter::by_name("table").expect("an adapter");
    let mut records = Vec::new();
    let mut source = bytes;
    (table.read)(&mut source, &options, &mut |outcome| match outcome {
        Outcome::Record(_, record) => records.push(record),
        other => panic!("{other:?}"),
    })
    .expect("readable");
    records
}

fn total<'a>(records: impl IntoIterator<Item = &'a Record>, name: &str) -> Decimal {
    let amounts = records
        .into_iter()
        .filter_map(|record| record.quantity(name));
    amounts.map(|quantity| quantity.value).sum()
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

#[test]
fn a_plants_quarter_hours_come_to_its_year_without_gap_or_overlap() {
    let Some(file) = shared(STEEL) else { return };
    assert_eq!(
        check(STEEL_MAPPING, &file),
        json!({"adapter": "table", "records": 35_040, "refused": {}, "held": {},
            "totals": [{"quantity": "electricity", "unit": "kWh", "value": "959636.71"}],
            "seen": {"rows": 35_040}})
    );
    let bytes = std::fs::read(&file).expect("readable");
    let records = records(STEEL_MAPPING, &bytes);
    assert!(
        records
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.to == b.from))
    );
    let year = |record: Option<&Record>| record.map(|record| record.from.to_rfc3339());
    assert_eq!(
        year(records.first()).as_deref(),
        Some("2017-12-31T15:00:00+00:00")
    );
    let end = records.last().map(|record| record.to.to_rfc3339());
    assert_eq!(end.as_deref(), Some("2018-12-31T15:00:00+00:00"));
    // Read as it is labelled, each midnight lies a day too early.
    let naive = STEEL_MAPPING.replace("midnight = \"ends_day\"\n", "");
    let naive = self::records(&naive, &bytes);
    let broken = naive
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.to != b.from));
    assert_eq!(broken.count(), 2 * 365 - 1);
}

#[test]
fn a_citys_months_are_weighed_exactly_and_blanks_are_not_zero() {
    let Some(file) = shared(TONNAGE) else { return };
    let said = check(TONNAGE_MAPPING, &file);
    assert_eq!(said["records"], json!(20_527));
    assert_eq!(said["seen"], json!({"rows": 22_528, "blank": 2_001}));
    assert_eq!(said["refused"], json!({}));
    let bytes = std::fs::read(&file).expect("readable");
    let records = records(TONNAGE_MAPPING, &bytes);
    let ton = decimal("907.18474");
    for (year, paper, mgp) in [
        ("2019", "298673.3", "299943.1"),
        ("2021", "311193.0", "320587.8"),
    ] {
        let of_year: Vec<&Record> = records
            .iter()
            .filter(|record| record.source_id.starts_with(year))
            .collect();
        // The file has two more rows of 2021, whose district collected neither.
        assert_eq!(of_year.len(), 708, "{year}");
        assert_eq!(
            total(of_year.iter().copied(), "paper"),
            decimal(paper) * ton
        );
        assert_eq!(total(of_year.iter().copied(), "mgp"), decimal(mgp) * ton);
    }
    let refuse = TONNAGE_MAPPING.replace("\"skip\"", "\"refuse\"");
    let said = check(&refuse, &file);
    assert!(
        said["refused"]["missing_field"].as_u64() > Some(2_001),
        "{said}"
    );
}

fn unpacked(file: &Path) -> Vec<u8> {
    let packed = std::fs::File::open(file).expect("readable");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .expect("gzip");
    bytes
}

fn meter(time: &str, quantity: &str) -> String {
    format!(
        "format = 'csv'\nblank = 'skip'\nblank_words = ['nan']\n[columns]\nid = 'start'\nfrom = 'start'\n\
         [time]\nformat = 'rfc3339'\n{time}\n{quantity}\n[constants]\nid = 'il'\nsubject = 'il'\n"
    )
}

const ELECTRICITY: &str = "[quantities.electricity]\ncolumn = 'value'\nunit = 'kWh'";
/// A US therm is 105.4804 MJ (NIST SP 811, appendix B.8).
const THERMS: &str = "[quantities.gas]\ncolumn = 'value'\nunit = 'MJ'\nscale = '105.4804'";

/// What a meter counted in the records that begin in these days.
fn between(records: &[Record], name: &str, from: &str, to: &str) -> Decimal {
    let day =
        |text: &str| -> DateTime<Utc> { format!("{text}T00:00:00-06:00").parse().expect("a day") };
    let within = records
        .iter()
        .filter(|record| record.from >= day(from) && record.from < day(to));
    total(within, name)
}

/// The authors' truth is a tenth less at normal weather (10,000 to 9,000 kWh, 1,000 to 900 therm);
/// what the meters counted in two winters is near it.
fn about_a_tenth_less(before: Decimal, after: Decimal) {
    let saved = (before - after) / before;
    assert!(
        saved > Decimal::new(8, 2) && saved < Decimal::new(13, 2),
        "{before} to {after}"
    );
}

#[test]
fn a_retrofitted_meter_counts_about_a_tenth_less() {
    const FOLDER: &str = "eemeter-retrofit/il-";
    let Some(file) = shared(&format!("{FOLDER}electricity-cdd-hdd-daily.csv.gz")) else {
        return;
    };
    let daily = records(&meter("length = 'P1D'", ELECTRICITY), &unpacked(&file));
    assert_eq!(daily.len(), 809);
    let before = between(&daily, "electricity", "2015-12-27", "2016-12-26");
    let after = between(&daily, "electricity", "2017-01-04", "2018-01-04");
    assert_eq!((before, after), (decimal("10408.05"), decimal("9082.24")));
    about_a_tenth_less(before, after);

    let Some(file) = shared(&format!(
        "{FOLDER}electricity-cdd-hdd-billing_monthly.csv.gz"
    )) else {
        return;
    };
    let bills = records(&meter("until = 'next_row'", ELECTRICITY), &unpacked(&file));
    assert_eq!(bills.len(), 26);
    assert_eq!(total(&bills, "electricity"), decimal("21290.17"));
    assert!(
        bills
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.to == b.from))
    );

    let Some(file) = shared(&format!("{FOLDER}gas-hdd-only-billing_monthly.csv.gz")) else {
        return;
    };
    let gas = records(&meter("until = 'next_row'", THERMS), &unpacked(&file));
    let therm = decimal("105.4804");
    assert_eq!(total(&gas, "gas"), decimal("2345.22") * therm);
    let before = between(&gas, "gas", "2015-12-24", "2016-12-25") / therm;
    let after = between(&gas, "gas", "2017-01-25", "2018-01-24") / therm;
    assert_eq!((before, after), (decimal("1067.32"), decimal("971.63")));
    about_a_tenth_less(before, after);
}

/// A workbook like those that offices send: texts shared, dates as serials, one error.
fn workbook() -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |kind: &str, target: &str| {
        format!(
            r#"<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/{kind}" Target="{target}"/></Relationships>"#
        )
    };
    let row = |number: u32, cells: &str| format!(r#"<row r="{number}">{cells}</row>"#);
    let trip = |number: u32, serial: &str, km: &str| {
        row(
            number,
            &format!(
                r#"<c r="A{number}" t="s"><v>3</v></c><c r="B{number}" s="1"><v>{serial}</v></c><c r="C{number}"{km}</c>"#
            ),
        )
    };
    let rows = [
        row(
            1,
            r#"<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c>"#,
        ),
        trip(2, "46023.25", "><v>3.2</v>"),
        trip(3, "46024.25", "><f>C2+0.1</f><v>3.3000000000000003</v>"),
        trip(4, "46025.25", " t=\"e\"><f>1/0</f><v>#DIV/0!</v>"),
    ];
    let parts = [
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        (
            "xl/_rels/workbook.xml.rels",
            relation("worksheet", "worksheets/sheet1.xml"),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="出行" sheetId="1" r:id="rId1"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                r#"<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#
            ),
        ),
        (
            "xl/sharedStrings.xml",
            format!(
                r#"<sst xmlns="{MAIN}"><si><t>员工</t></si><si><t>时间</t></si><si><t>公里</t></si><si><t>E-1</t></si></sst>"#
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                r#"<worksheet xmlns="{MAIN}"><sheetData>{}</sheetData></worksheet>"#,
                rows.concat()
            ),
        ),
    ];
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default())
            .expect("a part");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

const TRIPS: &str = r#"
format = "xlsx"
sheet = "出行"
[columns]
id = ["员工", "时间"]
subject = "员工"
at = "时间"
[time]
format = "excel"
[quantities.distance]
column = "公里"
unit = "km"
[constants]
mode = "bike"
"#;

#[test]
fn a_workbook_is_read_and_its_error_named_by_cell() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = written(&dir, "trips.xlsx", &workbook());
    let settings = written(&dir, "mapping.toml", TRIPS.as_bytes());
    let settings = settings.to_str().expect("a path");
    let args = ["--adapter", "table", "--settings", settings];
    let args = [&args[..], &["--zone", "Asia/Shanghai"]].concat();
    assert_eq!(
        check_json(&args, &[&file]),
        json!({"adapter": "table", "records": 2, "refused": {"invalid_field": 1}, "held": {},
            "totals": [{"quantity": "distance", "unit": "km", "value": "6.5"}], "seen": {"rows": 3}})
    );
    let text = feed_check(&args, &[&file]);
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    assert!(
        text.contains("出行!C4") && text.contains("#DIV/0!"),
        "{text}"
    );
}

#[test]
fn a_faulty_mapping_stops_before_the_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = written(&dir, "trips.xlsx", &workbook());
    let faults: BTreeMap<&str, String> = BTreeMap::from([
        ("settings.zone", TRIPS.to_owned()),
        (
            "settings.quantities.distance.unit",
            TRIPS.replace("\"km\"", "\"li\""),
        ),
        (
            "settings.collumns",
            TRIPS.replace("[columns]", "[collumns]"),
        ),
    ]);
    for (key, mapping) in faults {
        let settings = written(&dir, "mapping.toml", mapping.as_bytes());
        let settings = settings.to_str().expect("a path");
        let output = feed_check(&["--adapter", "table", "--settings", settings], &[&file]);
        assert_eq!(output.status.code(), Some(1), "{key}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(key), "{key}: {said}");
    }
}
