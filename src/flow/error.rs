//! What a use case answers when it does not do what was asked.

use crate::domain::problem::{Code, Problem};
use crate::domain::unit::OutOfRange;
use crate::store::{Contended, StoreError};

pub type FlowResult<T> = Result<T, FlowError>;

/// A rule refused, or the store failed.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error(transparent)]
    Refused(#[from] Problem),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

impl From<Code> for FlowError {
    fn from(code: Code) -> FlowError {
        FlowError::Refused(code.into())
    }
}

impl Contended for FlowError {
    fn is_contended(&self) -> bool {
        matches!(self, FlowError::Store(error) if error.is_contended())
    }
}
