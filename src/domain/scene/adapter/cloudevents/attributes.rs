//! The context attributes of an event and the rules that each must keep: those of the JSON Schema,
//! and those of the text that the schema cannot say.

use std::collections::BTreeSet;

use chrono::DateTime;

use crate::domain::problem::{Code, Detail, Problem, detail};

/// Bytes of a name; the specification advises 20.
const NAME_MAX: usize = 64;
/// Attributes of one event that are not the specification's.
const EXTENSIONS_MAX: usize = 120;

/// A value as the format writes it; each type of CloudEvents is one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Integer(i32),
    Boolean(bool),
}

/// The attributes of one event, all rules kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// With `source` it names the event: a sender that sends it again uses the same.
    pub id: String,
    pub source: String,
    pub kind: String,
    /// What `data` is written in; `application/json` when absent.
    pub datacontenttype: Option<String>,
    /// Those of the specification that were stated, a bit each in the order of [`CORE`].
    stated: u8,
    /// Names of all others.
    extensions: BTreeSet<String>,
}

/// The attributes that the specification itself has; the first four must be there.
const CORE: [&str; 8] = [
    "specversion",
    "id",
    "source",
    "type",
    "datacontenttype",
    "dataschema",
    "subject",
    "time",
];
const REQUIRED: usize = 4;

/// A name as a refusal shows it: no longer than an attribute's may be.
pub(super) fn shown(name: &str) -> &str {
    let end = name.char_indices().nth(NAME_MAX).map(|(end, _)| end);
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

impl Attributes {
    /// Adds one attribute.
    ///
    /// # Errors
    /// `unknown_field`: a name that no attribute may have; `invalid_field`: it stands twice, is of
    /// another type, or breaks its rule; `time_invalid`.
    pub(super) fn put(&mut self, name: &str, value: Value) -> Result<(), Problem> {
        let named = !name.is_empty()
            && name != "data"
            && name.len() <= NAME_MAX
            && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9'));
        if !named {
            let rule = detail!(
                "属性名须为 1 至 64 个 a-z、0-9 字符，且不是 data",
                "an attribute's name is 1 to 64 of a-z and 0-9, and not data"
            );
            return Err(Problem::at(Code::UnknownField, shown(name), rule));
        }
        let core = CORE.iter().position(|known| *known == name);
        let new = match core {
            Some(at) => {
                let before = self.stated;
                self.stated |= 1 << at;
                self.stated != before
            }
            None => self.extensions.insert(name.to_owned()),
        };
        if !new {
            return Err(invalid(name, detail!("重复出现", "stands twice")));
        }
        if self.extensions.len() > EXTENSIONS_MAX {
            return Err(invalid(
                name,
                detail!("扩展属性超过 120 个", "more than 120 extensions"),
            ));
        }
        match (value, core) {
            (Value::Text(text), Some(_)) if text.is_empty() => {
                Err(invalid(name, detail!("为空", "empty")))
            }
            (Value::Text(text), _) => self.put_text(name, text),
            (_, Some(_)) => Err(invalid(name, detail!("应为文本", "a text is expected"))),
            (_, None) => Ok(()),
        }
    }

    fn put_text(&mut self, name: &str, text: String) -> Result<(), Problem> {
        if text.chars().any(is_disallowed) {
            return Err(invalid(
                name,
                detail!("含控制字符或非字符", "a control character or noncharacter"),
            ));
        }
        match name {
            "specversion" if text != "1.0" => {
                return Err(invalid(name, detail!("只读 1.0", "1.0 is read here")));
            }
            "id" => self.id = text,
            "type" => self.kind = text,
            "source" if !is_uri_reference(&text) => {
                return Err(invalid(
                    name,
                    detail!(
                        "应为 RFC 3986 的 URI 引用",
                        "a URI-reference of RFC 3986 is expected"
                    ),
                ));
            }
            "source" => self.source = text,
            "dataschema" if !is_absolute_uri(&text) => {
                return Err(invalid(
                    name,
                    detail!("应为带协议名的 URI", "a URI with its scheme is expected"),
                ));
            }
            "datacontenttype" if !is_media_type(&text) => {
                return Err(invalid(
                    name,
                    detail!(
                        "应为 RFC 2046 的媒体类型",
                        "a media type of RFC 2046 is expected"
                    ),
                ));
            }
            "datacontenttype" => self.datacontenttype = Some(text),
            "time" if DateTime::parse_from_rfc3339(&text).is_err() => {
                let rule = detail!(
                    "应为带时差的 RFC 3339 时间",
                    "RFC 3339 with an offset is expected"
                );
                return Err(Problem::at(Code::TimeInvalid, name, rule));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether nothing is missing.
    ///
    /// # Errors
    /// `missing_field`.
    pub(super) fn complete(self) -> Result<Attributes, Problem> {
        for (at, name) in CORE.iter().take(REQUIRED).enumerate() {
            if self.stated & (1 << at) == 0 {
                return Err(Problem::on(Code::MissingField, *name));
            }
        }
        Ok(self)
    }

    /// Whether the content type says JSON: `*/json`, `*/*+json`, or nothing.
    pub(super) fn says_json(&self) -> bool {
        let Some(content_type) = &self.datacontenttype else {
            return true;
        };
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let subtype = media_type
            .split_once('/')
            .map_or("", |(_, subtype)| subtype);
        let subtype = subtype.to_ascii_lowercase();
        subtype == "json" || subtype.ends_with("+json")
    }
}

pub(super) fn invalid(name: &str, detail: Detail) -> Problem {
    Problem::at(Code::InvalidField, name, detail)
}

/// What no String of CloudEvents has: control characters and Unicode's noncharacters.
fn is_disallowed(c: char) -> bool {
    let code = u32::from(c);
    c.is_control() || (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}

/// Characters of RFC 3986, and `%` only before two hexadecimal digits; `#` at most once.
fn is_uri_reference(text: &str) -> bool {
    let mut rest = text.bytes();
    let mut fragments = 0;
    while let Some(byte) = rest.next() {
        let sound = match byte {
            b'%' => [rest.next(), rest.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            b'#' => {
                fragments += 1;
                fragments == 1
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
            other => b"-._~:/?[]@!$&'()*+,;=".contains(&other),
        };
        if !sound {
            return false;
        }
    }
    // A first segment with a colon is a scheme, or no URI-reference.
    match text.split(['/', '?', '#']).next() {
        Some(first) if first.contains(':') => is_absolute_uri(text),
        _ => true,
    }
}

fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest_sound = rest
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&b));
    named && scheme.bytes().all(letters) && rest_sound
}

/// `type/subtype`, and parameters after semicolons.
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        let sound = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !part.is_empty() && part.bytes().all(sound)
    };
    let mut parts = text.split(';');
    let media_type = parts.next().unwrap_or_default().trim();
    let named = media_type
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    named
        && parts.all(|parameter| {
            parameter
                .split_once('=')
                .is_some_and(|(name, value)| token(name.trim()) && !value.trim().is_empty())
        })
}
