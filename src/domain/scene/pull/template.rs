//! The address of a pull feed, with places for what changes from request to request.

use std::net::Ipv6Addr;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::problem::{Problem, detail};

use super::plan::{Shape, Window};
use super::refused;

/// The longest address that is declared, in bytes.
const BYTES_MAX: usize = 2_048;

/// `https://ops.example/trips?end_time={to:hour}`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Time(Moment, Format),
    Page,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Where the request's window begins.
    From,
    /// Where it ends.
    To,
    /// As `From`, where the request has no end: everything since.
    Since,
}

/// How a moment is written; always in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `2026-11-20T08:00:00Z`
    Rfc3339,
    /// Whole seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    /// `2026-11-20T08`: one UTC hour, as MDS asks for it.
    Hour,
}

impl Template {
    /// Reads an address with `{from}`, `{to}`, `{since}` (each with `:rfc3339`, `:unix`,
    /// `:unix_ms` or `:hour` behind it, `rfc3339` if with none) and `{page}`.
    ///
    /// # Errors
    /// `invalid_field` at `pull.url`: not http or https, a name or password in it, a fragment, an
    /// unknown or open brace, a brace in the host.
    pub fn parse(text: &str) -> Result<Template, Problem> {
        check_address(text)?;
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if before.contains('}') {
                return Err(refused(
                    "url",
                    detail!(
                        "右花括号没有对应的左花括号",
                        "a brace is closed that was not opened"
                    ),
                ));
            }
            let Some((name, behind)) = after.split_once('}') else {
                return Err(refused(
                    "url",
                    detail!("左花括号没有闭合", "a brace is not closed"),
                ));
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(placeholder(name)?);
            rest = behind;
        }
        if rest.contains('}') {
            return Err(refused(
                "url",
                detail!(
                    "右花括号没有对应的左花括号",
                    "a brace is closed that was not opened"
                ),
            ));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Template(pieces))
    }

    /// Which times a request is for, as the places say.
    ///
    /// # Errors
    /// `invalid_field` at `pull.url`: hours mixed with other formats, an end without a beginning,
    /// `since` beside another time.
    pub(super) fn shape(&self) -> Result<Shape, Problem> {
        let times: Vec<(Moment, Format)> = self.times().collect();
        let has = |moment| times.iter().any(|(each, _)| *each == moment);
        let hours = times.iter().filter(|(_, f)| *f == Format::Hour).count();
        match (has(Moment::From), has(Moment::To), has(Moment::Since)) {
            (true, _, true) | (_, true, true) => Err(refused(
                "url",
                detail!(
                    "{{since}} 须单独使用，不与 {{from}} 或 {{to}} 并用",
                    "{{since}} stands alone, without {{from}} or {{to}}"
                ),
            )),
            (false, false, true) if hours == 0 => Ok(Shape::Since),
            (false, false, false) => Ok(Shape::Whole),
            _ if hours == times.len() => Ok(Shape::Hours),
            _ if hours > 0 => Err(refused(
                "url",
                detail!(
                    "hour 不得与其他格式混用",
                    "hours are not mixed with other formats"
                ),
            )),
            (true, true, _) => Ok(Shape::Range),
            _ => Err(refused(
                "url",
                detail!(
                    "时间范围须同时有 {{from}} 和 {{to}}，否则用 {{since}}",
                    "a range needs both {{from}} and {{to}}; else say {{since}}"
                ),
            )),
        }
    }

    pub(super) fn has_page(&self) -> bool {
        self.0.contains(&Piece::Page)
    }

    /// The address of one request. For feeds of hours both ends name the window's hour.
    pub fn fill(&self, window: &Window, page: u32) -> String {
        let mut url = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => url.push_str(text),
                Piece::Page => url.push_str(&page.to_string()),
                Piece::Time(Moment::To, format) if *format != Format::Hour => {
                    url.push_str(&format.write(window.to));
                }
                Piece::Time(_, format) => url.push_str(&format.write(window.from)),
            }
        }
        url
    }

    fn times(&self) -> impl Iterator<Item = (Moment, Format)> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Time(moment, format) => Some((*moment, *format)),
            _ => None,
        })
    }
}

impl Format {
    fn write(self, at: DateTime<Utc>) -> String {
        match self {
            Format::Rfc3339 => at.to_rfc3339_opts(SecondsFormat::Secs, true),
            Format::Unix => at.timestamp().to_string(),
            Format::UnixMs => at.timestamp_millis().to_string(),
            Format::Hour => at.format("%Y-%m-%dT%H").to_string(),
        }
    }
}

fn check_address(text: &str) -> Result<(), Problem> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or_else(|| {
            refused(
                "url",
                detail!(
                    "须以 http:// 或 https:// 开头",
                    "must be http://… or https://…"
                ),
            )
        })?;
    if text.len() > BYTES_MAX {
        return Err(refused(
            "url",
            detail!("超过 {BYTES_MAX} 字节", "longer than {BYTES_MAX} bytes"),
        ));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['#', '\\']) {
        let detail = detail!(
            "只能是可见的 ASCII 字符，不含 # 和 \\，其余须作百分号编码",
            "visible ASCII only, without # and \\: percent-encode the rest"
        );
        return Err(refused("url", detail));
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains(['@', '{', '}']) {
        let detail = detail!(
            "须写明主机名，不含占位符、用户名或密码",
            "the host must be named, without placeholder, user name or password"
        );
        return Err(refused("url", detail));
    }
    if !is_host_and_port(authority) {
        let detail = detail!(
            "`{authority}` 不是主机名和 1 至 65535 的端口",
            "`{authority}` is no host with a port of 1 to 65535"
        );
        return Err(refused("url", detail));
    }
    Ok(())
}

/// `ops.example`, `ops.example:8443`, `[2001:db8::1]:8443`.
fn is_host_and_port(authority: &str) -> bool {
    let (sound, port) = match authority.strip_prefix('[') {
        Some(literal) => {
            let (address, rest) = literal.split_once(']').unwrap_or_default();
            let port = rest.strip_prefix(':');
            let bare = rest.is_empty() || port.is_some();
            (bare && address.parse::<Ipv6Addr>().is_ok(), port)
        }
        None => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            };
            (!host.is_empty() && !host.contains(['[', ']']), port)
        }
    };
    let plain = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let fits = |port: &str| plain(port) && port.parse::<u16>().is_ok_and(|port| port > 0);
    sound && port.is_none_or(fits)
}

fn placeholder(text: &str) -> Result<Piece, Problem> {
    let (name, format) = text.split_once(':').unwrap_or((text, "rfc3339"));
    let moment = match name {
        "page" if text == "page" => return Ok(Piece::Page),
        "from" => Moment::From,
        "to" => Moment::To,
        "since" => Moment::Since,
        _ => {
            let detail = detail!(
                "未知占位符 {{{text}}}，可用：from、to、since、page",
                "{{{text}}} is not known: from, to, since, page"
            );
            return Err(refused("url", detail));
        }
    };
    let format = match format {
        "rfc3339" => Format::Rfc3339,
        "unix" => Format::Unix,
        "unix_ms" => Format::UnixMs,
        "hour" => Format::Hour,
        _ => {
            let detail = detail!(
                "{{{text}}} 的格式须为 rfc3339、unix、unix_ms 或 hour",
                "{{{text}}}: formats are rfc3339, unix, unix_ms, hour"
            );
            return Err(refused("url", detail));
        }
    };
    Ok(Piece::Time(moment, format))
}

/// The address with one more parameter in its query, percent-encoded.
pub fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    let mut url = format!("{url}{sign}");
    encode(name, &mut url);
    url.push('=');
    encode(value, &mut url);
    url
}

fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'~' => {
                into.push(char::from(byte));
            }
            other => into.push_str(&format!("%{other:02X}")),
        }
    }
}
