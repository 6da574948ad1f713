//! Who stands outside: partners, merchants, citizens and officers, and how a machine among them
//! proves that a request is its own.

pub mod content_digest;
pub mod http_signature;
pub mod key;

#[cfg(test)]
pub(crate) mod vectors;
