//! From a formula's tree to a program: every name resolved, every sub-expression given a unit,
//! everything unlike refused with the place and both units.

mod calls;
mod look_back;
mod operators;

use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;
use toml::Spanned;

use crate::domain::methodology::compiled::Period;
use crate::domain::methodology::defect::{Defect, Source};
use crate::domain::methodology::dictionary::Dictionary;
use crate::domain::methodology::formula::{Expression, Form, MAX_NODES};
use crate::domain::methodology::gwp;
use crate::domain::methodology::input::{Input, InputForm, of_unit};
use crate::domain::methodology::program::{
    Derived, KeyPart, Logic, LogicId, Node, NodeId, Program,
};
use crate::domain::problem::{Detail, detail};
use crate::domain::unit::{Rounding, Unit};

/// A formula text with its tree.
pub(crate) struct Formula<'d> {
    pub entry: &'d Spanned<String>,
    pub tree: Expression,
}

/// What a checked expression is.
#[derive(Debug, Clone)]
pub(crate) enum Typed {
    Number(NodeId, Unit),
    Truth(LogicId),
    Cell(KeyPart, CellForm),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CellForm {
    Literal(String),
    Choice(usize),
    Key(usize),
    Calendar(usize),
}

pub(crate) struct Checker<'d> {
    pub source: Source<'d>,
    pub inputs: &'d [Input],
    pub parameters: &'d [(String, Unit)],
    pub sets: &'d BTreeMap<String, Vec<String>>,
    pub formulas: &'d BTreeMap<String, Formula<'d>>,
    pub dictionary: &'d Dictionary,
    pub program: Program,
    /// What a record, or all records of a period, stand for.
    pub period: Period,
    /// Records are gathered into periods.
    pub gathered: bool,
    /// The formula is that of the year's end.
    pub in_year_end: bool,
    /// Inside a look-back's value; and whether one was met since this was cleared.
    looking: bool,
    looked: bool,
    /// The formula text that is being checked.
    current: Range<usize>,
    /// Derived values being checked, to find a circle.
    under_way: Vec<String>,
    bound: Vec<(String, String)>,
}

type Checked<T> = Result<T, Defect>;

impl<'d> Checker<'d> {
    pub fn new(
        source: Source<'d>,
        inputs: &'d [Input],
        parameters: &'d [(String, Unit)],
        sets: &'d BTreeMap<String, Vec<String>>,
        formulas: &'d BTreeMap<String, Formula<'d>>,
        dictionary: &'d Dictionary,
        program: Program,
    ) -> Checker<'d> {
        Checker {
            source,
            inputs,
            parameters,
            sets,
            formulas,
            dictionary,
            program,
            period: Period::Event,
            gathered: false,
            in_year_end: false,
            looking: false,
            looked: false,
            current: 0..0,
            under_way: Vec::new(),
            bound: Vec::new(),
        }
    }

    /// A formula that must be a number.
    pub fn number_formula(&mut self, formula: &Formula<'_>) -> Checked<(NodeId, Unit)> {
        let outer = std::mem::replace(&mut self.current, formula.entry.span());
        let result = self.number(&formula.tree);
        self.current = outer;
        result
    }

    /// Checks a named value that nothing may have read yet.
    pub fn unread(&mut self, name: &str) -> Checked<()> {
        self.derived(name, &(0..0)).map(|_| ())
    }

    /// A formula that must be true or false.
    pub fn truth_formula(&mut self, formula: &Formula<'_>) -> Checked<LogicId> {
        let outer = std::mem::replace(&mut self.current, formula.entry.span());
        let result = self.truth(&formula.tree);
        self.current = outer;
        result
    }

    /// Brings a number to the unit that the document states for it.
    pub fn bring(
        &mut self,
        node: NodeId,
        from: &Unit,
        to: &Unit,
        formula: &Formula<'_>,
    ) -> Checked<NodeId> {
        let outer = std::mem::replace(&mut self.current, formula.entry.span());
        let what = detail!(
            "公式结果的单位是 `{from}`，而声明的是 `{to}`",
            "the formula gives `{from}` where `{to}` is declared"
        );
        let result = self.converted(node, from, to, &formula.tree.span, &what);
        self.current = outer;
        result
    }

    fn refuse(&self, span: &Range<usize>, message: Detail) -> Defect {
        let at = self.source.inside(&self.current, span.start);
        self.source.defect(at, message)
    }

    fn node(&mut self, node: Node, span: &Range<usize>) -> Checked<NodeId> {
        let place = self.program.nodes.len();
        if place + self.program.logic.len() >= MAX_NODES {
            return Err(self.refuse(
                span,
                detail!(
                    "一个文件的公式最多有 {MAX_NODES} 个节点",
                    "a document's formulas have at most {MAX_NODES} nodes"
                ),
            ));
        }
        self.program.nodes.push(node);
        Ok(NodeId(u32::try_from(place).unwrap_or(u32::MAX)))
    }

    fn logic(&mut self, logic: Logic, span: &Range<usize>) -> Checked<LogicId> {
        let place = self.program.logic.len();
        if place + self.program.nodes.len() >= MAX_NODES {
            return Err(self.refuse(
                span,
                detail!(
                    "一个文件的公式最多有 {MAX_NODES} 个节点",
                    "a document's formulas have at most {MAX_NODES} nodes"
                ),
            ));
        }
        self.program.logic.push(logic);
        Ok(LogicId(u32::try_from(place).unwrap_or(u32::MAX)))
    }

    fn number(&mut self, tree: &Expression) -> Checked<(NodeId, Unit)> {
        match self.typed(tree)? {
            Typed::Number(node, unit) => Ok((node, unit)),
            Typed::Truth(_) => Err(self.refuse(
                &tree.span,
                detail!(
                    "此处需要数值，而这是真假值",
                    "a number is needed here, and this is true or false"
                ),
            )),
            Typed::Cell(..) => Err(self.refuse(
                &tree.span,
                detail!(
                    "此处需要数值，而这是文本",
                    "a number is needed here, and this is a text"
                ),
            )),
        }
    }

    fn truth(&mut self, tree: &Expression) -> Checked<LogicId> {
        match self.typed(tree)? {
            Typed::Truth(logic) => Ok(logic),
            _ => Err(self.refuse(
                &tree.span,
                detail!("此处需要比较式", "a comparison is needed here"),
            )),
        }
    }

    fn unit(&self, text: &str, span: &Range<usize>) -> Checked<Unit> {
        Unit::parse(text).map_err(|error| {
            let (zh, en) = match text.contains(['-', '/']) {
                true => (
                    "；运算符两侧加空格，便不会算进单位",
                    "; spaces around an operator keep it out of the unit",
                ),
                false => ("", ""),
            };
            let told = of_unit(&error);
            let told = Detail::told(
                format_args!("{}{zh}", told.zh()),
                format_args!("{}{en}", told.en()),
            );
            self.refuse(span, told)
        })
    }

    fn typed(&mut self, tree: &Expression) -> Checked<Typed> {
        let span = &tree.span;
        match &tree.form {
            Form::Number(value, unit) => {
                let unit = match unit {
                    Some(unit) => self.unit(unit, span)?,
                    None => Unit::one(),
                };
                if unit.dimension().is_warming() {
                    return Err(self.refuse(span, gwp::only_pinned()));
                }
                Ok(Typed::Number(
                    self.node(Node::Constant(*value), span)?,
                    unit,
                ))
            }
            Form::Text(text) => Ok(self.literal(text)),
            Form::Truth(truth) => Ok(Typed::Truth(self.logic(Logic::Constant(*truth), span)?)),
            Form::Name(name) => self.name(name, span),
            Form::Negate(of) => {
                let (of, unit) = self.number(of)?;
                Ok(Typed::Number(self.node(Node::Negate(of), span)?, unit))
            }
            Form::Not(of) => {
                let of = self.truth(of)?;
                Ok(Typed::Truth(self.logic(Logic::Not(of), span)?))
            }
            Form::Binary(operator, left, right) => self.binary(*operator, left, right, span),
            Form::If(condition, yes, no) => self.if_then_else(condition, yes, no, span),
            Form::Case {
                subject,
                arms,
                otherwise,
            } => self.case(subject, arms, otherwise.as_deref(), span),
            Form::Call(name, arguments) => self.call(name, arguments, span),
            Form::Named(name, _) => Err(self.refuse(
                span,
                detail!(
                    "此处没有名为 `{name}` 的参数",
                    "no argument here is called `{name}`"
                ),
            )),
            Form::Index(name, keys) => self.index(name, keys, span),
            Form::Sum {
                variable,
                set,
                body,
            } => self.sum(variable, set, body, span),
        }
    }

    fn literal(&self, text: &str) -> Typed {
        Typed::Cell(
            KeyPart::Word(self.dictionary.find(text)),
            CellForm::Literal(text.to_owned()),
        )
    }

    fn name(&mut self, name: &str, span: &Range<usize>) -> Checked<Typed> {
        if let Some((_, word)) = self
            .bound
            .iter()
            .rev()
            .find(|(variable, _)| variable == name)
        {
            return Ok(self.literal(&word.clone()));
        }
        if let Some(slot) = self.inputs.iter().position(|input| input.name == name) {
            return self.input(slot, span);
        }
        if let Some(slot) = self.parameters.iter().position(|(known, _)| known == name) {
            let unit = self
                .parameters
                .get(slot)
                .map_or_else(Unit::one, |(_, unit)| unit.clone());
            return Ok(Typed::Number(self.node(Node::Parameter(slot), span)?, unit));
        }
        let calendar = match name {
            "event_year" => Some(Node::EventYear),
            "event_month" => Some(Node::EventMonth),
            _ => None,
        };
        if let Some(node) = calendar {
            self.program.uses_calendar = true;
            return Ok(Typed::Number(self.node(node, span)?, Unit::one()));
        }
        let calendars = &self.program.calendars;
        if let Some(slot) = calendars.iter().position(|known| known.name == name) {
            return Ok(Typed::Cell(
                KeyPart::Calendar(slot),
                CellForm::Calendar(slot),
            ));
        }
        self.derived(name, span)
    }

    fn input(&mut self, slot: usize, span: &Range<usize>) -> Checked<Typed> {
        let Some(input) = self.inputs.get(slot) else {
            return Err(self.refuse(span, detail!("未知的输入", "unknown input")));
        };
        Ok(match &input.form {
            InputForm::Quantity(quantity) => {
                let unit = quantity.unit.clone();
                Typed::Number(self.node(Node::Input(slot), span)?, unit)
            }
            InputForm::Choice(_) => Typed::Cell(KeyPart::Attribute(slot), CellForm::Choice(slot)),
            InputForm::Key => Typed::Cell(KeyPart::Attribute(slot), CellForm::Key(slot)),
            InputForm::Text => {
                return Err(self.refuse(
                    span,
                    detail!(
                        "`{}` 是自由文本：公式只读数量、枚举和键",
                        "`{}` is free text: formulas read quantities, choices and keys",
                        input.name
                    ),
                ));
            }
        })
    }

    fn derived(&mut self, name: &str, span: &Range<usize>) -> Checked<Typed> {
        if let Some(slot) = self
            .program
            .derived
            .iter()
            .position(|known| known.name == name)
        {
            let known = self.program.derived.get(slot);
            let unit = known.map_or_else(Unit::one, |known| known.unit.clone());
            self.looked |= known.is_some_and(|known| known.looks_back);
            return Ok(Typed::Number(self.node(Node::Derived(slot), span)?, unit));
        }
        let formulas = self.formulas;
        let Some(formula) = formulas.get(name) else {
            return Err(self.refuse(
                span,
                detail!(
                    "`{name}` 不是本文件的输入、参数或派生值",
                    "`{name}` is no input, parameter or derived value of this document"
                ),
            ));
        };
        if self.under_way.iter().any(|known| known == name) {
            return Err(self.refuse(
                span,
                detail!(
                    "`{name}` 的计算用到了自身：{} → {name}",
                    "`{name}` is computed from itself: {} → {name}",
                    self.under_way.join(" → ")
                ),
            ));
        }
        self.under_way.push(name.to_owned());
        let bound = std::mem::take(&mut self.bound);
        let outer = std::mem::replace(&mut self.current, formula.entry.span());
        let looked = std::mem::take(&mut self.looked);
        let result = self.typed(&formula.tree);
        let looks_back = self.looked;
        self.looked |= looked;
        self.current = outer;
        self.bound = bound;
        self.under_way.pop();
        match result? {
            Typed::Number(node, unit) => {
                let slot = self.program.derived.len();
                self.program.derived.push(Derived {
                    name: name.to_owned(),
                    node,
                    unit: unit.clone(),
                    looks_back,
                });
                Ok(Typed::Number(self.node(Node::Derived(slot), span)?, unit))
            }
            other => Ok(other),
        }
    }

    fn converted(
        &mut self,
        node: NodeId,
        from: &Unit,
        to: &Unit,
        span: &Range<usize>,
        what: &Detail,
    ) -> Checked<NodeId> {
        let conversion = from.conversion_to(to).map_err(|error| {
            let error = of_unit(&error);
            let told = match what.is_empty() {
                true => error,
                false => Detail::told(
                    format_args!("{}：{}", what.zh(), error.zh()),
                    format_args!("{}: {}", what.en(), error.en()),
                ),
            };
            self.refuse(span, told)
        })?;
        if conversion.is_identity() {
            return Ok(node);
        }
        self.node(Node::Convert(node, conversion), span)
    }
}

/// A rounding node; a step that is a power of ten is rounded by places.
pub(crate) fn round_node(of: NodeId, mode: Rounding, step: Decimal, unit: &Unit) -> Node {
    let normal = step.normalize();
    Node::Round {
        of,
        mode,
        step,
        places: (normal.mantissa() == 1).then_some(normal.scale()),
        unit: Box::new(unit.clone()),
    }
}
