//! The floor `config`.
