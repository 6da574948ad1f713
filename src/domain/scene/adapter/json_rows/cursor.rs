//! A JSON text taken apart by its brackets and quotes alone, value by value, through whatever
//! chunks its source hands out.

use std::io::BufRead;

use super::super::encoding::problem_of;
use super::super::lines::too_long;
use super::super::{Place, ROW_MAX};
use super::mismatch;
use crate::domain::problem::{Code, Problem, detail};

/// Deeper nesting than any row has.
const DEPTH_MAX: u32 = 32;

/// The longest member beside the rows that is read past, where a document may have long ones.
const BESIDE_MAX: usize = 16 * 1024 * 1024;

pub(in super::super) struct Cursor<R> {
    source: R,
    row: Vec<u8>,
    /// Where the value stands that is read next, for its refusal.
    pub(in super::super) place: Place,
    /// Line ends between values so far.
    pub(super) blank_lines: u64,
}

impl<R: BufRead> Cursor<R> {
    pub(in super::super) fn new(source: R) -> Cursor<R> {
        Cursor {
            source,
            row: Vec::new(),
            place: Place::Item("", 0),
            blank_lines: 0,
        }
    }

    /// The value last kept.
    ///
    /// # Errors
    /// `encoding_unsupported`; the sources here hand out UTF-8 alone.
    pub(in super::super) fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(&self.row).map_err(|_| {
            let place = self.place.to_string();
            Problem::at(
                Code::EncodingUnsupported,
                place,
                detail!("不是 UTF-8", "not UTF-8"),
            )
        })
    }

    /// Reads one JSON value and keeps its text.
    ///
    /// # Errors
    /// `file_truncated`, `line_too_long`, and `format_mismatch` for one that is nested too deep.
    pub(in super::super) fn keep(&mut self) -> Result<(), Problem> {
        self.value(true, ROW_MAX)
    }

    /// Reads past one JSON value.
    ///
    /// # Errors
    /// As [`Cursor::keep`].
    pub(in super::super) fn skip(&mut self) -> Result<(), Problem> {
        self.value(false, ROW_MAX)
    }

    /// Reads past what a document says beside its rows, which may be longer than a row.
    ///
    /// # Errors
    /// As [`Cursor::keep`].
    pub(in super::super) fn pass(&mut self) -> Result<(), Problem> {
        self.value(false, BESIDE_MAX)
    }

    fn value(&mut self, keep: bool, longest: usize) -> Result<(), Problem> {
        self.token()?;
        self.row.clear();
        let (mut scan, mut length) = (Scan::default(), 0);
        loop {
            let chunk = self.source.fill_buf().map_err(problem_of)?;
            if chunk.is_empty() {
                return Err(torn());
            }
            let end = scan.feed(chunk);
            let taken = end.unwrap_or(chunk.len());
            length += taken;
            if length > longest {
                return Err(too_long(self.place.to_string(), longest));
            }
            if keep {
                self.row
                    .extend_from_slice(chunk.get(..taken).unwrap_or_default());
            }
            self.source.consume(taken);
            if scan.depth > DEPTH_MAX {
                return Err(mismatch(detail!(
                    "嵌套超过 {DEPTH_MAX} 层",
                    "nested deeper than {DEPTH_MAX}"
                )));
            }
            if end.is_some() {
                return Ok(());
            }
        }
    }

    /// Reads a key and its colon.
    ///
    /// # Errors
    /// `format_mismatch`, and what [`Cursor::keep`] refuses.
    pub(in super::super) fn key(&mut self) -> Result<String, Problem> {
        if self.token()? != b'"' {
            return Err(mismatch(detail!("应为键名", "a key is expected")));
        }
        self.keep()?;
        let quoted = self.row.get(1..self.row.len().saturating_sub(1));
        let key = String::from_utf8_lossy(quoted.unwrap_or_default()).into_owned();
        self.expect(b':')?;
        Ok(key)
    }

    /// After a member: true over a comma, false over the closing brace.
    ///
    /// # Errors
    /// `format_mismatch`, `file_truncated`.
    pub(in super::super) fn more(&mut self) -> Result<bool, Problem> {
        match self.token()? {
            b',' => {
                self.bump();
                Ok(true)
            }
            b'}' => {
                self.bump();
                Ok(false)
            }
            _ => Err(mismatch(detail!(
                "成员之后既不是逗号也不是 }}",
                "neither a comma nor }} after a member"
            ))),
        }
    }

    /// Reads over this byte.
    ///
    /// # Errors
    /// `format_mismatch`, `file_truncated`.
    pub(in super::super) fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        let found = self.token()?;
        self.bump();
        if found == byte {
            return Ok(());
        }
        Err(mismatch(detail!(
            "此处应为 {1:?}，却是 {0:?}",
            "{:?} where {:?} belongs",
            char::from(found),
            char::from(byte)
        )))
    }

    /// The next byte that is not white space, not yet consumed.
    ///
    /// # Errors
    /// `file_truncated` at the end of the text.
    pub(in super::super) fn token(&mut self) -> Result<u8, Problem> {
        self.peek()?.ok_or_else(torn)
    }

    /// As [`Cursor::token`]; none at the end of the text.
    ///
    /// # Errors
    /// What the source refuses.
    pub(in super::super) fn peek(&mut self) -> Result<Option<u8>, Problem> {
        loop {
            let chunk = self.source.fill_buf().map_err(problem_of)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let blank = chunk.len() - chunk.trim_ascii_start().len();
            let found = chunk.get(blank).copied();
            self.blank_lines += line_ends(chunk.get(..blank).unwrap_or_default());
            self.source.consume(blank);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    pub(in super::super) fn bump(&mut self) {
        self.source.consume(1);
    }
}

pub(super) fn line_ends(text: &[u8]) -> u64 {
    let ends = text.iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(ends).unwrap_or(u64::MAX)
}

fn torn() -> Problem {
    Problem::at(
        Code::FileTruncated,
        "end of file",
        detail!("JSON 文档没有闭合", "the JSON document is not closed"),
    )
}

/// Whether the JSON value that begins here goes on beyond the line on which it begins.
pub(in super::super) fn spans_lines(first: &[u8]) -> bool {
    let start = first.trim_ascii_start();
    let end = Scan::default().feed(start).unwrap_or(start.len());
    start.iter().take(end).any(|byte| *byte == b'\n')
}

/// Finds the end of one JSON value.
#[derive(Default)]
struct Scan {
    depth: u32,
    quoted: bool,
    escaped: bool,
    scalar: bool,
}

impl Scan {
    /// How many bytes of `chunk` belong to the value, if it ends in it.
    fn feed(&mut self, chunk: &[u8]) -> Option<usize> {
        for (at, byte) in chunk.iter().enumerate() {
            if self.quoted {
                if self.escaped {
                    self.escaped = false;
                } else if *byte == b'\\' {
                    self.escaped = true;
                } else if *byte == b'"' {
                    self.quoted = false;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                continue;
            }
            match byte {
                b'"' => self.quoted = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' | b',' | b':' if self.depth == 0 => return Some(at),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 && self.scalar => return Some(at),
                _ => self.scalar = true,
            }
        }
        None
    }
}
