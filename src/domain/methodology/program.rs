//! A document's formulas with every name resolved, and their evaluation.
//!
//! One evaluator serves the hot path and the explanation: it is generic over what listens, and
//! what does not listen costs nothing. Arithmetic is `Decimal` with checked operations; a
//! product or quotient that needs more than 28 digits is rounded half to even at the last.

use rust_decimal::Decimal;

use super::calendar::Calendar;
use super::curve::{Curve, Gap};
use super::dictionary::Word;
use super::formula::Comparison;
use super::look_back::LookBack;
use super::table::{Key, MAX_KEYS, Row, Table};
use crate::domain::unit::{Conversion, Rounding, Unit, rounding};

/// Largest absolute exponent at run time.
const MAX_EXPONENT: i64 = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(pub u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogicId(pub u32);

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Constant(Decimal),
    Input(usize),
    Parameter(usize),
    Derived(usize),
    EventYear,
    EventMonth,
    Negate(NodeId),
    Add(NodeId, NodeId),
    Subtract(NodeId, NodeId),
    Multiply(NodeId, NodeId),
    Divide(NodeId, NodeId),
    Power(NodeId, NodeId),
    Convert(NodeId, Conversion),
    Smallest(Box<[NodeId]>),
    Largest(Box<[NodeId]>),
    Sum(Box<[NodeId]>),
    Clamp(NodeId, NodeId, NodeId),
    /// Toward minus infinity, to a multiple of a step in this unit.
    Floor(NodeId, Decimal, Box<Unit>),
    Round {
        of: NodeId,
        mode: Rounding,
        step: Decimal,
        /// Set when `step` is that negative power of ten.
        places: Option<u32>,
        unit: Box<Unit>,
    },
    If(LogicId, NodeId, NodeId),
    Case {
        of: KeyPart,
        arms: Box<[(Word, NodeId)]>,
        otherwise: Option<NodeId>,
    },
    LookUp(usize, Box<[KeyPart]>),
    Curve(usize, NodeId),
    /// What the periods before say; computed before the evaluation.
    LookBack(usize),
}

#[derive(Debug, Clone)]
pub(crate) enum Logic {
    Constant(bool),
    Compare(Comparison, NodeId, NodeId),
    Same(KeyPart, KeyPart),
    Present(usize),
    Not(LogicId),
    And(LogicId, LogicId),
    Or(LogicId, LogicId),
    If(LogicId, LogicId, LogicId),
}

/// A cell of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyPart {
    Word(Word),
    Attribute(usize),
    Whole(NodeId),
    /// What a calendar says of the start of the act.
    Calendar(usize),
}

/// A named intermediate value.
#[derive(Debug, Clone)]
pub(crate) struct Derived {
    pub name: String,
    pub node: NodeId,
    pub unit: Unit,
    /// It reads the periods before.
    pub looks_back: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub nodes: Vec<Node>,
    pub logic: Vec<Logic>,
    pub derived: Vec<Derived>,
    pub tables: Vec<Table>,
    pub curves: Vec<Curve>,
    pub calendars: Vec<Calendar>,
    pub look_backs: Vec<LookBack>,
    pub uses_calendar: bool,
}

/// The inputs of one record, in slots; kept by the caller and used again for the next.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) numbers: Vec<Option<Decimal>>,
    pub(crate) words: Vec<Option<Word>>,
    pub(crate) derived: Vec<Option<Decimal>>,
    /// Event time, in seconds of Unix time.
    pub(crate) at: i64,
    /// Year and month of the event in the document's zone, when a formula asks.
    pub(crate) calendar: (i32, u32),
    /// What each calendar of the document says of the event.
    pub(crate) bands: Vec<Option<Word>>,
    /// What each look-back gives; `None` where too little is known.
    pub(crate) look_backs: Vec<Option<Decimal>>,
}

/// Why there is no number. Small, so that the hot path does not carry text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Overflow,
    DivideByZero,
    NotWhole,
    ExponentTooLarge,
    MissingInput(usize),
    BlankParameter(usize),
    BlankRow(usize),
    MissingKey(usize, Key),
    OutsideCurve(usize),
    NoCase,
    /// Too few periods before.
    NoHistory(usize),
    /// A reference that the compiler never makes.
    Broken,
}

/// The step to which a number is rounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'u> {
    pub step: Decimal,
    pub unit: &'u Unit,
}

/// Hears what the evaluation does.
pub(crate) trait Listen {
    fn parameter(&mut self, _parameter: usize) {}
    fn fallback(&mut self, _from: Word, _to: Word) {}
    fn look_up(&mut self, _table: usize, _key: Key, _row: &Row) {}
    fn curve(&mut self, _curve: usize, _x: Decimal, _y: Decimal) {}
    fn rounded(&mut self, _from: Decimal, _to: Decimal, _mode: &'static str, _place: Place<'_>) {}
    fn derived(&mut self, _derived: usize, _value: Decimal) {}
}

/// Hears nothing.
pub(crate) struct Silent;

impl Listen for Silent {}

pub(crate) struct Evaluation<'a, L> {
    pub program: &'a Program,
    pub parameters: &'a [Option<Decimal>],
    pub scratch: &'a mut Scratch,
    pub listener: &'a mut L,
}

impl Program {
    /// The inputs that a number depends on, and a condition beside it, in order.
    pub fn inputs_of(&self, node: NodeId, condition: Option<LogicId>) -> Vec<usize> {
        let mut found = std::collections::BTreeSet::new();
        let mut numbers = vec![node];
        let mut truths: Vec<LogicId> = condition.into_iter().collect();
        let mut seen = std::collections::BTreeSet::new();
        loop {
            if let Some(id) = numbers.pop() {
                if let Some(node) = self.nodes.get(id.0 as usize).filter(|_| seen.insert(id.0)) {
                    self.below(node, &mut numbers, &mut truths, &mut found);
                }
            } else if let Some(id) = truths.pop() {
                if let Some(logic) = self.logic.get(id.0 as usize) {
                    below_logic(logic, &mut numbers, &mut truths, &mut found);
                }
            } else {
                return found.into_iter().collect();
            }
        }
    }

    fn below(
        &self,
        node: &Node,
        numbers: &mut Vec<NodeId>,
        truths: &mut Vec<LogicId>,
        found: &mut std::collections::BTreeSet<usize>,
    ) {
        match node {
            Node::Constant(_) | Node::Parameter(_) | Node::EventYear | Node::EventMonth => {}
            Node::LookBack(_) => {}
            Node::Input(slot) => {
                found.insert(*slot);
            }
            Node::Derived(slot) => {
                numbers.extend(self.derived.get(*slot).map(|derived| derived.node));
            }
            Node::Negate(of)
            | Node::Convert(of, _)
            | Node::Floor(of, ..)
            | Node::Round { of, .. }
            | Node::Curve(_, of) => numbers.push(*of),
            Node::Add(a, b)
            | Node::Subtract(a, b)
            | Node::Multiply(a, b)
            | Node::Divide(a, b)
            | Node::Power(a, b) => numbers.extend([*a, *b]),
            Node::Smallest(of) | Node::Largest(of) | Node::Sum(of) => numbers.extend(of.iter()),
            Node::Clamp(a, b, c) => numbers.extend([*a, *b, *c]),
            Node::If(condition, a, b) => {
                truths.push(*condition);
                numbers.extend([*a, *b]);
            }
            Node::Case {
                of,
                arms,
                otherwise,
            } => {
                below_key(*of, numbers, found);
                numbers.extend(arms.iter().map(|(_, node)| *node).chain(*otherwise));
            }
            Node::LookUp(_, parts) => {
                for part in parts {
                    below_key(*part, numbers, found);
                }
            }
        }
    }
}

fn below_logic(
    logic: &Logic,
    numbers: &mut Vec<NodeId>,
    truths: &mut Vec<LogicId>,
    found: &mut std::collections::BTreeSet<usize>,
) {
    match logic {
        Logic::Constant(_) => {}
        Logic::Compare(_, a, b) => numbers.extend([*a, *b]),
        Logic::Same(a, b) => {
            below_key(*a, numbers, found);
            below_key(*b, numbers, found);
        }
        Logic::Present(slot) => {
            found.insert(*slot);
        }
        Logic::Not(of) => truths.push(*of),
        Logic::And(a, b) | Logic::Or(a, b) => truths.extend([*a, *b]),
        Logic::If(a, b, c) => truths.extend([*a, *b, *c]),
    }
}

fn below_key(
    part: KeyPart,
    numbers: &mut Vec<NodeId>,
    found: &mut std::collections::BTreeSet<usize>,
) {
    match part {
        KeyPart::Word(_) | KeyPart::Calendar(_) => {}
        KeyPart::Attribute(slot) => {
            found.insert(slot);
        }
        KeyPart::Whole(node) => numbers.push(node),
    }
}

impl<L: Listen> Evaluation<'_, L> {
    pub fn number(&mut self, id: NodeId) -> Result<Decimal, Fault> {
        // The program outlives this borrow of `self`.
        let program = self.program;
        let node = program.nodes.get(id.0 as usize).ok_or(Fault::Broken)?;
        match node {
            Node::Constant(value) => Ok(*value),
            Node::Input(slot) => self
                .scratch
                .numbers
                .get(*slot)
                .copied()
                .flatten()
                .ok_or(Fault::MissingInput(*slot)),
            Node::Parameter(slot) => self.parameter(*slot),
            Node::Derived(slot) => self.derived(*slot),
            Node::EventYear => Ok(Decimal::from(self.scratch.calendar.0)),
            Node::EventMonth => Ok(Decimal::from(self.scratch.calendar.1)),
            Node::Negate(of) => Ok(-self.number(*of)?),
            Node::Add(left, right) => self.binary(*left, *right, Decimal::checked_add),
            Node::Subtract(left, right) => self.binary(*left, *right, Decimal::checked_sub),
            Node::Multiply(left, right) => self.binary(*left, *right, Decimal::checked_mul),
            Node::Divide(left, right) => self.divide(*left, *right),
            Node::Power(base, exponent) => self.power(*base, *exponent),
            Node::Convert(of, conversion) => {
                conversion.apply(self.number(*of)?).ok_or(Fault::Overflow)
            }
            Node::Smallest(of) => self.fold(of, |best, next| Some(best.min(next))),
            Node::Largest(of) => self.fold(of, |best, next| Some(best.max(next))),
            Node::Sum(of) => self.fold(of, Decimal::checked_add),
            Node::Clamp(of, low, high) => {
                let (value, low) = (self.number(*of)?, self.number(*low)?);
                Ok(value.min(self.number(*high)?).max(low))
            }
            Node::Floor(of, step, unit) => self.floor(*of, *step, unit),
            Node::Round {
                of,
                mode,
                step,
                places,
                unit,
            } => {
                let value = self.number(*of)?;
                let result = match places {
                    Some(places) => mode.places(value, *places),
                    None => mode.multiple(value, *step).ok_or(Fault::Overflow)?,
                };
                let place = Place { step: *step, unit };
                self.listener.rounded(value, result, mode.as_str(), place);
                Ok(result)
            }
            Node::If(condition, yes, no) => {
                let taken = if self.truth(*condition)? { yes } else { no };
                self.number(*taken)
            }
            Node::Case {
                of,
                arms,
                otherwise,
            } => {
                let word = self.cell(*of)?;
                let taken = arms.iter().find(|arm| arm.0 == word).map(|arm| arm.1);
                self.number(taken.or(*otherwise).ok_or(Fault::NoCase)?)
            }
            Node::LookUp(table, parts) => self.look_up(*table, parts),
            Node::Curve(curve, of) => self.curve(*curve, *of),
            Node::LookBack(slot) => {
                let value = self.scratch.look_backs.get(*slot).copied().flatten();
                value.ok_or(Fault::NoHistory(*slot))
            }
        }
    }

    pub fn truth(&mut self, id: LogicId) -> Result<bool, Fault> {
        let program = self.program;
        let logic = program.logic.get(id.0 as usize).ok_or(Fault::Broken)?;
        match logic {
            Logic::Constant(truth) => Ok(*truth),
            Logic::Compare(how, left, right) => {
                let order = self.number(*left)?.cmp(&self.number(*right)?);
                Ok(match how {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                })
            }
            Logic::Same(left, right) => Ok(self.cell(*left)? == self.cell(*right)?),
            Logic::Present(slot) => {
                let number = self.scratch.numbers.get(*slot).copied().flatten();
                let word = self.scratch.words.get(*slot).copied().flatten();
                Ok(number.is_some() || word.is_some())
            }
            Logic::Not(of) => Ok(!self.truth(*of)?),
            Logic::And(left, right) => Ok(self.truth(*left)? && self.truth(*right)?),
            Logic::Or(left, right) => Ok(self.truth(*left)? || self.truth(*right)?),
            Logic::If(condition, yes, no) => {
                let taken = if self.truth(*condition)? { yes } else { no };
                self.truth(*taken)
            }
        }
    }

    fn binary(
        &mut self,
        left: NodeId,
        right: NodeId,
        operation: fn(Decimal, Decimal) -> Option<Decimal>,
    ) -> Result<Decimal, Fault> {
        let (left, right) = (self.number(left)?, self.number(right)?);
        operation(left, right).ok_or(Fault::Overflow)
    }

    fn fold(
        &mut self,
        of: &[NodeId],
        operation: impl Fn(Decimal, Decimal) -> Option<Decimal>,
    ) -> Result<Decimal, Fault> {
        let (first, rest) = of.split_first().ok_or(Fault::Broken)?;
        let mut result = self.number(*first)?;
        for next in rest {
            result = operation(result, self.number(*next)?).ok_or(Fault::Overflow)?;
        }
        Ok(result)
    }

    fn divide(&mut self, left: NodeId, right: NodeId) -> Result<Decimal, Fault> {
        let (left, right) = (self.number(left)?, self.number(right)?);
        if right.is_zero() {
            return Err(Fault::DivideByZero);
        }
        left.checked_div(right).ok_or(Fault::Overflow)
    }

    fn power(&mut self, base: NodeId, exponent: NodeId) -> Result<Decimal, Fault> {
        let base = self.number(base)?;
        let exponent = whole(self.number(exponent)?)?;
        if exponent.abs() > MAX_EXPONENT {
            return Err(Fault::ExponentTooLarge);
        }
        let mut result = Decimal::ONE;
        for _ in 0..exponent.unsigned_abs() {
            result = result.checked_mul(base).ok_or(Fault::Overflow)?;
        }
        match exponent < 0 {
            false => Ok(result),
            true if result.is_zero() => Err(Fault::DivideByZero),
            true => Decimal::ONE.checked_div(result).ok_or(Fault::Overflow),
        }
    }

    fn floor(&mut self, of: NodeId, step: Decimal, unit: &Unit) -> Result<Decimal, Fault> {
        let value = self.number(of)?;
        let steps = value.checked_div(step).ok_or(Fault::Overflow)?;
        let result = rounding::floor(steps)
            .checked_mul(step)
            .ok_or(Fault::Overflow)?;
        self.listener
            .rounded(value, result, "floor", Place { step, unit });
        Ok(result)
    }

    fn parameter(&mut self, slot: usize) -> Result<Decimal, Fault> {
        let value = self.parameters.get(slot).copied().flatten();
        self.listener.parameter(slot);
        value.ok_or(Fault::BlankParameter(slot))
    }

    /// Each named value is computed once a record, and only if something asks for it.
    fn derived(&mut self, slot: usize) -> Result<Decimal, Fault> {
        if let Some(known) = self.scratch.derived.get(slot).copied().flatten() {
            return Ok(known);
        }
        let node = self.program.derived.get(slot).ok_or(Fault::Broken)?.node;
        let value = self.number(node)?;
        if let Some(cell) = self.scratch.derived.get_mut(slot) {
            *cell = Some(value);
        }
        self.listener.derived(slot, value);
        Ok(value)
    }

    fn cell(&mut self, part: KeyPart) -> Result<u32, Fault> {
        match part {
            KeyPart::Word(word) => Ok(word),
            KeyPart::Attribute(slot) => self
                .scratch
                .words
                .get(slot)
                .copied()
                .flatten()
                .ok_or(Fault::MissingInput(slot)),
            KeyPart::Calendar(slot) => self
                .scratch
                .bands
                .get(slot)
                .copied()
                .flatten()
                .ok_or(Fault::Broken),
            KeyPart::Whole(node) => {
                u32::try_from(whole(self.number(node)?)?).map_err(|_| Fault::NotWhole)
            }
        }
    }

    fn look_up(&mut self, slot: usize, parts: &[KeyPart]) -> Result<Decimal, Fault> {
        let mut key: Key = [0; MAX_KEYS];
        for (cell, part) in key.iter_mut().zip(parts) {
            *cell = self.cell(*part)?;
        }
        let table = self.program.tables.get(slot).ok_or(Fault::Broken)?;
        let listener = &mut *self.listener;
        let row = table
            .find(key, self.scratch.at, |from, to| listener.fallback(from, to))
            .ok_or(Fault::MissingKey(slot, key))?;
        let value = row.value.ok_or(Fault::BlankRow(slot))?;
        self.listener.look_up(slot, key, row);
        Ok(value)
    }

    fn curve(&mut self, slot: usize, of: NodeId) -> Result<Decimal, Fault> {
        let x = self.number(of)?;
        let curve = self.program.curves.get(slot).ok_or(Fault::Broken)?;
        let y = curve.at(x).map_err(|gap| match gap {
            Gap::Outside => Fault::OutsideCurve(slot),
            Gap::Overflow => Fault::Overflow,
        })?;
        self.listener.curve(slot, x, y);
        Ok(y)
    }
}

fn whole(value: Decimal) -> Result<i64, Fault> {
    if !value.is_integer() {
        return Err(Fault::NotWhole);
    }
    i64::try_from(value.trunc().mantissa()).map_err(|_| Fault::NotWhole)
}
