//! The noun `methodology`.
