//! The normal form that every adapter produces and every methodology reads.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// One measured quantity of a record: `distance` 12.5 `km`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// The input name that methodologies use.
    pub name: Cow<'static, str>,
    /// Exact, in `unit`.
    pub value: Decimal,
    /// A unit symbol as `domain::unit` spells it: `km`, `kWh`, `m3`, `kg`.
    pub unit: Cow<'static, str>,
}

/// The attribute that says what kind of reading a record is, and the kind that runs from one
/// reading of an accumulation register to the next.
pub const READING: &str = "reading";
pub const REGISTER: &str = "register";

/// One behaviour of one subject, as the source stated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The source's own record id, or a hash of stated columns when it has none.
    pub source_id: String,
    /// The partner's pseudonym for the person, card, household or vehicle.
    pub subject: String,
    /// Start of the act; equal to `to` for an instant.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub quantities: Vec<Quantity>,
    /// Named facts that are not quantities: `mode` = `metro`, `meter` = `M-17`.
    pub attributes: Vec<(Cow<'static, str>, String)>,
    /// The source id of the record that this one replaces, where the source declares one.
    pub revises: Option<String>,
}

impl Record {
    pub fn quantity(&self, name: &str) -> Option<&Quantity> {
        self.quantities
            .iter()
            .find(|quantity| quantity.name == name)
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Quantity {
    /// Of a name and unit that are known when the program is written.
    pub fn new(name: &'static str, value: Decimal, unit: &'static str) -> Quantity {
        Quantity {
            name: Cow::Borrowed(name),
            value,
            unit: Cow::Borrowed(unit),
        }
    }
}
