//! Tokens to a tree: precedence climbing, bounded in depth.

use std::ops::Range;

use super::ast::{Expression, Form, NEGATE, NOT, Operator};
use super::token::{Spanned, Token, Word, tokens};
use super::{Fault, MAX_DEPTH, MAX_SOURCE};
use crate::domain::problem::detail;

/// # Errors
/// The first [`Fault`] of the text: too long, too deep, or not in the grammar.
pub(crate) fn parse(source: &str) -> Result<Expression, Fault> {
    if source.len() > MAX_SOURCE {
        return Err(Fault::new(
            0..source.len(),
            detail!(
                "一个公式最多 {MAX_SOURCE} 字节",
                "a formula has at most {MAX_SOURCE} bytes"
            ),
        ));
    }
    let mut parser = Parser {
        tokens: tokens(source)?,
        next: 0,
        nesting: 0,
    };
    let expression = parser.expression(0)?;
    match parser.take() {
        (Token::End, _) => Ok(expression),
        (Token::Is, span) => Err(Fault::new(
            span,
            detail!(
                "`=` 不是比较；请写 `==`",
                "`=` compares nothing; write `==`"
            ),
        )),
        (_, span) => Err(Fault::new(
            span,
            detail!("此前缺少运算符", "an operator is missing before this"),
        )),
    }
}

struct Parser {
    tokens: Vec<Spanned>,
    next: usize,
    nesting: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens
            .get(self.next)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn place(&self) -> Range<usize> {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens
            .get(self.next.min(last))
            .map_or(0..0, |(_, span)| span.clone())
    }

    fn take(&mut self) -> Spanned {
        let taken = (self.peek().clone(), self.place());
        self.next += 1;
        taken
    }

    fn expect(&mut self, wanted: &Token, name: &str) -> Result<Range<usize>, Fault> {
        let (token, span) = self.take();
        if token == *wanted {
            Ok(span)
        } else {
            Err(Fault::new(
                span,
                detail!("此处应为 {name}", "{name} is expected here"),
            ))
        }
    }

    fn name(&mut self) -> Result<String, Fault> {
        match self.take() {
            (Token::Name(name), _) => Ok(name),
            (_, span) => Err(Fault::new(
                span,
                detail!("此处应为名称", "a name is expected here"),
            )),
        }
    }

    /// An expression whose operators bind at least as tightly as `floor`.
    fn expression(&mut self, floor: u8) -> Result<Expression, Fault> {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(too_deep(self.place()));
        }
        let mut left = self.operand()?;
        while let Token::Operator(operator) = *self.peek() {
            let (binds_left, binds_right) = operator.binding();
            if binds_left < floor {
                break;
            }
            self.take();
            let right = self.expression(binds_right)?;
            left = binary(operator, left, right)?;
            if matches!(operator, Operator::Compare(_))
                && matches!(self.peek(), Token::Operator(Operator::Compare(_)))
            {
                return Err(Fault::new(
                    self.place(),
                    detail!(
                        "比较不能连写；请用 `and` 连接两个比较",
                        "comparisons do not chain; join two with `and`"
                    ),
                ));
            }
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expression, Fault> {
        let (token, span) = self.take();
        match token {
            Token::Number(value, unit) => leaf(Form::Number(value, unit), span),
            Token::Text(text) => leaf(Form::Text(text), span),
            Token::Word(Word::True) => leaf(Form::Truth(true), span),
            Token::Word(Word::False) => leaf(Form::Truth(false), span),
            Token::Name(name) => self.named(name, span),
            Token::Open => {
                let mut inner = self.expression(0)?;
                inner.span = span.start..self.expect(&Token::Close, "`)`")?.end;
                Ok(inner)
            }
            Token::Operator(Operator::Subtract) => {
                let inner = self.expression(NEGATE)?;
                branch(span.start..inner.span.end, Form::Negate(Box::new(inner)))
            }
            Token::Word(Word::Not) => {
                let inner = self.expression(NOT)?;
                branch(span.start..inner.span.end, Form::Not(Box::new(inner)))
            }
            Token::Word(Word::If) => self.if_then_else(span.start),
            Token::Word(Word::Case) => self.case(span.start),
            Token::Word(Word::Sum) => self.sum(span.start),
            Token::End => Err(Fault::new(
                span,
                detail!(
                    "公式在应有值处结束",
                    "the formula ends where a value is expected"
                ),
            )),
            _ => Err(Fault::new(
                span,
                detail!("此处应为值", "a value is expected here"),
            )),
        }
    }

    fn named(&mut self, name: String, span: Range<usize>) -> Result<Expression, Fault> {
        match self.peek() {
            Token::Open => {
                let (arguments, end) = self.list(&Token::Close, "`)`")?;
                branch(span.start..end, Form::Call(name, arguments))
            }
            Token::OpenKey => {
                let (keys, end) = self.list(&Token::CloseKey, "`]`")?;
                branch(span.start..end, Form::Index(name, keys))
            }
            _ => leaf(Form::Name(name), span),
        }
    }

    fn list(&mut self, close: &Token, name: &str) -> Result<(Vec<Expression>, usize), Fault> {
        self.take();
        let mut items = vec![self.item()?];
        while *self.peek() == Token::Comma {
            self.take();
            items.push(self.item()?);
        }
        let end = self.expect(close, name)?.end;
        Ok((items, end))
    }

    /// An argument, with its name where it has one.
    fn item(&mut self) -> Result<Expression, Fault> {
        let item = self.expression(0)?;
        let Form::Name(name) = &item.form else {
            return Ok(item);
        };
        if *self.peek() != Token::Is {
            return Ok(item);
        }
        self.take();
        let value = self.expression(0)?;
        branch(
            item.span.start..value.span.end,
            Form::Named(name.clone(), Box::new(value)),
        )
    }

    fn if_then_else(&mut self, start: usize) -> Result<Expression, Fault> {
        let condition = self.expression(0)?;
        self.expect(&Token::Word(Word::Then), "`then`")?;
        let yes = self.expression(0)?;
        self.expect(&Token::Word(Word::Else), "`else`")?;
        let no = self.expression(0)?;
        let span = start..no.span.end;
        branch(
            span,
            Form::If(Box::new(condition), Box::new(yes), Box::new(no)),
        )
    }

    fn case(&mut self, start: usize) -> Result<Expression, Fault> {
        let subject = Box::new(self.expression(0)?);
        let mut arms = Vec::new();
        let mut end = subject.span.end;
        while *self.peek() == Token::Word(Word::When) {
            self.take();
            let key = match self.take() {
                (Token::Text(key), _) => key,
                (_, span) => {
                    return Err(Fault::new(
                        span,
                        detail!("此处应为带引号的值", "a quoted value is expected here"),
                    ));
                }
            };
            self.expect(&Token::Word(Word::Then), "`then`")?;
            let value = self.expression(0)?;
            end = value.span.end;
            arms.push((key, value));
        }
        let mut otherwise = None;
        if *self.peek() == Token::Word(Word::Else) {
            self.take();
            let value = self.expression(0)?;
            end = value.span.end;
            otherwise = Some(Box::new(value));
        }
        if arms.is_empty() {
            return Err(Fault::new(
                self.place(),
                detail!("此处应为 `when`", "`when` is expected here"),
            ));
        }
        let form = Form::Case {
            subject,
            arms,
            otherwise,
        };
        branch(start..end, form)
    }

    fn sum(&mut self, start: usize) -> Result<Expression, Fault> {
        self.expect(&Token::Open, "`(`")?;
        let variable = self.name()?;
        self.expect(&Token::Word(Word::In), "`in`")?;
        let set = self.name()?;
        self.expect(&Token::Colon, "`:`")?;
        let body = Box::new(self.expression(0)?);
        let end = self.expect(&Token::Close, "`)`")?.end;
        let form = Form::Sum {
            variable,
            set,
            body,
        };
        branch(start..end, form)
    }
}

fn binary(operator: Operator, left: Expression, right: Expression) -> Result<Expression, Fault> {
    let span = left.span.start..right.span.end;
    branch(
        span,
        Form::Binary(operator, Box::new(left), Box::new(right)),
    )
}

fn leaf(form: Form, span: Range<usize>) -> Result<Expression, Fault> {
    branch(span, form)
}

/// A chain such as `a + b + c + …` nests without the parser nesting, so depth is counted here.
fn branch(span: Range<usize>, form: Form) -> Result<Expression, Fault> {
    let below = form.children().iter().map(|child| child.depth).max();
    let depth = below.unwrap_or(0) + 1;
    if depth > MAX_DEPTH {
        return Err(too_deep(span));
    }
    Ok(Expression { form, span, depth })
}

fn too_deep(span: Range<usize>) -> Fault {
    Fault::new(
        span,
        detail!(
            "公式最多嵌套 {MAX_DEPTH} 层；请把其中一部分命名到 [derived]",
            "a formula nests at most {MAX_DEPTH} deep; name a part of it under [derived]"
        ),
    )
}
