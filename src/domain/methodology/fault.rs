//! What an evaluation that came to nothing is told as.

use super::compiled::{Compiled, key_texts};
use super::dictionary::UNKNOWN;
use super::input::InputForm;
use super::program::Fault;
use super::table::Key;
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Detail, Problem, detail};

impl Compiled {
    pub(super) fn not_in_force(&self, record: &Record) -> Problem {
        let (name, from) = (self.name(), record.from);
        let detail = detail!(
            "{name} 在 {from} 未生效",
            "{name} is not in force at {from}"
        );
        Problem::at(Code::MethodologyNotInForce, "from", detail)
    }

    pub(super) fn describe(&self, fault: Fault, record: &Record) -> Problem {
        let undefined = |detail| Problem::at(Code::FormulaUndefined, self.name(), detail);
        match fault {
            Fault::Overflow => undefined(detail!(
                "计算中有值超出可表示的范围",
                "a value is out of range"
            )),
            Fault::DivideByZero => undefined(detail!("除数为零", "a divisor is zero")),
            Fault::NotWhole => undefined(detail!("此处需要整数", "a whole number is needed")),
            Fault::ExponentTooLarge => undefined(detail!("指数过大", "an exponent is too large")),
            Fault::NoCase => undefined(detail!(
                "`case` 的各分支均不适用",
                "no arm of a `case` applies"
            )),
            Fault::NoHistory(slot) => {
                let look = self.program.look_backs.get(slot);
                let text = look.map_or("?", |look| look.text.as_str());
                Problem::at(Code::HistoryMissing, self.name(), Detail::value(text))
            }
            Fault::Broken => Problem::on(Code::Internal, self.name()),
            Fault::MissingInput(slot) => match self.inputs.get(slot) {
                Some(input) => Problem::on(Code::MissingField, input.param()),
                None => Problem::new(Code::Internal),
            },
            Fault::BlankParameter(slot) => {
                let name = self
                    .parameters
                    .get(slot)
                    .map_or("?", |known| known.name.as_str());
                Problem::at(
                    Code::MethodologyDraft,
                    format!("parameters.{name}"),
                    detail!("该参数没有值", "it has no value"),
                )
            }
            Fault::BlankRow(slot) => {
                let name = self
                    .program
                    .tables
                    .get(slot)
                    .map_or("?", |table| table.name.as_str());
                Problem::at(
                    Code::MethodologyDraft,
                    format!("tables.{name}"),
                    detail!("该行没有值", "the row has no value"),
                )
            }
            Fault::MissingKey(slot, key) => self.missing_key(slot, &key, record),
            Fault::OutsideCurve(slot) => {
                let name = self
                    .program
                    .curves
                    .get(slot)
                    .map_or("?", |curve| curve.name.as_str());
                Problem::at(
                    Code::FactorMissing,
                    format!("curves.{name}"),
                    detail!("超出曲线各点的范围", "outside the curve's points"),
                )
            }
        }
    }

    fn missing_key(&self, slot: usize, key: &Key, record: &Record) -> Problem {
        let Some(table) = self.program.tables.get(slot) else {
            return Problem::new(Code::Internal);
        };
        let mut keys = key_texts(table, key, &self.dictionary);
        let mut keys_zh = keys.clone();
        // A word that no table has lost its text when it was bound; the record still has it.
        if key.contains(&UNKNOWN) {
            for (name, text) in self.unknown_words(record) {
                keys.push(format!("{name} {text:?} is unknown"));
                keys_zh.push(format!("{name} 的值 {text:?} 未知"));
            }
        }
        let day = record.from.with_timezone(&self.window.zone).date_naive();
        let detail = Detail::told(
            format_args!("{day} 没有 [{}] 的生效行", keys_zh.join("，")),
            format_args!("no row for [{}] in force on {day}", keys.join(", ")),
        );
        Problem::at(
            Code::FactorMissing,
            format!("tables.{}", table.name),
            detail,
        )
    }

    fn unknown_words<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.inputs.iter().filter_map(|input| {
            let text = record.attribute(&input.name)?;
            let unknown =
                matches!(input.form, InputForm::Key) && self.dictionary.find(text) == UNKNOWN;
            unknown.then_some((input.name.as_str(), text))
        })
    }
}
