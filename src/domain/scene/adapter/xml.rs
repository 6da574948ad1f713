//! An XML document, part by part and in bounded memory: no DTD and no entity of the file's own is
//! read; depth and the size of one tag or text are bounded.

use std::fmt;
use std::io::{self, BufRead, Read};

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::ROW_MAX;
use super::encoding::{Decoded, carried, problem_of, unread};
use super::lines::too_long;
use crate::domain::problem::{Code, Detail, Problem, detail};

const DEPTH_MAX: usize = 32;

/// What is done with the parts of a document.
pub(super) trait Visit {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Problem>;
    /// The element last opened and not yet closed ends.
    fn close(&mut self) -> Result<(), Problem>;
    /// Some of the text of the element that is open; there may be more.
    fn text(&mut self, text: &str) -> Result<(), Problem>;
    /// Where the walk is, for a refusal of the document.
    fn place(&self) -> String;
}

/// Walks through a document of one root element.
///
/// # Errors
/// The file as a whole: no XML, truncated, an entity, or a bound passed.
pub(super) fn read<V: Visit>(source: &mut dyn BufRead, visit: &mut V) -> Result<(), Problem> {
    let budget = Budget {
        inner: Decoded::new(source),
        left: ROW_MAX,
    };
    let mut reader = Reader::from_reader(budget);
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let (mut depth, mut rooted) = (0usize, false);
    loop {
        buffer.clear();
        reader.get_mut().left = ROW_MAX;
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| problem(error, visit.place()))?;
        match event {
            Event::Start(element) => {
                if depth == 0 && std::mem::replace(&mut rooted, true) {
                    return Err(mismatch(
                        "/".to_owned(),
                        detail!("根元素不止一个", "more than one root element"),
                    ));
                }
                depth += 1;
                if depth > DEPTH_MAX {
                    let detail =
                        detail!("嵌套超过 {DEPTH_MAX} 层", "nested deeper than {DEPTH_MAX}");
                    return Err(mismatch(visit.place(), detail));
                }
                visit.open(&element)?;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                visit.close()?;
            }
            Event::Text(text) => visit.text(&text.into_inner())?,
            Event::CData(text) => visit.text(&text.into_inner())?,
            Event::GeneralRef(reference) => {
                let mut bytes = [0; 4];
                visit.text(character(&reference)?.encode_utf8(&mut bytes))?;
            }
            Event::DocType(_) => return Err(entity()),
            Event::Decl(declaration) => encoding(declaration.encoding())?,
            Event::Empty(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if depth > 0 => {
                let detail = detail!("还有元素没有闭合", "elements are still open");
                return Err(Problem::at(Code::FileTruncated, visit.place(), detail));
            }
            Event::Eof if !rooted => {
                return Err(mismatch(
                    "/".to_owned(),
                    detail!("文件里没有元素", "the file has no element"),
                ));
            }
            Event::Eof => return Ok(()),
        }
    }
}

/// The value of an attribute, by its local name; none where it is absent.
///
/// # Errors
/// `format_mismatch` for a tag that is no XML, `entity_refused` for an entity of the file's own.
pub(super) fn attribute(
    element: &BytesStart<'_>,
    name: &str,
    place: impl Fn() -> String,
) -> Result<Option<String>, Problem> {
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| mismatch(place(), unparsed(&error)))?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| entity())?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

pub(super) fn mismatch(place: String, detail: Detail) -> Problem {
    Problem::at(Code::FormatMismatch, place, detail)
}

/// What the parser says of a text that is no XML.
fn unparsed(error: &impl fmt::Display) -> Detail {
    detail!("无法解析：{error}", "{error}")
}

pub(super) fn entity() -> Problem {
    Problem::new(Code::EntityRefused)
}

/// A character reference, or one of the five entities that XML itself has.
fn character(reference: &BytesRef<'_>) -> Result<char, Problem> {
    if reference.is_char_ref() {
        let character = reference.resolve_char_ref().ok().flatten();
        return character.ok_or_else(entity);
    }
    match reference.xml_content(XmlVersion::Implicit1_0).as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(entity()),
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
            detail!("声明的编码是 {name}", "declared as {name}"),
        )),
    }
}

fn problem(error: quick_xml::Error, place: String) -> Problem {
    match error {
        quick_xml::Error::Io(error) => {
            problem_of(io::Error::new(error.kind(), carried_again(&error)))
        }
        quick_xml::Error::Syntax(_) => Problem::at(
            Code::FileTruncated,
            place,
            detail!("文档在标签中间结束", "the document ends inside a tag"),
        ),
        other => mismatch(place, unparsed(&other)),
    }
}

/// quick-xml shares its I/O error, so the problem inside is copied out.
fn carried_again(error: &io::Error) -> Problem {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Problem>())
    {
        Some(problem) => problem.clone(),
        None => Problem::at(Code::Unavailable, "file", unread(error)),
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
            return Err(carried(too_long("one XML tag or text".to_owned(), ROW_MAX)));
        }
        Ok(chunk.get(..chunk.len().min(self.left)).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.left -= amount.min(self.left);
        self.inner.consume(amount);
    }
}
