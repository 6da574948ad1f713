//! The noun `market`.
