//! Tables that tests make.
