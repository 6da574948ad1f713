//! The noun `wallet`.
