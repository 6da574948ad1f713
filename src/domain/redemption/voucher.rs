//! One voucher, from issue to its one and only end.

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::offer::Offer;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::wallet::{Day, TransferKind};

/// How long a citizen may take a redemption back. MIIT's accessibility rules (工信部信管〔2021〕67号
/// and its test standard) want submissions that cost something reversible within ten minutes.
pub const CANCEL_WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Where a voucher stands. Nothing leaves the right-hand states.
///
/// ```text
///            write off, before it expires
///          ┌──────────────────────────────▶ USED       points leave the wallet
///  ISSUED ─┤ cancel, within ten minutes
///  (points ├──────────────────────────────▶ CANCELLED  points go back to their lots
///   held)  │ expire, at its end
///          └──────────────────────────────▶ EXPIRED    points go back to their lots
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoucherState {
    Issued,
    Used,
    Cancelled,
    Expired,
}

/// The three ways in which a voucher ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    WriteOff,
    Cancel,
    Expire,
}

/// A voucher (兑换券): points of one account set aside for one thing at one merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    pub id: Uuid,
    pub account: Uuid,
    pub offer: Uuid,
    pub merchant: Uuid,
    /// What it cost, in points.
    pub points: i64,
    /// What the merchant is owed for it, in fen; fixed when it was issued.
    pub settlement_fen: i64,
    pub client_key: Option<String>,
    pub state: VoucherState,
    pub created_at: DateTime<Utc>,
    /// The last instant at which it can be cancelled.
    pub cancel_until: DateTime<Utc>,
    /// The first instant at which it can no longer be written off.
    pub expires_at: DateTime<Utc>,
    /// The transfer that set the points aside.
    pub hold: Uuid,
    /// When it left `Issued`, and the transfer that moved its points then.
    pub closed: Option<(DateTime<Utc>, Uuid)>,
}

/// What a new voucher is made of, beside its offer.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub id: Uuid,
    pub hold: Uuid,
    pub account: Uuid,
    pub at: DateTime<Utc>,
    /// The city's zone, in which days end.
    pub zone: Tz,
}

impl VoucherState {
    pub fn as_str(self) -> &'static str {
        match self {
            VoucherState::Issued => "issued",
            VoucherState::Used => "used",
            VoucherState::Cancelled => "cancelled",
            VoucherState::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<VoucherState> {
        use VoucherState::{Cancelled, Expired, Issued, Used};
        [Issued, Used, Cancelled, Expired]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl Closing {
    /// Where it leads.
    pub fn state(self) -> VoucherState {
        match self {
            Closing::WriteOff => VoucherState::Used,
            Closing::Cancel => VoucherState::Cancelled,
            Closing::Expire => VoucherState::Expired,
        }
    }

    /// How the points move.
    pub fn transfer(self) -> TransferKind {
        match self {
            Closing::WriteOff => TransferKind::WriteOff,
            Closing::Cancel | Closing::Expire => TransferKind::Release,
        }
    }
}

impl Voucher {
    /// A new voucher of `offer`, which is open and in stock; its points are held by the caller.
    pub fn issue(terms: Terms, offer: &Offer, client_key: Option<String>) -> Voucher {
        let expires_at = end_of_validity(terms.at, terms.zone, offer.validity_days);
        Voucher {
            id: terms.id,
            account: terms.account,
            offer: offer.id,
            merchant: offer.merchant,
            points: offer.points,
            settlement_fen: offer.settlement_fen,
            client_key,
            state: VoucherState::Issued,
            created_at: terms.at,
            cancel_until: terms.at + CANCEL_WINDOW,
            expires_at,
            hold: terms.hold,
            closed: None,
        }
    }

    /// Whether this voucher may end in this way at `at`.
    ///
    /// # Errors
    /// `voucher_used`, `voucher_cancelled` or `voucher_expired` with the instant in the detail;
    /// `cancel_too_late`.
    pub fn may_close(&self, closing: Closing, at: DateTime<Utc>) -> Result<(), Problem> {
        let refuse = |code, when: DateTime<Utc>| {
            let when = when.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            Err(Problem::at(
                code,
                "voucher",
                detail!("时间：{when}", "at {when}"),
            ))
        };
        let closed_at = self.closed.map_or(self.expires_at, |(at, _)| at);
        match self.state {
            VoucherState::Used => refuse(Code::VoucherUsed, closed_at),
            VoucherState::Cancelled => refuse(Code::VoucherCancelled, closed_at),
            VoucherState::Expired => refuse(Code::VoucherExpired, closed_at),
            VoucherState::Issued => match closing {
                Closing::WriteOff | Closing::Cancel if at >= self.expires_at => {
                    refuse(Code::VoucherExpired, self.expires_at)
                }
                Closing::Cancel if at > self.cancel_until => {
                    refuse(Code::CancelTooLate, self.cancel_until)
                }
                Closing::Expire if at < self.expires_at => {
                    refuse(Code::InvalidField, self.expires_at)
                }
                _ => Ok(()),
            },
        }
    }
}

/// The day on which `at` falls in `zone`.
pub fn day_in(at: DateTime<Utc>, zone: Tz) -> Day {
    at.with_timezone(&zone).date_naive().to_epoch_days()
}

impl Terms {
    /// The day of issue in the city's zone.
    pub fn day(&self) -> Day {
        day_in(self.at, self.zone)
    }
}

/// The first instant after the `days`-th day from the day of `at`, in `zone`. Where the clock
/// jumps over midnight, a day is added rather than taken away.
fn end_of_validity(at: DateTime<Utc>, zone: Tz, days: i32) -> DateTime<Utc> {
    let days = u64::try_from(days).unwrap_or(0) + 1;
    at.with_timezone(&zone)
        .date_naive()
        .checked_add_days(Days::new(days))
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .and_then(|midnight| midnight.and_local_timezone(zone).latest())
        .map_or(at + TimeDelta::days(days as i64), |end| {
            end.with_timezone(&Utc)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::redemption::OfferState;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn voucher() -> Voucher {
        let offer = Offer {
            id: Uuid::from_u128(1),
            merchant: Uuid::from_u128(2),
            title_zh: "咖啡".into(),
            title_en: "coffee".into(),
            points: 500,
            settlement_fen: 900,
            stocked: 1,
            stock: 1,
            validity_days: 30,
            state: OfferState::Live,
            from: at("2026-01-01T00:00:00Z"),
            to: at("2027-01-01T00:00:00Z"),
            created_at: at("2026-01-01T00:00:00Z"),
        };
        let terms = Terms {
            id: Uuid::from_u128(3),
            hold: Uuid::from_u128(4),
            account: Uuid::from_u128(5),
            at: at("2026-11-20T04:00:00Z"),
            zone: chrono_tz::Asia::Shanghai,
        };
        Voucher::issue(terms, &offer, None)
    }

    #[test]
    fn a_voucher_is_good_to_the_end_of_its_last_day_in_the_city() {
        assert_eq!(voucher().expires_at, at("2026-12-20T16:00:00Z"));
    }

    #[test]
    fn each_end_has_its_time() {
        let voucher = voucher();
        let code = |closing, text| voucher.may_close(closing, at(text)).map_err(|p| p.code);
        assert_eq!(code(Closing::Cancel, "2026-11-20T04:10:00Z"), Ok(()));
        assert_eq!(
            code(Closing::Cancel, "2026-11-20T04:10:01Z"),
            Err(Code::CancelTooLate)
        );
        assert_eq!(code(Closing::WriteOff, "2026-12-20T15:59:59Z"), Ok(()));
        assert_eq!(
            code(Closing::WriteOff, "2026-12-20T16:00:00Z"),
            Err(Code::VoucherExpired)
        );
        assert_eq!(code(Closing::Expire, "2026-12-20T16:00:00Z"), Ok(()));
        assert!(code(Closing::Expire, "2026-12-20T15:59:59Z").is_err());
    }

    #[test]
    fn nothing_follows_an_end() {
        let ended = [
            (VoucherState::Used, Code::VoucherUsed),
            (VoucherState::Cancelled, Code::VoucherCancelled),
            (VoucherState::Expired, Code::VoucherExpired),
        ];
        for (state, code) in ended {
            let when = at("2026-11-20T04:05:00Z");
            let voucher = Voucher {
                state,
                closed: Some((when, Uuid::nil())),
                ..voucher()
            };
            for closing in [Closing::WriteOff, Closing::Cancel, Closing::Expire] {
                let problem = voucher.may_close(closing, when).unwrap_err();
                assert_eq!(problem.code, code);
                assert_eq!(problem.detail.en(), "at 2026-11-20T04:05:00Z");
                assert_eq!(problem.detail.zh(), "时间：2026-11-20T04:05:00Z");
            }
        }
    }
}
