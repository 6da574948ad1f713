//! Text encodings. UTF-8 with or without BOM and GBK (with its superset GB 18030) are read;
//! everything else is refused.
//!
//! The rule: the file is judged in blocks of 64 KiB. As long as blocks are valid UTF-8 it is
//! UTF-8. The first block that is not decides: if nothing but ASCII came before that block, and
//! the block itself has at most [`STRAY_UTF8_MAX`] multi-byte UTF-8 characters before its first
//! invalid byte, the rest is read as GBK, every byte of which must decode; otherwise, and always
//! after a UTF-8 BOM, it is a damaged UTF-8 file and refused. A UTF-16 or UTF-32 BOM, or a NUL byte
//! anywhere, is refused.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, GBK};

use crate::domain::problem::{Code, Detail, Problem, detail};

const BLOCK: usize = 64 * 1024;

/// Short runs of GBK can pass for UTF-8 (联通 is the classic); long ones do not.
const STRAY_UTF8_MAX: usize = 8;

enum Mode {
    Start,
    /// `wide`: it began with a mark, or characters beyond ASCII were already handed out.
    Utf8 {
        wide: bool,
    },
    Gbk(Box<Decoder>),
}

/// A reader of UTF-8 text over a reader of bytes in any encoding that is read here.
pub(super) struct Decoded<'a> {
    inner: &'a mut dyn BufRead,
    raw: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    mode: Mode,
    ended: bool,
    finished: bool,
    offset: u64,
}

impl<'a> Decoded<'a> {
    pub(super) fn new(inner: &'a mut dyn BufRead) -> Decoded<'a> {
        Decoded {
            inner,
            // They grow to a block; what is read out of an event's data is far less.
            raw: Vec::new(),
            text: Vec::new(),
            at: 0,
            mode: Mode::Start,
            ended: false,
            finished: false,
            offset: 0,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        while self.text.is_empty() && !self.finished {
            self.read_block()?;
            self.decode_block().map_err(carried)?;
        }
        Ok(())
    }

    fn read_block(&mut self) -> io::Result<()> {
        while self.raw.len() < BLOCK && !self.ended {
            match self.inner.fill_buf() {
                Ok([]) => self.ended = true,
                Ok(bytes) => {
                    let take = bytes.len().min(BLOCK - self.raw.len());
                    self.raw.extend(bytes.iter().take(take));
                    self.inner.consume(take);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn decode_block(&mut self) -> Result<(), Problem> {
        if matches!(self.mode, Mode::Start) {
            let wide = strip_mark(&mut self.raw)?;
            self.mode = Mode::Utf8 { wide };
        }
        if self.raw.contains(&0) {
            return Err(unsupported(
                self.offset,
                detail!(
                    "有 NUL 字节，像是 UTF-16 或二进制数据",
                    "a NUL byte, as in UTF-16 or binary data"
                ),
            ));
        }
        if !matches!(self.mode, Mode::Gbk(_)) {
            if self.take_utf8()? {
                return Ok(());
            }
            self.mode = Mode::Gbk(Box::new(GBK.new_decoder_without_bom_handling()));
        }
        self.take_gbk()
    }

    /// True if the block was UTF-8 and is taken; false if it is to be read as GBK.
    fn take_utf8(&mut self) -> Result<bool, Problem> {
        let Mode::Utf8 { wide } = &mut self.mode else {
            return Ok(false);
        };
        let (valid, error_len) = match std::str::from_utf8(&self.raw) {
            Ok(_) => (self.raw.len(), None),
            Err(error) => (error.valid_up_to(), Some(error.error_len())),
        };
        match error_len {
            Some(None) if self.ended => Err(Problem::at(
                Code::FileTruncated,
                format!("byte {}", self.offset + count(valid)),
                detail!(
                    "文件在一个字符中间结束",
                    "the file ends in the middle of a character"
                ),
            )),
            Some(Some(_)) => {
                let stray = self.raw.iter().take(valid).filter(|b| **b >= 0xc0).count();
                if *wide || stray > STRAY_UTF8_MAX {
                    return Err(unsupported(
                        self.offset + count(valid),
                        detail!(
                            "此处之前是 UTF-8，这个字节不是",
                            "UTF-8 up to here, and then a byte that is not"
                        ),
                    ));
                }
                Ok(false)
            }
            _ => {
                let rest = self.raw.split_off(valid);
                *wide = *wide || !self.raw.is_ascii();
                self.offset += count(valid);
                std::mem::swap(&mut self.text, &mut self.raw);
                self.raw.clear();
                self.raw.extend_from_slice(&rest);
                self.finished = self.ended;
                Ok(true)
            }
        }
    }

    fn take_gbk(&mut self) -> Result<(), Problem> {
        let Mode::Gbk(decoder) = &mut self.mode else {
            return Ok(());
        };
        let room = decoder
            .max_utf8_buffer_length_without_replacement(self.raw.len())
            .unwrap_or(BLOCK * 4);
        self.text.resize(room, 0);
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(&self.raw, &mut self.text, self.ended);
        self.text.truncate(written);
        let torn = self.ended && read >= self.raw.len();
        self.offset += count(read);
        self.raw.clear();
        self.finished = self.ended;
        match result {
            DecoderResult::InputEmpty => Ok(()),
            _ if torn => Err(Problem::at(
                Code::FileTruncated,
                format!("byte {}", self.offset),
                detail!(
                    "文件在一个字符中间结束",
                    "the file ends in the middle of a character"
                ),
            )),
            _ => Err(unsupported(
                self.offset,
                detail!(
                    "这个字节既不是 UTF-8 也不是 GBK",
                    "a byte that is neither UTF-8 nor GBK"
                ),
            )),
        }
    }
}

impl Read for Decoded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let taken = ready.read(into)?;
        self.consume(taken);
        Ok(taken)
    }
}

impl BufRead for Decoded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.text.len() && !self.finished {
            self.refill()?;
        }
        Ok(self.text.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.text.len());
    }
}

/// The whole of a body that is already in memory, as UTF-8.
///
/// # Errors
/// `encoding_unsupported`, `file_truncated`.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !plain.contains(&0)
        && let Ok(text) = std::str::from_utf8(plain)
    {
        return Ok(Cow::Borrowed(text));
    }
    let mut text = String::new();
    let mut source = bytes;
    Decoded::new(&mut source)
        .read_to_string(&mut text)
        .map_err(problem_of)?;
    Ok(Cow::Owned(text))
}

/// Takes the mark of UTF-8 away; true if there was one.
fn strip_mark(raw: &mut Vec<u8>) -> Result<bool, Problem> {
    if raw.starts_with(&[0xff, 0xfe]) || raw.starts_with(&[0xfe, 0xff]) {
        return Err(unsupported(
            0,
            detail!(
                "带 UTF-16 或 UTF-32 的字节顺序标记",
                "a UTF-16 or UTF-32 byte order mark"
            ),
        ));
    }
    let marked = raw.starts_with(b"\xef\xbb\xbf");
    if marked {
        raw.drain(..3);
    }
    Ok(marked)
}

fn unsupported(offset: u64, detail: Detail) -> Problem {
    Problem::at(Code::EncodingUnsupported, format!("byte {offset}"), detail)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A problem on its way through `io::Read`; [`problem_of`] takes it out again.
pub(super) fn carried(problem: Problem) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// A source that cannot be read, in the system's own words.
pub(super) fn unread(error: &impl fmt::Display) -> Detail {
    detail!("无法读取：{error}", "{error}")
}

pub(super) fn problem_of(error: io::Error) -> Problem {
    let text = error.to_string();
    match error.into_inner().map(|inner| inner.downcast::<Problem>()) {
        Some(Ok(problem)) => *problem,
        _ => Problem::at(Code::Unavailable, "file", unread(&text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<String, Problem> {
        let mut text = String::new();
        // One byte at a time from below: blocks must not depend on how the bytes arrive.
        let mut slow = io::BufReader::with_capacity(1, bytes);
        Decoded::new(&mut slow)
            .read_to_string(&mut text)
            .map_err(problem_of)?;
        assert_eq!(decode(bytes).as_deref(), Ok(text.as_str()));
        Ok(text)
    }

    #[test]
    fn utf8_with_and_without_bom_and_gbk_are_read() {
        let text = "卡号,交易类型\n1,地铁入站\n";
        assert_eq!(decoded(text.as_bytes()).as_deref(), Ok(text));
        assert_eq!(
            decoded(format!("\u{feff}{text}").as_bytes()).as_deref(),
            Ok(text)
        );
        let (gbk, _, _) = GBK.encode(text);
        assert_eq!(decoded(&gbk).as_deref(), Ok(text));
        // 联通 in GBK is valid UTF-8 by accident; the row that follows gives it away.
        let (gbk, _, _) = GBK.encode("联通\n深圳\n");
        assert_eq!(decoded(&gbk).as_deref(), Ok("联通\n深圳\n"));
    }

    #[test]
    fn gbk_may_begin_after_many_blocks_of_ascii() {
        let text = format!("{}深圳{}", "a".repeat(BLOCK * 2 + 7), "通".repeat(BLOCK));
        let (gbk, _, _) = GBK.encode(&text);
        assert_eq!(decoded(&gbk).as_deref(), Ok(text.as_str()));
        assert_eq!(decoded(text.as_bytes()).as_deref(), Ok(text.as_str()));
    }

    #[test]
    fn other_encodings_are_refused() {
        let utf16: Vec<u8> = "ab".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked: Vec<u8> = [&[0xff, 0xfe][..], &utf16].concat();
        let damaged = ["深圳市公共交通一卡通".as_bytes(), &[0xff], "通".as_bytes()].concat();
        for bytes in [&utf16[..], &marked, b"caf\xe9 au lait", &damaged] {
            let problem = decoded(bytes).expect_err("refused");
            assert_eq!(problem.code, Code::EncodingUnsupported, "{bytes:x?}");
        }
        let (gbk, _, _) = GBK.encode("深圳");
        let marked = [&b"\xef\xbb\xbf"[..], &gbk].concat();
        let late = [&gbk.repeat(BLOCK), &b"\0"[..]].concat();
        for bytes in [&marked, &late] {
            let problem = decoded(bytes).expect_err("refused");
            assert_eq!(problem.code, Code::EncodingUnsupported);
        }
        let torn = &"深圳".as_bytes()[..5];
        assert_eq!(decoded(torn).expect_err("torn").code, Code::FileTruncated);
        let (gbk, _, _) = GBK.encode("中文深圳");
        let torn = &gbk[..gbk.len() - 1];
        assert_eq!(decoded(torn).expect_err("torn").code, Code::FileTruncated);
    }
}
