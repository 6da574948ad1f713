//! A record in the platform's own form.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use crate::domain::behaviour::Record;

/// The record as one line of JSON, times in UTC; [`super::parse_record`] gives the same record.
pub fn write(record: &Record) -> String {
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(record.source_id));
    row.insert("subject".to_owned(), json!(record.subject));
    let stamp = |time: chrono::DateTime<chrono::Utc>| {
        json!(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    };
    if record.from == record.to {
        row.insert("at".to_owned(), stamp(record.from));
    } else {
        row.insert("from".to_owned(), stamp(record.from));
        row.insert("to".to_owned(), stamp(record.to));
    }
    let quantities: Map<String, Value> = record
        .quantities
        .iter()
        .map(|q| {
            (
                q.name.to_string(),
                json!({"value": q.value.to_string(), "unit": q.unit}),
            )
        })
        .collect();
    row.insert("quantities".to_owned(), Value::Object(quantities));
    let attributes: Map<String, Value> = record
        .attributes
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value)))
        .collect();
    row.insert("attributes".to_owned(), Value::Object(attributes));
    if let Some(revises) = &record.revises {
        row.insert("revises".to_owned(), json!(revises));
    }
    Value::Object(row).to_string()
}
