//! One tap as the file writes it.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::super::json_text::Text;
use super::super::lines::Fields;
use super::columns::{Columns, Field};
use super::declared::Money;
use super::pairing::Kind;
use crate::domain::problem::{Code, Problem, detail};

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

/// The words for a tap's type, and the codes that the gates' own extracts write.
pub(super) const KINDS: [(&str, What); 5] = [
    ("地铁入站", What::Metro(Kind::Entry)),
    ("地铁出站", What::Metro(Kind::Exit)),
    ("巴士", What::Bus),
    ("21", What::Metro(Kind::Entry)),
    ("22", What::Metro(Kind::Exit)),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Metro(Kind),
    Bus,
}

/// # Errors
/// `invalid_field` at `deal_type`.
pub(super) fn kind(deal_type: &str) -> Result<What, Problem> {
    let found = KINDS.iter().find(|(word, _)| *word == deal_type);
    found.map(|(_, what)| *what).ok_or_else(|| {
        let detail = detail!(
            "应为地铁入站（21）、地铁出站（22）或巴士",
            "地铁入站 (21), 地铁出站 (22) or 巴士 is expected"
        );
        Problem::at(Code::InvalidField, "deal_type", detail)
    })
}

impl<'a> Row<'a> {
    pub(super) fn of_fields(fields: &'a Fields, columns: &Columns) -> Row<'a> {
        let get = |field| {
            let index = columns.index(field)?;
            Some(Text(Cow::Borrowed(fields.get(index))))
        };
        Row {
            card_no: get(Field::Card),
            deal_date: get(Field::Time),
            deal_type: get(Field::Type),
            deal_money: get(Field::Money),
            company_name: get(Field::Company),
            station: get(Field::Station),
            car_no: get(Field::Car),
        }
    }
}

/// A fare in whole fen.
///
/// # Errors
/// `quantity_out_of_range`, `invalid_field` at `deal_money`.
pub(super) fn fare(text: &str, money: Money) -> Result<u32, Problem> {
    let problem = |code, detail| Problem::at(code, "deal_money", detail);
    if text.starts_with('-') {
        return Err(problem(
            Code::QuantityOutOfRange,
            detail!("票款不能为负", "a fare is not negative"),
        ));
    }
    let fen: u32 = match money {
        Money::Fen => text.parse().map_err(|_| {
            let detail = detail!(
                "应为以分计的整数；如以元计，请在 settings.money 中声明 yuan",
                "whole fen are expected; settings.money may say yuan"
            );
            problem(Code::InvalidField, detail)
        })?,
        Money::Yuan => of_yuan(text).ok_or_else(|| {
            problem(
                Code::InvalidField,
                detail!(
                    "应为以元计、两位小数的金额",
                    "yuan with two decimals are expected"
                ),
            )
        })?,
    };
    if fen > FARE_MAX_FEN {
        return Err(problem(
            Code::QuantityOutOfRange,
            detail!("超过 10,000 元", "more than 10,000 yuan"),
        ));
    }
    Ok(fen)
}

fn of_yuan(text: &str) -> Option<u32> {
    let yuan = Decimal::from_str_exact(text).ok()?;
    let fen = yuan.checked_mul(Decimal::ONE_HUNDRED)?.normalize();
    (fen.scale() == 0).then(|| u32::try_from(fen).ok())?
}
