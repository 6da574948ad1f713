//! The XML of a Green Button file, as parts: entries with their links, and readings.
//!
//! No DTD and no entity of the file's own is read, and the size of one tag or text is bounded;
//! [`Walk`] bounds depth and counts.

use std::io::{self, BufRead, Read};

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

use super::super::ROW_MAX;
use super::super::encoding::{Decoded, problem_of};
use super::entry::Entry;
use super::walk::Walk;
use crate::domain::problem::{Code, Problem};

/// Reads the document and hands over each entry when it closes.
///
/// # Errors
/// The file as a whole: not this format, truncated, an entity, or a bound passed.
pub(super) fn read(source: &mut dyn BufRead, sink: &mut dyn FnMut(Entry)) -> Result<(), Problem> {
    let budget = Budget {
        inner: Decoded::new(source),
        left: ROW_MAX,
    };
    let mut reader = Reader::from_reader(budget);
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.get_mut().left = ROW_MAX;
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| xml_problem(error, walk.place()))?;
        match event {
            Event::Eof => return walk.finish(),
            Event::Start(element) => walk.open(&element)?,
            Event::End(_) => walk.close(sink)?,
            Event::Text(text) => walk.text(&text.into_inner())?,
            Event::CData(text) => walk.text(&text.into_inner())?,
            Event::GeneralRef(reference) => {
                let known = reference.is_char_ref()
                    || matches!(
                        reference.xml_content(XmlVersion::Implicit1_0).as_ref(),
                        "amp" | "lt" | "gt" | "quot" | "apos"
                    );
                if !known {
                    return Err(entity());
                }
            }
            Event::DocType(_) => return Err(entity()),
            Event::Decl(declaration) => encoding(declaration.encoding())?,
            Event::Empty(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
}

/// The declared encoding must be one that is read; which of them it is, the bytes tell.
fn encoding<N: AsRef<str>, E>(declared: Option<Result<N, E>>) -> Result<(), Problem> {
    let Some(Ok(name)) = declared else {
        return Ok(());
    };
    let name = name.as_ref().to_ascii_lowercase();
    match name.as_str() {
        "utf-8" | "utf8" | "us-ascii" | "ascii" | "gbk" | "gb2312" | "gb18030" => Ok(()),
        _ => Err(Problem::at(
            Code::EncodingUnsupported,
            "encoding",
            format!("declared as {name}"),
        )),
    }
}

pub(super) fn entity() -> Problem {
    Problem {
        code: Code::EntityRefused,
        param: None,
        detail: String::new(),
    }
}

fn xml_problem(error: quick_xml::Error, place: String) -> Problem {
    match error {
        quick_xml::Error::Io(error) => {
            problem_of(io::Error::new(error.kind(), carried_again(&error)))
        }
        quick_xml::Error::Syntax(_) => {
            Problem::at(Code::FileTruncated, place, "the document ends inside a tag")
        }
        other => Problem::at(Code::FormatMismatch, place, other.to_string()),
    }
}

/// quick-xml shares its I/O error, so the problem inside is copied out.
fn carried_again(error: &io::Error) -> Problem {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Problem>())
    {
        Some(problem) => problem.clone(),
        None => Problem::at(Code::Unavailable, "file", error.to_string()),
    }
}

/// Lets through so many bytes an event: an endless tag or text is refused, not buffered.
struct Budget<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Budget<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let taken = ready.read(into)?;
        self.consume(taken);
        Ok(taken)
    }
}

impl<R: BufRead> BufRead for Budget<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let chunk = self.inner.fill_buf()?;
        if self.left == 0 && !chunk.is_empty() {
            let problem = super::super::lines::too_long(
                "one XML tag or text".to_owned(),
                super::super::ROW_MAX,
            );
            return Err(super::super::encoding::carried(problem));
        }
        Ok(chunk.get(..chunk.len().min(self.left)).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.left -= amount.min(self.left);
        self.inner.consume(amount);
    }
}
