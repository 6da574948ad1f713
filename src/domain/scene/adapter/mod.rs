//! Adapters (数据适配器): from a feed's own bytes to records, refusals and held rows. Each is a
//! pure, streaming function: it reads what it is given, in bounded memory, and opens nothing.
//!
//! One page each in `docs/adapters/`. All of them read UTF-8 (with or without BOM) and GBK
//! ([`encoding`]), and no line or element longer than [`ROW_MAX`].

use std::borrow::Cow;
use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Detail, Problem, detail};

mod citibike;
mod cloudevents;
mod csg_household;
mod distances;
mod encoding;
mod epcis;
mod freight_waybill;
mod gbt_32960;
mod gpx;
mod great_circle;
mod green_button;
mod ileap_tad;
mod json_records;
mod json_rows;
mod json_text;
mod lines;
mod local_time;
mod mds_trips;
pub mod native;
mod nem12;
mod ocpi_cdr;
mod pseudonym;
mod recycling_weigh;
mod resent;
mod scalar;
mod settings;
mod shenzhen_bike_order;
mod shenzhen_tong;
mod speed;
mod table;
mod xml;

pub use cloudevents::{Attributes as EventAttributes, Envelope, Event as CloudEvent};
pub use distances::DistanceTable;
pub use settings::Settings;

/// The longest line, array element or XML event that is read: 64 KiB. The longest real row seen
/// is under 1 KiB; a file of one endless line is refused before it fills the memory.
pub const ROW_MAX: usize = 64 * 1024;

/// Where in the file a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One-based line of a text file.
    Line(u64),
    /// Element of a JSON array: the array's RFC 6901 pointer, and the zero-based index.
    Item(&'static str, u64),
    /// RFC 6901 pointer into a JSON document, or element path of an XML document.
    Pointer(String),
}

impl Place {
    /// As [`fmt::Display`], in Chinese; a pointer is the same in any language.
    fn zh(&self) -> String {
        match self {
            Place::Line(number) => format!("第 {number} 行"),
            Place::Item(..) | Place::Pointer(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(number) => write!(f, "line {number}"),
            Place::Item(array, index) => write!(f, "{array}/{index}"),
            Place::Pointer(pointer) => f.write_str(pointer),
        }
    }
}

/// A row that cannot be used, with the field (`problem.param`) and the rule it breaks.
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

/// What the file said beside its records; empty for most adapters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Rows by kind, in the adapter's order: `entries` 64, `exits` 26.
    pub counts: Vec<(&'static str, u64)>,
    /// Exact sums over all rows read, of quantities that no record carries: `fare` in `fen`.
    pub totals: Vec<Quantity>,
}

/// What a scene declares about its feed.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The zone of times without an offset; the adapter's own default when absent.
    pub zone: Option<Tz>,
    /// Distances from station to station, or from division to division, for feeds that state none.
    pub distances: Option<Arc<DistanceTable>>,
    /// Whatever else the adapter asks for.
    pub settings: Settings,
}

/// Reads one file; hands each outcome to the sink as soon as it is known.
///
/// # Errors
/// The file as a whole cannot be read (wrong encoding, not the format, truncated): the caller
/// drops what came before.
pub type Read = fn(&mut dyn BufRead, &Options, &mut dyn FnMut(Outcome)) -> Result<Seen, Problem>;

/// One feed format.
#[derive(Debug, Clone, Copy)]
pub struct Adapter {
    pub name: &'static str,
    /// The zone of times without an offset, unless the scene says otherwise.
    pub default_zone: Tz,
    /// Quantities that the adapter derives itself, with the decimal places to which a sum of
    /// them means anything (half-even). Every other total is exact.
    pub derived: &'static [(&'static str, u32)],
    /// Whether a scene's declarations are all that the adapter needs, and nothing it does not
    /// know: asked when the scene is opened, before any file is read.
    pub check: fn(&Options) -> Result<(), Problem>,
    pub read: Read,
}

impl Adapter {
    /// Whether each file must hold whole days, as the scene declares it: a part of a day would earn
    /// again what came before it.
    pub fn needs_whole_days(&self, options: &Options) -> bool {
        self.name == recycling_weigh::ADAPTER.name && recycling_weigh::needs_whole_days(options)
    }
}

/// In the order of the documentation.
const ADAPTERS: &[Adapter] = &[
    citibike::ADAPTER,
    shenzhen_tong::ADAPTER,
    shenzhen_bike_order::ADAPTER,
    mds_trips::ADAPTER,
    gpx::ADAPTER,
    green_button::ADAPTER,
    ocpi_cdr::ADAPTER,
    gbt_32960::ADAPTER,
    nem12::ADAPTER,
    csg_household::ADAPTER,
    freight_waybill::ADAPTER,
    epcis::ADAPTER,
    recycling_weigh::ADAPTER,
    native::ADAPTER,
    table::ADAPTER,
    ileap_tad::ADAPTER,
];

/// The adapter of that name.
pub fn by_name(name: &str) -> Option<Adapter> {
    all().iter().find(|adapter| adapter.name == name).copied()
}

/// Every adapter, in the order of the documentation.
pub fn all() -> &'static [Adapter] {
    ADAPTERS
}

/// For adapters that ask for nothing but what every scene has.
fn no_settings(options: &Options) -> Result<(), Problem> {
    options.settings.only(&[])
}

fn refused(place: Place, problem: Problem) -> Outcome {
    Outcome::Refused(Refused { place, problem })
}

/// A row that has not its format's shape.
fn malformed(detail: Detail) -> Problem {
    Problem {
        code: Code::RowMalformed,
        param: None,
        detail,
    }
}

/// The file's last row breaks off: what came before it may lack a part as well.
fn torn(place: &Place) -> Problem {
    Problem::at(
        Code::FileTruncated,
        place.to_string(),
        detail!("最后一行不完整", "a torn row"),
    )
}

/// A name known to the methodologies costs no allocation.
fn interned(name: &str) -> Cow<'static, str> {
    const KNOWN: &[&str] = &[
        "distance",
        "km",
        "m",
        "electricity",
        "kWh",
        "gas",
        "m3",
        "mass",
        "kg",
        "t",
        "mode",
        "metro",
        "meter",
        "from_station",
        "to_station",
        "line",
        "vehicle",
        "count",
        "1",
    ];
    match KNOWN.iter().find(|known| **known == name) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(name.to_owned()),
    }
}

#[cfg(test)]
mod tests;
