//! Operators and branches.

use std::ops::Range;

use super::{CellForm, Checked, Checker, Typed};
use crate::domain::methodology::formula::{Comparison, Expression, Form, Operator};
use crate::domain::methodology::gwp;
use crate::domain::methodology::input::InputForm;
use crate::domain::methodology::program::{Logic, Node, NodeId};
use crate::domain::problem::{Detail, detail};
use crate::domain::unit::Unit;

impl Checker<'_> {
    pub(super) fn binary(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        match operator {
            Operator::And | Operator::Or => {
                let (left, right) = (self.truth(left)?, self.truth(right)?);
                let logic = if operator == Operator::And {
                    Logic::And(left, right)
                } else {
                    Logic::Or(left, right)
                };
                Ok(Typed::Truth(self.logic(logic, span)?))
            }
            Operator::Compare(how) => self.compare(how, left, right, span),
            Operator::Power => self.power(left, right, span),
            Operator::Multiply | Operator::Divide => self.scale(operator, left, right, span),
            Operator::Add | Operator::Subtract => {
                let (first, unit) = self.number(left)?;
                let (second, other) = self.number(right)?;
                let verb = if operator == Operator::Add {
                    detail!(
                        "`{other}` 不能与 `{unit}` 相加",
                        "`{other}` cannot be added to `{unit}`"
                    )
                } else {
                    detail!(
                        "`{other}` 不能从 `{unit}` 中减去",
                        "`{other}` cannot be taken from `{unit}`"
                    )
                };
                let second = self.converted(second, &other, &unit, &right.span, &verb)?;
                let node = if operator == Operator::Add {
                    Node::Add(first, second)
                } else {
                    Node::Subtract(first, second)
                };
                Ok(Typed::Number(self.node(node, span)?, unit))
            }
        }
    }

    fn scale(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let (first, unit) = self.number(left)?;
        let (second, other) = self.number(right)?;
        let (node, result) = if operator == Operator::Multiply {
            (Node::Multiply(first, second), unit.times(&other))
        } else {
            (Node::Divide(first, second), unit.per(&other))
        };
        let result = result.ok_or_else(|| {
            self.refuse(
                span,
                detail!(
                    "这个乘积的单位超出可表示的范围",
                    "the unit of this product is too large"
                ),
            )
        })?;
        let gas = unit.dimension();
        if gas.converts_gas(other.dimension(), result.dimension()) {
            return Err(self.refuse(span, gwp::only_pinned()));
        }
        Ok(Typed::Number(self.node(node, span)?, result))
    }

    fn power(
        &mut self,
        base: &Expression,
        exponent: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let (node, unit) = self.number(base)?;
        let (by, by_unit) = self.number(exponent)?;
        let one = Unit::one();
        let by = self.converted(
            by,
            &by_unit,
            &one,
            &exponent.span,
            &detail!("指数没有单位", "an exponent has no unit"),
        )?;
        if unit.is_number() {
            let node = self.converted(node, &unit, &one, &base.span, &Detail::default())?;
            return Ok(Typed::Number(self.node(Node::Power(node, by), span)?, one));
        }
        let constant = constant_exponent(exponent).and_then(|by| unit.power(by));
        let unit = constant.ok_or_else(|| {
            self.refuse(
                &exponent.span,
                detail!(
                    "`{unit}` 的指数须直接写成 -9 至 9 的整数",
                    "the exponent of `{unit}` must be written as a whole number from -9 to 9"
                ),
            )
        })?;
        Ok(Typed::Number(self.node(Node::Power(node, by), span)?, unit))
    }

    fn compare(
        &mut self,
        how: Comparison,
        left: &Expression,
        right: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let logic = match (self.typed(left)?, self.typed(right)?) {
            (Typed::Number(first, unit), Typed::Number(second, other)) => {
                let what = detail!(
                    "`{unit}` 不能与 `{other}` 比较",
                    "`{unit}` cannot be compared with `{other}`"
                );
                let second = self.converted(second, &other, &unit, &right.span, &what)?;
                Logic::Compare(how, first, second)
            }
            (Typed::Cell(first, left_form), Typed::Cell(second, right_form)) => {
                self.comparable(how, &left_form, &right_form, span)?;
                let same = Logic::Same(first, second);
                if how == Comparison::Equal {
                    same
                } else {
                    Logic::Not(self.logic(same, span)?)
                }
            }
            _ => {
                return Err(self.refuse(
                    span,
                    detail!(
                        "只能比较数值，或比较两个文本",
                        "only numbers, or two texts, can be compared"
                    ),
                ));
            }
        };
        Ok(Typed::Truth(self.logic(logic, span)?))
    }

    fn comparable(
        &self,
        how: Comparison,
        left: &CellForm,
        right: &CellForm,
        span: &Range<usize>,
    ) -> Checked<()> {
        if !matches!(how, Comparison::Equal | Comparison::NotEqual) {
            return Err(self.refuse(
                span,
                detail!(
                    "文本只有相等或不等，没有大小",
                    "texts are equal or not; they have no order"
                ),
            ));
        }
        match (left, right) {
            (CellForm::Choice(slot), CellForm::Literal(text))
            | (CellForm::Literal(text), CellForm::Choice(slot)) => {
                self.is_choice(*slot, text, span)
            }
            (CellForm::Calendar(slot), CellForm::Literal(text))
            | (CellForm::Literal(text), CellForm::Calendar(slot)) => {
                self.is_band(*slot, text, span)
            }
            (CellForm::Key(_), CellForm::Key(_)) => Err(self.refuse(
                span,
                detail!(
                    "两个键不能互相比较；请各自与文本比较",
                    "two keys cannot be compared; compare each with a text"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn is_choice(&self, slot: usize, text: &str, span: &Range<usize>) -> Checked<()> {
        let Some(input) = self.inputs.get(slot) else {
            return Ok(());
        };
        match &input.form {
            InputForm::Choice(values) if !values.iter().any(|(value, _)| value == text) => {
                let known: Vec<&str> = values.iter().map(|(value, _)| value.as_str()).collect();
                Err(self.refuse(
                    span,
                    detail!(
                        "`{}` 不会是“{text}”；可选值为 {}",
                        "`{}` is never \"{text}\"; it is one of {}",
                        input.name,
                        known.join(", ")
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    fn is_band(&self, slot: usize, text: &str, span: &Range<usize>) -> Checked<()> {
        let Some(calendar) = self.program.calendars.get(slot) else {
            return Ok(());
        };
        if calendar.words.iter().any(|(word, _)| word == text) {
            return Ok(());
        }
        let known: Vec<&str> = calendar
            .words
            .iter()
            .map(|(word, _)| word.as_str())
            .collect();
        let message = detail!(
            "`{}` 不会是“{text}”；可选值为 {}",
            "`{}` is never \"{text}\"; it is one of {}",
            calendar.name,
            known.join(", ")
        );
        Err(self.refuse(span, message))
    }

    pub(super) fn if_then_else(
        &mut self,
        condition: &Expression,
        yes: &Expression,
        no: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let condition = self.truth(condition)?;
        match (self.typed(yes)?, self.typed(no)?) {
            (Typed::Number(first, unit), Typed::Number(second, other)) => {
                let what = detail!(
                    "一个分支的单位是 `{unit}`，另一个是 `{other}`",
                    "one branch gives `{unit}` and the other `{other}`"
                );
                let second = self.converted(second, &other, &unit, &no.span, &what)?;
                let node = self.node(Node::If(condition, first, second), span)?;
                Ok(Typed::Number(node, unit))
            }
            (Typed::Truth(first), Typed::Truth(second)) => Ok(Typed::Truth(
                self.logic(Logic::If(condition, first, second), span)?,
            )),
            _ => Err(self.refuse(
                span,
                detail!(
                    "两个分支给出的不是同类的值",
                    "the two branches give different things"
                ),
            )),
        }
    }

    pub(super) fn case(
        &mut self,
        subject: &Expression,
        arms: &[(String, Expression)],
        otherwise: Option<&Expression>,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let Typed::Cell(of, form) = self.typed(subject)? else {
            return Err(self.refuse(
                &subject.span,
                detail!("`case` 须用于枚举或键", "`case` reads a choice or a key"),
            ));
        };
        let mut unit: Option<Unit> = None;
        let mut checked = Vec::with_capacity(arms.len());
        for (key, value) in arms {
            match form {
                CellForm::Choice(slot) => self.is_choice(slot, key, &value.span)?,
                CellForm::Calendar(slot) => self.is_band(slot, key, &value.span)?,
                _ => {}
            }
            let node = self.arm(value, &mut unit)?;
            checked.push((self.dictionary.find(key), node));
        }
        let otherwise = match otherwise {
            Some(value) => Some(self.arm(value, &mut unit)?),
            None => {
                self.exhaustive(&form, arms, span)?;
                None
            }
        };
        let node = Node::Case {
            of,
            arms: checked.into_boxed_slice(),
            otherwise,
        };
        Ok(Typed::Number(
            self.node(node, span)?,
            unit.unwrap_or_else(Unit::one),
        ))
    }

    /// One arm of a `case`, in the unit of the first.
    pub(super) fn arm(&mut self, value: &Expression, unit: &mut Option<Unit>) -> Checked<NodeId> {
        let (node, own) = self.number(value)?;
        let unit = unit.get_or_insert_with(|| own.clone()).clone();
        let what = detail!(
            "第一个分支的单位是 `{unit}`，这个是 `{own}`",
            "the first arm gives `{unit}` and this one `{own}`"
        );
        self.converted(node, &own, &unit, &value.span, &what)
    }

    fn exhaustive(
        &self,
        form: &CellForm,
        arms: &[(String, Expression)],
        span: &Range<usize>,
    ) -> Checked<()> {
        let values = match form {
            CellForm::Choice(slot) => match self.inputs.get(*slot).map(|input| &input.form) {
                Some(InputForm::Choice(values)) => values.as_slice(),
                _ => &[],
            },
            CellForm::Calendar(slot) => match self.program.calendars.get(*slot) {
                Some(calendar) => calendar.words.as_slice(),
                None => &[],
            },
            _ => {
                return Err(self.refuse(
                    span,
                    detail!(
                        "对键使用 `case` 须有 `else`",
                        "a `case` over a key needs an `else`"
                    ),
                ));
            }
        };
        match values
            .iter()
            .find(|(value, _)| !arms.iter().any(|(key, _)| key == value))
        {
            Some((value, _)) => Err(self.refuse(
                span,
                detail!(
                    "“{value}”没有分支，也没有 `else`",
                    "no arm for \"{value}\", and no `else`"
                ),
            )),
            None => Ok(()),
        }
    }
}

fn constant_exponent(tree: &Expression) -> Option<i8> {
    let (value, sign) = match &tree.form {
        Form::Number(value, None) => (value, 1),
        Form::Negate(inner) => match &inner.form {
            Form::Number(value, None) => (value, -1),
            _ => return None,
        },
        _ => return None,
    };
    let whole = value.is_integer().then(|| value.normalize().mantissa())?;
    let whole = i8::try_from(whole).ok().filter(|whole| whole.abs() <= 9)?;
    Some(whole * sign)
}
