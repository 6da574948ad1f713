//! What an officer declares about a feed that is pulled: a TOML document.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::domain::problem::{Code, Problem, detail};

use super::plan::Shape;
use super::{Auth, PageRule, Template, refused};

const MINUTES_A_WEEK: u32 = 7 * 24 * 60;

/// A pull feed, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    pub url: Template,
    /// The first moment that is asked for.
    pub start: DateTime<Utc>,
    /// From the end of one turn to the next.
    pub every: TimeDelta,
    /// How far the watermark is gone back from, for records that come late.
    pub overlap: TimeDelta,
    /// How long after a moment it may be asked for.
    pub delay: TimeDelta,
    /// The longest range of one request.
    pub span: TimeDelta,
    /// A request with its body may take this long.
    pub timeout: TimeDelta,
    /// The largest body, unpacked, in bytes.
    pub bytes_max: u64,
    pub page: PageRule,
    pub auth: Option<Auth>,
    pub(super) shape: Shape,
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    url: String,
    start: String,
    every_minutes: u32,
    #[serde(default)]
    overlap_minutes: u32,
    #[serde(default)]
    delay_minutes: u32,
    #[serde(default = "a_day")]
    span_minutes: u32,
    #[serde(default = "five_minutes")]
    timeout_seconds: u32,
    #[serde(default = "a_quarter_gib")]
    max_mib: u32,
    #[serde(default)]
    page: PageRule,
    auth: Option<Auth>,
}

fn a_day() -> u32 {
    24 * 60
}

fn five_minutes() -> u32 {
    300
}

fn a_quarter_gib() -> u32 {
    256
}

/// Reads a declaration; `docs/pull-feeds.md` lists the keys.
///
/// # Errors
/// `invalid_field` at `pull` (not TOML, a key missing, unknown or of another type: the detail
/// names line and key) or at the key that breaks a rule: `pull.url`.
pub fn parse(text: &str) -> Result<Declaration, Problem> {
    let text: Text = toml::from_str(text).map_err(|error| {
        let error = error.to_string();
        let told = error.trim_end();
        Problem::at(
            Code::InvalidField,
            "pull",
            detail!("无法读取声明：{told}", "{told}"),
        )
    })?;
    let url = Template::parse(&text.url)?;
    let shape = url.shape()?;
    text.page.check(url.has_page())?;
    if let Some(auth) = &text.auth {
        auth.check()?;
    }
    let start = DateTime::parse_from_rfc3339(&text.start)
        .map_err(|_| {
            refused(
                "start",
                detail!(
                    "须为时刻，例如 2026-11-20T00:00:00Z",
                    "must be a moment such as 2026-11-20T00:00:00Z"
                ),
            )
        })?
        .with_timezone(&Utc);
    let minutes = |key, value, least, most| {
        within(key, value, least, most).map(|value| TimeDelta::minutes(i64::from(value)))
    };
    Ok(Declaration {
        every: minutes("every_minutes", text.every_minutes, 1, MINUTES_A_WEEK)?,
        overlap: minutes("overlap_minutes", text.overlap_minutes, 0, MINUTES_A_WEEK)?,
        delay: minutes("delay_minutes", text.delay_minutes, 0, MINUTES_A_WEEK)?,
        span: minutes("span_minutes", text.span_minutes, 5, 31 * 24 * 60)?,
        timeout: TimeDelta::seconds(i64::from(within(
            "timeout_seconds",
            text.timeout_seconds,
            1,
            3_600,
        )?)),
        bytes_max: u64::from(within("max_mib", text.max_mib, 1, 4_096)?) << 20,
        page: text.page,
        auth: text.auth,
        url,
        start,
        shape,
    })
}

fn within(key: &str, value: u32, least: u32, most: u32) -> Result<u32, Problem> {
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(refused(
            key,
            detail!("须为 {least} 至 {most}", "must be {least} to {most}"),
        )),
    }
}
