//! Re-adding all books: what `tanpuhui audit` does. Reads only; names the first difference of
//! each check, so that a person can go and look.

mod chain;
mod ledger;
mod log;

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
    let mut checks = points(conn, &mut progress)?;
    progress(log::BOOK);
    checks.push(log::check(conn, ground)?);
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
