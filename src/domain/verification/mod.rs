//! The noun `verification`.
