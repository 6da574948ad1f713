//! The six columns, under whatever names the feed has for them.

use std::borrow::Cow;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::declared::Declared;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::adapter::json_records::misread;
use crate::domain::scene::adapter::json_text::Text;

/// What a row says; the value is its place in [`Cells`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    User,
    Bin,
    Type,
    Weight,
    Time,
}

/// In the order of [`Column`], under the names of a scene that declares none.
pub(super) const COLUMNS: [&str; 6] = ["id", "user", "bin", "type", "weight", "time"];

/// One row's cells; `None` where absent, null or blank.
pub(super) type Cells<'a> = [Option<Cow<'a, str>>; 6];

/// The cells of a JSON row. A number is taken as its own text, so that it stays exact.
///
/// # Errors
/// `row_malformed`: no object, or a column stands twice; `invalid_field`: a column holds neither a
/// text nor a number.
pub(super) fn json_cells<'a>(text: &'a str, declared: &Declared) -> Result<Cells<'a>, Problem> {
    struct Row<'d>(&'d Declared);
    impl<'de> Visitor<'de> for Row<'_> {
        type Value = [Option<&'de RawValue>; 6];
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut cells: Self::Value = [None; 6];
            while let Some(name) = map.next_key::<Text<'de>>()? {
                let at = self.0.columns.iter().position(|c| *c == name.as_str());
                let Some(cell) = at.and_then(|at| cells.get_mut(at)) else {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                };
                if cell.replace(map.next_value()?).is_some() {
                    return Err(A::Error::custom("a column stands twice"));
                }
            }
            Ok(cells)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let raw = deserializer
        .deserialize_map(Row(declared))
        .and_then(|cells| deserializer.end().map(|()| cells))
        .map_err(|error| misread(&error))?;
    let mut cells = Cells::default();
    for ((cell, raw), name) in cells.iter_mut().zip(raw).zip(&declared.columns) {
        *cell = raw.map(|raw| cell_of(name, raw)).transpose()?.flatten();
    }
    Ok(cells)
}

fn cell_of<'a>(name: &str, raw: &'a RawValue) -> Result<Option<Cow<'a, str>>, Problem> {
    let json = raw.get();
    let refused = || {
        Problem::at(
            Code::InvalidField,
            name,
            detail!("应为文本或数字", "a text or a number is expected"),
        )
    };
    let cell = match json.as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str::<Text<'a>>(json)
                .map_err(|_| refused())?
                .0
        }
        Some(b'-' | b'0'..=b'9') => Cow::Borrowed(json),
        _ if json == "null" => return Ok(None),
        _ => return Err(refused()),
    };
    Ok(match cell.trim() {
        "" => None,
        trimmed if trimmed.len() == cell.len() => Some(cell),
        trimmed => Some(Cow::Owned(trimmed.to_owned())),
    })
}
