//! The points books: sums that must agree, each one query.

use crate::flow::FlowResult;
use crate::store::Conn;
use crate::store::ledger_sums::{self, Mismatch};
use crate::store::voucher_sums;

use super::{Check, Difference};

type Run = fn(&mut Conn, &'static str) -> FlowResult<Check>;

/// Each check's name says what must be equal.
pub(super) const CHECKS: [(&str, Run); 16] = [
    ("every transfer adds up to nothing", |conn, name| {
        check(conn, name, ledger_sums::TRANSFERS_BALANCE)
    }),
    ("lots = entries", |conn, name| {
        check(conn, name, ledger_sums::LOTS_EQUAL_ENTRIES)
    }),
    ("credits = reductions", |conn, name| {
        check(conn, name, ledger_sums::CREDITS_EQUAL_REDUCTIONS)
    }),
    ("batches = reductions", |conn, name| {
        check(conn, name, ledger_sums::BATCHES_EQUAL_REDUCTIONS)
    }),
    ("every reduction has a behaviour", |conn, name| {
        check(conn, name, ledger_sums::REDUCTIONS_HAVE_BEHAVIOURS)
    }),
    ("counter-entries = what they take back", |conn, name| {
        check(conn, name, ledger_sums::COUNTER_ENTRIES_MIRROR)
    }),
    ("cancelled before it came = claimed", |conn, name| {
        check(conn, name, ledger_sums::AWAITED_ARE_CLAIMED)
    }),
    ("shares = the whole", |conn, name| {
        check(conn, name, ledger_sums::SHARES_EQUAL_WHOLE)
    }),
    ("each share follows its weight", |conn, name| {
        check(conn, name, ledger_sums::SHARES_FOLLOW_WEIGHTS)
    }),
    ("periods = their reductions", |conn, name| {
        check(conn, name, ledger_sums::PERIODS_EQUAL_CREDITS)
    }),
    ("a subject's links follow each other", |conn, name| {
        check(conn, name, ledger_sums::LINKS_FOLLOW)
    }),
    ("held = vouchers issued", |conn, name| {
        check(conn, name, voucher_sums::HELD_EQUALS_VOUCHERS)
    }),
    ("a voucher's price = its lots", |conn, name| {
        check(conn, name, voucher_sums::PRICES_EQUAL_LOTS)
    }),
    ("every voucher has its transfers", |conn, name| {
        check(conn, name, voucher_sums::VOUCHERS_HAVE_TRANSFERS)
    }),
    ("every hold and its end have a voucher", |conn, name| {
        check(conn, name, voucher_sums::TRANSFERS_HAVE_VOUCHERS)
    }),
    ("stock gone = vouchers issued or used", |conn, name| {
        check(conn, name, voucher_sums::STOCK_EQUALS_VOUCHERS)
    }),
];

fn check(conn: &mut Conn, book: &'static str, sums: ledger_sums::Sums) -> FlowResult<Check> {
    let (looked_at, mismatch) = ledger_sums::compare(conn, sums)?;
    let difference = mismatch.map(
        |Mismatch {
             place,
             expected,
             found,
         }| Difference {
            book,
            place,
            expected: expected.to_string(),
            found: found.to_string(),
        },
    );
    Ok(Check {
        book,
        looked_at,
        difference,
    })
}
