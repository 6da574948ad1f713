//! The worked examples (算例) inside a document, and records made from stated inputs.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::Serialize;

use super::compiled::{Compiled, Refusal};
use super::document::ExampleEntry;
use super::explanation::Explanation;
use super::factor_table::start_of_day;
use super::input::of_unit;
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::unit::{Rounding, parse_quantity};

/// How one example went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExampleResult {
    pub name: String,
    pub passed: bool,
    /// Empty when it passed.
    pub detail: String,
}

/// Reads RFC 3339, or a date: then the first instant of that day in `zone`.
///
/// # Errors
/// `invalid_field` at `at`.
pub fn parse_time(text: &str, zone: Tz) -> Result<DateTime<Utc>, Problem> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    let day: Option<NaiveDate> = text.parse().ok();
    day.and_then(|day| start_of_day(day, zone)).ok_or_else(|| {
        let detail = detail!(
            "`{text}` 既不是 RFC 3339 时间也不是日期",
            "`{text}` is neither RFC 3339 nor a date"
        );
        Problem::at(Code::InvalidField, "at", detail)
    })
}

impl Compiled {
    /// A record of one instant from inputs such as (`distance`, `12.5 km`), (`mode`, `metro`).
    ///
    /// # Errors
    /// `unknown_field` for an input the document does not have, `invalid_field` for a quantity
    /// that cannot be read.
    pub fn record<'a>(
        &self,
        at: DateTime<Utc>,
        given: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Record, Problem> {
        let mut record = Record {
            source_id: "example".to_owned(),
            subject: "example".to_owned(),
            from: at,
            to: at,
            quantities: Vec::new(),
            attributes: Vec::new(),
            revises: None,
        };
        for (name, text) in given {
            let input = self.inputs.iter().find(|input| input.name == name);
            let input = input.ok_or_else(|| {
                let known: Vec<&str> = self
                    .inputs
                    .iter()
                    .map(|input| input.name.as_str())
                    .collect();
                let (own, known) = (self.name(), known.join(", "));
                let detail = detail!("{own} 读取的是 {known}", "{own} reads {known}");
                Problem::at(Code::UnknownField, name, detail)
            })?;
            if input.is_quantity() {
                let (value, unit) = parse_quantity(text).map_err(|error| {
                    Problem::at(Code::InvalidField, input.param(), of_unit(&error))
                })?;
                record.quantities.push(Quantity {
                    name: name.to_owned().into(),
                    value,
                    unit: unit.to_string().into(),
                });
            } else {
                record
                    .attributes
                    .push((name.to_owned().into(), text.to_owned()));
            }
        }
        Ok(record)
    }

    /// Explains a record with some parameter values supposed, as examples of a draft do.
    ///
    /// # Errors
    /// The refusals of [`Compiled::explain`]; `unknown_field` for a parameter that is not there.
    pub fn explain_assuming<'a>(
        &self,
        record: &Record,
        assumed: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Explanation, Refusal> {
        let values = self.values_assuming(assumed).map_err(Refusal::Problem)?;
        self.explain_with(record, &values)
    }

    /// The parameters' values with some given for this once.
    ///
    /// # Errors
    /// `unknown_field` for no parameter's name, `invalid_field` for a value of another dimension.
    fn values_assuming<'a>(
        &self,
        assumed: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Vec<Option<Decimal>>, Problem> {
        let mut values = self.parameter_values.clone();
        for (name, text) in assumed {
            let mut known = self.parameters.iter().zip(&mut values);
            let (parameter, cell) = known
                .find(|(parameter, _)| parameter.name == name)
                .ok_or_else(|| Problem::on(Code::UnknownField, name))?;
            *cell = parse_quantity(text)
                .and_then(|(value, unit)| Ok(unit.conversion_to(&parameter.unit)?.apply(value)))
                .map_err(|error| Problem::at(Code::InvalidField, name, of_unit(&error)))?;
        }
        Ok(values)
    }

    /// Whether it has a parameter of this name that no value was read for.
    pub fn is_blank(&self, name: &str) -> bool {
        let mut known = self.parameters.iter();
        known.any(|known| known.name == name && known.value.is_none())
    }

    /// The same methodology with values for its blank parameters, to try it; parameters that it
    /// does not have are left aside.
    ///
    /// # Errors
    /// `invalid_field` for a value of another dimension.
    pub fn assuming(&self, assumed: &[(&str, &str)]) -> Result<Compiled, Problem> {
        let own = assumed.iter().filter(|(name, _)| self.is_blank(name));
        let own = own.copied();
        Ok(Compiled {
            parameter_values: self.values_assuming(own)?,
            ..self.clone()
        })
    }

    /// Runs every example of the document, also against the hot path where nothing is assumed.
    pub fn run_examples(&self) -> Vec<ExampleResult> {
        let examples = self.examples.iter().map(toml::Spanned::get_ref);
        examples
            .map(|example| {
                let outcome = self.run_example(example);
                ExampleResult {
                    name: example.name.clone(),
                    passed: outcome.is_ok(),
                    detail: outcome.err().unwrap_or_default(),
                }
            })
            .collect()
    }

    fn run_example(&self, example: &ExampleEntry) -> Result<(), String> {
        let at = parse_time(example.at.get_ref(), self.window.zone).map_err(|e| e.to_string())?;
        let given = example
            .inputs
            .iter()
            .map(|(name, text)| (name.as_str(), text.get_ref().as_str()));
        let mut record = self
            .record(at, given)
            .map_err(|problem| problem.to_string())?;
        for past in &example.before {
            let at = parse_time(past.at.get_ref(), self.window.zone).map_err(|e| e.to_string())?;
            let given = past
                .inputs
                .iter()
                .map(|(name, text)| (name.as_str(), text.get_ref().as_str()));
            let past = self
                .record(at, given)
                .map_err(|problem| problem.to_string())?;
            self.recollect(&mut record, past);
        }
        let assumed = example
            .assume
            .iter()
            .map(|(name, text)| (name.as_str(), text.get_ref().as_str()));
        let explained = self.explain_assuming(&record, assumed);
        if example.assume.is_empty() {
            let quick = self.quantify(&record, &mut Default::default());
            let same = match (&explained, &quick) {
                (Ok(explained), Ok(quick)) => explained.reduction_mg == quick.reduction_mg.0,
                (Err(slow), Err(quick)) => slow == quick,
                _ => false,
            };
            if !same {
                return Err("quantify and explain disagree".to_owned());
            }
        }
        match (explained, &example.refused) {
            (Ok(explanation), None) => self.compare(example, &explanation),
            (Ok(explanation), Some(code)) => Err(format!(
                "refusal {code} expected, {} found",
                explanation.result.value
            )),
            (Err(refusal), Some(code)) => refused_as(&refusal, code),
            (Err(refusal), None) => Err(refusal.problem().to_string()),
        }
    }

    fn compare(&self, example: &ExampleEntry, explanation: &Explanation) -> Result<(), String> {
        if example.result.is_none() && example.reduction_mg.is_none() {
            return Err("an example expects a result, a reduction_mg or a refusal".to_owned());
        }
        if let Some(expected) = &example.result {
            let printed = example
                .compare
                .as_ref()
                .is_some_and(|how| how.get_ref() == "printed");
            self.compare_result(expected.get_ref(), printed, explanation)?;
        }
        match example.reduction_mg {
            Some(expected) if expected != explanation.reduction_mg => Err(format!(
                "{expected} mg expected, {} mg found",
                explanation.reduction_mg
            )),
            _ => Ok(()),
        }
    }

    fn compare_result(
        &self,
        expected: &str,
        printed: bool,
        explanation: &Explanation,
    ) -> Result<(), String> {
        let (wanted, unit) = parse_quantity(expected).map_err(|error| error.to_string())?;
        let found: Decimal = explanation.result.value.parse().unwrap_or_default();
        let found = self
            .result_unit
            .conversion_to(&unit)
            .map_err(|error| error.to_string())?
            .apply(found)
            .ok_or("out of range")?;
        let compared = match printed {
            true => Rounding::HalfUp.places(found, wanted.scale()),
            false => found,
        };
        if compared == wanted {
            Ok(())
        } else {
            Err(format!("{expected} expected, {found} {unit} found"))
        }
    }
}

/// A refusal is expected by its code, or by the reason code of an applicability condition.
fn refused_as(refusal: &Refusal, code: &str) -> Result<(), String> {
    let problem = refusal.problem();
    if problem.code.as_str() == code || problem.param.as_deref() == Some(code) {
        Ok(())
    } else {
        Err(format!("refusal {code} expected, found {problem}"))
    }
}
