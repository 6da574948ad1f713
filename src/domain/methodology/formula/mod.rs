//! The formula language: text to tree and back.
//!
//! ```text
//! expression  if C then X else Y | case A when "k" then X … else Y | sum(m in set: X) | operators
//! operators   or < and < not < (== != < <= > >=) < (+ -) < (* /) < unary - < ^
//! operands    12.5 km | "text" | true | name | table[key, …] | call(x, …) | (X)
//! calls       min max clamp floor round present, and the document's own curves
//! ```
//!
//! A unit is written behind its number without spaces inside (`0 kgCO2/kWh`); division has
//! spaces around it (`44 kgCO2 / 12 kgC`). There are no loops, no recursion, no clock and no
//! input but the named ones, and a text is bounded in length, depth and size.

mod ast;
mod parse;
mod print;
mod token;

use crate::domain::problem::Detail;

pub(crate) use ast::{Comparison, Expression, Form, Operator};
pub(crate) use parse::parse;

#[cfg(test)]
mod tests;

/// Longest formula text, in bytes.
pub const MAX_SOURCE: usize = 4_096;
/// Deepest nesting of a formula.
pub const MAX_DEPTH: usize = 48;
/// Most nodes in all formulas of a document, after sums are written out.
pub const MAX_NODES: usize = 4_000;

/// What is wrong with a formula, and where: byte offsets into its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub from: usize,
    pub to: usize,
    pub message: Detail,
}

impl Fault {
    pub(crate) fn new(span: std::ops::Range<usize>, message: Detail) -> Fault {
        Fault {
            from: span.start,
            to: span.end,
            message,
        }
    }
}

/// A formula as it is printed: one spacing, and no parentheses that it does not need. Read again,
/// it is the same formula; one that only just fits may then be too deep, for an `if` within
/// another form is printed in parentheses.
///
/// # Errors
/// The first fault of the text.
pub fn printed(source: &str) -> Result<String, Fault> {
    Ok(parse(source)?.to_string())
}
