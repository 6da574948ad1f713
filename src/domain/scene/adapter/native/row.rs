//! One record as the document writes it, and the rules that make it a record.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::super::json_text::{Object, Text};
use super::super::local_time::{can_be_stated, plain, rfc3339, two};
use super::super::{Place, interned};
use super::{BATCH_MAX, Parsed};
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Detail, Problem, detail};

/// Bytes of an id or a subject.
pub(super) const ID_MAX: usize = 128;
pub(super) const QUANTITIES_MAX: usize = 16;
pub(super) const ATTRIBUTES_MAX: usize = 32;
/// Bytes of a quantity's or attribute's name.
const NAME_MAX: usize = 64;
const UNIT_MAX: usize = 32;
/// Bytes of an attribute's value.
const VALUE_MAX: usize = 256;
/// Digits before and after the decimal point.
const WHOLE_DIGITS_MAX: usize = 18;
const DECIMALS_MAX: usize = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    subject: Text<'a>,
    #[serde(borrow, default)]
    at: Option<Text<'a>>,
    #[serde(borrow, default)]
    from: Option<Text<'a>>,
    #[serde(borrow, default)]
    to: Option<Text<'a>>,
    #[serde(borrow, default)]
    quantities: Entries<Object<Measured<'a>>>,
    #[serde(borrow, default)]
    attributes: Entries<Text<'a>>,
    #[serde(borrow, default)]
    revises: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured<'a> {
    /// The number's own text: it never passes through binary floating point.
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(borrow)]
    unit: Text<'a>,
}

impl Row<'_> {
    pub(super) fn into_record(self) -> Result<Record, Problem> {
        let (from, to) = self.times()?;
        Ok(Record {
            source_id: identifier("id", self.id.as_str())?,
            subject: identifier("subject", self.subject.as_str())?,
            from,
            to,
            quantities: quantities(&self.quantities)?,
            attributes: attributes(self.attributes)?,
            revises: match &self.revises {
                Some(id) => Some(identifier("revises", id.as_str())?),
                None => None,
            },
        })
    }

    fn times(&self) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
        match (&self.at, &self.from, &self.to) {
            (Some(at), None, None) => {
                let at = instant("at", at.as_str())?;
                Ok((at, at))
            }
            (None, Some(from), Some(to)) => {
                let (from, to) = (instant("from", from.as_str())?, instant("to", to.as_str())?);
                if from > to {
                    return Err(Problem::at(
                        Code::InvalidField,
                        "to",
                        detail!("早于 from", "before from"),
                    ));
                }
                Ok((from, to))
            }
            (Some(_), _, _) => Err(Problem::at(
                Code::InvalidField,
                "at",
                detail!("不能与 from 或 to 同时出现", "stands beside from or to"),
            )),
            (None, None, _) => Err(Problem::on(Code::MissingField, "from")),
            (None, _, None) => Err(Problem::on(Code::MissingField, "to")),
        }
    }
}

fn identifier(field: &str, text: &str) -> Result<String, Problem> {
    if text.is_empty() || text.len() > ID_MAX || text.chars().any(char::is_control) {
        let detail = detail!(
            "应为 1 至 {ID_MAX} 字节，不含控制字符",
            "1 to {ID_MAX} bytes without control characters"
        );
        return Err(Problem::at(Code::InvalidField, field, detail));
    }
    Ok(text.to_owned())
}

fn quantities(entries: &Entries<Object<Measured<'_>>>) -> Result<Vec<Quantity>, Problem> {
    if entries.0.len() > QUANTITIES_MAX {
        return Err(Problem::at(
            Code::InvalidField,
            "quantities",
            detail!("超过 {QUANTITIES_MAX} 个", "more than {QUANTITIES_MAX}"),
        ));
    }
    let mut quantities = Vec::with_capacity(entries.0.len());
    for (name, Object(measured)) in &entries.0 {
        let name = named("quantities", name)?;
        let unit = measured.unit.as_str();
        if unit.is_empty() || unit.len() > UNIT_MAX || unit.chars().any(char::is_control) {
            let param = format!("quantities.{name}.unit");
            return Err(Problem::at(
                Code::InvalidField,
                param,
                detail!("应为 1 至 {UNIT_MAX} 字节", "1 to {UNIT_MAX} bytes"),
            ));
        }
        let value = amount(measured.value.get()).map_err(|(code, detail)| {
            Problem::at(code, format!("quantities.{name}.value"), detail)
        })?;
        quantities.push(Quantity {
            name,
            value,
            unit: interned(unit),
        });
    }
    Ok(quantities)
}

fn attributes(entries: Entries<Text<'_>>) -> Result<Vec<(Cow<'static, str>, String)>, Problem> {
    if entries.0.len() > ATTRIBUTES_MAX {
        return Err(Problem::at(
            Code::InvalidField,
            "attributes",
            detail!("超过 {ATTRIBUTES_MAX} 个", "more than {ATTRIBUTES_MAX}"),
        ));
    }
    let mut attributes = Vec::with_capacity(entries.0.len());
    for (name, value) in entries.0 {
        let name = named("attributes", &name)?;
        if value.as_str().len() > VALUE_MAX {
            let detail = detail!("超过 {VALUE_MAX} 字节", "longer than {VALUE_MAX} bytes");
            return Err(Problem::at(
                Code::InvalidField,
                format!("attributes.{name}"),
                detail,
            ));
        }
        attributes.push((name, value.0.into_owned()));
    }
    Ok(attributes)
}

/// A name: lower-case letters, digits and underscores, and between two such parts one point, as
/// a methodology names the members of a set (`mass.hdpe`).
fn named(of: &str, name: &Name) -> Result<Cow<'static, str>, Problem> {
    let text = name.as_ref();
    let plain = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    let (base, member) = text.split_once('.').unwrap_or((text, "x"));
    if text.len() > NAME_MAX || !plain(base) || !plain(member) {
        let detail = detail!(
            "名称为 1 至 {NAME_MAX} 个 a-z、0-9 或 _，至多含一个点",
            "a name is 1 to {NAME_MAX} of a-z, 0-9 and _, with at most one point"
        );
        return Err(Problem::at(Code::InvalidField, of, detail));
    }
    Ok(name.clone())
}

/// A decimal that is not negative, as JSON writes it or as a string of the same form.
fn amount(json: &str) -> Result<Decimal, (Code, Detail)> {
    let quoted = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let text = quoted.unwrap_or(json);
    if text.starts_with('-') {
        return Err((Code::QuantityOutOfRange, detail!("为负数", "negative")));
    }
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return Err((
            Code::InvalidField,
            detail!(
                "应为十进制数：只有数字，小数点前后都有数字",
                "a plain decimal is expected: digits, and a point between digits"
            ),
        ));
    }
    if whole.len() > WHOLE_DIGITS_MAX || decimals.len() > DECIMALS_MAX {
        return Err((
            Code::QuantityOutOfRange,
            detail!(
                "整数部分超过 18 位，或小数部分超过 12 位",
                "more than 18 digits before or 12 after the point"
            ),
        ));
    }
    let decimals = if text.len() == whole.len() {
        ""
    } else {
        decimals
    };
    let mantissa = whole
        .bytes()
        .chain(decimals.bytes())
        .fold(0i128, |sum, b| sum * 10 + i128::from(b - b'0'));
    let scale = u32::try_from(decimals.len()).unwrap_or(0);
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| {
        (
            Code::QuantityOutOfRange,
            detail!("超过 28 位数字", "more than 28 digits"),
        )
    })
}

/// RFC 3339 with an offset; a leap second has no instant of its own and is refused.
fn instant(field: &str, text: &str) -> Result<DateTime<Utc>, Problem> {
    let parsed = plain_instant(text).or_else(|| Some(rfc3339(text)?.to_utc()));
    parsed.filter(can_be_stated).ok_or_else(|| {
        Problem::at(
            Code::TimeInvalid,
            field,
            detail!(
                "应为带时差的 RFC 3339 时间：2026-11-20T08:00:00+08:00",
                "RFC 3339 with an offset is expected: 2026-11-20T08:00:00+08:00"
            ),
        )
    })
}

/// The one form that nearly every feed writes, without fraction, several times faster than the
/// general parser.
fn plain_instant(text: &str) -> Option<DateTime<Utc>> {
    let (local, offset) = plain(text, b'T')?;
    let east = match offset.as_bytes() {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
            let seconds = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
            if hours > 23 || minutes > 59 {
                return None;
            }
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    Some(
        local
            .checked_sub_signed(TimeDelta::seconds(east))?
            .and_utc(),
    )
}

type Name = Cow<'static, str>;

/// The members of an object in their order, each name once.
struct Entries<T>(Vec<(Name, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Entries<T> {
        Entries(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<T>, D::Error> {
        struct EntriesVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = Entries<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries: Vec<(Name, T)> = Vec::with_capacity(4);
                while let Some(name) = map.next_key::<Text<'de>>()? {
                    let name = interned(name.as_str());
                    // The bound on either kind is small, so looking at all of them is cheap.
                    if entries.len() > ATTRIBUTES_MAX
                        || entries.iter().any(|(known, _)| *known == name)
                    {
                        return Err(A::Error::custom("a name stands twice, or too many"));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

/// What one pass over a document gives.
pub(super) enum Document {
    Rows(Vec<Parsed>),
    TooMany,
    /// Some row, or the document, is not of the right shape.
    Unclear,
}

pub(super) fn parse_document(text: &str) -> Document {
    let mut rows = Vec::new();
    let mut too_many = false;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let visitor = DocumentVisitor {
        rows: &mut rows,
        too_many: &mut too_many,
    };
    let read = deserializer
        .deserialize_any(visitor)
        .and_then(|()| deserializer.end());
    match read {
        Ok(()) => Document::Rows(rows),
        Err(_) if too_many => Document::TooMany,
        Err(_) => Document::Unclear,
    }
}

struct DocumentVisitor<'r> {
    rows: &'r mut Vec<Parsed>,
    too_many: &'r mut bool,
}

impl<'de> Visitor<'de> for DocumentVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records, or an object with the key records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        RowsVisitor {
            rows: self.rows,
            too_many: self.too_many,
            pointer: "",
        }
        .visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match map.next_key::<Text<'de>>()? {
            Some(key) if key.as_str() == "records" => {}
            _ => return Err(A::Error::custom("records is expected")),
        }
        let rows = RowsVisitor {
            rows: self.rows,
            too_many: self.too_many,
            pointer: "/records",
        };
        map.next_value_seed(rows)?;
        match map.next_key::<Text<'de>>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("nothing stands beside records")),
        }
    }
}

struct RowsVisitor<'r> {
    rows: &'r mut Vec<Parsed>,
    too_many: &'r mut bool,
    pointer: &'static str,
}

impl<'de> DeserializeSeed<'de> for RowsVisitor<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(Object(row)) = seq.next_element::<Object<Row<'de>>>()? {
            if self.rows.len() == BATCH_MAX {
                *self.too_many = true;
                return Err(A::Error::custom("too many"));
            }
            self.rows
                .push((Place::Item(self.pointer, index), row.into_record()));
            index += 1;
        }
        Ok(())
    }
}
