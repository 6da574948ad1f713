//! What a record claims (唯一性): the exclusivity keys of a document, filled in for one record.

use chrono::{Datelike, Days, NaiveDate};

use super::compiled::{ClaimPart, Compiled};
use super::gather::Combine;
use super::meters::each;
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem};

impl Compiled {
    /// The exclusivity keys of a record as texts to hash: a JSON array of alternating names and
    /// values. They name no methodology, so that one meter's day is claimed once across all; a
    /// month or a year is claimed as each of its days, so that no methodology counts a month of
    /// what another counts by the day.
    ///
    /// # Errors
    /// `missing_field` for an attribute that a key needs and the record lacks.
    pub fn claim_texts(&self, record: &Record) -> Result<Vec<String>, Problem> {
        let start = record.from.with_timezone(&self.window.zone).date_naive();
        let mut texts = Vec::with_capacity(self.claims.len());
        for parts in &self.claims {
            for day in claimed_days(parts, start) {
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

/// The days that a key claims for a record which starts on one: that day, or all of its month or
/// its year.
fn claimed_days(parts: &[ClaimPart], start: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let (back, count) = if parts.contains(&ClaimPart::Year) {
        let year = if start.leap_year() { 366 } else { 365 };
        (start.ordinal0(), year)
    } else if parts.contains(&ClaimPart::Month) {
        (start.day0(), u32::from(start.num_days_in_month()))
    } else {
        (0, 1)
    };
    let first = start.checked_sub_days(Days::new(u64::from(back)));
    let first = first.unwrap_or(start);
    first.iter_days().take(count as usize)
}
