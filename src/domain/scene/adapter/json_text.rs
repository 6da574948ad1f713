//! Parts of a JSON text, borrowed from it: a string where it has no escapes, an object's members.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::malformed;
use crate::domain::problem::{Code, Problem};

/// The members of an object. serde by itself would take an array for one, member by member in
/// their order.
///
/// # Errors
/// No object, or not of this shape.
pub(super) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
    match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text),
        false => Err(Error::custom("an object is expected")),
    }
}

/// As [`object`], of a row: one that ends too early is `file_truncated`, and whether the file ends
/// with it, the caller knows.
///
/// # Errors
/// `row_malformed`, `file_truncated`.
pub(super) fn row<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    object(text).map_err(|error| {
        let early = error.is_eof();
        let problem = malformed(error.to_string());
        match early {
            true => Problem {
                code: Code::FileTruncated,
                ..problem
            },
            false => problem,
        }
    })
}

pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}
