//! What a verifier puts their name to.

use sha2::{Digest, Sha256};

use crate::domain::problem::{Code, Problem, detail};
use crate::domain::unit::Tonnes;

/// A verification statement (核证意见): a quantity, and the text that stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub accepted: Tonnes,
    text: String,
}

impl Statement {
    /// Longest text, in characters: a statement, with the report attached by its hash.
    pub const TEXT_MAX: usize = 20_000;

    /// # Errors
    /// `invalid_field` if the text is blank or too long.
    pub fn new(accepted: Tonnes, text: &str) -> Result<Statement, Problem> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::TEXT_MAX {
            let detail = detail!("须为 1 至 {} 个字符", "1 to {} characters.", Self::TEXT_MAX);
            return Err(Problem::at(Code::InvalidField, "statement", detail));
        }
        Ok(Statement {
            accepted,
            text: text.to_owned(),
        })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text's UTF-8 bytes.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }
}
