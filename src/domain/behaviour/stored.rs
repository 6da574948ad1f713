//! A record as it is read back from the ledger.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Quantity, Record};

#[derive(Deserialize)]
struct Content {
    attributes: BTreeMap<String, String>,
    quantities: BTreeMap<String, Measured>,
}

#[derive(Deserialize)]
struct Measured {
    unit: String,
    value: String,
}

impl Record {
    /// The record behind stored content; the subject is not stored, and so is empty. `None` for
    /// content that this program did not write.
    pub fn from_stored(
        source_id: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        content: &str,
    ) -> Option<Record> {
        let content: Content = serde_json::from_str(content).ok()?;
        let quantities = content.quantities.into_iter().map(|(name, measured)| {
            Some(Quantity {
                name: Cow::Owned(name),
                value: measured.value.parse::<Decimal>().ok()?,
                unit: Cow::Owned(measured.unit),
            })
        });
        Some(Record {
            source_id: source_id.to_owned(),
            subject: String::new(),
            from,
            to,
            quantities: quantities.collect::<Option<_>>()?,
            attributes: content
                .attributes
                .into_iter()
                .map(|(name, value)| (Cow::Owned(name), value))
                .collect(),
            revises: None,
        })
    }
}
