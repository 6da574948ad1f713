//! The noun `registry`.
