//! How a window that does not fit in one answer goes on.

use serde::Deserialize;

use crate::domain::problem::{Problem, detail};

use super::refused;

/// The most pages of one window; a feed that goes on for ever is stopped here.
pub const PAGES_MAX: u32 = 10_000;

/// Where the next page is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PageRule {
    /// There is one page.
    #[default]
    None,
    /// `Link: <…>; rel="next"` (RFC 8288).
    Link,
    /// An address in the JSON body, at this RFC 6901 pointer: `/links/next`.
    NextUrl { pointer: String },
    /// A text or a number in the JSON body, at this pointer, which goes into this parameter of the
    /// query.
    Cursor { pointer: String, parameter: String },
    /// `{page}` counts up from here until a page has no rows.
    Number {
        #[serde(default = "one")]
        first: u32,
    },
}

fn one() -> u32 {
    1
}

impl PageRule {
    pub(super) fn check(&self, has_place: bool) -> Result<(), Problem> {
        let counts = matches!(self, PageRule::Number { .. });
        if counts != has_place {
            let detail = detail!(
                "地址中的 {{page}} 与 `kind = \"number\"` 须同时使用",
                "{{page}} in the address and `kind = \"number\"` belong together"
            );
            return Err(refused("page", detail));
        }
        match self {
            PageRule::NextUrl { pointer } => check_pointer(pointer),
            PageRule::Cursor { pointer, parameter } => {
                let plain = |b: u8| b.is_ascii_graphic() && !b"&=#?".contains(&b);
                if parameter.is_empty() || !parameter.bytes().all(plain) {
                    return Err(refused(
                        "page.parameter",
                        detail!("须为查询参数名", "must name a query parameter"),
                    ));
                }
                check_pointer(pointer)
            }
            PageRule::Number { first } if *first > PAGES_MAX => Err(refused(
                "page.first",
                detail!("最多为 {PAGES_MAX}", "at most {PAGES_MAX}"),
            )),
            _ => Ok(()),
        }
    }

    /// The number of the first page.
    pub fn first(&self) -> u32 {
        match self {
            PageRule::Number { first } => *first,
            _ => 1,
        }
    }
}

fn check_pointer(pointer: &str) -> Result<(), Problem> {
    let deep = pointer.matches('/').count();
    match pointer.starts_with('/') && pointer.len() <= 256 && deep <= 16 {
        true => Ok(()),
        false => Err(refused(
            "page.pointer",
            detail!(
                "须为 RFC 6901 指针，例如 /links/next，最多 16 层",
                "must be an RFC 6901 pointer such as /links/next, at most 16 deep"
            ),
        )),
    }
}
