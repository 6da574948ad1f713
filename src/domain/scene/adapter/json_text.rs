//! Parts of a JSON text, borrowed from it: a string where it has no escapes, an object's members.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::json_records::misread;
use crate::domain::problem::{Code, Problem};

#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The members of an object. serde by itself would take an array for one, member by member in
/// their order.
///
/// # Errors
/// No object, or not of this shape.
pub(super) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
    serde_json::from_str::<Object<T>>(text).map(|object| object.0)
}

/// As [`object`], of a row: one that ends too early is `file_truncated`, and whether the file ends
/// with it, the caller knows.
///
/// # Errors
/// `row_malformed`, `missing_field`, `file_truncated`.
pub(super) fn row<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    object(text).map_err(|error| match error.is_eof() {
        true => Problem {
            code: Code::FileTruncated,
            ..misread(&error)
        },
        false => misread(&error),
    })
}

/// Whether the text ends before the JSON in it does: a torn row, and not a wrong one.
pub(super) fn breaks_off(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_err_and(|error| error.is_eof())
}

/// As [`object`], within another value.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// Without surrounding spaces; absent and blank are the same.
pub(super) fn text<'a>(field: &'a Option<Text<'_>>) -> &'a str {
    field.as_ref().map_or("", |text| text.as_str().trim())
}

/// # Errors
/// `missing_field` at `name`.
pub(super) fn required<'a>(field: &'a Option<Text<'_>>, name: &str) -> Result<&'a str, Problem> {
    match text(field) {
        "" => Err(Problem::on(Code::MissingField, name)),
        text => Ok(text),
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        #[serde(default)]
        north: u8,
        east: u8,
    }

    #[test]
    fn an_array_is_no_object() {
        let pair = Pair { north: 1, east: 2 };
        assert_eq!(object(r#" {"east":2,"north":1} "#).ok(), Some(pair));
        for text in [
            "[1,2]",
            "7",
            "null",
            "\"a\"",
            r#"{"north":1}"#,
            "{\"east\":2} 1",
        ] {
            assert!(object::<Pair>(text).is_err(), "{text}");
        }
        let within = serde_json::from_str::<Vec<Object<Pair>>>(r#"[{"east":2},[1,2]]"#);
        assert!(within.is_err());
    }
}
