//! A request as a signature sees it, whichever library received or will send it.

use crate::domain::problem::{Code, Problem, detail};

/// The parts of a request that can be covered, borrowed from the server's or the client's type.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// As on the wire; methods are case-sensitive.
    pub method: &'a str,
    /// `https` or `http`: as the *client* saw it, so behind a proxy what the proxy was asked.
    pub scheme: &'a str,
    /// Host and port as the client named them: the `Host` field or `:authority`.
    pub authority: &'a str,
    /// Percent-encoded as on the wire; empty means `/`.
    pub path: &'a str,
    /// Without the question mark; `None` where the target has none.
    pub query: Option<&'a str>,
    pub fields: &'a dyn Fields,
}

/// Header fields of a request.
pub trait Fields {
    /// Shows every value of the field `name` (in lower case), in the order received.
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8]));
}

impl<F: Fn(&str, &mut dyn FnMut(&[u8]))> Fields for F {
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self(name, visit);
    }
}

/// Fields as a list of names (of any case) and values.
pub struct FieldList<'a>(pub &'a [(&'a str, &'a str)]);

impl Fields for FieldList<'_> {
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        let named = self
            .0
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.for_each(|(_, value)| visit(value.as_bytes()));
    }
}

impl Request<'_> {
    /// Appends the combined value of a field: each value trimmed, line folds made one space, values
    /// joined by `, ` (RFC 9421, section 2.1). `false` if the request has no such field.
    ///
    /// # Errors
    /// `signature_malformed` if a value has bytes other than printable ASCII and tabs.
    pub(super) fn write_field(&self, name: &str, out: &mut String) -> Result<bool, Problem> {
        let (mut found, mut plain) = (false, true);
        self.fields.each(name, &mut |value| {
            if found {
                out.push_str(", ");
            }
            found = true;
            plain &= write_value(value, out);
        });
        if plain { Ok(found) } else { Err(foreign(name)) }
    }

    /// A field on its own, as [`Request::write_field`] combines it.
    pub(super) fn field(&self, name: &str) -> Result<Option<String>, Problem> {
        let mut value = String::new();
        Ok(self.write_field(name, &mut value)?.then_some(value))
    }

    /// The path, never empty.
    pub(super) fn path(&self) -> &str {
        if self.path.is_empty() { "/" } else { self.path }
    }

    /// Lower case, without the scheme's default port (RFC 9421, section 2.2.3).
    pub(super) fn write_authority(&self, out: &mut String) {
        let port = if self.scheme.eq_ignore_ascii_case("https") {
            ":443"
        } else {
            ":80"
        };
        let authority = self.authority.strip_suffix(port).unwrap_or(self.authority);
        out.extend(authority.chars().map(|c| c.to_ascii_lowercase()));
    }
}

fn write_value(value: &[u8], out: &mut String) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let text = text.trim_matches([' ', '\t']);
    if text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        out.push_str(text);
        return true;
    }
    write_unfolded(text, out)
}

/// Obsolete line folding: a line break with the blanks around it becomes one space.
fn write_unfolded(text: &str, out: &mut String) -> bool {
    for (number, line) in text.split("\r\n").enumerate() {
        if number > 0 {
            if !line.starts_with([' ', '\t']) {
                return false;
            }
            out.push(' ');
        }
        let line = line.trim_matches([' ', '\t']);
        if !line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            return false;
        }
        out.push_str(line);
    }
    true
}

pub(super) fn foreign(name: &str) -> Problem {
    Problem::at(
        Code::SignatureMalformed,
        name,
        detail!(
            "只能对可打印的 ASCII 字符签名",
            "only printable ASCII can be signed"
        ),
    )
}
