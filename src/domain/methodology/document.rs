//! The shape of the two kinds of document, as TOML is read: names and spans, not yet checked.
//!
//! Numbers with a fraction are strings (`"46.8"`), so that no binary float comes between the
//! issued text and the sum; dates are strings too. Unknown keys are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::grade::Grade;

pub(crate) type Names<T> = BTreeMap<String, T>;

#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub kind: Spanned<String>,
    pub format: Spanned<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MethodologyDocument {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "format")]
    _format: i64,
    pub identity: Identity,
    pub effect: Effect,
    pub scope: Scope,
    #[serde(default)]
    pub text: Text,
    #[serde(default)]
    pub inputs: Names<Spanned<InputEntry>>,
    #[serde(default)]
    pub parameters: Names<Spanned<ParameterEntry>>,
    #[serde(default)]
    pub tables: Names<Spanned<TableEntry>>,
    #[serde(default)]
    pub curves: Names<Spanned<CurveEntry>>,
    #[serde(default)]
    pub sets: Names<Vec<String>>,
    #[serde(default)]
    pub calendars: Names<Spanned<CalendarEntry>>,
    pub period: Option<Spanned<PeriodEntry>>,
    #[serde(default)]
    pub applicability: Vec<CheckEntry>,
    #[serde(default)]
    pub derived: Names<Spanned<String>>,
    pub formula: FormulaEntry,
    #[serde(default)]
    pub deductions: Names<Spanned<DeductionEntry>>,
    pub evidence: Option<Spanned<EvidenceEntry>>,
    pub conservativeness: Option<Spanned<ParameterEntry>>,
    pub year_end: Option<CheckEntry>,
    #[serde(default)]
    pub claims: ClaimsEntry,
    #[serde(default)]
    pub go_live: GoLiveEntry,
    #[serde(default)]
    pub examples: Vec<Spanned<ExampleEntry>>,
    #[serde(default)]
    pub sources: Vec<SourceEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactorTableDocument {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(rename = "format")]
    _format: i64,
    pub identity: Identity,
    pub effect: Effect,
    pub table: Spanned<TableEntry>,
    #[serde(default, rename = "sources")]
    _sources: Vec<SourceEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    pub code: Spanned<String>,
    pub version: Spanned<String>,
    pub title_zh: String,
    pub title_en: String,
    #[serde(default)]
    pub issuer: String,
    #[serde(default)]
    pub document_no: String,
    #[serde(default)]
    pub published: String,
    #[serde(default)]
    pub text_grade: Option<Grade>,
    #[serde(default)]
    pub note: String,
    #[serde(default)]
    pub note_zh: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Effect {
    pub from: Spanned<String>,
    pub to: Option<Spanned<String>>,
    pub zone: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    pub region: String,
    pub scene: String,
    pub subject: Spanned<String>,
    pub quantity_kind: Spanned<String>,
    #[serde(default = "no_gwp_set")]
    pub gwp_set: Spanned<String>,
    pub period: Spanned<String>,
}

fn no_gwp_set() -> Spanned<String> {
    Spanned::new(0..0, String::new())
}

/// The prose slots: for people, carried unchanged.
#[derive(Debug, Clone, Default, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Text {
    pub boundary: String,
    pub baseline: String,
    pub project: String,
    pub inclusiveness: String,
    pub additionality: String,
    pub double_counting: String,
    pub aggregation: String,
    pub exclusions: Vec<String>,
    pub monitoring: Vec<String>,
    pub verification: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputEntry {
    #[serde(rename = "type")]
    pub form: Spanned<String>,
    pub unit: Option<Spanned<String>>,
    #[serde(default)]
    pub accepts: Vec<Spanned<String>>,
    #[serde(default = "yes")]
    pub required: bool,
    pub default: Option<Spanned<String>>,
    pub min: Option<Spanned<String>>,
    pub max: Option<Spanned<String>>,
    #[serde(default)]
    pub values: Vec<String>,
    pub over: Option<Spanned<String>>,
    /// How the records of one period become one value.
    pub combine: Option<Spanned<String>>,
    /// `days`: a record of several days counts evenly over them.
    pub spread: Option<Spanned<String>>,
    /// `start` or `end`: the latest statement by then, however old.
    pub as_of: Option<Spanned<String>>,
    #[serde(default)]
    pub zh: String,
    #[serde(default)]
    pub en: String,
    #[serde(default)]
    pub evidence: String,
}

/// Seasons, hours or listed days.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarEntry {
    pub form: Spanned<String>,
    pub bands: Vec<BandEntry>,
    /// For dates: the word of every day that is not listed.
    pub otherwise: Option<String>,
    /// Where it is stated, the bands are weighed as a value is; else they are the text's.
    pub grade: Option<Grade>,
    #[serde(default, rename = "source")]
    _source: String,
    #[serde(default)]
    pub note: String,
    #[serde(default)]
    pub note_zh: String,
}

impl CalendarEntry {
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let bands = self.bands.iter().map(|band| band.name.as_str());
        bands.chain(self.otherwise.as_deref())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BandEntry {
    pub name: String,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub to: String,
    #[serde(default)]
    pub dates: Vec<String>,
}

/// How the records of a period are gathered.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PeriodEntry {
    /// First and last day of a campaign.
    pub from: Option<Spanned<String>>,
    pub to: Option<Spanned<String>>,
    /// `every_day`, `whole`: a period with a day, an instant without record is refused; `any`.
    pub complete: Option<Spanned<String>>,
}

/// A part of the reduction that is not credited (扣减), a term of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeductionEntry {
    /// In the unit of the reduction, or without unit: then a share of it.
    pub take: Spanned<String>,
    #[serde(default, rename = "zh")]
    _zh: String,
    #[serde(default, rename = "en")]
    _en: String,
}

/// What a kind of evidence is worth (证据等级).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceEntry {
    /// What a record that does not say counts as; without it such a record is refused.
    pub default: Option<Spanned<String>>,
    pub levels: Names<Spanned<ParameterEntry>>,
}

fn yes() -> bool {
    true
}

/// Where a value comes from; a row of a table may give its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParameterEntry {
    pub value: Option<Spanned<String>>,
    pub unit: Spanned<String>,
    pub year: Option<i64>,
    pub grade: Option<Grade>,
    #[serde(default)]
    pub source: String,
    #[serde(default)]
    pub document_no: String,
    #[serde(default, rename = "retrieved")]
    _retrieved: String,
    #[serde(default)]
    pub evidence_sha256: String,
    #[serde(default)]
    pub note: String,
    #[serde(default)]
    pub note_zh: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableEntry {
    /// Another document's table, by code; then `versions` pins which of its versions are used.
    pub from: Option<Spanned<String>>,
    #[serde(default)]
    pub versions: Vec<Spanned<String>>,
    /// The key column that may fall back along the table's `parents`.
    pub fallback: Option<Spanned<String>>,
    #[serde(default)]
    pub keys: Vec<String>,
    pub unit: Option<Spanned<String>>,
    pub year: Option<i64>,
    pub grade: Option<Grade>,
    #[serde(default)]
    pub source: String,
    #[serde(default)]
    pub document_no: String,
    #[serde(default, rename = "retrieved")]
    _retrieved: String,
    #[serde(default)]
    pub evidence_sha256: String,
    #[serde(default)]
    pub note: String,
    #[serde(default)]
    pub note_zh: String,
    /// From a key to the wider key that stands in for it.
    #[serde(default)]
    pub parents: Names<String>,
    #[serde(default)]
    pub rows: Vec<Spanned<RowEntry>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowEntry {
    pub key: Vec<String>,
    pub value: Option<Spanned<String>>,
    /// Where it is not the table's.
    pub unit: Option<Spanned<String>>,
    #[serde(default)]
    pub name: String,
    pub from: Option<Spanned<String>>,
    pub to: Option<Spanned<String>>,
    pub year: Option<i64>,
    pub grade: Option<Grade>,
    pub source: Option<String>,
    pub document_no: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CurveEntry {
    pub form: Spanned<String>,
    pub x_unit: Spanned<String>,
    pub y_unit: Spanned<String>,
    pub points: Vec<[Spanned<String>; 2]>,
    /// For steps: which end of a band belongs to it, `lower` or `upper`.
    pub closed: Option<Spanned<String>>,
    /// Outside the points: `refuse` or `hold`.
    pub ends: Spanned<String>,
    pub year: Option<i64>,
    pub grade: Option<Grade>,
    #[serde(default)]
    pub source: String,
    #[serde(default)]
    pub document_no: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckEntry {
    pub require: Spanned<String>,
    pub otherwise: Spanned<String>,
    pub reason: String,
    #[serde(default)]
    pub zh: String,
    #[serde(default)]
    pub en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormulaEntry {
    pub baseline: Option<Spanned<String>>,
    pub project: Option<Spanned<String>>,
    pub leakage: Option<Spanned<String>>,
    pub discount: Option<Spanned<String>>,
    pub reduction: Spanned<String>,
    pub unit: Spanned<String>,
    pub round: Option<RoundEntry>,
    /// `refuse` or `allow`.
    pub negative: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoundEntry {
    pub mode: Spanned<String>,
    pub place: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClaimsEntry {
    pub exclusivity_keys: Vec<Spanned<Vec<String>>>,
    pub overlap: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GoLiveEntry {
    /// How many different reviewers must sign each item that needs one.
    pub reviewers: usize,
    #[serde(rename = "note")]
    _note: String,
}

impl Default for GoLiveEntry {
    fn default() -> GoLiveEntry {
        GoLiveEntry {
            reviewers: 1,
            _note: String::new(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleEntry {
    pub name: String,
    pub at: Spanned<String>,
    #[serde(default)]
    pub inputs: Names<Spanned<String>>,
    /// The periods before, for methodologies that look back.
    #[serde(default)]
    pub before: Vec<PastEntry>,
    /// Parameter values for this example alone, where the document leaves one blank.
    #[serde(default)]
    pub assume: Names<Spanned<String>>,
    pub result: Option<Spanned<String>>,
    /// `exact`, or `printed`: rounded half up to the places that the expected value has.
    pub compare: Option<Spanned<String>>,
    pub reduction_mg: Option<i64>,
    pub refused: Option<String>,
    #[serde(default, rename = "source")]
    _source: String,
}

/// One period before an example's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PastEntry {
    pub at: Spanned<String>,
    pub inputs: Names<Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    pub title: String,
    #[serde(default)]
    pub url: String,
    pub grade: Grade,
    #[serde(default)]
    pub sha256: String,
}
