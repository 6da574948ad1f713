//! tanpuhui: a carbon-inclusion (碳普惠) platform for citizens and small firms.
//!
//! The floors, lowest first: [`domain`] (pure rules), [`store`] (all SQL), [`gateway`] (outgoing
//! clients), [`flow`] (one use case, one function, one transaction), [`api`] and [`pages`] (HTTP
//! in), [`jobs`] (reconcilers), and the wiring in [`cli`] and [`server`]. `tests/tidy.rs` keeps
//! the arrows pointing down.

#![forbid(unsafe_code)]

pub mod api;
pub mod cli;
pub mod config;
pub mod domain;
pub mod flow;
pub mod gateway;
pub mod jobs;
pub mod pages;
pub mod server;
pub mod store;
pub mod telemetry;
