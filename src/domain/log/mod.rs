//! The noun `log`.
