//! One weighing.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::columns::{Cells, Column};
use super::declared::Declared;
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::scene::adapter::local_time::{LocalTime, rfc3339};
use crate::domain::scene::adapter::pseudonym::pseudonym;
use crate::domain::scene::adapter::scalar::can_be_stated;

/// Bytes of a user, a bin or a record's own id.
const ID_MAX: usize = 128;
/// Characters of a weight.
const DIGITS_MAX: usize = 20;

/// A row whose fields are sound.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) source_id: String,
    pub(super) user: &'a str,
    pub(super) bin: &'a str,
    pub(super) material: &'a str,
    /// kg, as the scale showed it.
    pub(super) weight: Decimal,
    pub(super) at: DateTime<Utc>,
    /// The local day; a row of midnight itself closes the day that ends.
    pub(super) day: NaiveDate,
}

impl<'a> Row<'a> {
    /// # Errors
    /// The first column that is missing or unsound.
    pub(super) fn read(
        cells: &'a Cells<'_>,
        declared: &'a Declared,
        zone: Tz,
    ) -> Result<Row<'a>, Problem> {
        let cell = |column: Column| cells.get(column as usize).and_then(|cell| cell.as_deref());
        let problem =
            |code, column, detail: Detail| Problem::at(code, declared.column(column), detail);
        let required = |column| {
            cell(column).ok_or_else(|| problem(Code::MissingField, column, Detail::default()))
        };
        let named = |column| {
            let text = required(column)?;
            match is_name(text) {
                true => Ok(text),
                false => Err(problem(
                    Code::InvalidField,
                    column,
                    detail!(
                        "应为 1 至 128 字节，不含控制字符",
                        "1 to 128 bytes without control characters"
                    ),
                )),
            }
        };
        let own_id = cell(Column::Id).map(|_| named(Column::Id)).transpose()?;
        let (user, bin) = (named(Column::User)?, named(Column::Bin)?);
        // What vendors write for a drop without a card.
        if matches!(user, "0" | "-1" | "NULL" | "null" | "匿名") {
            return Err(problem(
                Code::MissingField,
                Column::User,
                detail!("没有用户", "nobody"),
            ));
        }
        let kind = required(Column::Type)?;
        let material = declared.material(kind).ok_or_else(|| {
            let detail = detail!("不是该场景已知的类别", "no type that the scene knows");
            problem(Code::InvalidField, Column::Type, detail)
        })?;
        let weight = weight(required(Column::Weight)?)
            .map_err(|(code, detail)| problem(code, Column::Weight, detail))?;
        let weight = declared
            .gross(weight)
            .filter(|kilograms| can_be_stated(*kilograms))
            .ok_or_else(|| {
                let detail = detail!(
                    "数值过大，或折合千克后超过 12 位小数",
                    "too large, or finer than 12 decimals of a kilogram"
                );
                problem(Code::QuantityOutOfRange, Column::Weight, detail)
            })?;
        let (at, day) = time(required(Column::Time)?, zone)
            .map_err(|detail| problem(Code::TimeInvalid, Column::Time, detail))?;
        let source_id = match own_id {
            Some(id) => id.to_owned(),
            None => stated(bin, user, material, at),
        };
        Ok(Row {
            source_id,
            user,
            bin,
            material,
            weight,
            at,
            day,
        })
    }

    /// What a row with this id must say again.
    pub(super) fn said(&self) -> impl std::hash::Hash {
        (self.user, self.bin, self.material, self.weight, self.at)
    }

    pub(super) fn record(self, kilograms: Decimal) -> Record {
        Record {
            source_id: self.source_id,
            subject: self.user.to_owned(),
            from: self.at,
            to: self.at,
            quantities: vec![Quantity {
                name: Cow::Borrowed("mass"),
                value: kilograms.normalize(),
                unit: Cow::Borrowed("kg"),
            }],
            attributes: vec![
                (Cow::Borrowed("material"), self.material.to_owned()),
                (Cow::Borrowed("bin"), self.bin.to_owned()),
            ],
            revises: None,
        }
    }
}

/// The id of a row that has none: a hash of where, who, what and when, for a user's number stands in
/// no id. The weight is no part of it: the same drop with another weight is a conflict, not another
/// drop.
fn stated(bin: &str, user: &str, material: &str, at: DateTime<Utc>) -> String {
    let at = at.timestamp_micros().to_string();
    pseudonym("drop", "", &[bin, user, material, &at])
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_MAX && !text.chars().any(char::is_control)
}

/// A plain decimal that is not negative.
fn weight(text: &str) -> Result<Decimal, (Code, Detail)> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !plain || text.len() > DIGITS_MAX {
        return Err((
            Code::InvalidField,
            detail!("应为普通十进制数", "a plain decimal number is expected"),
        ));
    }
    match Decimal::from_str_exact(text) {
        Ok(weight) if weight.is_sign_negative() => {
            Err((Code::QuantityOutOfRange, detail!("为负数", "negative")))
        }
        Ok(weight) => Ok(weight),
        Err(_) => Err((
            Code::InvalidField,
            detail!("应为普通十进制数", "a plain decimal number is expected"),
        )),
    }
}

/// A local time, or RFC 3339 with an offset; and the day it counts for.
fn time(text: &str, zone: Tz) -> Result<(DateTime<Utc>, NaiveDate), Detail> {
    let (at, local) = match LocalTime::parse(text) {
        Some(local) => match local.instants(zone) {
            [Some(only), None] => (only, local.time),
            [None, _] => {
                return Err(detail!(
                    "场景的时区没有这个时间",
                    "no such time in the scene's zone"
                ));
            }
            _ => {
                return Err(detail!(
                    "场景的时区中这一小时出现两次",
                    "this hour is lived twice in the scene's zone"
                ));
            }
        },
        None => {
            let time =
                rfc3339(text).ok_or_else(|| detail!("不是日期时间", "not a date and time"))?;
            (time.to_utc(), time.with_timezone(&zone).naive_local())
        }
    };
    if at.timestamp_subsec_nanos() >= 1_000_000_000 {
        return Err(detail!(
            "闰秒不对应单独的时刻",
            "a leap second has no instant of its own"
        ));
    }
    let midnight = local.time() == NaiveTime::MIN;
    let day = match midnight {
        true => local.date().pred_opt(),
        false => Some(local.date()),
    };
    Ok((at, day.ok_or_else(|| detail!("超出范围", "out of range"))?))
}
