//! One value after the other without a frame around them, each over as many lines as it likes.

use std::io::BufRead;

use super::super::Place;
use super::cursor::{Cursor, line_ends};
use super::{mismatch, more_text};
use crate::domain::problem::{Problem, detail};

pub(in super::super) struct Documents<R> {
    cursor: Cursor<R>,
    /// Nothing may follow the first.
    only: bool,
    read: u64,
    /// Line ends within the values read so far.
    lines: u64,
}

impl<R: BufRead> Documents<R> {
    pub(super) fn new(source: R) -> Documents<R> {
        Documents {
            cursor: Cursor::new(source),
            only: false,
            read: 0,
            lines: 0,
        }
    }

    pub(super) fn only(source: R) -> Documents<R> {
        Documents {
            only: true,
            ..Documents::new(source)
        }
    }

    /// The next document, at the line on which it begins.
    pub(super) fn next(&mut self) -> Result<Option<(Place, &str)>, Problem> {
        match self.cursor.peek()? {
            None if self.read > 0 => return Ok(None),
            Some(_) if self.only && self.read > 0 => {
                return Err(more_text());
            }
            Some(b'{') => {}
            Some(_) if !self.only => {
                return Err(mismatch(detail!("应为对象", "an object is expected")));
            }
            _ => {}
        }
        let place = Place::Line(1 + self.cursor.blank_lines + self.lines);
        self.cursor.place = place.clone();
        self.cursor.keep()?;
        self.read += 1;
        let text = self.cursor.text()?;
        self.lines += line_ends(text.as_bytes());
        Ok(Some((place, text)))
    }
}
