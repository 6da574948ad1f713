//! Who takes part (参与方): roles, and the tokens by which they are known.

mod role;
mod token;

pub use role::Role;
pub use token::{TOKEN_PREFIX, Token};
