//! How a number came about, in full: anyone can compute it again from this and the documents.

use rust_decimal::Decimal;
use serde::Serialize;

use super::compiled::{Compiled, Refusal, key_texts};
use super::dictionary::Word;
use super::grade::Grade;
use super::program::{Listen, Place, Scratch};
use super::table::{Key, Origin, Row};
use crate::domain::behaviour::Record;
use crate::domain::unit::{Unit, display_decimal};

/// The explanation of one reduction. Numbers are decimal strings; `reduction_mg` is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub methodology: Named,
    pub title_zh: String,
    pub title_en: String,
    /// RFC 3339, in the document's zone.
    pub at: String,
    pub formulas: Vec<FormulaText>,
    pub inputs: Vec<InputValue>,
    pub applicability: Vec<CheckResult>,
    pub parameters: Vec<ParameterValue>,
    pub lookups: Vec<LookUp>,
    pub curves: Vec<CurveReading>,
    /// What the periods before said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub look_backs: Vec<LookBackReading>,
    /// Named intermediate values, in the order in which they were computed.
    pub steps: Vec<Step>,
    pub roundings: Vec<RoundingStep>,
    pub result: Amount,
    /// The result's kind: `co2`, `co2e` or `co2e_footprint`.
    pub quantity_kind: String,
    /// The ledger's value: rounded toward zero to whole milligrams.
    pub reduction_mg: i64,
}

/// A frozen document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    pub code: String,
    pub version: String,
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormulaText {
    pub name: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Amount {
    pub value: String,
    pub unit: String,
}

/// What was given, and what it counts as in the document's unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputValue {
    pub name: String,
    pub given: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts_as: Option<Amount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    pub require: String,
    pub reason: String,
    pub passed: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provenance {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<i64>,
    pub source: String,
    pub document_no: String,
    pub grade: Option<Grade>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub evidence_sha256: String,
    /// The factor table, when it is a document of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_document: Option<Named>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParameterValue {
    pub name: String,
    pub value: String,
    pub unit: String,
    /// The value was supposed for this calculation and is not the document's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookUp {
    pub table: String,
    /// `region = CN-GD`.
    pub key: Vec<String>,
    /// The keys that stood in, one after the other, when the asked one had no row.
    pub fallback: Vec<FallbackStep>,
    pub value: String,
    pub unit: String,
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FallbackStep {
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurveReading {
    pub curve: String,
    pub x: Amount,
    pub y: Amount,
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// One look-back, and every period behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookBackReading {
    pub text: String,
    /// The earliest first.
    pub periods: Vec<PastValue>,
    /// Absent where too little is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub unit: String,
}

/// What one earlier period gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastValue {
    /// First day of the period.
    pub from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub name: String,
    pub value: String,
    pub unit: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoundingStep {
    pub what: String,
    pub from: String,
    pub to: String,
    pub mode: String,
    pub place: String,
}

impl Compiled {
    /// The same number as [`Compiled::quantify`], with everything that led to it.
    ///
    /// # Errors
    /// The same refusals.
    pub fn explain(&self, record: &Record) -> Result<Explanation, Refusal> {
        self.explain_with(record, &self.parameter_values.clone())
    }

    pub(crate) fn explain_with(
        &self,
        record: &Record,
        parameters: &[Option<Decimal>],
    ) -> Result<Explanation, Refusal> {
        let mut scratch = Scratch::default();
        let mut recorder = Recorder {
            methodology: self,
            parameters,
            told: Told::default(),
        };
        let value = self.evaluate(record, parameters, &mut scratch, &mut recorder)?;
        let told = recorder.told;
        let ledger = self.ledger(value).map_err(Refusal::Problem)?;
        let mut roundings = told.roundings;
        roundings.push(RoundingStep {
            what: "ledger".to_owned(),
            from: format!("{} {}", display_decimal(value), self.result_unit),
            to: format!("{} mg", ledger.0),
            mode: "down".to_owned(),
            place: "1 mg".to_owned(),
        });
        let formulas = self.formula_text.iter();
        let checks = self.applicability.iter();
        Ok(Explanation {
            methodology: Named {
                code: self.code().to_owned(),
                version: self.version().to_owned(),
                sha256: self.sha256.clone(),
            },
            title_zh: self.title_zh().to_owned(),
            title_en: self.title_en().to_owned(),
            at: record.from.with_timezone(&self.window.zone).to_rfc3339(),
            formulas: formulas
                .map(|(name, text)| FormulaText {
                    name: name.clone(),
                    text: text.clone(),
                })
                .collect(),
            inputs: self.input_values(record, &scratch),
            // A check that is not met ends the evaluation, so all of them were.
            applicability: checks
                .map(|check| CheckResult {
                    require: check.text.clone(),
                    reason: check.reason.clone(),
                    passed: true,
                })
                .collect(),
            parameters: told.parameters,
            lookups: told.lookups,
            curves: told.curves,
            look_backs: self.look_back_readings(record, parameters),
            steps: told.steps,
            roundings,
            result: Amount {
                value: display_decimal(value),
                unit: self
                    .result_unit
                    .mass_prefix()
                    .unwrap_or_else(|| self.result_unit.to_string()),
            },
            quantity_kind: self.quantity_kind.clone(),
            reduction_mg: ledger.0,
        })
    }

    fn look_back_readings(
        &self,
        record: &Record,
        parameters: &[Option<Decimal>],
    ) -> Vec<LookBackReading> {
        if !self.looks_back() {
            return Vec::new();
        }
        let readings = self.readings(record, parameters).into_iter();
        readings
            .filter_map(|reading| {
                let look = self.program.look_backs.get(reading.slot)?;
                let periods = reading.members.into_iter();
                Some(LookBackReading {
                    text: look.text.clone(),
                    periods: periods
                        .map(|(day, value)| PastValue {
                            from: day.to_string(),
                            value: value.map(display_decimal),
                        })
                        .collect(),
                    value: reading.value.map(display_decimal),
                    unit: look.unit.to_string(),
                })
            })
            .collect()
    }

    fn input_values(&self, record: &Record, scratch: &Scratch) -> Vec<InputValue> {
        let mut values = Vec::new();
        for (slot, input) in self.inputs.iter().enumerate() {
            let given = match (record.quantity(&input.name), record.attribute(&input.name)) {
                (Some(quantity), _) if input.is_quantity() => {
                    format!("{} {}", quantity.value, quantity.unit)
                }
                (_, Some(text)) if !input.is_quantity() => text.to_owned(),
                _ => "-".to_owned(),
            };
            let number = scratch.numbers.get(slot).copied().flatten();
            values.push(InputValue {
                name: input.name.clone(),
                given,
                counts_as: number.zip(input.unit_text()).map(|(value, unit)| Amount {
                    value: value.normalize().to_string(),
                    unit,
                }),
            });
        }
        values
    }
}

#[derive(Default)]
struct Told {
    parameters: Vec<ParameterValue>,
    lookups: Vec<LookUp>,
    pending: Vec<FallbackStep>,
    curves: Vec<CurveReading>,
    steps: Vec<Step>,
    roundings: Vec<RoundingStep>,
}

/// Writes down what the evaluation does.
struct Recorder<'a> {
    methodology: &'a Compiled,
    parameters: &'a [Option<Decimal>],
    told: Told,
}

impl Listen for Recorder<'_> {
    fn parameter(&mut self, slot: usize) {
        let Some(known) = self.methodology.parameters.get(slot) else {
            return;
        };
        let used = self.parameters.get(slot).copied().flatten();
        let seen = self
            .told
            .parameters
            .iter()
            .any(|told| told.name == known.name);
        if let (Some(value), false) = (used, seen) {
            self.told.parameters.push(ParameterValue {
                name: known.name.clone(),
                value: value.to_string(),
                unit: known.unit.to_string(),
                assumed: known.value != used,
                provenance: provenance(&known.origin),
            });
        }
    }

    fn fallback(&mut self, from: Word, to: Word) {
        let dictionary = &self.methodology.dictionary;
        self.told.pending.push(FallbackStep {
            from: dictionary.text(from).to_owned(),
            to: dictionary.text(to).to_owned(),
        });
    }

    fn look_up(&mut self, slot: usize, key: Key, row: &Row) {
        let Some(table) = self.methodology.program.tables.get(slot) else {
            return;
        };
        let origin = table.origins.get(row.origin).cloned().unwrap_or_default();
        let look_up = LookUp {
            table: table.name.clone(),
            key: key_texts(table, &key, &self.methodology.dictionary),
            fallback: std::mem::take(&mut self.told.pending),
            value: row.value.map(|value| value.to_string()).unwrap_or_default(),
            unit: table.unit_of(row).map(Unit::to_string).unwrap_or_default(),
            provenance: provenance(&origin),
        };
        if !self.told.lookups.contains(&look_up) {
            self.told.lookups.push(look_up);
        }
    }

    fn curve(&mut self, slot: usize, x: Decimal, y: Decimal) {
        let Some(curve) = self.methodology.program.curves.get(slot) else {
            return;
        };
        self.told.curves.push(CurveReading {
            curve: curve.name.clone(),
            x: Amount {
                value: x.to_string(),
                unit: curve.x_unit.to_string(),
            },
            y: Amount {
                value: y.to_string(),
                unit: curve.y_unit.to_string(),
            },
            provenance: provenance(&curve.origin),
        });
    }

    fn rounded(&mut self, from: Decimal, to: Decimal, mode: &'static str, place: Place<'_>) {
        let unit = place.unit;
        self.told.roundings.push(RoundingStep {
            what: "formula".to_owned(),
            from: format!("{} {unit}", display_decimal(from)),
            to: format!("{} {unit}", display_decimal(to)),
            mode: mode.to_owned(),
            place: format!("{} {unit}", place.step.normalize()),
        });
    }

    fn derived(&mut self, slot: usize, value: Decimal) {
        if let Some(known) = self.methodology.program.derived.get(slot) {
            self.told.steps.push(Step {
                name: known.name.clone(),
                value: display_decimal(value),
                unit: known.unit.to_string(),
            });
        }
    }
}

fn provenance(origin: &Origin) -> Provenance {
    Provenance {
        year: origin.year,
        source: origin.source.clone(),
        document_no: origin.document_no.clone(),
        grade: origin.grade,
        evidence_sha256: origin.evidence_sha256.clone(),
        table_document: origin
            .document
            .as_ref()
            .map(|(code, version, sha256)| Named {
                code: code.clone(),
                version: version.clone(),
                sha256: sha256.clone(),
            }),
    }
}
