//! One tap as the file writes it.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;

use super::super::json_text::Text;
use super::super::lines::{Fields, Lines};
use crate::domain::problem::{Code, Problem};

/// A ride that costs more than 10,000 yuan is no ride.
const FARE_MAX_FEN: u32 = 1_000_000;

/// One tap as the file writes it; absent and blank are the same.
#[derive(Deserialize)]
pub(super) struct Row<'a> {
    #[serde(borrow, default)]
    pub(super) card_no: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) deal_date: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) deal_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) deal_money: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) company_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) station: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) car_no: Option<Text<'a>>,
}

/// The columns of the CSV layouts, in the order of [`Row`]: Chinese header, English header.
const COLUMNS: [(&str, &str); 7] = [
    ("卡号", "card_no"),
    ("交易日期时间", "deal_date"),
    ("交易类型", "deal_type"),
    ("交易金额", "deal_money"),
    ("公司名称", "company_name"),
    ("线路站点", "station"),
    ("车牌号", "car_no"),
];

impl<'a> Row<'a> {
    pub(super) fn of_fields(fields: &'a Fields, at: &[usize; 7]) -> Row<'a> {
        let [card, date, kind, money, company, station, car] =
            at.map(|index| Some(Text(Cow::Borrowed(fields.get(index)))));
        Row {
            card_no: card,
            deal_date: date,
            deal_type: kind,
            deal_money: money,
            company_name: company,
            station,
            car_no: car,
        }
    }
}

pub(super) fn text<'a>(field: &'a Option<Text<'_>>) -> &'a str {
    field.as_ref().map_or("", |text| text.as_str().trim())
}

pub(super) fn required<'a>(field: &'a Option<Text<'_>>, name: &str) -> Result<&'a str, Problem> {
    match text(field) {
        "" => Err(Problem::at(Code::MissingField, name, "")),
        text => Ok(text),
    }
}

pub(super) fn columns<R: BufRead>(
    lines: &mut Lines<R>,
    fields: &mut Fields,
) -> Result<([usize; 7], usize), Problem> {
    let absent = |detail: String| Problem::at(Code::FormatMismatch, "line 1", detail);
    let (_, header) = lines
        .next()?
        .ok_or_else(|| absent("the file is empty".to_owned()))?;
    fields
        .split(header)
        .map_err(|_| absent("no header".to_owned()))?;
    let mut at = [0; 7];
    for (slot, (chinese, english)) in at.iter_mut().zip(COLUMNS) {
        *slot = fields
            .iter()
            .position(|name| name == chinese || name.eq_ignore_ascii_case(english))
            .ok_or_else(|| absent(format!("no column {english} ({chinese})")))?;
    }
    Ok((at, fields.len()))
}

pub(super) fn fare(text: &str) -> Result<u32, Problem> {
    let problem = |code, detail| Problem::at(code, "deal_money", detail);
    if text.starts_with('-') {
        return Err(problem(Code::QuantityOutOfRange, "a fare is not negative"));
    }
    let fen: u32 = text
        .parse()
        .map_err(|_| problem(Code::InvalidField, "whole fen are expected"))?;
    if fen > FARE_MAX_FEN {
        return Err(problem(Code::QuantityOutOfRange, "more than 10,000 yuan"));
    }
    Ok(fen)
}
