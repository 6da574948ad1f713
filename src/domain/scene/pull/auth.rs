//! How a pull feed proves who asks. The secret itself is never here: only the name under which the
//! platform's settings hold it.

use serde::Deserialize;

use crate::domain::problem::{Problem, detail};

use super::refused;

/// What is done with the credential.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// `Authorization: Bearer …`
    Bearer { credential: String },
    /// `Authorization: Basic …`; the credential is `name:password`.
    Basic { credential: String },
    /// A field of its own, such as `X-Api-Key`; the credential is its value.
    Header { name: String, credential: String },
}

impl Auth {
    /// The name of the credential in the settings.
    pub fn credential(&self) -> &str {
        match self {
            Auth::Bearer { credential }
            | Auth::Basic { credential }
            | Auth::Header { credential, .. } => credential,
        }
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let name = self.credential();
        let sound = (1..=64).contains(&name.len()) && name.bytes().all(plain);
        if !sound || name.ends_with("_file") {
            let detail = detail!(
                "1 至 64 个字符，只含 a-z、0-9 和 _，且不以 _file 结尾",
                "1 to 64 of a-z, 0-9 and _, not ending in _file"
            );
            return Err(refused("auth.credential", detail));
        }
        match self {
            Auth::Header { name, .. } if !is_free_field(name) => {
                let detail = detail!(
                    "须为字段名，且不是 HTTP 自身使用的字段",
                    "must be a field name, and none that HTTP itself needs"
                );
                Err(refused("auth.name", detail))
            }
            _ => Ok(()),
        }
    }
}

/// A token of RFC 9110, section 5.6.2, that does not frame or route the message.
fn is_free_field(name: &str) -> bool {
    const TAKEN: [&str; 12] = [
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
        "if-modified-since",
        "if-none-match",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=64).contains(&name.len())
        && name.bytes().all(token)
        && !TAKEN.iter().any(|taken| name.eq_ignore_ascii_case(taken))
}
