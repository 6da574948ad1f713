//! Adapters: from a feed's own bytes to records, refusals and held rows. Each is a pure,
//! streaming function: it reads what it is given, in bounded memory, and opens nothing.

use std::io::BufRead;

use chrono_tz::Tz;

use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem};

/// Where in the file a row stands: `line 12`, or a pointer such as `/data/3/station`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One-based line of a text file.
    Line(u64),
    /// RFC 6901 pointer into a JSON document, or element path of an XML document.
    Pointer(String),
}

/// A row that cannot be used, with the field and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub place: Place,
    pub problem: Problem,
}

/// A row that is sound but cannot be used yet: a tap whose partner tap is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub place: Place,
    pub code: Code,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Record(Place, Record),
    Refused(Refused),
    Held(Held),
}

/// What a scene declares about its feed.
#[derive(Debug, Clone)]
pub struct Options {
    /// The zone of times without an offset.
    pub zone: Tz,
}

/// Reads one file; hands each outcome to `sink` as soon as it is known.
///
/// # Errors
/// The file as a whole cannot be read (wrong encoding, not the format, truncated): nothing after
/// that point was handed out, and the caller drops what came before.
pub type Read = fn(&mut dyn BufRead, &Options, &mut dyn FnMut(Outcome)) -> Result<(), Problem>;
