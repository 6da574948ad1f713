//! The floor `flow`.
