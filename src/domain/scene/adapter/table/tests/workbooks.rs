//! Workbooks, sound and damaged.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::domain::scene::adapter::table::workbook::FILE_MAX;

/// A workbook of these parts, deflated.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("a part");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

const RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK_RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#;
/// Style 1 is a date.
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>label</t></si><si><t>kwh</t></si><si><t> &#20803;旦 </t></si></sst>"#;

fn book_part(sheets: &str, properties: &str) -> String {
    format!(
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">{properties}<sheets>{sheets}</sheets></workbook>"#
    )
}

fn sheet_part(rows: &str) -> String {
    format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>{rows}</sheetData></worksheet>"#
    )
}

const ONE_SHEET: &str = r#"<sheet name="Data" sheetId="1" r:id="rId1"/>"#;

fn workbook(rows: &str, properties: &str) -> Vec<u8> {
    archive(&[
        ("_rels/.rels", RELS),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/workbook.xml", &book_part(ONE_SHEET, properties)),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", STRINGS),
        ("xl/worksheets/sheet1.xml", &sheet_part(rows)),
    ])
}

fn sheet(time: &str) -> String {
    meter("from = 'label'", time)
        .replace("'csv'", "'xlsx'")
        .replace("America/New_York", "UTC")
}

const EXCEL: &str = "format = 'excel'\nlength = 'PT15M'";

#[test]
fn cells_of_a_workbook_are_read_as_the_sheet_shows_them() {
    let rows = r#"<row r="2"><c r="A2" s="1"><v>43101.010416666664</v></c><c r="B2"><v>0.30000000000000004</v></c></row>
        <row r="3"><c r="A3"><v>43101.020833333336</v></c><c r="B3"><f>SUM(B2:B2)</f><v>3.17</v></c></row>
        <row r="5"><c r="A5" s="1"><v>43101.03125</v></c><c r="B5" t="str"><f>T(1)</f><v>1,5</v></c></row>
        <row r="6"><c r="A6"/><c r="B6"/></row>"#;
    let settings = sheet(EXCEL).replace("zone =", "decimal = ','\nzone =");
    let (seen, outcomes) = read(&settings, &workbook(rows, "")).expect("readable");
    assert_eq!(seen.counts, [("rows", 4), ("blank", 1)]);
    let found: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Record(place, record) => {
                let value = record.quantity("electricity").expect("a quantity").value;
                format!("{place} {} {} {value}", record.source_id, record.from)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            "Data!2 m:2018-01-01T00:15:00 2018-01-01 00:15:00 UTC 0.3",
            "Data!3 m:43101.020833333336 2018-01-01 00:30:00 UTC 3.17",
            "Data!5 m:2018-01-01T00:45:00 2018-01-01 00:45:00 UTC 1.5",
        ]
    );
}

#[test]
fn both_date_systems_are_the_workbooks_own() {
    let rows = r#"<row r="2"><c r="A2" s="1"><v>41639.25</v></c><c r="B2"><v>1</v></c></row>
        <row r="3"><c r="A3"><v>60</v></c><c r="B3"><v>1</v></c></row>"#;
    let y1904 = workbook(rows, r#"<workbookPr date1904="1"/>"#);
    let (_, outcomes) = read(&sheet(EXCEL), &y1904).expect("readable");
    let days: Vec<_> = outcomes.iter().filter_map(started).collect();
    assert_eq!(days, ["2018-01-01 06:00:00 UTC", "1904-03-01 00:00:00 UTC"]);
    let (_, outcomes) = read(&sheet(EXCEL), &workbook(rows, "")).expect("readable");
    let days: Vec<_> = outcomes.iter().filter_map(started).collect();
    assert_eq!(days, ["2013-12-31 06:00:00 UTC"]);
    let no_such_day = ("Data!A3".into(), "time_invalid".into(), "label".into());
    assert_eq!(refusals(&outcomes), [no_such_day]);
}

#[test]
fn a_cell_far_to_the_right_costs_its_row_and_no_other() {
    let mut rows = String::new();
    for row in 2..20_000 {
        rows += &format!(r#"<row r="{row}"><c r="XFD{row}"><v>1</v></c></row>"#);
    }
    rows += r#"<row r="20000"><c r="A20000"><v>43101</v></c></row><row r="20001"><c r="A20001"><v>43101</v></c><c r="B20001"><v>1</v></c></row>
        <row r="20002"><c r="XFD20002"/></row>"#;
    let settings = sheet(EXCEL).replace("zone =", "blank = 'refuse'\nzone =");
    let begun = std::time::Instant::now();
    let (seen, outcomes) = read(&settings, &workbook(&rows, "")).expect("readable");
    // With all 16,384 cells cleared in each row it took a minute.
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
    assert_eq!(seen.counts, [("rows", 20_001), ("blank", 1)]);
    // Nothing stays of the row before: neither its far cell nor its amount.
    assert_eq!(outcomes.len(), 20_000);
    let last = refusals(&outcomes).pop().expect("a refusal");
    assert_eq!(
        (last.0.as_str(), last.1.as_str()),
        ("Data!B20000", "missing_field")
    );
    assert!(matches!(outcomes.last(), Some(Outcome::Record(..))));
}

fn started(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Record(_, record) => Some(record.from.to_string()),
        _ => None,
    }
}

#[test]
fn cells_without_a_value_are_refused_by_their_reference() {
    let rows = r##"<row r="2"><c r="A2"><v>43101</v></c><c r="B2" t="e"><v>#DIV/0!</v></c></row>
        <row r="3"><c r="A3"><v>43101</v></c><c r="B3"><f>SUM(B1)</f></c></row>
        <row r="4"><c r="A4" t="s"><v>2</v></c><c r="B4"><v>1</v></c></row>
        <row r="5"><c r="A5"><v>43101</v></c><c r="B5" s="1"><v>43101</v></c></row>
        <row r="6"><c r="A6"><v>43101</v></c><c r="B6"><v>1E+300</v></c></row>
        <row r="7"><c r="A7"><v>43101</v></c><c r="B7"><v>-1</v></c></row>
        <row r="8"><c r="A8"><v>43101</v></c><c r="B8" t="b"><v>1</v></c></row>
        <row r="9"><c r="A9"><v>43101</v></c></row>
        <row r="10"><c r="A10"><v>1234567890123456789</v></c><c r="B10"><v>1</v></c></row>"##;
    let settings = sheet(EXCEL).replace("zone =", "blank = 'refuse'\nzone =");
    let (_, outcomes) = read(&settings, &workbook(rows, "")).expect("readable");
    let found: Vec<_> = refusals(&outcomes)
        .into_iter()
        .map(|(place, code, _)| format!("{place} {code}"))
        .collect();
    assert_eq!(
        found,
        [
            "Data!B2 invalid_field",
            "Data!B3 invalid_field",
            "Data!A4 time_invalid",
            "Data!B5 invalid_field",
            "Data!B6 invalid_field",
            "Data!B7 quantity_out_of_range",
            "Data!B8 invalid_field",
            "Data!B9 missing_field",
            "Data!A10 time_invalid",
        ]
    );
    // Skipping blanks skips no errors.
    let skip = settings.replace("'refuse'", "'skip'");
    let (_, outcomes) = read(&skip, &workbook(rows, "")).expect("readable");
    assert_eq!(refusals(&outcomes).len(), 8);
}

#[test]
fn an_id_that_a_sheet_keeps_as_a_number_must_be_whole() {
    let rows = r#"<row r="2"><c r="A2"><v>1637676000</v></c><c r="B2"><v>1</v></c></row>
        <row r="3"><c r="A3"><v>1637676000123456789</v></c><c r="B3"><v>1</v></c></row>"#;
    let settings = sheet("format = 'unix'\nlength = 'PT15M'").replace("from = 'label'", "from = 1");
    let (_, outcomes) = read(&settings, &workbook(rows, "")).expect("readable");
    assert_eq!(outcomes.iter().filter_map(started).count(), 1);
    assert_eq!(refusals(&outcomes)[0].0, "Data!A3");
}

#[test]
fn the_sheet_is_named_or_the_only_one() {
    let second = r#"<sheet name="Notes" sheetId="2" r:id="rId2"/>"#;
    let two = archive(&[
        ("_rels/.rels", RELS),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        (
            "xl/workbook.xml",
            &book_part(&format!("{ONE_SHEET}{second}"), ""),
        ),
        ("xl/sharedStrings.xml", STRINGS),
        ("xl/worksheets/sheet1.xml", &sheet_part("")),
        ("xl/worksheets/sheet2.xml", &sheet_part("")),
    ]);
    let problem = read(&sheet(EXCEL), &two).expect_err("which?");
    assert_eq!(problem.code, Code::FormatMismatch);
    assert!(problem.detail.en().contains("Data, Notes"), "{problem}");
    assert_eq!(
        problem.detail.zh(),
        "映射没有指定工作表，而文件里有 2 张：Data, Notes"
    );
    let named = sheet(EXCEL).replace("zone =", "sheet = 'Notes'\nzone =");
    assert!(read(&named, &two).is_ok());
    let absent = sheet(EXCEL).replace("zone =", "sheet = 'notes'\nzone =");
    assert_eq!(
        read(&absent, &two).expect_err("absent").code,
        Code::FormatMismatch
    );
    let deep = sheet(EXCEL).replace("zone =", "header = 7\nzone =");
    assert_eq!(
        read(&deep, &two.clone()).expect_err("which?").code,
        Code::FormatMismatch
    );
}

#[test]
fn what_is_no_workbook_is_refused_whole() {
    let code = |bytes: &[u8]| read(&sheet(EXCEL), bytes).expect_err("refused").code;
    let good = workbook("", "");
    assert!(read(&sheet(EXCEL), &good).is_ok());
    assert_eq!(code(b""), Code::FormatMismatch);
    assert_eq!(code(b"label,kwh\n"), Code::FormatMismatch);
    assert_eq!(
        code(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1]),
        Code::UnsupportedFormat
    );
    assert_eq!(code(&good[..good.len() / 2]), Code::FileTruncated);
    assert_eq!(code(&archive(&[("a.txt", "x")])), Code::FormatMismatch);
    let backwards =
        r#"<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>"#;
    assert_eq!(code(&workbook(backwards, "")), Code::FormatMismatch);
    let endless = format!(
        r#"<row r="2"><c r="A2" t="str"><v>{}</v></c></row>"#,
        "x".repeat(70_000)
    );
    assert_eq!(code(&workbook(&endless, "")), Code::LineTooLong);
    let torn = workbook("", "").len();
    let cut = archive(&[
        ("_rels/.rels", RELS),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/workbook.xml", &book_part(ONE_SHEET, "")),
        ("xl/sharedStrings.xml", STRINGS),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet><sheetData><row r=\"1\">",
        ),
    ]);
    assert!(torn > 0);
    assert_eq!(code(&cut), Code::FileTruncated);
}

#[test]
fn a_small_file_does_not_become_a_large_one() {
    let strings = "<si/>".repeat(7_000_000);
    let bomb = archive(&[("_rels/.rels", RELS), ("xl/sharedStrings.xml", &strings)]);
    assert!(bomb.len() < 1_000_000);
    let problem = read(&sheet(EXCEL), &bomb).expect_err("a bomb");
    assert_eq!(problem.code, Code::BodyTooLarge);
    let mut huge = b"PK\x03\x04".to_vec();
    huge.resize(FILE_MAX + 1, 0);
    let problem = read(&sheet(EXCEL), &huge).expect_err("large");
    assert_eq!(problem.code, Code::BodyTooLarge);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_damage_to_a_workbook_makes_it_panic(
        at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = workbook(r#"<row r="2"><c r="A2" s="1"><v>43101</v></c><c r="B2"><v>1</v></c></row>"#, "");
        for (index, byte) in at {
            let place = index.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read(&sheet(EXCEL), &bytes);
    }

    #[test]
    fn no_xml_in_a_workbook_makes_it_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let _ = read(&sheet(EXCEL), &workbook(&pieces.concat(), ""));
    }

    #[test]
    fn no_table_makes_a_mapping_panic(pieces in prop::collection::vec(prop::sample::select(TEXT_PIECES), 0..40)) {
        let text = pieces.concat();
        for mapping in [MAPPING.to_owned(), meter("from = 'label'", "format = 'excel'\nuntil = 'next_row'\nrepeated = 'in_order'")] {
            let _ = read(&mapping, text.as_bytes());
        }
    }
}

/// Pieces of a sheet.
const PIECES: &[&str] = &[
    "<row r=\"2\">",
    "<row>",
    "<row r=\"9999999999\">",
    "</row>",
    "<c r=\"A2\">",
    "<c r=\"XFE9\">",
    "<c>",
    "<c r=\"\">",
    "<c r=\"1A\" t=\"s\">",
    "<c t=\"e\">",
    "<c t=\"b\">",
    "<c t=\"d\">",
    "<c t=\"inlineStr\">",
    "<c s=\"1\">",
    "<c s=\"99\">",
    "</c>",
    "<v>",
    "</v>",
    "<is><t>",
    "</t></is>",
    "<f>",
    "<f t=\"shared\" si=\"9999999999\" ref=\"A1:B2\">",
    "<f t=\"shared\">",
    "</f>",
    "1",
    "-1",
    "1e999",
    "nan",
    "#N/A",
    "43101.5",
    "2958466",
    "&amp;",
    "&x;",
    "<!--",
    "-->",
    "]]>",
    "</sheetData>",
    "<x/>",
];

/// Pieces of text tables.
const TEXT_PIECES: &[&str] = &[
    "no,card,start,used,kind\n",
    "label,kwh\n",
    "17,C1,1/11/2026 01:30,3.17,公交\n",
    "1,1\n",
    "2,nan\n",
    "61.99999999999999999999999999,1\n",
    "99999999999999999999999999999999,1\n",
    "2958465.999999999999,0\n",
    ",",
    "\"",
    "\n",
    "1",
    "-",
    ".",
    "公交",
    "\u{feff}",
];
