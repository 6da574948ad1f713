//! What a record claims (唯一性): the exclusivity keys of a document, filled in for one record.

use chrono::{Datelike, Days, NaiveDate, TimeDelta};

use super::compiled::{ClaimPart, Compiled};
use super::gather::Combine;
use super::meters::each;
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

/// The longest run of days that one record may claim: ten years and their leap days.
const LONGEST_CLAIM_DAYS: i64 = 3_653;

impl Compiled {
    /// The exclusivity keys of a record as texts to hash: a JSON array of alternating names and
    /// values. They name no methodology, so that one meter's day is claimed once across all; a
    /// month or a year is claimed as each of its days, so that no methodology counts a month of
    /// what another counts by the day. A record that touches several months or years claims all of
    /// them: a reading of a quarter leaves none of its months to another reading.
    ///
    /// # Errors
    /// `missing_field` for an attribute that a key needs and the record lacks, `act_too_long` for
    /// a record that would claim more than ten years.
    pub fn claim_texts(&self, record: &Record) -> Result<Vec<String>, Problem> {
        let day = |time: chrono::DateTime<chrono::Utc>| {
            time.with_timezone(&self.window.zone).date_naive()
        };
        let start = day(record.from);
        let last = day((record.to - TimeDelta::microseconds(1)).max(record.from));
        let mut texts = Vec::with_capacity(self.claims.len());
        for parts in &self.claims {
            let (first, last) = claimed_days(parts, start, last);
            if (last - first).num_days() >= LONGEST_CLAIM_DAYS {
                let told = detail!(
                    "一条记录最多申领 {LONGEST_CLAIM_DAYS} 天",
                    "a record claims at most {LONGEST_CLAIM_DAYS} days"
                );
                return Err(Problem::at(Code::ActTooLong, "to", told));
            }
            for day in first.iter_days().take_while(|day| *day <= last) {
                texts.extend(self.claim_keys(parts, record, day)?);
            }
        }
        Ok(texts)
    }

    /// One key for a day, or one for each value of an input that takes each.
    fn claim_keys(
        &self,
        parts: &[ClaimPart],
        record: &Record,
        day: NaiveDate,
    ) -> Result<Vec<String>, Problem> {
        let mut keys: Vec<Vec<String>> = vec![Vec::with_capacity(parts.len() * 2)];
        for part in parts {
            let (name, value) = match part {
                ClaimPart::Subject => ("subject", record.subject.clone()),
                ClaimPart::Day | ClaimPart::Month | ClaimPart::Year => ("day", day.to_string()),
                ClaimPart::From => ("from", record.from.timestamp_micros().to_string()),
                ClaimPart::Attribute(name) => {
                    let value = record.attribute(name).ok_or_else(|| {
                        Problem::on(Code::MissingField, format!("attributes.{name}"))
                    })?;
                    (name.as_str(), value.to_owned())
                }
            };
            let values: Vec<&str> = match self.takes_each(name) {
                true => each(&value).collect(),
                false => vec![&value],
            };
            keys = keys
                .iter()
                .flat_map(|key| {
                    values.iter().map(|value| {
                        let mut key = key.clone();
                        key.extend([name.to_owned(), (*value).to_owned()]);
                        key
                    })
                })
                .collect();
        }
        let of_key = |names| serde_json::Value::from(names).to_string();
        Ok(keys.into_iter().map(of_key).collect())
    }

    fn takes_each(&self, name: &str) -> bool {
        let mut inputs = self.inputs.iter();
        self.gathering.is_some()
            && inputs.any(|input| input.name == name && input.gather.combine == Combine::Each)
    }
}

/// The first and the last day that a key claims for a record of these days: the day on which it
/// starts, or all of the months or of the years that it touches.
fn claimed_days(parts: &[ClaimPart], start: NaiveDate, last: NaiveDate) -> (NaiveDate, NaiveDate) {
    if parts.contains(&ClaimPart::Year) {
        let first = start.with_ordinal0(0);
        let last = last.with_month(12).and_then(|day| day.with_day(31));
        (first.unwrap_or(start), last.unwrap_or(start))
    } else if parts.contains(&ClaimPart::Month) {
        let rest = u64::from(last.num_days_in_month()) - u64::from(last.day());
        let first = start.with_day0(0);
        let last = last.checked_add_days(Days::new(rest));
        (first.unwrap_or(start), last.unwrap_or(start))
    } else {
        (start, start)
    }
}
