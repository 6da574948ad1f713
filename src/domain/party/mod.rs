//! Who takes part (参与方): roles and the tokens by which people are known, and how a partner's
//! machine proves that a request is its own.

pub mod content_digest;
pub mod http_signature;
pub mod key;
mod role;
mod token;

#[cfg(test)]
pub(crate) mod vectors;

pub use role::Role;
pub use token::{TOKEN_PREFIX, Token};
