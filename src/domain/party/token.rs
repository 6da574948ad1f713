//! Opaque access tokens (访问令牌).

use sha2::{Digest, Sha256};

/// What every token begins with, so that one that leaked into a text is found by a scanner.
pub const TOKEN_PREFIX: &str = "tph_";

/// 32 random bytes that the bearer shows; the platform keeps only their digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token of these random bytes.
    pub fn new(secret: &[u8; 32]) -> Token {
        Token(format!("{TOKEN_PREFIX}{}", hex::encode(secret)))
    }

    /// A token as a caller shows it; whether it was ever issued is another question.
    pub fn shown(text: &str) -> Token {
        Token(text.to_owned())
    }

    /// For handing out, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text: what is stored and looked up. The token has 256 random bits, so a
    /// slow hash would add nothing.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(<redacted>)")
    }
}
