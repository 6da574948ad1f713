//! Re-adding all books: what `tanpuhui audit` does. Reads only; names the first difference of
//! each check, so that a person can go and look.

mod chain;
mod ledger;
mod log;
mod registry;

pub use log::LogGround;

use crate::store::Conn;

use super::FlowResult;

/// One place where the books disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The check that failed: `lots = entries`.
    pub book: &'static str,
    /// Which row.
    pub place: String,
    pub expected: String,
    pub found: String,
}

/// What one check looked at and what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub book: &'static str,
    /// Rows, leaves or acts that were read.
    pub looked_at: u64,
    /// The first difference, if any.
    pub difference: Option<Difference>,
}

/// Runs every check; `progress` is told the name of each before it starts.
///
/// # Errors
/// The store failed; a difference is not an error.
pub fn audit(
    conn: &mut Conn,
    ground: &LogGround<'_>,
    mut progress: impl FnMut(&'static str),
) -> FlowResult<Vec<Check>> {
    let mut checks = without_log(conn, &mut progress)?;
    progress(log::BOOK);
    let log = log::check(conn, ground)?;
    // The chain of acts, the plainest of all, is told last.
    let acts = checks.len() - 1;
    checks.insert(acts, log);
    Ok(checks)
}

/// Every check but that of the public log, which needs the log's keys.
///
/// # Errors
/// As [`audit`].
pub fn audit_without_log(
    conn: &mut Conn,
    mut progress: impl FnMut(&'static str),
) -> FlowResult<Vec<Check>> {
    without_log(conn, &mut progress)
}

/// The checks of periods, serial numbers, listings and trades alone.
///
/// # Errors
/// As [`audit`].
pub fn registry_books(conn: &mut Conn) -> FlowResult<Vec<Check>> {
    registry::check(conn, &mut |_| ())
}

fn without_log(conn: &mut Conn, progress: &mut impl FnMut(&'static str)) -> FlowResult<Vec<Check>> {
    let mut checks = points(conn, progress)?;
    checks.extend(registry::check(conn, progress)?);
    progress(chain::BOOK);
    checks.push(chain::check(conn)?);
    Ok(checks)
}

/// The checks of points, vouchers and stock alone.
///
/// # Errors
/// As [`audit`].
pub fn points_books(conn: &mut Conn) -> FlowResult<Vec<Check>> {
    points(conn, &mut |_| ())
}

fn points(conn: &mut Conn, progress: &mut impl FnMut(&'static str)) -> FlowResult<Vec<Check>> {
    let mut checks = Vec::new();
    for (name, check) in ledger::CHECKS {
        progress(name);
        checks.push(check(conn, name)?);
    }
    Ok(checks)
}
