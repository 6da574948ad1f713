//! The noun `governance`.
