//! Workbooks. A changed byte of an archive breaks its checksums and nothing behind them is reached,
//! so the parts are what is changed, and the archive is made of them.

use std::io::{Cursor, Write};

use tanpuhui::domain::scene::adapter::{Envelope, by_name};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{feeds, scenes};

const RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK_RELS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>a</t></si><si><t>b</t></si></sst>"#;

/// Between the parts of an input.
pub(crate) const CUT: &[u8] = b"\n=====\n";

/// Choice of settings, then the sheet, its strings, its styles, the book and its relations, each
/// after a line of `=====`; a part that is missing or empty is a plain one.
pub fn workbook(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let adapter = by_name("table").expect("the adapter");
    let of_workbooks = if choice % 2 == 0 { b'4' } else { b'5' };
    let options = scenes::options("table", of_workbooks);
    // Stored: to deflate each input would take most of the time.
    let bytes = archive(rest, CompressionMethod::Stored);
    feeds::file(Envelope::None, &adapter, &options, &bytes);
}

/// The archive of such an input.
pub fn archive(parts: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut parts = cut(parts).into_iter();
    let mut next = |plain: &'static str| match parts.next() {
        None | Some([]) => plain.as_bytes(),
        Some(part) => part,
    };
    let files = [
        ("xl/worksheets/sheet1.xml", next("")),
        ("xl/sharedStrings.xml", next(STRINGS)),
        ("xl/styles.xml", next(STYLES)),
        ("xl/workbook.xml", next(BOOK)),
        ("xl/_rels/workbook.xml.rels", next(BOOK_RELS)),
        ("_rels/.rels", RELS.as_bytes()),
    ];
    pack(&files, method)
}

/// An archive of these parts.
pub fn pack(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, options).expect("a part");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

fn cut(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(at) = rest.windows(CUT.len()).position(|bytes| bytes == CUT) {
        let (part, after) = rest.split_at(at);
        parts.push(part);
        rest = after.get(CUT.len()..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}
