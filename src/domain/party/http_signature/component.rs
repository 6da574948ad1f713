//! What a signature covers, and the text that is signed (the signature base, RFC 9421 section 2.5).

use std::fmt::Write as _;

use sfv::{BareItem, Item};

use super::request::{Request, foreign};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// One covered part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component<'a> {
    /// `@method`
    Method,
    /// `@target-uri`: the whole URI.
    TargetUri,
    /// `@authority`: host, and port unless it is the scheme's own.
    Authority,
    /// `@scheme`
    Scheme,
    /// `@request-target`, in origin form: path and query.
    RequestTarget,
    /// `@path`
    Path,
    /// `@query`, led by its question mark; a lone one where the target has no query.
    Query,
    /// `@query-param` with this name, percent-encoded as RFC 9421, section 2.2.8 says.
    QueryParam(&'a str),
    /// A header field, in lower case.
    Field(&'a str),
}

impl<'a> Component<'a> {
    /// Reads a covered component. Parameters (`sf`, `key`, `bs`, `req`, `tr`) change what is
    /// covered; those we do not do are refused rather than passed over.
    ///
    /// # Errors
    /// `signature_malformed`.
    pub(super) fn read(item: &'a Item) -> Result<Component<'a>, Problem> {
        let BareItem::String(name) = &item.bare_item else {
            return Err(unreadable(
                "?",
                detail!(
                    "签名覆盖的组成部分不是字符串",
                    "a covered component is not a string"
                ),
            ));
        };
        let name = name.as_str();
        let component = match name {
            "@query-param" => return Component::read_query_param(item),
            "@method" => Component::Method,
            "@target-uri" => Component::TargetUri,
            "@authority" => Component::Authority,
            "@scheme" => Component::Scheme,
            "@request-target" => Component::RequestTarget,
            "@path" => Component::Path,
            "@query" => Component::Query,
            field if is_field_name(field) => Component::Field(field),
            other => {
                return Err(unreadable(
                    other,
                    detail!(
                        "不是已知的请求组成部分",
                        "no component of a request that is known"
                    ),
                ));
            }
        };
        match item.params.is_empty() {
            true => Ok(component),
            false => Err(unreadable(
                name,
                detail!(
                    "不支持组成部分带参数",
                    "component parameters are not supported"
                ),
            )),
        }
    }

    fn read_query_param(item: &'a Item) -> Result<Component<'a>, Problem> {
        match (item.params.get("name"), item.params.len()) {
            (Some(BareItem::String(name)), 1) => Ok(Component::QueryParam(name.as_str())),
            _ => Err(unreadable(
                "@query-param",
                detail!(
                    "须带参数 `name`，且不带其他参数",
                    "takes the parameter `name` and no other"
                ),
            )),
        }
    }

    /// The component's name, without a parameter.
    pub fn name(&self) -> &'a str {
        match self {
            Component::Method => "@method",
            Component::TargetUri => "@target-uri",
            Component::Authority => "@authority",
            Component::Scheme => "@scheme",
            Component::RequestTarget => "@request-target",
            Component::Path => "@path",
            Component::Query => "@query",
            Component::QueryParam(_) => "@query-param",
            Component::Field(name) => name,
        }
    }

    /// Whether a signature that covers this one has covered `other` with it.
    pub fn covers(&self, other: &Component<'_>) -> bool {
        use Component::{Authority, Path, Query, RequestTarget, Scheme, TargetUri};
        match (self, other) {
            (TargetUri, Authority | Path | Query | Scheme | RequestTarget) => true,
            (RequestTarget, Path | Query) => true,
            (own, other) => own == other,
        }
    }

    /// Appends this component's line of the signature base.
    ///
    /// # Errors
    /// `component_missing` if the request does not have it; `signature_malformed` if its value
    /// cannot be signed.
    pub(super) fn write_line(
        &self,
        request: &Request<'_>,
        out: &mut String,
    ) -> Result<(), Problem> {
        match self {
            // The name is a parsed structured string of plain characters, so needs no escapes.
            Component::QueryParam(name) => write!(out, "\"@query-param\";name=\"{name}\": "),
            other => write!(out, "\"{}\": ", other.name()),
        }
        .map_err(|_| foreign(self.name()))?;
        let start = out.len();
        self.write_value(request, out)?;
        // A line break in a value would let one component speak for the next.
        let value = out.get(start..).unwrap_or_default();
        if !value
            .bytes()
            .all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
        {
            return Err(foreign(self.name()));
        }
        out.push('\n');
        Ok(())
    }

    fn write_value(&self, request: &Request<'_>, out: &mut String) -> Result<(), Problem> {
        match self {
            Component::Method => out.push_str(request.method),
            Component::Scheme => write_scheme(request, out),
            Component::Authority => request.write_authority(out),
            Component::Path => out.push_str(request.path()),
            Component::Query => {
                out.push('?');
                out.push_str(request.query.unwrap_or_default());
            }
            Component::RequestTarget => write_target(request, out),
            Component::TargetUri => {
                write_scheme(request, out);
                out.push_str("://");
                request.write_authority(out);
                write_target(request, out);
            }
            Component::QueryParam(name) => write_query_param(name, request, out)?,
            Component::Field(name) => {
                if !request.write_field(name, out)? {
                    return Err(absent(name));
                }
            }
        }
        Ok(())
    }
}

fn write_scheme(request: &Request<'_>, out: &mut String) {
    out.extend(request.scheme.chars().map(|c| c.to_ascii_lowercase()));
}

fn write_target(request: &Request<'_>, out: &mut String) {
    out.push_str(request.path());
    if let Some(query) = request.query {
        out.push('?');
        out.push_str(query);
    }
}

/// The one value of a query parameter, decoded as a form and encoded again, so that `+` and `%20`
/// sign alike. A name that stands twice must not be covered by itself (RFC 9421, section 2.2.8).
fn write_query_param(name: &str, request: &Request<'_>, out: &mut String) -> Result<(), Problem> {
    let pairs = request
        .query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty());
    let mut values = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(key, _)| encoded_again(key) == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => out.push_str(&encoded_again(value)),
        (None, _) => return Err(absent(name)),
        _ => {
            return Err(unreadable(
                name,
                detail!(
                    "该查询参数出现不止一次",
                    "the query parameter stands more than once"
                ),
            ));
        }
    }
    Ok(())
}

/// Form-decoded (`+` is a space, bad UTF-8 is replaced), then percent-encoded but for letters,
/// digits and `*-._`.
fn encoded_again(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match hex_ahead(bytes.clone()) {
                Some(escaped) => {
                    bytes.nth(1);
                    escaped
                }
                None => b'%',
            },
            plain => plain,
        });
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in String::from_utf8_lossy(&decoded).bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'-' | b'.' | b'_' => {
                encoded.push(char::from(byte));
            }
            // Writing to a string does not fail.
            other => drop(write!(encoded, "%{other:02X}")),
        }
    }
    encoded
}

/// The byte of the two hexadecimal digits ahead.
fn hex_ahead(mut ahead: std::str::Bytes<'_>) -> Option<u8> {
    let mut digit = || char::from(ahead.next()?).to_digit(16);
    let (high, low) = (digit()?, digit()?);
    u8::try_from(high * 16 + low).ok()
}

/// Lower-case field names: the characters of an HTTP token (RFC 9110, section 5.6.2).
fn is_field_name(name: &str) -> bool {
    let token = |byte| {
        matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.'
            | b'^'..=b'`' | b'|' | b'~')
    };
    !name.is_empty() && name.bytes().all(token)
}

pub(super) fn absent(name: &str) -> Problem {
    Problem::at(
        Code::ComponentMissing,
        name,
        detail!("请求中没有这一部分", "the request has no such part"),
    )
}

fn unreadable(name: &str, what: Detail) -> Problem {
    Problem::at(Code::SignatureMalformed, name, what)
}

#[cfg(test)]
mod tests {
    use super::super::request::FieldList;
    use super::*;

    fn value(component: Component<'_>, query: Option<&str>, fields: &[(&str, &str)]) -> String {
        let request = Request {
            method: "POST",
            scheme: "HTTPS",
            authority: "Www.Example.com:443",
            path: "/path",
            query,
            fields: &FieldList(fields),
        };
        let mut line = String::new();
        match component.write_line(&request, &mut line) {
            Ok(()) => line
                .split_once("\": ")
                .unwrap()
                .1
                .trim_end_matches('\n')
                .to_owned(),
            Err(problem) => problem.code.as_str().to_owned(),
        }
    }

    #[test]
    fn derived_components_are_those_of_section_2_2() {
        let query = Some("param=value&foo=bar&baz=bat%2Dman");
        assert_eq!(value(Component::Method, query, &[]), "POST");
        assert_eq!(value(Component::Scheme, query, &[]), "https");
        assert_eq!(value(Component::Authority, query, &[]), "www.example.com");
        assert_eq!(value(Component::Path, query, &[]), "/path");
        assert_eq!(
            value(Component::Query, query, &[]),
            "?param=value&foo=bar&baz=bat%2Dman"
        );
        assert_eq!(value(Component::Query, None, &[]), "?");
        assert_eq!(value(Component::Query, Some(""), &[]), "?");
        assert_eq!(
            value(Component::RequestTarget, Some("a=b"), &[]),
            "/path?a=b"
        );
        assert_eq!(value(Component::RequestTarget, None, &[]), "/path");
        assert_eq!(
            value(Component::TargetUri, Some("a"), &[]),
            "https://www.example.com/path?a"
        );
    }

    #[test]
    fn query_parameters_are_those_of_section_2_2_8() {
        let query = Some(
            "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&\
             fa%C3%A7ade%22%3A%20=something&twice=1&twice=2&empty&bad=%zz",
        );
        let param = |name| value(Component::QueryParam(name), query, &[]);
        assert_eq!(param("var"), "this%20is%20a%20big%0Amultiline%20value");
        assert_eq!(param("bar"), "with%20plus%20whitespace");
        let line = value(Component::QueryParam("fa%C3%A7ade%22%3A%20"), query, &[]);
        assert_eq!(line, "something");
        assert_eq!(param("empty"), "");
        assert_eq!(param("bad"), "%25zz");
        assert_eq!(param("none"), "component_missing");
        assert_eq!(param("twice"), "signature_malformed");
    }

    #[test]
    fn fields_are_those_of_section_2_1() {
        let fields = [
            ("X-Empty", ""),
            ("X-OWS", "   Leading and trailing whitespace.   "),
            ("X-Obs-Fold", "Obsolete\r\n    line folding."),
            ("Cache-Control", "max-age=60"),
            ("cache-control", "   must-revalidate"),
            ("X-Break", "one\r\ntwo"),
            ("X-Line", "one\ntwo"),
            ("X-Foreign", "碳"),
        ];
        let field = |name| value(Component::Field(name), None, &fields);
        assert_eq!(field("x-empty"), "");
        assert_eq!(field("x-ows"), "Leading and trailing whitespace.");
        assert_eq!(field("x-obs-fold"), "Obsolete line folding.");
        assert_eq!(field("cache-control"), "max-age=60, must-revalidate");
        assert_eq!(field("x-none"), "component_missing");
        for bad in ["x-break", "x-line", "x-foreign"] {
            assert_eq!(field(bad), "signature_malformed", "{bad}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        use sfv::Parser;
        for text in [
            "\"@status\"",
            "\"@method\";req",
            "\"x\";sf",
            "\"x\";key=\"a\"",
            "\"x\";bs",
            "\"X\"",
            "\"\"",
            "\"@query-param\"",
            "\"@query-param\";name=1",
            "\"@query-param\";name=\"a\";b",
            "token",
            "1",
            "\"@signature-params\"",
            "\"a b\"",
        ] {
            let item: Item = Parser::new(text).parse().unwrap();
            let refused = Component::read(&item).unwrap_err();
            assert_eq!(refused.code, Code::SignatureMalformed, "{text}");
        }
    }
}
