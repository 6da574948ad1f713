//! The platform's domain alone: what reads other people's bytes is pure and needs neither the server
//! nor the database, and instrumented it builds in minutes where the whole crate takes a quarter of an
//! hour.

#![allow(dead_code, unreachable_pub, reason = "the rest of the crate uses it")]

#[path = "../../../src/domain/mod.rs"]
pub mod domain;
