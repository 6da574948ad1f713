//! Workbooks. The size is that of the sheet unpacked; what is sent is far smaller.

use zip::CompressionMethod::Deflated;

use super::{Case, file, repeated};
use crate::workbook::{self, pack};

const SHEET: &str = "4<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>";
const END: &str = "</sheetData></worksheet>";

fn archive(parts: &[u8]) -> Vec<u8> {
    workbook::archive(parts, Deflated)
}

pub(super) fn cases() -> Vec<Case> {
    let of = |what: &str, part: fn(usize) -> String| {
        file("table", 4, &format!("workbook, {what}"), move |size| {
            archive(&repeated(size, SHEET, part, END)[1..])
        })
    };
    let strings = |what: &str, part: fn(usize) -> String| {
        file("table", 4, &format!("workbook, {what}"), move |size| {
            let sheet = repeated(0, SHEET, |_| String::new(), END);
            let head = "\n=====\n<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>a</t></si><si><t>b</t></si>";
            let strings = repeated(size, head, part, "</sst>");
            archive(&[&sheet[1..], &strings].concat())
        })
    };
    let styles = |what: &str, part: fn(usize) -> String| {
        file("table", 4, &format!("workbook, {what}"), move |size| {
            let sheet = repeated(0, SHEET, |_| String::new(), END);
            let styles = repeated(
                size,
                "\n=====\n\n=====\n<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">",
                part,
                "</styleSheet>",
            );
            archive(&[&sheet[1..], &styles].concat())
        })
    };
    vec![
        of("sound rows", |n| {
            format!(
                "<row r=\"{0}\"><c r=\"A{0}\"><v>43101</v></c><c r=\"B{0}\"><v>1</v></c></row>",
                n + 2
            )
        }),
        of("a cell in the last column", |n| {
            format!("<row r=\"{0}\"><c r=\"XFD{0}\"><v>1</v></c></row>", n + 2)
        }),
        of("a cell in the last column, of the shortest form", |n| {
            format!("<row><c r=\"XFD{}\"/></row>", n + 2)
        }),
        file("table", 4, "workbook, a long string a row", |size| {
            let sheet = repeated(
                size,
                SHEET,
                |_| "<row><c t=\"s\"><v>2</v></c></row>".to_owned(),
                END,
            );
            let long = "x".repeat(32_000);
            let strings = format!(
                "\n=====\n<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>a</t></si><si><t>b</t></si><si><t>{long}</t></si></sst>"
            );
            archive(&[&sheet[1..], strings.as_bytes()].concat())
        }),
        of("empty rows", |_| "<row/>".to_owned()),
        of("cells of one row", |n| {
            format!("<c r=\"{}2\"><v>1</v></c>", ["A", "B", "ZZ", "XFD"][n % 4])
        }),
        of("one cell again and again", |_| {
            "<row r=\"2\"><c r=\"A2\"><v>1</v></c></row>".to_owned()
        }),
        of("shared formulas", |n| {
            format!(
                "<row r=\"{0}\"><c r=\"A{0}\"><f t=\"shared\" ref=\"A1:XFD1048576\" si=\"{1}\">A1+B2</f><v>1</v></c><c r=\"B{0}\"><f t=\"shared\" si=\"{1}\"/><v>1</v></c></row>",
                n + 2,
                n
            )
        }),
        of("long numbers", |n| {
            format!(
                "<row r=\"{0}\"><c r=\"A{0}\"><v>{1}</v></c></row>",
                n + 2,
                "9".repeat(30_000)
            )
        }),
        of("rich strings", |n| {
            format!(
                "<row r=\"{0}\"><c r=\"A{0}\" t=\"inlineStr\"><is>{1}</is></c></row>",
                n + 2,
                "<r><t>x</t></r>".repeat(2_000)
            )
        }),
        of("elements within each other", |_| "<c><is><t>".to_owned()),
        strings("empty strings", |_| "<si/>".to_owned()),
        strings("long strings", |_| {
            format!("<si><t>{}</t></si>", "x".repeat(32_000))
        }),
        strings("strings in pieces", |_| {
            format!("<si>{}</si>", "<r><t>x</t></r>".repeat(1_000))
        }),
        styles("styles", |_| {
            "<cellXfs><xf numFmtId=\"14\"/></cellXfs>".to_owned()
        }),
        styles("formats", |n| {
            format!("<numFmts><numFmt numFmtId=\"{n}\" formatCode=\"yyyy\"/></numFmts>")
        }),
        styles("long formats", |n| {
            format!(
                "<numFmts><numFmt numFmtId=\"{n}\" formatCode=\"{}\"/></numFmts>",
                "[".repeat(30_000)
            )
        }),
        file("table", 4, "workbook, many parts", |size| {
            let names: Vec<String> = (0..(size / 400).min(4_000))
                .map(|n| format!("xl/p{n}.xml"))
                .collect();
            let parts: Vec<(&str, &[u8])> = names
                .iter()
                .map(|name| (name.as_str(), &b"<a/>"[..]))
                .collect();
            pack(&parts, Deflated)
        }),
        file(
            "table",
            4,
            "workbook, a bomb of so many MB times 80",
            |size| archive(&repeated(size * 80, SHEET, |_| " ".repeat(100_000), END)[1..]),
        ),
        file("table", 4, "workbook, a bomb of rows times 60", |size| {
            archive(
                &repeated(
                    size * 60,
                    SHEET,
                    |n| format!("<row><c r=\"XFD{}\"/></row>", n + 2),
                    END,
                )[1..],
            )
        }),
    ]
}
