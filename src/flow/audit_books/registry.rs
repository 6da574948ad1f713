//! Re-adding the registry's books from their rows: every difference is named, nothing is changed.

use uuid::Uuid;

use crate::domain::verification::PeriodState;
use crate::flow::FlowResult;
use crate::flow::period_root::period_root;
use crate::store::registry::{self, BlockRow, IssuanceRow};
use crate::store::verification::{self, PeriodRow};
use crate::store::{Conn, market};

use super::{Check, Difference};

/// Rows read at once.
const PAGE: i64 = 1_000;

/// Every rule, in the order in which they are told; a rule with nothing to look at is told too.
const RULES: [&str; 14] = [
    "sum of members",
    "number of members",
    "root of members",
    "carried in",
    "tonnes issued",
    "root issued",
    "serials follow each other",
    "blocks without gap or overlap",
    "record of the block's end",
    "issued = held + listed + retired + cancelled",
    "tonnes frozen",
    "sum of settled trades",
    "title moves once",
    "as many title moves as trades",
];

/// One check a rule, filled as rows are compared.
struct Books(Vec<Check>);

/// Checks periods, issuances, blocks, listings and trades against each other.
///
/// # Errors
/// A query failed, or rows are corrupt.
pub(super) fn check(
    conn: &mut Conn,
    progress: &mut impl FnMut(&'static str),
) -> FlowResult<Vec<Check>> {
    let mut books = Books::new();
    progress("monitoring periods");
    check_periods(conn, &mut books)?;
    progress("issuances and blocks");
    check_issuances(conn, &mut books)?;
    progress("listings");
    check_listings(conn, &mut books)?;
    progress("trades");
    check_trades(conn, &mut books)?;
    Ok(books.0)
}

impl Books {
    fn new() -> Books {
        let check = |book| Check {
            book,
            looked_at: 0,
            difference: None,
        };
        Books(RULES.into_iter().map(check).collect())
    }

    fn compare(&mut self, subject: &str, rule: &'static str, expected: String, found: String) {
        let Some(check) = self.0.iter_mut().find(|check| check.book == rule) else {
            // A rule that the list forgot is still checked and told.
            self.0.push(Check {
                book: rule,
                looked_at: 0,
                difference: None,
            });
            return self.compare(subject, rule, expected, found);
        };
        check.looked_at += 1;
        if expected != found && check.difference.is_none() {
            check.difference = Some(Difference {
                book: rule,
                place: subject.to_owned(),
                expected,
                found,
            });
        }
    }
}

fn check_periods(conn: &mut Conn, books: &mut Books) -> FlowResult<()> {
    let mut after = None;
    loop {
        let page = verification::periods(conn, None, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id.0);
        for period in &page {
            if period.state()? != PeriodState::Open {
                check_period(conn, period, books)?;
            }
        }
    }
}

fn check_period(conn: &mut Conn, period: &PeriodRow, books: &mut Books) -> FlowResult<()> {
    let id = period.id.0;
    let subject = format!("period {id}");
    let counted = verification::sum_members(conn, id)?;
    let root = period_root(conn, id)?;
    let earlier = verification::last_period(conn, period.scene_id, period.no)?;
    let earlier = earlier.and_then(|p| p.carried_out_mg).unwrap_or(0);
    let mut same = |rule, expected: Option<String>, got: String| {
        books.compare(&subject, rule, expected.unwrap_or_default(), got);
    };
    let text = |n: Option<i64>| n.map(|n| n.to_string());
    same(
        "sum of members",
        text(period.sum_mg),
        counted.sum_mg.to_string(),
    );
    same(
        "number of members",
        text(period.members),
        counted.members.to_string(),
    );
    same(
        "root of members",
        period.root.as_ref().map(hex::encode),
        hex::encode(root),
    );
    same(
        "carried in",
        text(period.carried_in_mg),
        earlier.to_string(),
    );
    if let Some(issuance) = registry::issuance_of_period(conn, id)? {
        let issued = issuance.last_serial - issuance.first_serial + 1;
        same("tonnes issued", text(period.accepted_t), issued.to_string());
        same(
            "root issued",
            period.root.as_ref().map(hex::encode),
            hex::encode(&issuance.root),
        );
    } else if period.state()? == PeriodState::Issued {
        same(
            "tonnes issued",
            text(period.accepted_t),
            "no issuance".to_owned(),
        );
    }
    Ok(())
}

fn check_issuances(conn: &mut Conn, books: &mut Books) -> FlowResult<()> {
    let mut next = 1;
    let mut after = 0;
    loop {
        let page = registry::issuances(conn, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.first_serial;
        for issuance in &page {
            let subject = format!("issuance {}", issuance.id.0);
            let (first, rule) = (issuance.first_serial, "serials follow each other");
            books.compare(&subject, rule, next.to_string(), first.to_string());
            next = issuance.last_serial + 1;
            check_blocks(conn, issuance, &subject, books)?;
        }
    }
}

/// Live blocks stand end to end over the issuance, so issued = held + listed + retired + cancelled;
/// retired and cancelled blocks have exactly one record.
fn check_blocks(
    conn: &mut Conn,
    issuance: &IssuanceRow,
    subject: &str,
    books: &mut Books,
) -> FlowResult<()> {
    let mut expected = issuance.first_serial;
    let mut after = 0;
    loop {
        let page = registry::live_blocks(conn, Some(issuance.id.0), after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.first_serial;
        for block in &page {
            let (first, rule) = (block.first_serial, "blocks without gap or overlap");
            books.compare(subject, rule, expected.to_string(), first.to_string());
            expected = block.last_serial + 1;
            check_end(conn, block, books)?;
        }
    }
    let (end, rule) = (
        issuance.last_serial + 1,
        "issued = held + listed + retired + cancelled",
    );
    books.compare(subject, rule, end.to_string(), expected.to_string());
    Ok(())
}

fn check_end(conn: &mut Conn, block: &BlockRow, books: &mut Books) -> FlowResult<()> {
    let ended = registry::ended(conn, block.id.0)?;
    let expected = match block.state.as_str() {
        state @ ("retired" | "cancelled") => {
            format!("{state} {}-{}", block.first_serial, block.last_serial)
        }
        _ => String::new(),
    };
    let subject = format!("block {}", block.id.0);
    books.compare(&subject, "record of the block's end", expected, ended);
    Ok(())
}

fn check_listings(conn: &mut Conn, books: &mut Books) -> FlowResult<()> {
    let mut after = None;
    loop {
        let page = market::listings(conn, None, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id.0);
        for row in &page {
            let listing = row.listing()?;
            let block = registry::listed_block(conn, listing.id)?;
            let frozen = block.map_or(0, |block| block.range.tonnes().0);
            let subject = format!("listing {}", listing.id);
            let expected = listing.frozen().0.to_string();
            books.compare(&subject, "tonnes frozen", expected, frozen.to_string());
            let (filled, proceeds) = market::settled_sums(conn, listing.id)?;
            let booked = format!("{} t {} fen", listing.filled.0, listing.proceeds.0);
            let sums = format!("{filled} t {proceeds} fen");
            books.compare(&subject, "sum of settled trades", booked, sums);
        }
    }
}

/// Settled trades and title moves are one to one, with the same quantity and buyer.
fn check_trades(conn: &mut Conn, books: &mut Books) -> FlowResult<()> {
    let mut after = 0;
    let mut settled = 0u64;
    loop {
        let page = market::trades(conn, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.report_seq;
        for trade in &page {
            let moved = registry::act_of_trade(conn, &trade.id)?.map(|act| {
                let tonnes = act.last_serial - act.first_serial + 1;
                format!("{tonnes} t to {:?}", act.to_holder.map(|id| id.0))
            });
            let expected = (trade.state == "settled").then(|| {
                settled += 1;
                format!(
                    "{} t to {:?}",
                    trade.quantity_t,
                    trade.buyer_id.map(|id| id.0)
                )
            });
            let subject = format!("trade {}", trade.id);
            let none = || "no title move".to_owned();
            let (expected, moved) = (expected.unwrap_or_else(none), moved.unwrap_or_else(none));
            books.compare(&subject, "title moves once", expected, moved);
        }
    }
    let moves = count_title_moves(conn)?;
    books.compare(
        "trades",
        "as many title moves as trades",
        settled.to_string(),
        moves.to_string(),
    );
    Ok(())
}

fn count_title_moves(conn: &mut Conn) -> FlowResult<u64> {
    let mut after = Uuid::nil();
    let mut moves = 0;
    loop {
        let page = registry::title_moves(conn, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(moves);
        };
        after = last.id.0;
        moves += page.len() as u64;
    }
}
