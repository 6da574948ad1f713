//! `shenzhen-tong`: card taps (刷卡) of Shenzhen Tong, as the city's open-data platform serves
//! them and as they are passed on: pages `{"total":…,"data":[…]}` (one, or one a line), JSON lines,
//! or CSV with a Chinese or English header or in one of the orders known without one ([`columns`]).
//!
//! A tap is no trip: entries and exits are paired by card ([`pairing`]), the distance comes from
//! the scene's table, and what has no partner, no alighting or no distance is held. See
//! `docs/adapters/shenzhen-tong.md`.

use std::io::BufRead;

use super::encoding::{Decoded, problem_of};
use super::json_rows::{DATA, JsonRows};
use super::lines::Lines;
use super::{Adapter, Options, Outcome, Place, Seen};
use crate::domain::problem::Problem;

mod book;
mod clock;
mod columns;
mod declared;

mod names;
mod pairing;
mod reader;
mod row;

use declared::Declared;

use reader::Reader;

/// The entry in the list of adapters.
pub(super) const ADAPTER: Adapter = Adapter {
    name: "shenzhen-tong",
    default_zone: chrono_tz::Asia::Shanghai,
    derived: &[],
    check: |options| Declared::read(&options.settings).map(drop),
    read,
};

pub(super) fn read(
    source: &mut dyn BufRead,
    options: &Options,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    let mut decoded = Decoded::new(source);
    let start = decoded
        .fill_buf()
        .map_err(problem_of)?
        .trim_ascii_start()
        .first()
        .copied();
    let mut reader = Reader::new(options)?;
    match start {
        Some(b'{' | b'[') => reader.read_json(JsonRows::new(decoded, DATA)?.pages(), sink)?,
        _ => reader.read_csv(Lines::new(decoded), sink)?,
    }
    Ok(reader.finish(sink))
}

/// How rows are counted: as elements of an array, or as lines.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Array(&'static str),
    Lines,
}

impl Layout {
    fn place(self, row: u64) -> Place {
        match self {
            Layout::Array(pointer) => Place::Item(pointer, row),
            Layout::Lines => Place::Line(row),
        }
    }
}

#[cfg(test)]
mod tests;
