//! One event in the JSON format.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::attributes::{Attributes, Value, invalid, shown};
use crate::domain::problem::{Problem, detail};
use crate::domain::scene::adapter::json_records::misread;
use crate::domain::scene::adapter::json_text::Text;

/// One event, checked.
#[derive(Debug)]
pub struct Event<'a> {
    pub attributes: Attributes,
    /// The payload's own bytes: of JSON the text on one line, of anything else what the string
    /// says.
    pub data: Option<Cow<'a, [u8]>>,
}

/// The members of the object in their order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'a>, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event is an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(name) = map.next_key::<Text<'de>>()? {
                    if members.len() > 200 {
                        return Err(A::Error::custom("more than 200 members"));
                    }
                    members.push((name.0, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl<'a> Event<'a> {
    /// # Errors
    /// `row_malformed`: no JSON object; `missing_field`, `invalid_field`, `unknown_field`,
    /// `time_invalid`: the first attribute that breaks a rule; `invalid_field` at the data that
    /// cannot be read, for it makes the event unsound, whoever reads it.
    pub fn parse(text: &'a str) -> Result<Event<'a>, Problem> {
        let members: Members<'a> = serde_json::from_str(text).map_err(|error| misread(&error))?;
        let mut attributes = Attributes::default();
        let (mut data, mut data_base64) = (None, None);
        for (name, raw) in members.0 {
            let slot = match name.as_ref() {
                "data" => &mut data,
                "data_base64" => &mut data_base64,
                name => {
                    // Null is the same as absent.
                    if let Some(value) = value(shown(name), raw)? {
                        attributes.put(name, value)?;
                    }
                    continue;
                }
            };
            if slot.replace(raw).is_some() {
                return Err(invalid(&name, detail!("重复出现", "stands twice")));
            }
        }
        let attributes = attributes.complete()?;
        let data_base64 = data_base64.filter(|raw| raw.get() != "null");
        let data = match (data, data_base64) {
            (Some(_), Some(_)) => {
                return Err(invalid(
                    "data_base64",
                    detail!("与 data 同时出现", "stands beside data"),
                ));
            }
            (Some(data), None) => Some(stated(data, attributes.says_json())?),
            (None, Some(data)) => Some(unpacked(data)?),
            (None, None) => None,
        };
        Ok(Event { attributes, data })
    }
}

fn stated(data: &RawValue, json: bool) -> Result<Cow<'_, [u8]>, Problem> {
    if json {
        return Ok(on_one_line(data.get()));
    }
    match text_of(data) {
        Some(Cow::Borrowed(text)) => Ok(Cow::Borrowed(text.as_bytes())),
        Some(Cow::Owned(text)) => Ok(Cow::Owned(text.into_bytes())),
        None => {
            let rule = detail!(
                "内容类型不是 JSON 时，应为字符串",
                "a string, where the content type is not JSON"
            );
            Err(invalid("data", rule))
        }
    }
}

fn unpacked(data: &RawValue) -> Result<Cow<'_, [u8]>, Problem> {
    let bytes = text_of(data).and_then(|text| STANDARD.decode(text.as_bytes()).ok());
    let bytes = bytes.ok_or_else(|| {
        let rule = detail!(
            "应为带填充的 RFC 4648 Base64",
            "Base64 of RFC 4648, with padding, is expected"
        );
        invalid("data_base64", rule)
    })?;
    Ok(Cow::Owned(bytes))
}

fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text: Text<'_> = serde_json::from_str(raw.get()).ok()?;
    Some(text.0)
}

/// Raw line ends stand only between the tokens of JSON, so that spaces say the same.
fn on_one_line(json: &str) -> Cow<'_, [u8]> {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !json.bytes().any(|byte| is_end(&byte)) {
        return Cow::Borrowed(json.as_bytes());
    }
    let spaced = json
        .bytes()
        .map(|byte| if is_end(&byte) { b' ' } else { byte });
    Cow::Owned(spaced.collect())
}

/// The value of an attribute; `None` for null.
fn value(name: &str, raw: &RawValue) -> Result<Option<Value>, Problem> {
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'"') => match text_of(raw) {
            Some(text) => Ok(Some(Value::Text(text.into_owned()))),
            None => Err(invalid(
                name,
                detail!("文本含不成对的代理项", "a text with an unpaired surrogate"),
            )),
        },
        Some(b'-' | b'0'..=b'9') => match json.parse() {
            Ok(whole) => Ok(Some(Value::Integer(whole))),
            Err(_) => Err(invalid(
                name,
                detail!("应为 32 位整数", "a whole number of 32 bits is expected"),
            )),
        },
        Some(b't' | b'f') => Ok(Some(Value::Boolean(json == "true"))),
        Some(b'n') => Ok(None),
        _ => Err(invalid(
            name,
            detail!(
                "应为文本、整数或布尔值",
                "a text, a whole number or a boolean is expected"
            ),
        )),
    }
}
