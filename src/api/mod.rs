//! The floor `api`.
