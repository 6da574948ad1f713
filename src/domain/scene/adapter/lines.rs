//! Lines of text, and comma-separated fields of a line, in bounded memory.

use std::io::{BufRead, Read};
use std::ops::Range;

use super::encoding::problem_of;
use super::{Place, ROW_MAX, malformed, torn};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Reads lines of at most [`ROW_MAX`] bytes; the line end (LF or CRLF) is left out.
pub(super) struct Lines<R> {
    source: R,
    bytes: Vec<u8>,
    number: u64,
    terminated: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Lines<R> {
        Lines {
            source,
            bytes: Vec::new(),
            number: 0,
            terminated: true,
        }
    }

    /// The next line that is not blank, with its one-based number.
    ///
    /// # Errors
    /// `line_too_long`, and whatever the source refuses.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &str)>, Problem> {
        loop {
            self.bytes.clear();
            let limit = u64::try_from(ROW_MAX + 2).unwrap_or(u64::MAX);
            let read = (&mut self.source)
                .take(limit)
                .read_until(b'\n', &mut self.bytes)
                .map_err(problem_of)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            self.strip_end();
            if self.bytes.len() > ROW_MAX {
                return Err(too_long(format!("line {}", self.number), ROW_MAX));
            }
            if !self.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => Ok(Some((self.number, text))),
            Err(_) => Err(Problem::at(
                Code::EncodingUnsupported,
                format!("line {}", self.number),
                detail!("不是 UTF-8", "not UTF-8"),
            )),
        }
    }

    /// Whether the line last read was the last of the file and had no line end: it may be torn.
    pub(super) fn torn(&self) -> bool {
        !self.terminated
    }

    fn strip_end(&mut self) {
        self.terminated = self.bytes.last() == Some(&b'\n');
        if self.terminated {
            self.bytes.pop();
        }
        if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
    }
}

pub(super) fn too_long(place: String, longest: usize) -> Problem {
    Problem::at(
        Code::LineTooLong,
        place,
        detail!("超过 {longest} 字节", "longer than {longest} bytes"),
    )
}

/// The fields of one line, separated by commas unless told otherwise (RFC 4180 quoting; a field
/// never spans lines, so that one stray quote costs one row and not the rest of the file).
pub(super) struct Fields {
    text: String,
    spans: Vec<Range<usize>>,
    delimiter: u8,
}

impl Default for Fields {
    fn default() -> Fields {
        Fields::between(b',')
    }
}

impl Fields {
    /// Fields with another ASCII character between them.
    pub(super) fn between(delimiter: u8) -> Fields {
        Fields {
            text: String::new(),
            spans: Vec::new(),
            delimiter,
        }
    }

    /// # Errors
    /// `row_malformed`: a quote is not closed, or text follows a closing quote.
    pub(super) fn split(&mut self, line: &str) -> Result<(), Problem> {
        self.text.clear();
        self.spans.clear();
        if line.contains('"') {
            return self.split_quoted(line);
        }
        self.text.push_str(line);
        let mut from = 0;
        for (at, byte) in line.bytes().enumerate() {
            if byte == self.delimiter {
                self.spans.push(from..at);
                from = at + 1;
            }
        }
        self.spans.push(from..line.len());
        Ok(())
    }

    fn split_quoted(&mut self, line: &str) -> Result<(), Problem> {
        let delimiter = char::from(self.delimiter);
        let mut rest = line;
        loop {
            let from = self.text.len();
            rest = match rest.strip_prefix('"') {
                Some(quoted) => self.unquote(quoted)?,
                None => {
                    let end = rest.find(delimiter).unwrap_or(rest.len());
                    let (field, after) = rest.split_at(end);
                    self.text.push_str(field);
                    after
                }
            };
            self.spans.push(from..self.text.len());
            match rest.strip_prefix(delimiter) {
                Some(after) => rest = after,
                None if rest.is_empty() => return Ok(()),
                None => {
                    return Err(malformed(detail!(
                        "闭合的引号之后还有文字",
                        "text after a closing quote"
                    )));
                }
            }
        }
    }

    fn unquote<'a>(&mut self, quoted: &'a str) -> Result<&'a str, Problem> {
        let mut rest = quoted;
        loop {
            let Some((field, after)) = rest.split_once('"') else {
                return Err(malformed(detail!("引号没有闭合", "a quote is not closed")));
            };
            self.text.push_str(field);
            match after.strip_prefix('"') {
                Some(more) => {
                    self.text.push('"');
                    rest = more;
                }
                None => return Ok(after),
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The field, without surrounding spaces; empty when there is none.
    pub(super) fn get(&self, index: usize) -> &str {
        self.spans
            .get(index)
            .and_then(|span| self.text.get(span.clone()))
            .unwrap_or_default()
            .trim()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// A row with its one-based line, or why it is none: `row_malformed`.
pub(super) type Numbered<'f> = (u64, Result<&'f Fields, Problem>);

/// Rows under a header, each as wide as it.
pub(super) struct Rows<R> {
    lines: Lines<R>,
    fields: Fields,
    width: usize,
}

impl<R: BufRead> Rows<R> {
    /// Reads the header, which `understood` makes sense of.
    ///
    /// # Errors
    /// `format_mismatch`: the file is empty or its first line no header; what `understood` refuses.
    pub(super) fn below<T>(
        mut lines: Lines<R>,
        understood: impl FnOnce(&Fields) -> Result<T, Problem>,
    ) -> Result<(Rows<R>, T), Problem> {
        let absent = |detail: Detail| Problem::at(Code::FormatMismatch, "line 1", detail);
        let mut fields = Fields::default();
        let (_, header) = lines
            .next()?
            .ok_or_else(|| absent(detail!("文件为空", "the file is empty")))?;
        fields
            .split(header)
            .map_err(|_| absent(detail!("没有表头", "no header")))?;
        let (width, columns) = (fields.len(), understood(&fields)?);
        let rows = Rows {
            lines,
            fields,
            width,
        };
        Ok((rows, columns))
    }

    /// The next row.
    ///
    /// # Errors
    /// `file_truncated` for a last row that is torn; what [`Lines::next`] refuses.
    pub(super) fn next(&mut self) -> Result<Option<Numbered<'_>>, Problem> {
        let Some((number, line)) = self.lines.next()? else {
            return Ok(None);
        };
        let split = self.fields.split(line);
        let split = split.and_then(|()| match self.fields.len() {
            found if found == self.width => Ok(()),
            found => {
                let width = self.width;
                let detail = detail!(
                    "有 {found} 列，而表头有 {width} 列",
                    "{found} columns where the header has {width}"
                );
                Err(malformed(detail))
            }
        });
        match split {
            Ok(()) => Ok(Some((number, Ok(&self.fields)))),
            Err(_) if self.lines.torn() => Err(torn(&Place::Line(number))),
            Err(problem) => Ok(Some((number, Err(problem)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<String>, Problem> {
        let mut fields = Fields::default();
        fields.split(line)?;
        Ok(fields.iter().map(str::to_owned).collect())
    }

    #[test]
    fn fields_are_split_with_and_without_quotes() {
        assert_eq!(
            split("a, b ,,"),
            Ok(vec!["a".into(), "b".into(), String::new(), String::new()])
        );
        assert_eq!(
            split(r#""a,b","say ""x""",c"#),
            Ok(vec!["a,b".into(), r#"say "x""#.into(), "c".into()])
        );
        assert_eq!(split(r#""a"#).expect_err("open").code, Code::RowMalformed);
        assert_eq!(split(r#""a"b"#).expect_err("tail").code, Code::RowMalformed);
    }

    #[test]
    fn lines_know_their_number_and_whether_they_are_torn() {
        let mut lines = Lines::new(&b"a\r\n\n \nb"[..]);
        assert_eq!(lines.next(), Ok(Some((1, "a"))));
        assert!(!lines.torn());
        assert_eq!(lines.next(), Ok(Some((4, "b"))));
        assert!(lines.torn());
        assert_eq!(lines.next(), Ok(None));
    }

    #[test]
    fn rows_are_as_wide_as_their_header_and_whole() {
        let read = |text: &str| {
            let lines = Lines::new(text.as_bytes());
            let (mut rows, width) = Rows::below(lines, |header| Ok(header.len()))?;
            let mut said = vec![format!("{width} wide")];
            while let Some((number, row)) = rows.next()? {
                let code = |problem: Problem| problem.code.as_str().to_owned();
                let row = row.map(|row| row.get(1).to_owned());
                said.push(format!("{number} {}", row.unwrap_or_else(code)));
            }
            Ok(said)
        };
        assert_eq!(
            read("a,b\n1,2\n1\n\"1,2\n3,4").expect("readable"),
            ["2 wide", "2 2", "3 row_malformed", "4 row_malformed", "5 4"]
        );
        let lines = Lines::new(&b"a,b\n1\n"[..]);
        let (mut rows, ()) = Rows::below(lines, |_| Ok(())).expect("a header");
        let (_, row) = rows.next().expect("a row").expect("a row");
        let detail = row.map(drop).expect_err("one column").detail;
        assert_eq!(detail.zh(), "有 1 列，而表头有 2 列");
        let code = |text| read(text).map_err(|problem: Problem| problem.code);
        assert_eq!(code("a,b\n1,2\n3"), Err(Code::FileTruncated));
        assert_eq!(code(""), Err(Code::FormatMismatch));
        assert_eq!(code("\"a"), Err(Code::FormatMismatch));
    }

    #[test]
    fn an_endless_line_is_refused_before_it_is_buffered() {
        let mut lines = Lines::new(std::io::BufReader::new(std::io::repeat(b'x')));
        assert_eq!(lines.next().expect_err("long").code, Code::LineTooLong);
        assert!(lines.bytes.capacity() < 4 * ROW_MAX);
    }
}
