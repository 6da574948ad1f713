//! Text to tokens.

use std::ops::Range;

use rust_decimal::Decimal;

use super::Fault;
use super::ast::{Comparison, Operator};
use crate::domain::problem::detail;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A number and the unit written behind it.
    Number(Decimal, Option<String>),
    Text(String),
    Name(String),
    Word(Word),
    Operator(Operator),
    Open,
    Close,
    OpenKey,
    CloseKey,
    Comma,
    Colon,
    /// `=`, which names an argument.
    Is,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    If,
    Then,
    Else,
    Case,
    When,
    Not,
    Sum,
    In,
    True,
    False,
}

pub(super) type Spanned = (Token, Range<usize>);

pub(super) fn tokens(source: &str) -> Result<Vec<Spanned>, Fault> {
    let mut reader = Reader { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        reader.skip_while(char::is_whitespace);
        let start = reader.at;
        let token = reader.token()?;
        let ended = token == Token::End;
        tokens.push((token, start..reader.at));
        if ended {
            return Ok(tokens);
        }
    }
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn token(&mut self) -> Result<Token, Fault> {
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        if first.is_ascii_digit() {
            return self.number();
        }
        if first == '"' {
            return self.text();
        }
        if first.is_alphabetic() || first == '_' {
            return Ok(word(self.skip_while(|c| c.is_alphanumeric() || c == '_')));
        }
        self.punctuation(first)
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        let digits = self.skip_while(|c| c.is_ascii_digit() || c == '.');
        let value = Decimal::from_str_exact(digits).map_err(|_| {
            Fault::new(
                start..self.at,
                detail!(
                    "`{digits}` 不是 28 位以内的数值",
                    "`{digits}` is not a number of at most 28 digits"
                ),
            )
        })?;
        let number_end = self.at;
        self.skip_while(|c| c == ' ');
        match self.unit() {
            Some(unit) => Ok(Token::Number(value, Some(unit))),
            None => {
                self.at = number_end;
                Ok(Token::Number(value, None))
            }
        }
    }

    /// A unit text behind a number: symbols, joined by `-`, `·`, `/` or `^` without spaces.
    fn unit(&mut self) -> Option<String> {
        let start = self.at;
        let symbol = |c: char| c.is_alphanumeric() || c == '_';
        if self.peek() == Some('%') {
            self.at += 1;
            return Some("%".to_owned());
        }
        if !self.peek().is_some_and(char::is_alphabetic) {
            return None;
        }
        let first = self.skip_while(symbol);
        if !matches!(word(first), Token::Name(_)) {
            return None;
        }
        loop {
            let mut ahead = self.rest().chars();
            let (joint, next) = (ahead.next(), ahead.next());
            let joins = match (joint, next) {
                (Some('-' | '·' | '/'), Some(next)) => next.is_alphabetic(),
                (Some('^'), Some(next)) => next.is_ascii_digit(),
                _ => false,
            };
            if !joins {
                return self.source.get(start..self.at).map(str::to_owned);
            }
            self.at += joint.map_or(0, char::len_utf8);
            self.skip_while(symbol);
        }
    }

    fn text(&mut self) -> Result<Token, Fault> {
        let start = self.at;
        self.at += 1;
        let text = self.skip_while(|c| c != '"');
        if self.peek().is_none() {
            return Err(Fault::new(
                start..self.at,
                detail!(
                    "从此处开始的文本没有结束",
                    "the text that begins here has no end"
                ),
            ));
        }
        self.at += 1;
        Ok(Token::Text(text.to_owned()))
    }

    fn punctuation(&mut self, first: char) -> Result<Token, Fault> {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let start = self.at;
        self.at += first.len_utf8();
        let equals = self.peek() == Some('=');
        let comparison = match (first, equals) {
            ('=', true) => Some(Equal),
            ('!', true) => Some(NotEqual),
            ('<', true) => Some(LessOrEqual),
            ('>', true) => Some(GreaterOrEqual),
            ('<', false) => Some(Less),
            ('>', false) => Some(Greater),
            _ => None,
        };
        if let Some(comparison) = comparison {
            self.at += usize::from(equals);
            return Ok(Token::Operator(Operator::Compare(comparison)));
        }
        Ok(match first {
            '+' => Token::Operator(Operator::Add),
            '-' | '−' => Token::Operator(Operator::Subtract),
            '*' | '×' => Token::Operator(Operator::Multiply),
            '/' | '÷' => Token::Operator(Operator::Divide),
            '^' => Token::Operator(Operator::Power),
            '≤' => Token::Operator(Operator::Compare(LessOrEqual)),
            '≥' => Token::Operator(Operator::Compare(GreaterOrEqual)),
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::OpenKey,
            ']' => Token::CloseKey,
            ',' => Token::Comma,
            ':' => Token::Colon,
            '=' => Token::Is,
            other => {
                return Err(Fault::new(
                    start..self.at,
                    detail!("`{other}` 在此处没有意义", "`{other}` has no meaning here"),
                ));
            }
        })
    }
}

fn word(text: &str) -> Token {
    match text {
        "if" => Token::Word(Word::If),
        "then" => Token::Word(Word::Then),
        "else" => Token::Word(Word::Else),
        "case" => Token::Word(Word::Case),
        "when" => Token::Word(Word::When),
        "not" => Token::Word(Word::Not),
        "sum" => Token::Word(Word::Sum),
        "in" => Token::Word(Word::In),
        "true" => Token::Word(Word::True),
        "false" => Token::Word(Word::False),
        "and" => Token::Operator(Operator::And),
        "or" => Token::Operator(Operator::Or),
        name => Token::Name(name.to_owned()),
    }
}
