//! The floor `jobs`.
