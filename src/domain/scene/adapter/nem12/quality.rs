//! What an interval or a reading is worth: AEMO's quality flag, with its method and reason.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::amount::short;
use crate::domain::problem::{Code, Problem, detail};

/// Methods and reasons that one record lists; a real day has one to three.
const LISTED_MAX: usize = 8;

/// From best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flag {
    Actual,
    /// Substituted, and not to be read any more.
    FinalSubstituted,
    /// Substituted until a reading comes.
    Substituted,
    /// Estimated ahead of a scheduled reading.
    Estimated,
    /// No value, whatever stands in its place.
    Null,
}

impl Flag {
    pub(super) const COUNTED: [Flag; 4] = [
        Flag::Actual,
        Flag::FinalSubstituted,
        Flag::Substituted,
        Flag::Estimated,
    ];

    /// The word of the attribute `quality`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Flag::Actual => "actual",
            Flag::FinalSubstituted => "final_substituted",
            Flag::Substituted => "substituted",
            Flag::Estimated => "estimated",
            Flag::Null => "null",
        }
    }

    /// The attribute that says how many intervals of a day are so.
    pub(super) fn share(self) -> &'static str {
        match self {
            Flag::Actual => "intervals_actual",
            Flag::FinalSubstituted => "intervals_final_substituted",
            Flag::Substituted => "intervals_substituted",
            Flag::Estimated => "intervals_estimated",
            Flag::Null => "intervals_null",
        }
    }
}

/// The field `QualityMethod`: `A`, `E52`, `V`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QualityMethod {
    /// `None` for `V`: the 400 rows say it for each interval.
    pub(super) flag: Option<Flag>,
    /// 11 to 99: how a value that was not read was made.
    pub(super) method: Option<u8>,
}

impl QualityMethod {
    /// # Errors
    /// `missing_field` when blank, `invalid_field` for an unknown flag or method.
    pub(super) fn parse(field: &str, text: &str) -> Result<QualityMethod, Problem> {
        let mut rest = text.chars();
        let flag = match rest.next() {
            None => return Err(Problem::on(Code::MissingField, field)),
            Some('A') => Some(Flag::Actual),
            Some('F') => Some(Flag::FinalSubstituted),
            Some('S') => Some(Flag::Substituted),
            Some('E') => Some(Flag::Estimated),
            Some('N') => Some(Flag::Null),
            Some('V') => None,
            Some(_) => return Err(unknown(field, text)),
        };
        let rest = rest.as_str();
        let plain = rest.len() == 2 && rest.bytes().all(|byte| byte.is_ascii_digit());
        let method = match rest {
            "" => None,
            digits if plain => digits.parse().ok(),
            _ => return Err(unknown(field, text)),
        };
        Ok(QualityMethod { flag, method })
    }
}

fn unknown(field: &str, text: &str) -> Problem {
    Problem::at(
        Code::InvalidField,
        field,
        detail!(
            "{:?} 不是质量标志",
            "{:?} is no quality method",
            short(text)
        ),
    )
}

/// The methods and reasons of one record, each once, in numerical order.
#[derive(Debug, Default)]
pub(super) struct Causes {
    methods: BTreeSet<u8>,
    reasons: BTreeSet<u16>,
}

impl Causes {
    /// # Errors
    /// `invalid_field`: a reason that is no number of up to three digits.
    pub(super) fn add(
        &mut self,
        method: Option<u8>,
        field: &str,
        reason: &str,
    ) -> Result<(), Problem> {
        self.methods.extend(method);
        if !reason.is_empty() {
            let number = (reason.len() <= 3).then(|| reason.parse().ok()).flatten();
            self.reasons.insert(number.ok_or_else(|| {
                Problem::at(
                    Code::InvalidField,
                    field,
                    detail!(
                        "应为至多三位数字的原因代码",
                        "a reason code of up to three digits"
                    ),
                )
            })?);
        }
        Ok(())
    }

    pub(super) fn attributes(&self, into: &mut Vec<(Cow<'static, str>, String)>) {
        if !self.methods.is_empty() {
            into.push((Cow::Borrowed("quality_method"), listed(self.methods.iter())));
        }
        if !self.reasons.is_empty() {
            into.push((Cow::Borrowed("quality_reason"), listed(self.reasons.iter())));
        }
    }
}

fn listed(codes: impl Iterator<Item = impl ToString>) -> String {
    let codes: Vec<String> = codes
        .take(LISTED_MAX)
        .map(|code| code.to_string())
        .collect();
    codes.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_ordered() {
        let read = |text| QualityMethod::parse("QualityMethod", text);
        assert_eq!(
            read("E52"),
            Ok(QualityMethod {
                flag: Some(Flag::Estimated),
                method: Some(52)
            })
        );
        assert_eq!(
            read("V"),
            Ok(QualityMethod {
                flag: None,
                method: None
            })
        );
        assert!(Flag::COUNTED.is_sorted() && Flag::Estimated < Flag::Null);
        assert_eq!(read("").expect_err("blank").code, Code::MissingField);
        for text in ["a", "X", "E5", "E525", "A 1", "５", "A-1"] {
            assert_eq!(read(text).expect_err(text).code, Code::InvalidField);
        }
    }

    #[test]
    fn causes_are_listed_once_and_in_order() {
        let mut causes = Causes::default();
        for (method, reason) in [
            (Some(52), "71"),
            (Some(11), "0"),
            (Some(52), "71"),
            (None, ""),
        ] {
            causes.add(method, "ReasonCode", reason).expect("causes");
        }
        let mut said = Vec::new();
        causes.attributes(&mut said);
        let said: Vec<(&str, &str)> = said.iter().map(|(k, v)| (k.as_ref(), v.as_str())).collect();
        assert_eq!(
            said,
            [("quality_method", "11,52"), ("quality_reason", "0,71")]
        );
        assert!(causes.add(None, "ReasonCode", "1000").is_err());
        assert!(causes.add(None, "ReasonCode", "-1").is_err());
    }
}
