//! What a merchant is owed, added up from the vouchers it wrote off.

use uuid::Uuid;

use crate::domain::problem::{Code, Problem, detail};
use crate::domain::redemption::{DayTotal, Owed};
use crate::domain::unit::Fen;
use crate::domain::wallet::Day;
use crate::store::Conn;
use crate::store::redemption::{self, OwedPlace};

use super::FlowResult;

/// The longest span of one statement, in days.
pub const STATEMENT_DAYS_MAX: Day = 366;

/// A page of write-offs, and the totals of the whole span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantStatement {
    pub lines: Vec<Owed>,
    /// Where the next page begins.
    pub next: Option<OwedPlace>,
    pub days: Vec<DayTotal>,
    pub vouchers: i64,
    pub fen: Fen,
}

/// A merchant's statement from `days.0` to `days.1`, both included: at most `limit` lines, newest
/// first, after `place`; the totals are of all days asked for.
///
/// # Errors
/// `invalid_field` for a span that is backwards or longer than [`STATEMENT_DAYS_MAX`].
pub fn merchant_statement(
    conn: &mut Conn,
    merchant: Uuid,
    days: (Day, Day),
    place: Option<OwedPlace>,
    limit: i64,
) -> FlowResult<MerchantStatement> {
    let span = days.1.checked_sub(days.0);
    if !span.is_some_and(|span| (0..STATEMENT_DAYS_MAX).contains(&span)) {
        let detail = detail!(
            "须为 1 至 {STATEMENT_DAYS_MAX} 天",
            "from one day to at most {STATEMENT_DAYS_MAX}"
        );
        return Err(Problem::at(Code::InvalidField, "from", detail).into());
    }
    let mut lines = redemption::owed(conn, merchant, days, place, limit + 1)?;
    let more = i64::try_from(lines.len()).is_ok_and(|found| found > limit);
    if more {
        lines.pop();
    }
    let next = lines.last().filter(|_| more).map(|line| OwedPlace {
        at: line.at,
        voucher: line.voucher,
    });
    let days = redemption::owed_per_day(conn, merchant, days)?;
    let fen = days
        .iter()
        .try_fold(Fen::ZERO, |sum, day| sum.plus(day.fen))?;
    Ok(MerchantStatement {
        lines,
        next,
        vouchers: days.iter().map(|day| day.vouchers).sum(),
        fen,
        days,
    })
}
