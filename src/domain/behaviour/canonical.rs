//! A record's canonical bytes: what is stored of it, and the digest that tells a replay from a
//! conflict. RFC 8785 JSON, written by hand because every record passes here.

use sha2::{Digest, Sha256};

use super::Record;

/// What is stored of a record's content, and the digest of the whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// `{"attributes":{…},"quantities":{…}}`; what a stranger recomputes the reduction from.
    pub content: String,
    /// SHA-256 of the whole record: content, id, subject, times in microseconds, and what it
    /// revises.
    pub digest: [u8; 32],
}

/// Writes records one after the other; keeps its buffers.
#[derive(Debug, Default)]
pub struct Writer {
    content: String,
    record: String,
    order: Vec<usize>,
}

impl Writer {
    /// Values are normalised first, so that `12.50` and `12.5` are the same content.
    pub fn write(&mut self, record: &Record) -> Canonical {
        self.content.clear();
        self.content.push_str("{\"attributes\":");
        self.attributes(record);
        self.content.push_str(",\"quantities\":");
        self.quantities(record);
        self.content.push('}');
        self.record.clear();
        self.record.push_str("{\"content\":");
        self.record.push_str(&self.content);
        self.record.push_str(",\"from\":\"");
        push_integer(&mut self.record, record.from.timestamp_micros());
        self.record.push_str("\",\"id\":");
        push_text(&mut self.record, &record.source_id);
        if let Some(revises) = &record.revises {
            self.record.push_str(",\"revises\":");
            push_text(&mut self.record, revises);
        }
        self.record.push_str(",\"subject\":");
        push_text(&mut self.record, &record.subject);
        self.record.push_str(",\"to\":\"");
        push_integer(&mut self.record, record.to.timestamp_micros());
        self.record.push_str("\"}");
        Canonical {
            content: self.content.clone(),
            digest: Sha256::digest(self.record.as_bytes()).into(),
        }
    }

    fn attributes(&mut self, record: &Record) {
        sort_by_name(&mut self.order, record.attributes.len(), |at| {
            &record.attributes[at].0
        });
        self.content.push('{');
        for (count, at) in self.order.iter().enumerate() {
            let (name, value) = &record.attributes[*at];
            if count > 0 {
                self.content.push(',');
            }
            push_text(&mut self.content, name);
            self.content.push(':');
            push_text(&mut self.content, value);
        }
        self.content.push('}');
    }

    fn quantities(&mut self, record: &Record) {
        use std::fmt::Write as _;
        sort_by_name(&mut self.order, record.quantities.len(), |at| {
            &record.quantities[at].name
        });
        self.content.push('{');
        for (count, at) in self.order.iter().enumerate() {
            let quantity = &record.quantities[*at];
            if count > 0 {
                self.content.push(',');
            }
            push_text(&mut self.content, &quantity.name);
            self.content.push_str(":{\"unit\":");
            push_text(&mut self.content, &quantity.unit);
            self.content.push_str(",\"value\":\"");
            // Writing into a string cannot fail.
            let _ = write!(self.content, "{}", quantity.value.normalize());
            self.content.push_str("\"}");
        }
        self.content.push('}');
    }
}

/// RFC 8785 sorts member names by UTF-16 code units; the names here are ASCII identifiers for all
/// known feeds, and for others the comparison is done as the standard says.
fn sort_by_name<'r>(order: &mut Vec<usize>, count: usize, name: impl Fn(usize) -> &'r str) {
    order.clear();
    order.extend(0..count);
    if count > 1 {
        order.sort_by(|a, b| {
            let (a, b) = (name(*a), name(*b));
            if a.is_ascii() && b.is_ascii() {
                a.cmp(b)
            } else {
                a.encode_utf16().cmp(b.encode_utf16())
            }
        });
    }
}

fn push_integer(out: &mut String, number: i64) {
    use std::fmt::Write as _;
    let _ = write!(out, "{number}");
}

/// A JSON string as RFC 8785 has it.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    if text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        out.push_str(text);
    } else {
        // Rare; the library's escaping is that of the standard.
        if let Ok(quoted) = serde_json_canonicalizer::to_string(&text) {
            let inside = quoted
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            out.push_str(inside.unwrap_or_default());
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use chrono::DateTime;
    use proptest::prelude::*;
    use rust_decimal::Decimal;
    use serde_json::{Map, Value, json};

    use super::super::Quantity;
    use super::*;

    fn canonical_by_library(record: &Record) -> (String, [u8; 32]) {
        let attributes: Map<String, Value> = record
            .attributes
            .iter()
            .map(|(k, v)| (k.to_string(), json!(v)))
            .collect();
        let quantities: Map<String, Value> = record
            .quantities
            .iter()
            .map(|q| {
                (
                    q.name.to_string(),
                    json!({"unit": q.unit, "value": q.value.normalize().to_string()}),
                )
            })
            .collect();
        let content = json!({"attributes": attributes, "quantities": quantities});
        let mut whole = json!({
            "content": content, "id": record.source_id, "subject": record.subject,
            "from": record.from.timestamp_micros().to_string(),
            "to": record.to.timestamp_micros().to_string(),
        });
        if let Some(revises) = &record.revises {
            whole["revises"] = json!(revises);
        }
        let text = |value| serde_json_canonicalizer::to_string(value).unwrap();
        (text(&content), Sha256::digest(text(&whole)).into())
    }

    proptest! {
        #[test]
        fn the_hand_written_bytes_are_the_canonical_ones(
            texts in prop::array::uniform2("(\\PC|[\\x00-\\x20\"\\\\]){0,12}"),
            attributes in prop::collection::btree_map("\\PC{0,5}", "(\\PC|[\\x00-\\x20\"\\\\]){0,9}", 0..4),
            quantities in prop::collection::btree_map("[a-z]{1,5}", (any::<i64>(), 0_u32..6), 0..3),
            seconds in 0_i64..4_000_000_000,
            revises in prop::option::of("\\PC{0,5}"),
        ) {
            let [source_id, subject] = texts;
            let record = Record {
                source_id, subject, revises,
                from: DateTime::from_timestamp(seconds, 7_000).unwrap(),
                to: DateTime::from_timestamp(seconds + 9, 0).unwrap(),
                quantities: quantities.into_iter().rev().map(|(name, (value, scale))| Quantity {
                    name: Cow::Owned(name), value: Decimal::new(value, scale), unit: Cow::Borrowed("km"),
                }).collect(),
                attributes: attributes.into_iter().rev().map(|(k, v)| (Cow::Owned(k), v)).collect(),
            };
            let written = Writer::default().write(&record);
            let (content, digest) = canonical_by_library(&record);
            prop_assert_eq!(written.content, content);
            prop_assert_eq!(written.digest, digest);
        }
    }
}
