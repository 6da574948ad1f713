//! Text tables: one row a line, fields between delimiters, RFC 4180 quoting.

use std::io::BufRead;

use super::super::encoding::Decoded;
use super::super::lines::{Fields, Lines};
use super::super::{Outcome, Place, Seen, malformed, torn};
use super::mapping::Mapping;
use super::reading::Reading;
use super::row::{Cell, Cells};
use crate::domain::problem::{Code, Detail, Problem, detail};

impl Cells for Fields {
    fn cell(&self, place: usize) -> Cell<'_> {
        match self.get(place) {
            "" => Cell::Blank,
            text => Cell::Text(text),
        }
    }

    fn is_blank(&self) -> bool {
        self.iter().all(str::is_empty)
    }
}

/// # Errors
/// `format_mismatch` for a file without the header or its columns, `file_truncated`, and what
/// the encoding and the lines refuse.
pub(super) fn read(
    source: &mut dyn BufRead,
    mapping: &Mapping,
    delimiter: u8,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut lines = Lines::new(Decoded::new(source));
    let mut fields = Fields::between(delimiter);
    let titles = titles(&mut lines, &mut fields, mapping.header)?;
    let header = format!("line {}", mapping.header.max(1));
    let mut reading = Reading::new(mapping, mapping.columns.locate(&header, &titles)?);
    let mut width = match mapping.header {
        0 => None,
        _ => Some(titles.len()),
    };
    while let Some((number, line)) = lines.next()? {
        let split = fields.split(line).and_then(|()| fits(&fields, &mut width));
        if let Err(problem) = split {
            if lines.torn() {
                return Err(torn(&Place::Line(number)));
            }
            reading.unreadable(Place::Line(number), problem, sink);
            continue;
        }
        reading.row(&fields, &|_| Place::Line(number), sink);
    }
    Ok(reading.end(sink))
}

/// The titles in the header's line, or none.
fn titles<R: BufRead>(
    lines: &mut Lines<R>,
    fields: &mut Fields,
    header: u32,
) -> Result<Vec<String>, Problem> {
    if header == 0 {
        return Ok(Vec::new());
    }
    let no_header =
        |detail: Detail| Problem::at(Code::FormatMismatch, format!("line {header}"), detail);
    while let Some((number, line)) = lines.next()? {
        if number < u64::from(header) {
            continue;
        }
        if number > u64::from(header) {
            break;
        }
        fields
            .split(line)
            .map_err(|_| no_header(detail!("没有表头", "no header")))?;
        return Ok(fields.iter().map(str::to_owned).collect());
    }
    Err(no_header(detail!(
        "这一行没有表头",
        "no header in this line"
    )))
}

/// Every row has as many fields as the header, or as the first row.
fn fits(fields: &Fields, width: &mut Option<usize>) -> Result<(), Problem> {
    let width = *width.get_or_insert(fields.len());
    match fields.len() == width {
        true => Ok(()),
        false => {
            let found = fields.len();
            Err(malformed(detail!(
                "有 {found} 列，应为 {width} 列",
                "{found} columns where {width} are expected"
            )))
        }
    }
}
