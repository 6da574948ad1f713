//! From a formula's tree to a program: every name resolved, every sub-expression given a unit,
//! everything unlike refused with the place and both units.

use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;
use toml::Spanned;

use super::defect::{Defect, Source};
use super::dictionary::Dictionary;
use super::formula::{Comparison, Expression, Form, MAX_NODES, Operator};
use super::input::{Input, InputForm};
use super::program::{Derived, KeyPart, Logic, LogicId, Node, NodeId, Program};
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
}

pub(crate) struct Checker<'d> {
    pub source: Source<'d>,
    pub inputs: &'d [Input],
    pub parameters: &'d [(String, Unit)],
    pub sets: &'d BTreeMap<String, Vec<String>>,
    pub formulas: &'d BTreeMap<String, Formula<'d>>,
    pub dictionary: &'d Dictionary,
    pub program: Program,
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
        let what = format!("the formula gives `{from}` where `{to}` is declared");
        let result = self.converted(node, from, to, &formula.tree.span, &what);
        self.current = outer;
        result
    }

    fn refuse(&self, span: &Range<usize>, message: impl Into<String>) -> Defect {
        let at = self.source.inside(&self.current, span.start);
        self.source.defect(at, message)
    }

    fn node(&mut self, node: Node, span: &Range<usize>) -> Checked<NodeId> {
        let place = self.program.nodes.len();
        if place + self.program.logic.len() >= MAX_NODES {
            return Err(self.refuse(
                span,
                format!("a document's formulas have at most {MAX_NODES} nodes"),
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
                format!("a document's formulas have at most {MAX_NODES} nodes"),
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
                "a number is needed here, and this is true or false",
            )),
            Typed::Cell(..) => {
                Err(self.refuse(&tree.span, "a number is needed here, and this is a text"))
            }
        }
    }

    fn truth(&mut self, tree: &Expression) -> Checked<LogicId> {
        match self.typed(tree)? {
            Typed::Truth(logic) => Ok(logic),
            _ => Err(self.refuse(&tree.span, "a comparison is needed here")),
        }
    }

    fn unit(&self, text: &str, span: &Range<usize>) -> Checked<Unit> {
        Unit::parse(text).map_err(|error| {
            let hint = if text.contains(['-', '/']) {
                "; spaces around an operator keep it out of the unit"
            } else {
                ""
            };
            self.refuse(span, format!("{error}{hint}"))
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
        self.derived(name, span)
    }

    fn input(&mut self, slot: usize, span: &Range<usize>) -> Checked<Typed> {
        let Some(input) = self.inputs.get(slot) else {
            return Err(self.refuse(span, "unknown input"));
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
                    format!(
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
            let unit = self
                .program
                .derived
                .get(slot)
                .map_or_else(Unit::one, |known| known.unit.clone());
            return Ok(Typed::Number(self.node(Node::Derived(slot), span)?, unit));
        }
        let formulas = self.formulas;
        let Some(formula) = formulas.get(name) else {
            return Err(self.refuse(
                span,
                format!("`{name}` is no input, parameter or derived value of this document"),
            ));
        };
        if self.under_way.iter().any(|known| known == name) {
            return Err(self.refuse(
                span,
                format!(
                    "`{name}` is computed from itself: {} → {name}",
                    self.under_way.join(" → ")
                ),
            ));
        }
        self.under_way.push(name.to_owned());
        let bound = std::mem::take(&mut self.bound);
        let outer = std::mem::replace(&mut self.current, formula.entry.span());
        let result = self.typed(&formula.tree);
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
                });
                Ok(Typed::Number(self.node(Node::Derived(slot), span)?, unit))
            }
            other => Ok(other),
        }
    }

    fn binary(
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
                    format!("`{other}` cannot be added to `{unit}`")
                } else {
                    format!("`{other}` cannot be taken from `{unit}`")
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
        let (node, unit) = if operator == Operator::Multiply {
            (Node::Multiply(first, second), unit.times(&other))
        } else {
            (Node::Divide(first, second), unit.per(&other))
        };
        let unit =
            unit.ok_or_else(|| self.refuse(span, "the unit of this product is too large"))?;
        Ok(Typed::Number(self.node(node, span)?, unit))
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
            "an exponent has no unit",
        )?;
        if unit.is_number() {
            let node = self.converted(node, &unit, &one, &base.span, "")?;
            return Ok(Typed::Number(self.node(Node::Power(node, by), span)?, one));
        }
        let constant = constant_exponent(exponent).and_then(|by| unit.power(by));
        let unit = constant.ok_or_else(|| {
            self.refuse(
                &exponent.span,
                format!("the exponent of `{unit}` must be written as a whole number from -9 to 9"),
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
                let what = format!("`{unit}` cannot be compared with `{other}`");
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
            _ => return Err(self.refuse(span, "only numbers, or two texts, can be compared")),
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
            return Err(self.refuse(span, "texts are equal or not; they have no order"));
        }
        match (left, right) {
            (CellForm::Choice(slot), CellForm::Literal(text))
            | (CellForm::Literal(text), CellForm::Choice(slot)) => {
                self.is_choice(*slot, text, span)
            }
            (CellForm::Key(_), CellForm::Key(_)) => Err(self.refuse(
                span,
                "two keys cannot be compared; compare each with a text",
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
                    format!(
                        "`{}` is never \"{text}\"; it is one of {}",
                        input.name,
                        known.join(", ")
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    fn if_then_else(
        &mut self,
        condition: &Expression,
        yes: &Expression,
        no: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let condition = self.truth(condition)?;
        match (self.typed(yes)?, self.typed(no)?) {
            (Typed::Number(first, unit), Typed::Number(second, other)) => {
                let what = format!("one branch gives `{unit}` and the other `{other}`");
                let second = self.converted(second, &other, &unit, &no.span, &what)?;
                let node = self.node(Node::If(condition, first, second), span)?;
                Ok(Typed::Number(node, unit))
            }
            (Typed::Truth(first), Typed::Truth(second)) => Ok(Typed::Truth(
                self.logic(Logic::If(condition, first, second), span)?,
            )),
            _ => Err(self.refuse(span, "the two branches give different things")),
        }
    }

    fn case(
        &mut self,
        subject: &Expression,
        arms: &[(String, Expression)],
        otherwise: Option<&Expression>,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let Typed::Cell(of, form) = self.typed(subject)? else {
            return Err(self.refuse(&subject.span, "`case` reads a choice or a key"));
        };
        let mut unit: Option<Unit> = None;
        let mut checked = Vec::with_capacity(arms.len());
        for (key, value) in arms {
            if let CellForm::Choice(slot) = form {
                self.is_choice(slot, key, &value.span)?;
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
    fn arm(&mut self, value: &Expression, unit: &mut Option<Unit>) -> Checked<NodeId> {
        let (node, own) = self.number(value)?;
        let unit = unit.get_or_insert_with(|| own.clone()).clone();
        let what = format!("the first arm gives `{unit}` and this one `{own}`");
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
            _ => return Err(self.refuse(span, "a `case` over a key needs an `else`")),
        };
        match values
            .iter()
            .find(|(value, _)| !arms.iter().any(|(key, _)| key == value))
        {
            Some((value, _)) => {
                Err(self.refuse(span, format!("no arm for \"{value}\", and no `else`")))
            }
            None => Ok(()),
        }
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &[Expression],
        span: &Range<usize>,
    ) -> Checked<Typed> {
        match (name, arguments) {
            ("min" | "max", [_, ..]) => self.extreme(name, arguments, span),
            ("clamp", [of, low, high]) => {
                let (of, unit) = self.number(of)?;
                let low = self.bound(low, &unit)?;
                let high = self.bound(high, &unit)?;
                Ok(Typed::Number(
                    self.node(Node::Clamp(of, low, high), span)?,
                    unit,
                ))
            }
            ("floor", [of]) => {
                let (of, unit) = self.number(of)?;
                Ok(Typed::Number(
                    self.node(Node::Floor(of, Decimal::ONE, Box::new(unit.clone())), span)?,
                    unit,
                ))
            }
            ("floor", [of, place]) => {
                let (of, step, unit) = self.placed(of, place)?;
                Ok(Typed::Number(
                    self.node(Node::Floor(of, step, Box::new(unit.clone())), span)?,
                    unit,
                ))
            }
            ("round", [of, mode, place]) => self.round(of, mode, place, span),
            ("present", [of]) => self.present(of),
            (curve, [of]) if self.program.curves.iter().any(|known| known.name == curve) => {
                self.curve(curve, of, span)
            }
            ("min" | "max" | "clamp" | "floor" | "round" | "present", _) => {
                Err(self.refuse(span, format!("`{name}` takes another number of arguments")))
            }
            _ => Err(self.refuse(
                span,
                format!("`{name}` is no function and no curve of this document"),
            )),
        }
    }

    fn bound(&mut self, tree: &Expression, unit: &Unit) -> Checked<NodeId> {
        let (node, own) = self.number(tree)?;
        let what = format!("`{own}` cannot bound `{unit}`");
        self.converted(node, &own, unit, &tree.span, &what)
    }

    fn extreme(
        &mut self,
        name: &str,
        arguments: &[Expression],
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let mut unit: Option<Unit> = None;
        let mut nodes = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let (node, own) = self.number(argument)?;
            let unit = unit.get_or_insert_with(|| own.clone()).clone();
            let what = format!("`{unit}` cannot be compared with `{own}`");
            nodes.push(self.converted(node, &own, &unit, &argument.span, &what)?);
        }
        let nodes = nodes.into_boxed_slice();
        let node = if name == "min" {
            Node::Smallest(nodes)
        } else {
            Node::Largest(nodes)
        };
        Ok(Typed::Number(
            self.node(node, span)?,
            unit.unwrap_or_else(Unit::one),
        ))
    }

    /// A value and the step to which it is rounded: both in the unit of the step.
    fn placed(&mut self, of: &Expression, place: &Expression) -> Checked<(NodeId, Decimal, Unit)> {
        let (node, own) = self.number(of)?;
        let Form::Number(step, unit) = &place.form else {
            return Err(self.refuse(
                &place.span,
                "the place is written as a number, such as `0.01 kg`",
            ));
        };
        if step.is_zero() {
            return Err(self.refuse(&place.span, "the place is not zero"));
        }
        let unit = match unit {
            Some(unit) => self.unit(unit, &place.span)?,
            None => Unit::one(),
        };
        let what = format!("`{own}` cannot be rounded to a place of `{unit}`");
        let node = self.converted(node, &own, &unit, &place.span, &what)?;
        Ok((node, *step, unit))
    }

    fn round(
        &mut self,
        of: &Expression,
        mode: &Expression,
        place: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let mode = match &mode.form {
            Form::Name(name) => Rounding::parse(name),
            _ => None,
        }
        .ok_or_else(|| {
            let known = Rounding::ALL.map(Rounding::as_str).join(", ");
            self.refuse(&mode.span, format!("a rounding mode is one of {known}"))
        })?;
        let (of, step, unit) = self.placed(of, place)?;
        let node = round_node(of, mode, step, &unit);
        Ok(Typed::Number(self.node(node, span)?, unit))
    }

    fn present(&mut self, of: &Expression) -> Checked<Typed> {
        let slot = match &of.form {
            Form::Name(name) => self.inputs.iter().position(|input| input.name == *name),
            _ => None,
        };
        let slot = slot.ok_or_else(|| self.refuse(&of.span, "`present` asks about an input"))?;
        Ok(Typed::Truth(self.logic(Logic::Present(slot), &of.span)?))
    }

    fn curve(&mut self, name: &str, of: &Expression, span: &Range<usize>) -> Checked<Typed> {
        let found = self
            .program
            .curves
            .iter()
            .position(|known| known.name == name);
        let units = found.and_then(|slot| {
            let curve = self.program.curves.get(slot)?;
            Some((slot, curve.x_unit.clone(), curve.y_unit.clone()))
        });
        let Some((slot, x_unit, y_unit)) = units else {
            return Err(self.refuse(span, "unknown curve"));
        };
        let (node, own) = self.number(of)?;
        let what = format!("curve `{name}` is read at `{x_unit}`, not at `{own}`");
        let node = self.converted(node, &own, &x_unit, &of.span, &what)?;
        Ok(Typed::Number(
            self.node(Node::Curve(slot, node), span)?,
            y_unit,
        ))
    }

    fn index(&mut self, name: &str, keys: &[Expression], span: &Range<usize>) -> Checked<Typed> {
        let Some(slot) = self
            .program
            .tables
            .iter()
            .position(|table| table.name == name)
        else {
            return self.indexed_input(name, keys, span);
        };
        let columns = self
            .program
            .tables
            .get(slot)
            .map(|table| table.columns.clone())
            .unwrap_or_default();
        if columns.len() != keys.len() {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            return Err(self.refuse(
                span,
                format!("table `{name}` has the keys [{}]", names.join(", ")),
            ));
        }
        let mut parts = Vec::with_capacity(keys.len());
        for (column, key) in columns.iter().zip(keys) {
            let part = match self.typed(key)? {
                Typed::Cell(part, form) if !column.whole => {
                    self.reachable(slot, &form, &key.span)?;
                    part
                }
                Typed::Number(node, unit) if column.whole && unit == Unit::one() => {
                    KeyPart::Whole(node)
                }
                _ => {
                    let wanted = if column.whole {
                        "a whole number without unit"
                    } else {
                        "a text"
                    };
                    return Err(
                        self.refuse(&key.span, format!("key `{}` is {wanted}", column.name))
                    );
                }
            };
            parts.push(part);
        }
        let unit = self
            .program
            .tables
            .get(slot)
            .map_or_else(Unit::one, |table| table.unit.clone());
        let node = self.node(Node::LookUp(slot, parts.into_boxed_slice()), span)?;
        Ok(Typed::Number(node, unit))
    }

    /// A key that is written out must be in the table.
    fn reachable(&self, slot: usize, form: &CellForm, span: &Range<usize>) -> Checked<()> {
        let CellForm::Literal(text) = form else {
            return Ok(());
        };
        let word = self.dictionary.find(text);
        let found = self
            .program
            .tables
            .get(slot)
            .is_some_and(|table| table.rows.iter().any(|row| row.key.contains(&word)));
        if found {
            Ok(())
        } else {
            Err(self.refuse(span, format!("no row of the table has the key \"{text}\"")))
        }
    }

    fn indexed_input(
        &mut self,
        name: &str,
        keys: &[Expression],
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let [key] = keys else {
            return Err(self.refuse(span, format!("`{name}` is no table of this document")));
        };
        let Typed::Cell(_, CellForm::Literal(member)) = self.typed(key)? else {
            return Err(self.refuse(span, format!("`{name}` is no table of this document")));
        };
        let full = format!("{name}.{member}");
        match self.inputs.iter().position(|input| input.name == full) {
            Some(slot) => self.input(slot, span),
            None => Err(self.refuse(
                span,
                format!("there is no table `{name}` and no input `{full}`"),
            )),
        }
    }

    fn sum(
        &mut self,
        variable: &str,
        set: &str,
        body: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let sets = self.sets;
        let members = sets
            .get(set)
            .filter(|members| !members.is_empty())
            .ok_or_else(|| {
                self.refuse(
                    span,
                    format!("`{set}` is no set of this document, or is empty"),
                )
            })?;
        let mut unit: Option<Unit> = None;
        let mut nodes = Vec::with_capacity(members.len());
        for member in members {
            self.bound.push((variable.to_owned(), member.clone()));
            let node = self.arm(body, &mut unit);
            self.bound.pop();
            nodes.push(node?);
        }
        let node = self.node(Node::Sum(nodes.into_boxed_slice()), span)?;
        Ok(Typed::Number(node, unit.unwrap_or_else(Unit::one)))
    }

    fn converted(
        &mut self,
        node: NodeId,
        from: &Unit,
        to: &Unit,
        span: &Range<usize>,
        what: &str,
    ) -> Checked<NodeId> {
        let conversion = from.conversion_to(to).map_err(|error| {
            let what = if what.is_empty() {
                String::new()
            } else {
                format!("{what}: ")
            };
            self.refuse(span, format!("{what}{error}"))
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
