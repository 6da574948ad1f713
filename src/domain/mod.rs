//! Types and rules, in the order in which a behaviour meets them. Pure: no clock, no network, no
//! files, no randomness, no SQL. A later noun may know an earlier one, never the reverse; the
//! public log stands beside them.

pub mod context;
pub mod problem;

pub mod unit;

pub mod party;

pub mod governance;

pub mod scene;

pub mod behaviour;

pub mod methodology;

pub mod reduction;

pub mod wallet;

pub mod redemption;

pub mod verification;

pub mod registry;

pub mod market;

pub mod log;
