//! Methodologies (方法学): documents with a formula, units, parameters and their sources, compiled
//! once and evaluated exactly. See `methodologies/README.md` for how a document is written.

mod calendar;
mod check;
mod claim_texts;
mod combine;
mod compile;
mod compiled;
mod coverage;
mod curve;
mod defect;
mod dictionary;
mod difference;
mod document;
mod embedded;
mod example;
mod explanation;
mod factor_table;
mod fault;
pub mod formula;
mod gate;
mod gather;
mod grade;
mod gwp;
pub mod import;
mod input;
mod library;
mod look_back;
mod meters;
mod net;
mod program;
mod reach;
mod slots;
mod table;
mod table_builder;
mod trial;

#[cfg(test)]
mod edge_tests;
#[cfg(test)]
mod feed_tests;
#[cfg(test)]
mod gather_tests;
#[cfg(test)]
mod look_back_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use compiled::{ClaimPart, Compiled, Overlap, Period, Quantified, Refusal, Verdict};
pub use defect::Defect;
pub use difference::{Difference, Part, at_any_time, differences};
pub use document::{SourceEntry, Text};
pub use embedded::DOCUMENTS as EMBEDDED_DOCUMENTS;
pub use example::{ExampleResult, parse_time};
pub use explanation::{
    Amount, CheckResult, CurveReading, Explanation, FallbackStep, FormulaText, InputValue,
    LookBackReading, LookUp, Named, ParameterValue, PastValue, Provenance, RoundingStep, Step,
};
pub use factor_table::{FactorTable, Window, start_of_day};
pub use gate::{Blocker, SignOffs, Standing};
pub use gather::Span;
pub use grade::{Demand, Grade};
pub use input::{Input, InputSummary};
pub use library::Library;
pub use look_back::Series;
pub use program::Scratch;
pub use trial::{Trial, Tried};
