//! Reductions (减排量): what a methodology made of a behaviour, in milligrams of CO₂e.

mod id;
mod share;

pub use id::ReductionId;
pub use share::split;
