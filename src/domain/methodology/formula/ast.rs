//! The tree that a formula text stands for.

use std::ops::Range;

use rust_decimal::Decimal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    And,
    Or,
    Compare(Comparison),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub fn text(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Power => "^",
            Operator::And => "and",
            Operator::Or => "or",
            Operator::Compare(Comparison::Equal) => "==",
            Operator::Compare(Comparison::NotEqual) => "!=",
            Operator::Compare(Comparison::Less) => "<",
            Operator::Compare(Comparison::LessOrEqual) => "<=",
            Operator::Compare(Comparison::Greater) => ">",
            Operator::Compare(Comparison::GreaterOrEqual) => ">=",
        }
    }

    /// How tightly it binds on its left and on its right; comparisons do not chain.
    pub fn binding(self) -> (u8, u8) {
        match self {
            Operator::Or => (1, 2),
            Operator::And => (3, 4),
            Operator::Compare(_) => (7, 8),
            Operator::Add | Operator::Subtract => (9, 10),
            Operator::Multiply | Operator::Divide => (11, 12),
            Operator::Power => (16, 15),
        }
    }
}

/// Binding of the prefix operators.
pub(crate) const NOT: u8 = 5;
pub(crate) const NEGATE: u8 = 13;

#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub form: Form,
    pub span: Range<usize>,
    /// Levels below and including this one.
    pub depth: usize,
}

/// Positions do not count: two texts that differ in spacing are equal.
impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.form == other.form
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Form {
    Number(Decimal, Option<String>),
    Text(String),
    Truth(bool),
    Name(String),
    Negate(Box<Expression>),
    Not(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    If(Box<Expression>, Box<Expression>, Box<Expression>),
    Case {
        subject: Box<Expression>,
        arms: Vec<(String, Expression)>,
        otherwise: Option<Box<Expression>>,
    },
    Call(String, Vec<Expression>),
    /// An argument with its name: `days = 7`.
    Named(String, Box<Expression>),
    Index(String, Vec<Expression>),
    Sum {
        variable: String,
        set: String,
        body: Box<Expression>,
    },
}

impl Form {
    pub fn children(&self) -> Vec<&Expression> {
        match self {
            Form::Number(..) | Form::Text(_) | Form::Truth(_) | Form::Name(_) => Vec::new(),
            Form::Negate(inner) | Form::Not(inner) | Form::Named(_, inner) => vec![inner],
            Form::Binary(_, left, right) => vec![left, right],
            Form::If(condition, yes, no) => vec![condition, yes, no],
            Form::Case {
                subject,
                arms,
                otherwise,
            } => std::iter::once(&**subject)
                .chain(arms.iter().map(|(_, value)| value))
                .chain(otherwise.as_deref())
                .collect(),
            Form::Call(_, arguments) | Form::Index(_, arguments) => arguments.iter().collect(),
            Form::Sum { body, .. } => vec![body],
        }
    }
}
