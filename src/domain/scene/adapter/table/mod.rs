//! `table`: any table that a scene describes, as delimited text or as a workbook (XLSX), for
//! partners whose trade has no standard feed.
//!
//! The scene's settings say which column is what ([`mapping`]); they are understood as a whole
//! when the scene opens, and no file can change them. See `docs/adapters/table.md`.

use std::io::BufRead;

use super::{Adapter, Options, Outcome, Seen};
use crate::domain::problem::Problem;
use mapping::{Format, Mapping};

mod attribute;
mod clock;
mod columns;
mod delimited;
mod identity;
mod length;
mod mapping;
mod numeral;
mod pattern;
mod quantity;
mod reading;
mod row;
mod section;
mod serial;
mod times;
mod workbook;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "table",
    default_zone: chrono_tz::Asia::Shanghai,
    derived: &[],
    check,
    read,
};

fn check(options: &Options) -> Result<(), Problem> {
    Mapping::declared(options).map(|_| ())
}

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mapping = Mapping::declared(options)?;
    match &mapping.format {
        Format::Csv { delimiter } => delimited::read(source, &mapping, *delimiter, sink),
        Format::Xlsx { sheet } => workbook::read(source, &mapping, sheet.as_deref(), sink),
    }
}

#[cfg(test)]
mod tests;
