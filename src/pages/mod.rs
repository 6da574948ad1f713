//! The floor `pages`.
