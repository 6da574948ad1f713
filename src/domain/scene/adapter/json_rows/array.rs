//! The elements of an array: a plain one, or one named array within an object.

use std::io::BufRead;

use super::super::Place;
use super::cursor::Cursor;
use super::{Wrapper, mismatch, more_text};
use crate::domain::problem::{Code, Problem, detail};

pub(in super::super) struct Array<R> {
    cursor: Cursor<R>,
    wrapper: Wrapper,
    /// Of the array that is open: the wrapper's, or blank for a plain one.
    pointer: &'static str,
    index: u64,
    step: Step,
    /// Whether another document may follow.
    pub(super) many: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// No array is open.
    Outside,
    /// The next element is the first.
    First,
    Further,
    End,
}

/// How far [`Array::enter`] came.
pub(super) enum Entered {
    Rows,
    /// The object is closed, and has no array of rows.
    Closed,
}

impl<R: BufRead> Array<R> {
    pub(super) fn new(source: R, wrapper: Wrapper) -> Array<R> {
        Array {
            cursor: Cursor::new(source),
            wrapper,
            pointer: "",
            index: 0,
            step: Step::Outside,
            many: false,
        }
    }

    pub(super) fn is_empty_text(&mut self) -> Result<bool, Problem> {
        Ok(self.cursor.peek()?.is_none())
    }

    pub(super) fn next(&mut self) -> Result<Option<(Place, &str)>, Problem> {
        if !self.advance()? {
            return Ok(None);
        }
        let place = Place::Item(self.pointer, self.index);
        self.cursor.place = place.clone();
        self.cursor.keep()?;
        self.index += 1;
        Ok(Some((place, self.cursor.text()?)))
    }

    /// Moves to the first byte of the next element, if there is one.
    fn advance(&mut self) -> Result<bool, Problem> {
        loop {
            match self.step {
                Step::End => return Ok(false),
                Step::Outside => {
                    if matches!(self.enter()?, Entered::Closed) {
                        return Err(mismatch(detail!(
                            "没有数组 {:?}",
                            "no array {:?}",
                            self.wrapper.key
                        )));
                    }
                    self.step = Step::First;
                }
                Step::First | Step::Further => {
                    if self.cursor.token()? == b']' {
                        self.leave()?;
                        continue;
                    }
                    if self.step == Step::Further {
                        self.comma()?;
                    }
                    self.step = Step::Further;
                    return Ok(true);
                }
            }
        }
    }

    /// Reads the comma between two elements.
    fn comma(&mut self) -> Result<(), Problem> {
        let found = self.cursor.token()?;
        if found != b',' {
            let detail = detail!(
                "此处应为逗号，却是 {:?}",
                "{:?} where a comma belongs",
                char::from(found)
            );
            return Err(mismatch(detail));
        }
        self.cursor.bump();
        match self.cursor.token()? {
            b']' => Err(mismatch(detail!("] 前面多了逗号", "a comma before ]"))),
            _ => Ok(()),
        }
    }

    /// Reads up to and over the `[` that opens the array.
    pub(super) fn enter(&mut self) -> Result<Entered, Problem> {
        if self.cursor.token()? == b'[' {
            self.cursor.bump();
            return Ok(Entered::Rows);
        }
        self.cursor.expect(b'{')?;
        if self.cursor.token()? == b'}' {
            self.cursor.bump();
            return Ok(Entered::Closed);
        }
        loop {
            if self.is_rows_key()? && self.cursor.token()? == b'[' {
                self.cursor.bump();
                self.pointer = self.wrapper.pointer;
                return Ok(Entered::Rows);
            }
            self.cursor.skip()?;
            if !self.cursor.more()? {
                return Ok(Entered::Closed);
            }
        }
    }

    /// Reads from the `]` that closes the array to the end of its document.
    fn leave(&mut self) -> Result<(), Problem> {
        self.cursor.expect(b']')?;
        if !self.pointer.is_empty() {
            while self.cursor.more()? {
                if self.is_rows_key()? {
                    return Err(mismatch(detail!(
                        "{:?} 重复出现",
                        "{:?} stands twice",
                        self.wrapper.key
                    )));
                }
                self.cursor.skip()?;
            }
        }
        self.step = match self.cursor.peek()? {
            None => Step::End,
            Some(b'{') if self.many => Step::Outside,
            Some(_) => {
                return Err(more_text());
            }
        };
        Ok(())
    }

    /// Reads a key and its colon; true if it is the key of the rows.
    fn is_rows_key(&mut self) -> Result<bool, Problem> {
        let name = self.cursor.key()?;
        if name == self.wrapper.key {
            return Ok(true);
        }
        match self.wrapper.beside {
            Some(known) if !known.contains(&name.as_str()) => {
                Err(Problem::on(Code::UnknownField, name))
            }
            _ => Ok(false),
        }
    }
}
