//! HTTP message signatures (RFC 9421) on requests, both ways: partners sign what they send us, we
//! sign what we send them. Pure: the caller brings the time, the keys and the request's parts.
//!
//! A signature covers *components* ([`Component`]): derived ones such as `@method` and header
//! fields; the body through its `Content-Digest`. [`sign`] writes the two header fields, [`verify`]
//! judges them by a [`Policy`]. What stays with the caller: whether the nonce was used before
//! (`nonce_reused`), and, for a streamed body, the digest's verdict at its end.

mod component;
mod request;
mod signing;
mod verification;

pub use component::Component;
pub use request::{FieldList, Fields, Request};
pub use signing::{SignedFields, Signing, sign};
pub use verification::{
    Body, NONCE_CHARS_MAX, NONCE_CHARS_MIN, Policy, Presented, Verified, When, verify,
};

#[cfg(test)]
mod tests;
