//! The binary mode of the HTTP binding: attributes in header fields, the body untouched.

use super::attributes::{Attributes, Value, invalid};
use crate::domain::problem::{Problem, detail};

const PREFIX: &str = "ce-";

impl Attributes {
    /// The event of a request in binary mode; `None` for a request without `ce-` fields. Names of
    /// fields are in lower case. What the body is, `Content-Type` says.
    ///
    /// # Errors
    /// As of an event in JSON, with the field as `param`; and `ce-datacontenttype` may not stand
    /// beside `Content-Type`.
    pub fn of_header<'a>(
        fields: impl Iterator<Item = (&'a str, &'a [u8])>,
        content_type: Option<&str>,
    ) -> Result<Option<Attributes>, Problem> {
        let mut attributes = Attributes::default();
        let mut any = false;
        for (field, value) in fields {
            let Some(name) = field.strip_prefix(PREFIX) else {
                continue;
            };
            any = true;
            if name == "datacontenttype" {
                return Err(invalid(
                    field,
                    detail!("由 Content-Type 给出", "Content-Type says it"),
                ));
            }
            let text = decoded(value)
                .ok_or_else(|| invalid(field, detail!("无法读作文本", "not readable as text")))?;
            attributes.put(name, Value::Text(text)).map_err(at_field)?;
        }
        if !any {
            return Ok(None);
        }
        if let Some(content_type) = content_type {
            let value = Value::Text(content_type.to_owned());
            let put = attributes.put("datacontenttype", value);
            put.map_err(|problem| Problem {
                param: Some("Content-Type".to_owned()),
                ..problem
            })?;
        }
        attributes.complete().map(Some).map_err(at_field)
    }
}

fn at_field(problem: Problem) -> Problem {
    Problem {
        param: problem.param.map(|name| format!("{PREFIX}{name}")),
        ..problem
    }
}

/// Undoes double quotes, and then percent-encoding once; UTF-8 at the end.
fn decoded(value: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = unquoted(value.trim_ascii())?.into_iter();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn unquoted(value: &[u8]) -> Option<Vec<u8>> {
    let Some(quoted) = value.strip_prefix(b"\"") else {
        return Some(value.to_vec());
    };
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted.iter().copied();
    loop {
        match rest.next()? {
            b'"' => return rest.next().is_none().then_some(bytes),
            b'\\' => bytes.push(rest.next()?),
            byte => bytes.push(byte),
        }
    }
}
