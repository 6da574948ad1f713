//! A tree back to text, with no more parentheses than it needs.

use std::fmt;

use super::ast::{Expression, Form, NEGATE, NOT, Operator};

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self, 0, f)
    }
}

fn print(expression: &Expression, floor: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if strength(&expression.form) < floor {
        f.write_str("(")?;
        print_form(&expression.form, f)?;
        f.write_str(")")
    } else {
        print_form(&expression.form, f)
    }
}

/// The loosest floor under which the form needs no parentheses. Forms that run to the right as
/// far as they can (`if`, `case`) always take them inside another.
fn strength(form: &Form) -> u8 {
    match form {
        Form::If(..) | Form::Case { .. } => 0,
        Form::Binary(operator, ..) => {
            let (left, right) = operator.binding();
            left.min(right)
        }
        Form::Not(_) => NOT,
        Form::Negate(_) => NEGATE,
        _ => u8::MAX,
    }
}

fn print_form(form: &Form, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match form {
        Form::Number(value, None) => write!(f, "{value}"),
        Form::Number(value, Some(unit)) => write!(f, "{value} {unit}"),
        Form::Text(text) => write!(f, "\"{text}\""),
        Form::Truth(truth) => write!(f, "{truth}"),
        Form::Name(name) => f.write_str(name),
        Form::Negate(inner) => {
            f.write_str("-")?;
            print(inner, NEGATE, f)
        }
        Form::Not(inner) => {
            f.write_str("not ")?;
            print(inner, NOT, f)
        }
        Form::Binary(operator, left, right) => {
            let (binds_left, binds_right) = operator.binding();
            let chains = binds_left < binds_right && !matches!(operator, Operator::Compare(_));
            print(left, if chains { binds_left } else { binds_left + 1 }, f)?;
            write!(f, " {} ", operator.text())?;
            print(right, binds_right, f)
        }
        Form::If(condition, yes, no) => {
            f.write_str("if ")?;
            print(condition, 1, f)?;
            f.write_str(" then ")?;
            print(yes, 1, f)?;
            f.write_str(" else ")?;
            print(no, 1, f)
        }
        Form::Case {
            subject,
            arms,
            otherwise,
        } => {
            f.write_str("case ")?;
            print(subject, 1, f)?;
            for (key, value) in arms {
                write!(f, " when \"{key}\" then ")?;
                print(value, 1, f)?;
            }
            if let Some(value) = otherwise {
                f.write_str(" else ")?;
                print(value, 1, f)?;
            }
            Ok(())
        }
        Form::Call(name, arguments) => print_list(name, "(", arguments, ")", f),
        Form::Index(name, keys) => print_list(name, "[", keys, "]", f),
        Form::Named(name, value) => {
            write!(f, "{name} = ")?;
            print(value, 0, f)
        }
        Form::Sum {
            variable,
            set,
            body,
        } => {
            write!(f, "sum({variable} in {set}: ")?;
            print(body, 0, f)?;
            f.write_str(")")
        }
    }
}

fn print_list(
    name: &str,
    open: &str,
    items: &[Expression],
    close: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "{name}{open}")?;
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            f.write_str(", ")?;
        }
        print(item, 0, f)?;
    }
    f.write_str(close)
}
