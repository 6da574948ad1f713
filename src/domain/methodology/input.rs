//! What a methodology reads from a record, and how a record becomes slots.

use rust_decimal::Decimal;
use serde::Serialize;

use super::dictionary::{Dictionary, Word};
use super::gather::Gather;
use super::program::Scratch;
use crate::domain::behaviour::{Quantity, Record};
use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::unit::{Conversion, Unit, UnitError};

/// A number beyond this, or with more decimal places, is no measurement.
/// The bound is 10^15.
const LARGEST: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);
const MOST_PLACES: u32 = 15;

/// An input (活动水平数据) that the document declares.
#[derive(Debug, Clone)]
pub struct Input {
    pub name: String,
    pub(crate) form: InputForm,
    pub required: bool,
    pub zh: String,
    pub en: String,
    pub evidence: String,
    /// How the records of a period become one value.
    pub(crate) gather: Gather,
    /// What a choice is where the record does not say.
    pub(crate) usual: Option<Word>,
}

#[derive(Debug, Clone)]
pub(crate) enum InputForm {
    Quantity(Box<QuantityInput>),
    /// One of these values.
    Choice(Vec<(String, Word)>),
    /// A text by which tables are read.
    Key,
    /// A text that only claims read.
    Text,
}

#[derive(Debug, Clone)]
pub(crate) struct QuantityInput {
    pub unit: Unit,
    /// Unit spellings that are read without parsing, with the conversion to `unit`.
    pub spellings: Vec<(String, Conversion)>,
    /// Units of another kind that the document declares to count as `unit`: a plain km as one
    /// person's km.
    pub accepts: Vec<Unit>,
    pub default: Option<Decimal>,
    pub min: Decimal,
    pub max: Option<Decimal>,
}

/// An input as told to others.
#[derive(Debug, Clone, Serialize)]
pub struct InputSummary {
    pub name: String,
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    pub required: bool,
    pub zh: String,
    pub en: String,
    pub evidence: String,
}

impl Input {
    /// Whether records carry it as a quantity; else it is an attribute.
    pub fn is_quantity(&self) -> bool {
        matches!(self.form, InputForm::Quantity(_))
    }

    /// The field of the record, as problems name it.
    pub fn param(&self) -> String {
        let place = if self.is_quantity() {
            "quantities"
        } else {
            "attributes"
        };
        format!("{place}.{}", self.name)
    }

    pub(crate) fn unit_text(&self) -> Option<String> {
        match &self.form {
            InputForm::Quantity(quantity) => Some(quantity.unit.to_string()),
            _ => None,
        }
    }

    pub fn summary(&self) -> InputSummary {
        let (kind, accepts, values) = match &self.form {
            InputForm::Quantity(quantity) => {
                let accepts = quantity.accepts.iter().map(Unit::to_string).collect();
                ("quantity", accepts, Vec::new())
            }
            InputForm::Choice(values) => {
                let values = values.iter().map(|(value, _)| value.clone()).collect();
                ("choice", Vec::new(), values)
            }
            InputForm::Key => ("key", Vec::new(), Vec::new()),
            InputForm::Text => ("text", Vec::new(), Vec::new()),
        };
        InputSummary {
            name: self.name.clone(),
            kind,
            unit: self.unit_text(),
            accepts,
            values,
            required: self.required,
            zh: self.zh.clone(),
            en: self.en.clone(),
            evidence: self.evidence.clone(),
        }
    }
}

impl QuantityInput {
    fn convert(&self, quantity: &Quantity) -> Result<Decimal, Detail> {
        let known = self
            .spellings
            .iter()
            .find(|(spelling, _)| *spelling == quantity.unit);
        let conversion = match known {
            Some((_, conversion)) => *conversion,
            None => self.conversion_from(&quantity.unit)?,
        };
        if quantity.value.scale() > MOST_PLACES || quantity.value.abs() > LARGEST {
            let given = quantity.value;
            return Err(detail!(
                "{given} 不是合理的数值",
                "{given} is no plausible number"
            ));
        }
        conversion.apply(quantity.value).ok_or_else(|| {
            let given = quantity.value;
            detail!("{given} 超出可表示的范围", "{given} is out of range")
        })
    }

    fn conversion_from(&self, text: &str) -> Result<Conversion, Detail> {
        let unit = Unit::parse(text).map_err(|error| of_unit(&error))?;
        for accepted in &self.accepts {
            if let Ok(conversion) = unit.conversion_to(accepted) {
                return Ok(conversion);
            }
        }
        unit.conversion_to(&self.unit)
            .map_err(|error| of_unit(&error))
    }

    /// The value in the input's own unit, within its bounds.
    pub(super) fn read(&self, input: &Input, quantity: &Quantity) -> Result<Decimal, Problem> {
        let value = self.convert(quantity).map_err(|detail| {
            let like = self.conversion_from(&quantity.unit).is_ok();
            let code = if like {
                Code::QuantityOutOfRange
            } else {
                Code::UnitMismatch
            };
            Problem::at(code, input.param(), detail)
        })?;
        let too_large = self.max.is_some_and(|max| value > max);
        if value < self.min || too_large {
            let bound = if too_large {
                self.max.unwrap_or(self.min)
            } else {
                self.min
            };
            let (zh, en) = match too_large {
                true => ("大于", "more"),
                false => ("小于", "less"),
            };
            return Err(Problem::at(
                Code::QuantityOutOfRange,
                input.param(),
                Detail::told(
                    format_args!("{value} {zh} {bound} {}", self.unit),
                    format_args!("{value} is {en} than {bound} {}", self.unit),
                ),
            ));
        }
        Ok(value)
    }
}

/// What is wrong with a unit or a quantity as it was written.
pub(super) fn of_unit(error: &UnitError) -> Detail {
    match error {
        UnitError::Unknown(text) => detail!("单位 `{text}` 无法识别", "{error}"),
        UnitError::TooLarge(text) => detail!("单位 `{text}` 超出可表示的范围", "{error}"),
        UnitError::Unlike {
            from,
            to,
            from_dimension,
            to_dimension,
        } => detail!(
            "`{from}` 不能换算为 `{to}`：量纲 {from_dimension} 与 {to_dimension} 不同",
            "{error}"
        ),
        UnitError::NotAQuantity(text) => detail!("`{text}` 不是“十进制数值 + 单位”", "{error}"),
    }
}

/// Fills the slots from a record.
pub(crate) fn bind(
    inputs: &[Input],
    dictionary: &Dictionary,
    record: &Record,
    scratch: &mut Scratch,
) -> Result<(), Problem> {
    scratch.numbers.clear();
    scratch.words.clear();
    for input in inputs {
        let (number, word) = slots(input, dictionary, record)?;
        if input.required && number.is_none() && word.is_none() {
            return Err(Problem::on(Code::MissingField, input.param()));
        }
        scratch.numbers.push(number);
        scratch.words.push(word);
    }
    Ok(())
}

/// Fills the slots from an earlier period's record: what is missing or unusable matters only to
/// a formula that reads it.
pub(crate) fn bind_past(
    inputs: &[Input],
    dictionary: &Dictionary,
    record: &Record,
    scratch: &mut Scratch,
) {
    scratch.numbers.clear();
    scratch.words.clear();
    for input in inputs {
        let (number, word) = slots(input, dictionary, record).unwrap_or_default();
        scratch.numbers.push(number);
        scratch.words.push(word);
    }
}

fn slots(
    input: &Input,
    dictionary: &Dictionary,
    record: &Record,
) -> Result<(Option<Decimal>, Option<Word>), Problem> {
    let attribute = || record.attribute(&input.name);
    Ok(match &input.form {
        InputForm::Quantity(quantity) => match record.quantity(&input.name) {
            Some(given) => (Some(quantity.read(input, given)?), None),
            None => (quantity.default, None),
        },
        InputForm::Choice(values) => match attribute() {
            Some(text) => (None, Some(choose(input, values, text)?)),
            None => (None, input.usual),
        },
        InputForm::Key => (None, attribute().map(|text| dictionary.find(text))),
        // Only whether it is there matters to a formula.
        InputForm::Text => (None, attribute().map(|_| 0)),
    })
}

pub(super) fn choose(
    input: &Input,
    values: &[(String, Word)],
    text: &str,
) -> Result<Word, Problem> {
    values
        .iter()
        .find(|(value, _)| value == text)
        .map(|(_, word)| *word)
        .ok_or_else(|| {
            let known: Vec<&str> = values.iter().map(|(value, _)| value.as_str()).collect();
            let known = known.join(", ");
            let detail = detail!(
                "“{text}”不在可选值之内：{known}",
                "\"{text}\" is not one of {known}"
            );
            Problem::at(Code::InvalidField, input.param(), detail)
        })
}
