//! The noun `party`.
