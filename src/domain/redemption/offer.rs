//! What a merchant offers for points.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::problem::{Code, Problem, detail};

/// The longest that a voucher may be valid, in days.
pub const VALIDITY_DAYS_MAX: i32 = 366;
/// The dearest offer, in points, and the dearest settlement, in fen: keeps every sum far from
/// the end of `i64`.
const AMOUNT_MAX: i64 = 1_000_000_000;
/// The most pieces of one offer.
const STOCK_MAX: i64 = 1_000_000_000;
/// The longest name or title, in bytes.
const TEXT_BYTES_MAX: usize = 200;

/// A contracted shop or service (商户).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    pub id: Uuid,
    /// Short and unique: `metro-coffee`.
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub registered_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferState {
    Live,
    /// Not redeemable for now; vouchers already issued stay good.
    Suspended,
    /// For ever.
    Closed,
}

/// One thing or service for a price in points (兑换商品).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub id: Uuid,
    pub merchant: Uuid,
    pub title_zh: String,
    pub title_en: String,
    /// Price, in points.
    pub points: i64,
    /// What the merchant is owed for one voucher written off, in fen.
    pub settlement_fen: i64,
    /// Pieces ever put on offer.
    pub stocked: i64,
    /// Pieces left.
    pub stock: i64,
    /// A voucher is good to the end of this many days after its day of issue.
    pub validity_days: i32,
    pub state: OfferState,
    pub from: DateTime<Utc>,
    /// The first instant at which it is no longer offered.
    pub to: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

impl OfferState {
    pub fn as_str(self) -> &'static str {
        match self {
            OfferState::Live => "live",
            OfferState::Suspended => "suspended",
            OfferState::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<OfferState> {
        [OfferState::Live, OfferState::Suspended, OfferState::Closed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl Merchant {
    /// # Errors
    /// `invalid_field` for a code that is not `a-z0-9-`, or an empty or overlong name.
    pub fn check(&self) -> Result<(), Problem> {
        let sound = !self.code.is_empty()
            && self.code.len() <= 64
            && self
                .code
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !sound {
            return Err(Problem::at(
                Code::InvalidField,
                "code",
                detail!(
                    "1 至 64 个字符，只含 a-z、0-9 和 -",
                    "1 to 64 of a-z, 0-9 and -"
                ),
            ));
        }
        check_text("name_zh", &self.name_zh)?;
        check_text("name_en", &self.name_en)
    }
}

impl Offer {
    /// Whether an offer may be put up as it stands.
    ///
    /// # Errors
    /// `invalid_field` naming the field that is out of range.
    pub fn check(&self) -> Result<(), Problem> {
        check_text("title_zh", &self.title_zh)?;
        check_text("title_en", &self.title_en)?;
        check_range("points", self.points, 1, AMOUNT_MAX)?;
        check_range("settlement_fen", self.settlement_fen, 0, AMOUNT_MAX)?;
        check_range("stock", self.stock, 0, STOCK_MAX)?;
        let days = i64::from(self.validity_days);
        check_range("validity_days", days, 1, i64::from(VALIDITY_DAYS_MAX))?;
        match self.from < self.to {
            true => Ok(()),
            false => Err(Problem::at(
                Code::InvalidField,
                "to",
                detail!("须晚于 `from`", "must lie after `from`"),
            )),
        }
    }

    /// Whether it can be redeemed at `at`, stock aside.
    ///
    /// # Errors
    /// `offer_not_open`.
    pub fn open_at(&self, at: DateTime<Utc>) -> Result<(), Problem> {
        match self.state == OfferState::Live && self.from <= at && at < self.to {
            true => Ok(()),
            false => Err(Problem::on(Code::OfferNotOpen, "offer")),
        }
    }
}

fn check_text(param: &str, text: &str) -> Result<(), Problem> {
    match !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX {
        true => Ok(()),
        false => Err(Problem::at(
            Code::InvalidField,
            param,
            detail!(
                "1 至 {TEXT_BYTES_MAX} 字节的文本",
                "1 to {TEXT_BYTES_MAX} bytes of text"
            ),
        )),
    }
}

fn check_range(param: &str, value: i64, least: i64, most: i64) -> Result<(), Problem> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false => Err(Problem::at(
            Code::InvalidField,
            param,
            detail!(
                "须在 {least} 至 {most} 之间",
                "must be between {least} and {most}"
            ),
        )),
    }
}
