//! Workbooks (XLSX, ECMA-376). A workbook is a ZIP archive whose directory stands at its end, so
//! the file is kept in memory, up to [`FILE_MAX`]; its parts are unpacked once into nothing
//! before they are believed, so that a small file cannot become a large one; and the sheet is
//! read a row at a time.

use std::borrow::Cow;
use std::io::{BufRead, Cursor, Read, copy, sink as nothing};

use calamine::{DataRef, Reader, Xlsx, XlsxError};
use zip::ZipArchive;
use zip::result::ZipError;

use super::super::encoding::problem_of;
use super::super::lines::too_long;
use super::super::{Outcome, Place, ROW_MAX, Seen};
use super::columns::{COLUMNS_MAX, letters};
use super::mapping::Mapping;
use super::reading::Reading;
use super::row::{Cell, Cells};
use super::serial::Epoch;
use crate::domain::problem::{Code, Detail, Problem, detail};

/// The largest workbook that is read: 32 MiB, as it is sent.
pub(super) const FILE_MAX: usize = 32 * 1024 * 1024;
/// The most its parts may come to, unpacked: 256 MiB.
const UNPACKED_MAX: u64 = 256 * 1024 * 1024;
/// The most of a part that is kept in memory as a whole (its strings, styles, lists): 32 MiB.
const KEPT_MAX: u64 = 32 * 1024 * 1024;
const PARTS_MAX: usize = 4_096;

/// # Errors
/// `format_mismatch` for another kind of file, without the sheet or its columns;
/// `unsupported_format` for an old or an encrypted workbook; `body_too_large` beyond the bounds;
/// `file_truncated`; `line_too_long` for a row of more than 64 KiB of text.
pub(super) fn read(
    source: &mut dyn BufRead,
    mapping: &Mapping,
    sheet: Option<&str>,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let bytes = buffered(source)?;
    unpacked(&bytes)?;
    let mut book = Xlsx::new(Cursor::new(bytes.as_slice())).map_err(refused_by_library)?;
    let sheet = chosen(&book.sheet_names(), sheet)?;
    let epoch = match book.has_1904_epoch() {
        true => Epoch::Y1904,
        false => Epoch::Y1900,
    };
    let mut cells = book
        .worksheet_cells_reader(&sheet)
        .map_err(refused_by_library)?;
    let mut rows = SheetRows::new(sheet, mapping);
    loop {
        let cell = cells
            .next_cell_with_formula_metadata()
            .map_err(refused_by_library)?;
        let Some(cell) = cell else { break };
        if cell.pos.0 != rows.row.number {
            rows.next(cell.pos.0, sink)?;
        }
        let formula = cell.formula.is_some();
        rows.row
            .put(cell.pos.1, stored(cell.value, formula, epoch))?;
    }
    rows.end(sink)
}

/// The whole file, once its first bytes are those of a workbook.
fn buffered(source: &mut dyn BufRead) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut head = source.take(8);
    head.read_to_end(&mut bytes).map_err(problem_of)?;
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        let detail = detail!(
            "旧式工作簿（XLS）或加密的工作簿：请另存为不带密码的 XLSX",
            "an old workbook (XLS), or an encrypted one: save it as XLSX without a password"
        );
        return Err(Problem::at(Code::UnsupportedFormat, "byte 0", detail));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.get(1) == Some(&0) {
        let detail = detail!("是 UTF-16 文本，不是工作簿", "UTF-16 text, not a workbook");
        return Err(Problem::at(Code::EncodingUnsupported, "byte 0", detail));
    }
    if !bytes.starts_with(b"PK") {
        return Err(mismatch(
            "byte 0",
            detail!("不是工作簿（XLSX）", "not a workbook (XLSX)"),
        ));
    }
    let limit = u64::try_from(FILE_MAX + 1).unwrap_or(u64::MAX);
    let mut rest = source.take(limit);
    rest.read_to_end(&mut bytes).map_err(problem_of)?;
    match bytes.len() > FILE_MAX {
        true => Err(too_large(detail!(
            "工作簿超过 32 MiB：请导出为 CSV",
            "a workbook of more than 32 MiB: export it as CSV"
        ))),
        false => Ok(bytes),
    }
}

/// Unpacks every part into nothing, and counts.
fn unpacked(bytes: &[u8]) -> Result<(), Problem> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(refused_archive)?;
    if archive.len() > PARTS_MAX {
        return Err(too_large(detail!(
            "工作簿的部件超过 4,096 个",
            "a workbook of more than 4,096 parts"
        )));
    }
    let mut left = UNPACKED_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(refused_archive)?;
        let bound = match is_kept(part.name()) {
            true => left.min(KEPT_MAX),
            false => left,
        };
        let mut part = part.take(bound + 1);
        let size = copy(&mut part, &mut nothing()).map_err(|error| {
            torn(detail!(
                "有部件无法解压：{error}",
                "a part cannot be unpacked: {error}"
            ))
        })?;
        if size > bound {
            return Err(too_large(detail!(
                "部件解压后超过读取上限：请导出为 CSV",
                "its parts unpack to more than is read: export it as CSV"
            )));
        }
        left -= size;
    }
    Ok(())
}

/// Whether the library keeps what it reads of a part; a sheet is read cell by cell.
fn is_kept(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["sharedstrings.xml", "styles.xml", "workbook.xml", ".rels"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn chosen(names: &[String], declared: Option<&str>) -> Result<String, Problem> {
    let known = || {
        let some: Vec<&str> = names.iter().take(8).map(String::as_str).collect();
        some.join(", ").chars().take(256).collect::<String>()
    };
    match (declared, names) {
        (Some(name), _) if names.iter().any(|known| known == name) => Ok(name.to_owned()),
        (Some(name), _) => Err(mismatch(
            "workbook",
            detail!(
                "没有工作表 {name:?}，现有：{}",
                "no sheet {name:?} among {}",
                known()
            ),
        )),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(mismatch(
            "workbook",
            detail!(
                "映射没有指定工作表，而文件里有 {} 张：{}",
                "the mapping names no sheet, and there are {}: {}",
                names.len(),
                known()
            ),
        )),
    }
}

/// What is kept of a cell; numbers as the shortest text that names them. A shared string is not
/// copied: a small sheet may name a long one in every row.
#[derive(Debug, Clone, Default)]
enum Stored<'b> {
    #[default]
    Blank,
    Text(Cow<'b, str>),
    Number(String, Epoch),
    Date(String, Epoch),
    Broken(Detail),
}

fn stored(value: DataRef<'_>, formula: bool, epoch: Epoch) -> Stored<'_> {
    match value {
        DataRef::Empty if formula => Stored::Broken(detail!(
            "公式从未计算过",
            "a formula whose value was never computed"
        )),
        DataRef::Empty => Stored::Blank,
        DataRef::Int(number) => Stored::Number(number.to_string(), epoch),
        DataRef::Float(number) => Stored::Number(number.to_string(), epoch),
        DataRef::DateTime(serial) if serial.is_duration() => {
            Stored::Number(serial.to_string(), epoch)
        }
        DataRef::DateTime(serial) => Stored::Date(serial.to_string(), epoch),
        DataRef::Bool(true) => Stored::Text(Cow::Borrowed("TRUE")),
        DataRef::Bool(false) => Stored::Text(Cow::Borrowed("FALSE")),
        DataRef::SharedString(text) => trimmed(text),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            owned(trimmed(&text))
        }
        DataRef::Error(error) => {
            Stored::Broken(detail!("单元格显示 {error}", "the cell shows {error}"))
        }
    }
}

fn trimmed(text: &str) -> Stored<'_> {
    match text.trim() {
        "" => Stored::Blank,
        text => Stored::Text(Cow::Borrowed(text)),
    }
}

fn owned<'b>(cell: Stored<'_>) -> Stored<'b> {
    match cell {
        Stored::Text(text) => Stored::Text(Cow::Owned(text.into_owned())),
        _ => Stored::Blank,
    }
}

/// One row of the sheet. Its room stays from row to row, and only the cells that have something
/// are cleared: a row whose one cell is in the last column costs no more than another.
#[derive(Debug, Default)]
struct SheetRow<'b> {
    /// Counted from 0.
    number: u32,
    cells: Vec<Stored<'b>>,
    /// Where something was put.
    filled: Vec<usize>,
    /// Whether the row has any cell, be it blank.
    present: bool,
    bytes: usize,
}

impl<'b> SheetRow<'b> {
    fn begin(&mut self, number: u32) {
        for place in self.filled.drain(..) {
            if let Some(slot) = self.cells.get_mut(place) {
                *slot = Stored::Blank;
            }
        }
        self.number = number;
        self.present = false;
        self.bytes = 0;
    }

    fn put(&mut self, column: u32, cell: Stored<'b>) -> Result<(), Problem> {
        let place = usize::try_from(column).unwrap_or(usize::MAX);
        if place >= COLUMNS_MAX {
            return Err(mismatch(
                "workbook",
                detail!("列超出 XFD", "a column beyond XFD"),
            ));
        }
        self.bytes += match &cell {
            Stored::Blank => 0,
            Stored::Text(text) => text.len(),
            Stored::Number(text, _) | Stored::Date(text, _) => text.len(),
            Stored::Broken(what) => what.zh().len() + what.en().len(),
        };
        if self.bytes > ROW_MAX {
            return Err(too_long(format!("row {}", self.number + 1), ROW_MAX));
        }
        self.present = true;
        if self.cells.len() <= place {
            self.cells.resize(place + 1, Stored::Blank);
        }
        if let Some(slot) = self.cells.get_mut(place) {
            if matches!(slot, Stored::Blank) && !matches!(cell, Stored::Blank) {
                self.filled.push(place);
            }
            *slot = cell;
        }
        Ok(())
    }
}

impl Cells for SheetRow<'_> {
    fn is_blank(&self) -> bool {
        let mut filled = self.filled.iter();
        filled.all(|place| self.cell(*place) == Cell::Blank)
    }

    fn cell(&self, place: usize) -> Cell<'_> {
        match self.cells.get(place) {
            None | Some(Stored::Blank) => Cell::Blank,
            Some(Stored::Text(text)) => Cell::Text(text),
            Some(Stored::Number(text, epoch)) => Cell::Number(text, *epoch),
            Some(Stored::Date(text, epoch)) => Cell::Date(text, *epoch),
            Some(Stored::Broken(what)) => Cell::Broken(what),
        }
    }
}

/// The sheet's rows in order: the header once, then the others.
struct SheetRows<'a, 'b> {
    mapping: &'a Mapping,
    sheet: String,
    row: SheetRow<'b>,
    reading: Option<Reading<'a>>,
}

impl<'a> SheetRows<'a, '_> {
    fn new(sheet: String, mapping: &'a Mapping) -> Self {
        SheetRows {
            mapping,
            sheet,
            row: SheetRow::default(),
            reading: None,
        }
    }

    /// Ends the row that was read, and begins another.
    fn next(&mut self, number: u32, sink: &mut dyn FnMut(Outcome)) -> Result<(), Problem> {
        if number < self.row.number {
            return Err(mismatch(
                "workbook",
                detail!(
                    "工作表的行没有按顺序排列",
                    "the sheet's rows are not in order"
                ),
            ));
        }
        self.take(sink)?;
        self.row.begin(number);
        Ok(())
    }

    fn end(mut self, sink: &mut dyn FnMut(Outcome)) -> Result<Seen, Problem> {
        self.take(sink)?;
        match self.reading {
            Some(reading) => Ok(reading.end(sink)),
            None => Err(self.no_header()),
        }
    }

    fn take(&mut self, sink: &mut dyn FnMut(Outcome)) -> Result<(), Problem> {
        let line = self.row.number + 1;
        if line < self.mapping.header || !self.row.present {
            return Ok(());
        }
        if self.reading.is_none() {
            let header = self.mapping.header;
            if header > 0 && line > header {
                return Err(self.no_header());
            }
            let titles: Vec<String> = self.row.cells.iter().map(title).collect();
            let place = format!("{}!{}", self.sheet, header.max(1));
            let located = self.mapping.columns.locate(&place, &titles)?;
            self.reading = Some(Reading::new(self.mapping, located));
            if header > 0 {
                return Ok(());
            }
        }
        let place = |column: Option<usize>| {
            let column = column.filter(|at| *at < COLUMNS_MAX).map(letters);
            Place::Pointer(format!(
                "{}!{}{line}",
                self.sheet,
                column.unwrap_or_default()
            ))
        };
        if let Some(reading) = &mut self.reading {
            reading.row(&self.row, &place, sink);
        }
        Ok(())
    }

    fn no_header(&self) -> Problem {
        let place = format!("{}!{}", self.sheet, self.mapping.header.max(1));
        mismatch(&place, detail!("这一行没有表头", "no header in this row"))
    }
}

fn title(cell: &Stored<'_>) -> String {
    match cell {
        Stored::Blank | Stored::Broken(_) => String::new(),
        Stored::Text(text) => text.clone().into_owned(),
        Stored::Number(text, _) | Stored::Date(text, _) => text.clone(),
    }
}

fn mismatch(place: &str, detail: Detail) -> Problem {
    Problem::at(Code::FormatMismatch, place, detail)
}

fn too_large(detail: Detail) -> Problem {
    Problem::at(Code::BodyTooLarge, "workbook", detail)
}

fn torn(detail: Detail) -> Problem {
    Problem::at(Code::FileTruncated, "workbook", detail)
}

fn refused_archive(error: ZipError) -> Problem {
    match error {
        ZipError::UnsupportedArchive(what) => Problem::at(
            Code::UnsupportedFormat,
            "workbook",
            detail!("无法读取：{what}", "{what}"),
        ),
        error => torn(detail!("无法解压：{error}", "{error}")),
    }
}

fn refused_by_library(error: XlsxError) -> Problem {
    match error {
        XlsxError::Password => {
            let detail = detail!(
                "已加密：请去掉密码后另存",
                "encrypted: save it without a password"
            );
            Problem::at(Code::UnsupportedFormat, "workbook", detail)
        }
        XlsxError::XmlEof(part) => torn(detail!(
            "部件 {part} 不完整",
            "its part {part} ends too early"
        )),
        error => {
            let text: String = error.to_string().chars().take(256).collect();
            mismatch("workbook", detail!("无法解析：{text}", "{text}"))
        }
    }
}
