//! The noun `redemption`.
