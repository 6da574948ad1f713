//! The exchange rule (兑换规则): how grams become points. A document of its own, versioned, apart
//! from every methodology; it never changes a reduction.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Day;
use crate::domain::problem::{Detail, detail};

/// A rule that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("exchange rule: {0}")]
pub struct RuleError(Detail);

impl RuleError {
    pub fn into_detail(self) -> Detail {
        self.0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    code: String,
    version: String,
    title_zh: String,
    title_en: String,
    effective_from: toml::value::Datetime,
    mg_per_point: i64,
    daily_cap_points: i64,
    valid_months: u32,
    source: String,
}

/// One version of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRule {
    pub code: String,
    pub version: String,
    pub title_zh: String,
    pub title_en: String,
    pub effective_from: DateTime<Utc>,
    /// Milligrams of CO₂e for one point; what is left over is carried to the next credit.
    pub mg_per_point: i64,
    /// The most points that one account earns for the acts of one day. The reduction is recorded
    /// in full whatever the cap cuts.
    pub daily_cap_points: i64,
    /// Points live to the end of the calendar month this many months after they are credited.
    pub valid_months: u32,
    pub source: String,
    /// SHA-256 of the document's text.
    pub hash: [u8; 32],
}

impl ExchangeRule {
    /// Reads a rule document.
    ///
    /// # Errors
    /// [`RuleError`] for text that is not TOML, unknown or missing keys, or amounts out of range.
    pub fn parse(text: &str) -> Result<ExchangeRule, RuleError> {
        let document: Document = toml::from_str(text)
            .map_err(|error| RuleError(detail!("无法解析：{error}", "{error}")))?;
        let refuse = |what| Err(RuleError(what));
        if !(1..=1_000_000_000).contains(&document.mg_per_point) {
            return refuse(detail!(
                "mg_per_point 须在 1 至 1,000,000,000 之间",
                "mg_per_point must be between 1 and 1,000,000,000"
            ));
        }
        if !(1..=1_000_000).contains(&document.daily_cap_points) {
            return refuse(detail!(
                "daily_cap_points 须在 1 至 1,000,000 之间",
                "daily_cap_points must be between 1 and 1,000,000"
            ));
        }
        // Points live at most ten years (深环规〔2022〕5号).
        if !(1..=120).contains(&document.valid_months) {
            return refuse(detail!(
                "valid_months 须在 1 至 120 之间",
                "valid_months must be between 1 and 120"
            ));
        }
        let effective_from = DateTime::parse_from_rfc3339(&document.effective_from.to_string())
            .map_err(|_| {
                RuleError(detail!(
                    "effective_from 须为带时差的日期和时间",
                    "effective_from must be a date and time with offset"
                ))
            })?;
        Ok(ExchangeRule {
            code: document.code,
            version: document.version,
            title_zh: document.title_zh,
            title_en: document.title_en,
            effective_from: effective_from.with_timezone(&Utc),
            mg_per_point: document.mg_per_point,
            daily_cap_points: document.daily_cap_points,
            valid_months: document.valid_months,
            source: document.source,
            hash: Sha256::digest(text.as_bytes()).into(),
        })
    }

    /// The lot into which points credited on `day` fall: the last day of the month that is
    /// `valid_months` later.
    pub fn bucket(&self, day: NaiveDate) -> Day {
        let month = day.with_day(1).and_then(|first| {
            first
                .checked_add_months(Months::new(self.valid_months + 1))?
                .checked_sub_days(Days::new(1))
        });
        day_number(month.unwrap_or(NaiveDate::MAX))
    }
}

/// Days since 1970-01-01.
pub(crate) fn day_number(date: NaiveDate) -> Day {
    date.to_epoch_days()
}
