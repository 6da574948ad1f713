//! A methodology, frozen and compiled: what ingestion calls for every record.

use chrono::Datelike;
use rust_decimal::Decimal;
use serde::Serialize;
use toml::Spanned;

use super::dictionary::Dictionary;
use super::document::{ExampleEntry, Identity, SourceEntry, Text};
use super::factor_table::Window;
use super::gather::Gathering;
use super::grade::Grade;
use super::input::{Input, bind, bind_past};
use super::program::{Evaluation, Listen, LogicId, NodeId, Program, Scratch, Silent};
use super::table::{Key, NoteText, Origin, Table};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::unit::{Conversion, MgCo2e, Unit, rounding};

/// A methodology (方法学), frozen: code, version and hash.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub(crate) file: String,
    pub(crate) text_of_file: String,
    pub(crate) identity: Identity,
    pub(crate) sha256: String,
    pub(crate) window: Window,
    pub(crate) region: String,
    pub(crate) scene: String,
    pub(crate) subject: String,
    pub(crate) quantity_kind: String,
    pub(crate) gwp_set: String,
    pub(crate) period: Period,
    /// Set where records are gathered into periods instead of standing for one each.
    pub(crate) gathering: Option<Gathering>,
    pub(crate) prose: Text,
    pub(crate) sources: Vec<SourceEntry>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) parameter_values: Vec<Option<Decimal>>,
    /// Code, version and hash of each pinned factor table.
    pub(crate) pinned: Vec<(String, String, String)>,
    pub(crate) dictionary: Dictionary,
    pub(crate) program: Program,
    pub(crate) applicability: Vec<ApplicabilityCheck>,
    /// What the year's end asks of a subject.
    pub(crate) year_end: Option<ApplicabilityCheck>,
    pub(crate) result: NodeId,
    pub(crate) result_unit: Unit,
    pub(crate) to_mg: Conversion,
    /// Whether a result below zero is carried rather than refused.
    pub(crate) negative: bool,
    pub(crate) claims: Vec<Vec<ClaimPart>>,
    pub(crate) overlap: Option<Overlap>,
    pub(crate) reviewers: usize,
    pub(crate) examples: Vec<Spanned<ExampleEntry>>,
    /// Name and text of each formula.
    pub(crate) formula_text: Vec<(String, String)>,
}

/// A constant of the methodology (参数).
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub name: String,
    /// Blank in a draft.
    pub value: Option<Decimal>,
    pub unit: Unit,
    pub origin: Origin,
}

/// An applicability condition (适用条件), evaluated before the formula.
#[derive(Debug, Clone)]
pub(crate) struct ApplicabilityCheck {
    pub logic: LogicId,
    pub text: String,
    pub verdict: Verdict,
    pub reason: String,
    pub zh: String,
    pub en: String,
}

/// What a condition that is not met means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ineligible,
    NeedsReview,
}

/// What of one subject excludes each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// A person cannot be in two trips at once.
    PersonTime,
}

/// What one record stands for (核算周期).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Event,
    Day,
    Month,
    /// The record's own span, as on a bill (计费周期).
    Billing,
    /// A window that the document states (活动期).
    Campaign,
    Year,
}

/// A part of an exclusivity key. Day, month and year are those of the record's start in the
/// document's zone; a month and a year stand for each of their days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimPart {
    Subject,
    Attribute(String),
    Day,
    Month,
    Year,
    /// The exact start of the act.
    From,
}

/// What a record earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantified {
    /// Rounded toward zero to whole milligrams.
    pub reduction_mg: MgCo2e,
}

/// Why a record earns nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The methodology does not apply; the problem's `param` is the document's reason code.
    Ineligible(Problem),
    /// A person must look; the problem's `param` is the document's reason code.
    NeedsReview(Problem),
    /// The record or a factor is missing something.
    Problem(Problem),
}

impl Refusal {
    pub fn problem(&self) -> &Problem {
        match self {
            Refusal::Ineligible(problem)
            | Refusal::NeedsReview(problem)
            | Refusal::Problem(problem) => problem,
        }
    }

    /// The document's own reason where it has one, else the problem's code.
    pub fn reason(&self) -> &str {
        match self {
            Refusal::Ineligible(problem) | Refusal::NeedsReview(problem) => {
                problem.param.as_deref().unwrap_or(problem.code.as_str())
            }
            Refusal::Problem(problem) => problem.code.as_str(),
        }
    }

    pub fn into_problem(self) -> Problem {
        match self {
            Refusal::Ineligible(problem)
            | Refusal::NeedsReview(problem)
            | Refusal::Problem(problem) => problem,
        }
    }
}

impl Compiled {
    pub fn code(&self) -> &str {
        self.identity.code.get_ref()
    }

    pub fn version(&self) -> &str {
        self.identity.version.get_ref()
    }

    /// Code and version: `sz-public-transport@2021.1`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.code(), self.version())
    }

    /// SHA-256 of the document's canonical form (RFC 8785), in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    pub fn title_zh(&self) -> &str {
        &self.identity.title_zh
    }

    pub fn title_en(&self) -> &str {
        &self.identity.title_en
    }

    pub fn issuer(&self) -> &str {
        &self.identity.issuer
    }

    pub fn document_no(&self) -> &str {
        &self.identity.document_no
    }

    /// When the issuer published it, as far as known: `2021-12`.
    pub fn published(&self) -> &str {
        &self.identity.published
    }

    pub fn note(&self) -> &str {
        &self.identity.note
    }
    /// The same in Chinese, or as it stands where there is no Chinese one.
    pub fn note_zh(&self) -> &str {
        self.own_note().zh
    }
    pub(super) fn own_note(&self) -> NoteText<'_> {
        NoteText::of(&self.identity.note_zh, &self.identity.note)
    }

    pub fn text_grade(&self) -> Option<Grade> {
        self.identity.text_grade
    }

    /// The document as it was loaded.
    pub fn text(&self) -> &str {
        &self.text_of_file
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    /// Events of this time are quantified by this version.
    pub fn window(&self) -> Window {
        self.window
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    pub fn scene(&self) -> &str {
        &self.scene
    }

    /// `person`, `household`, `vehicle`, `enterprise`, `site`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether several people may share what a subject earns: a household, a vehicle, a site (a
    /// roof with its panels). What a person did is that person's alone.
    pub fn is_shareable(&self) -> bool {
        matches!(self.subject.as_str(), "household" | "vehicle" | "site") && self.overlap.is_none()
    }

    /// `co2`, `co2e` or `co2e_footprint`.
    pub fn quantity_kind(&self) -> &str {
        &self.quantity_kind
    }

    pub fn gwp_set(&self) -> &str {
        &self.gwp_set
    }

    pub fn period(&self) -> Period {
        self.period
    }

    pub fn prose(&self) -> &Text {
        &self.prose
    }

    pub fn sources(&self) -> &[SourceEntry] {
        &self.sources
    }

    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    pub fn overlap(&self) -> Option<Overlap> {
        self.overlap
    }

    pub fn exclusivity_keys(&self) -> &[Vec<ClaimPart>] {
        &self.claims
    }

    /// Code, version and hash of each factor table that the document pins.
    pub fn pinned_tables(&self) -> &[(String, String, String)] {
        &self.pinned
    }

    /// Name and text of each formula, derived values first.
    pub fn formulas(&self) -> &[(String, String)] {
        &self.formula_text
    }

    /// The reduction of one record, without a trace: applicability first, then the formula.
    ///
    /// # Errors
    /// A [`Refusal`]; nothing is ever counted as zero for want of an input or a factor.
    pub fn quantify(&self, record: &Record, scratch: &mut Scratch) -> Result<Quantified, Refusal> {
        let value = self.evaluate(record, &self.parameter_values, scratch, &mut Silent)?;
        Ok(Quantified {
            reduction_mg: self.ledger(value).map_err(Refusal::Problem)?,
        })
    }

    /// The result in its declared unit, before it is rounded for the ledger.
    pub(crate) fn evaluate<L: Listen>(
        &self,
        record: &Record,
        parameters: &[Option<Decimal>],
        scratch: &mut Scratch,
        listener: &mut L,
    ) -> Result<Decimal, Refusal> {
        if !self.window.contains(record.from) {
            return Err(Refusal::Problem(self.not_in_force(record)));
        }
        self.recall(record, parameters, scratch);
        self.evaluate_looked(record, parameters, scratch, listener)
    }

    /// The same once the look-backs are known.
    pub(crate) fn evaluate_looked<L: Listen>(
        &self,
        record: &Record,
        parameters: &[Option<Decimal>],
        scratch: &mut Scratch,
        listener: &mut L,
    ) -> Result<Decimal, Refusal> {
        self.bind(record, scratch).map_err(Refusal::Problem)?;
        let mut evaluation = Evaluation {
            program: &self.program,
            parameters,
            scratch,
            listener,
        };
        let told = |fault| Refusal::Problem(self.describe(fault, record));
        for check in &self.applicability {
            if !evaluation.truth(check.logic).map_err(told)? {
                return Err(check.refusal());
            }
        }
        evaluation.number(self.result).map_err(told)
    }

    /// Fills the slots of one record; what was computed of another is forgotten.
    pub(crate) fn bind(&self, record: &Record, scratch: &mut Scratch) -> Result<(), Problem> {
        bind(&self.inputs, &self.dictionary, record, scratch)?;
        self.set_time(record, scratch);
        Ok(())
    }

    /// The same for an earlier period, of which less need be known.
    pub(crate) fn bind_past(&self, record: &Record, scratch: &mut Scratch) {
        bind_past(&self.inputs, &self.dictionary, record, scratch);
        self.set_time(record, scratch);
    }

    fn set_time(&self, record: &Record, scratch: &mut Scratch) {
        scratch.at = record.from.timestamp();
        scratch.derived.clear();
        scratch.derived.resize(self.program.derived.len(), None);
        let program = &self.program;
        if program.uses_calendar || !program.calendars.is_empty() {
            let local = record.from.with_timezone(&self.window.zone);
            scratch.calendar = (local.year(), local.month());
            let calendars = program.calendars.iter();
            scratch.bands.clear();
            scratch
                .bands
                .extend(calendars.map(|calendar| calendar.at(local.naive_local())));
        }
    }

    /// The year's verdict on a subject whose look-backs are known.
    pub(super) fn check_year(
        &self,
        check: &ApplicabilityCheck,
        last: &Record,
        scratch: &mut Scratch,
    ) -> Result<(), Refusal> {
        self.bind(last, scratch).map_err(Refusal::Problem)?;
        let mut evaluation = Evaluation {
            program: &self.program,
            parameters: &self.parameter_values,
            scratch,
            listener: &mut Silent,
        };
        match evaluation.truth(check.logic) {
            Ok(true) => Ok(()),
            Ok(false) => Err(check.refusal()),
            Err(fault) => Err(Refusal::Problem(self.describe(fault, last))),
        }
    }

    /// Milligrams, rounded toward zero.
    pub(crate) fn ledger(&self, value: Decimal) -> Result<MgCo2e, Problem> {
        if value.is_sign_negative() && !value.is_zero() && !self.negative {
            let unit = &self.result_unit;
            let detail = detail!(
                "公式结果为 {value} {unit}",
                "the formula gives {value} {unit}"
            );
            return Err(Problem::at(Code::NegativeReduction, self.name(), detail));
        }
        self.to_mg
            .apply(value)
            .and_then(rounding::toward_zero)
            .map(MgCo2e)
            .ok_or_else(|| {
                Problem::at(
                    Code::FormulaUndefined,
                    self.name(),
                    detail!("结果超出可表示的范围", "the result is out of range"),
                )
            })
    }
}

impl ApplicabilityCheck {
    fn refusal(&self) -> Refusal {
        let or = |text: &str, other: &str| match text.is_empty() {
            true => other.to_owned(),
            false => text.to_owned(),
        };
        let (zh, en) = (or(&self.zh, &self.en), or(&self.en, &self.zh));
        let detail = detail!("{zh}", "{en}");
        match self.verdict {
            Verdict::Ineligible => {
                Refusal::Ineligible(Problem::at(Code::Ineligible, self.reason.clone(), detail))
            }
            Verdict::NeedsReview => {
                Refusal::NeedsReview(Problem::at(Code::NeedsReview, self.reason.clone(), detail))
            }
        }
    }
}

/// `region = CN-GD` for each column of a key.
pub(crate) fn key_texts(table: &Table, key: &Key, dictionary: &Dictionary) -> Vec<String> {
    let cells = table.columns.iter().zip(key);
    cells
        .map(|(column, cell)| match column.whole {
            true => format!("{} = {cell}", column.name),
            false => format!("{} = {}", column.name, dictionary.text(*cell)),
        })
        .collect()
}
