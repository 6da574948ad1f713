//! The noun `reduction`.
