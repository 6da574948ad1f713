//! One value out of a JSON document of any size, in bounded memory: everything beside the
//! pointer's way is read and dropped.

use std::fmt;
use std::io::BufRead;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::domain::problem::{Code, Problem, detail};

/// The longest cursor that is taken, in bytes.
const CURSOR_BYTES_MAX: usize = 4_096;

/// The text or number at an RFC 6901 pointer; `None` where there is nothing, null, an empty text or
/// `false`. The document is read to its end; a byte order mark before it is passed over, as adapters
/// do.
///
/// # Errors
/// `format_mismatch` at the pointer: not JSON, or something else than a text or a number stands there;
/// `unavailable`: it cannot be read.
pub fn at_pointer(mut json: impl BufRead, pointer: &str) -> Result<Option<String>, Problem> {
    let way: Vec<String> = pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    pass_mark(&mut json).map_err(|_| Problem::new(Code::Unavailable))?;
    let mut reader = serde_json::Deserializer::from_reader(json);
    let found = Seek(&way).deserialize(&mut reader);
    found
        .and_then(|found| reader.end().map(|()| found))
        .map_err(|error| {
            Problem::at(
                Code::FormatMismatch,
                pointer,
                detail!("无法读取游标：{error}", "{error}"),
            )
        })
}

fn pass_mark(json: &mut impl BufRead) -> std::io::Result<()> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if json.fill_buf()?.starts_with(MARK) {
        json.consume(MARK.len());
    }
    Ok(())
}

/// The rest of the way from here.
struct Seek<'w>(&'w [String]);

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<String>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl Seek<'_> {
    /// A plain value: it counts where the way ends.
    fn plain<E: Error>(&self, text: String) -> Result<Option<String>, E> {
        match self.0 {
            [] if text.len() > CURSOR_BYTES_MAX => Err(E::custom("the cursor is too long")),
            [] => Ok(Some(text).filter(|text| !text.is_empty())),
            _ => Ok(None),
        }
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number at the pointer")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        match (self.0, truth) {
            ([], true) => Err(E::custom("the cursor is neither text nor number")),
            _ => Ok(None),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.plain(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.plain(number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.plain(text.to_owned())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Err(A::Error::custom("the cursor is neither text nor number"));
        };
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == *step {
                found = map.next_value_seed(Seek(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Err(A::Error::custom("the cursor is neither text nor number"));
        };
        let (wanted, mut at, mut found) = (step.parse::<usize>().ok(), 0, None);
        loop {
            if wanted == Some(at) {
                match items.next_element_seed(Seek(rest))? {
                    Some(value) => found = value,
                    None => return Ok(found),
                }
            } else if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            at += 1;
        }
    }
}
