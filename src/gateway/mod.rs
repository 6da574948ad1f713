//! The floor `gateway`.
