//! The name of an event: its own `eventID`, or where it has none a hash of what it states.

use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use super::quantity::Goods;

/// Bytes of an id that is kept as it is; a longer one is hashed.
const ID_MAX: usize = 128;

/// The id of an event by its `eventID`.
pub(super) fn named(event_id: &str) -> String {
    if event_id.len() <= ID_MAX {
        return event_id.to_owned();
    }
    hashed(Sha256::digest(event_id))
}

/// The id of the statement that an event is in error: another one for each time it is declared.
pub(super) fn of_declaration(event: &str, declared: DateTime<Utc>) -> String {
    let time = declared.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    named(&format!("{event}#error@{time}"))
}

fn hashed(digest: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hex::encode(digest))
}

/// A hash over named columns. Each is written with its length, so that no two events run together.
pub(super) struct Columns(Sha256);

impl Columns {
    pub(super) fn new() -> Columns {
        Columns(Sha256::new())
    }

    pub(super) fn put(&mut self, value: &str) {
        let length = u64::try_from(value.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_be_bytes());
        self.0.update(value);
    }

    pub(super) fn put_goods(&mut self, goods: &Goods<'_>) {
        self.put(&goods.epcs.len().to_string());
        goods.epcs.iter().for_each(|epc| self.put(epc));
        let mut elements: Vec<String> = goods
            .elements
            .iter()
            .map(|element| {
                let amount = element.amount.map(|amount| amount.normalize().to_string());
                let uom = element.uom.as_deref().unwrap_or_default();
                format!("{} {} {uom}", element.class, amount.unwrap_or_default())
            })
            .collect();
        elements.sort_unstable();
        self.put(&elements.len().to_string());
        elements.iter().for_each(|element| self.put(element));
    }

    pub(super) fn finish(self) -> String {
        hashed(self.0.finalize())
    }
}
