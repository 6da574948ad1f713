//! The two ways out of circulation, which Chinese calls by one word (注销).

use crate::domain::problem::{Code, Problem};

/// What a retirement (用于声明的注销) is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Offset in an emissions trading scheme (抵销).
    Compliance,
    Event,
    Organisation,
    Personal,
    Charity,
    /// Made good for damage, by order or agreement.
    Compensation,
}

impl Purpose {
    pub const ALL: [Purpose; 6] = [
        Purpose::Compliance,
        Purpose::Event,
        Purpose::Organisation,
        Purpose::Personal,
        Purpose::Charity,
        Purpose::Compensation,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Compliance => "compliance",
            Purpose::Event => "event",
            Purpose::Organisation => "organisation",
            Purpose::Personal => "personal",
            Purpose::Charity => "charity",
            Purpose::Compensation => "compensation",
        }
    }

    pub fn parse(text: &str) -> Option<Purpose> {
        Purpose::ALL.into_iter().find(|p| p.as_str() == text)
    }
}

/// For whom and for what a retirement is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub purpose: Purpose,
    beneficiary: String,
    text: String,
}

impl Claim {
    const BENEFICIARY_MAX: usize = 200;
    const TEXT_MAX: usize = 2_000;

    /// # Errors
    /// `invalid_field` if the beneficiary is blank, or a text too long.
    pub fn new(purpose: Purpose, beneficiary: &str, text: &str) -> Result<Claim, Problem> {
        let beneficiary = beneficiary.trim();
        let text = text.trim();
        if beneficiary.is_empty() || beneficiary.chars().count() > Self::BENEFICIARY_MAX {
            return Err(Problem::on(Code::InvalidField, "beneficiary"));
        }
        if text.chars().count() > Self::TEXT_MAX {
            return Err(Problem::on(Code::InvalidField, "claim"));
        }
        Ok(Claim {
            purpose,
            beneficiary: beneficiary.to_owned(),
            text: text.to_owned(),
        })
    }

    pub fn beneficiary(&self) -> &str {
        &self.beneficiary
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Why units are cancelled (无声明的注销) without anybody claiming them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Error,
    Fraud,
    /// Given up to make good for units that were issued wrongly.
    MakeUp,
}

impl Reason {
    pub const ALL: [Reason; 3] = [Reason::Error, Reason::Fraud, Reason::MakeUp];

    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Error => "error",
            Reason::Fraud => "fraud",
            Reason::MakeUp => "make_up",
        }
    }

    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// A person's name as others may read it: the first character, the rest starred.
pub fn masked(name: &str) -> String {
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => std::iter::once(first).chain(chars.map(|_| '＊')).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_character_of_a_name_shows() {
        assert_eq!(masked("王小明"), "王＊＊");
        assert_eq!(masked(""), "");
    }

    #[test]
    fn a_claim_names_its_beneficiary() {
        assert!(Claim::new(Purpose::Event, " \u{3000}", "马拉松").is_err());
        let claim = Claim::new(Purpose::Event, " 深圳马拉松 ", "").unwrap();
        assert_eq!(claim.beneficiary(), "深圳马拉松");
    }
}
