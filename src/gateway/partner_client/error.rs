//! Why a request did not do what it was for.

use std::time::Duration;

use reqwest::StatusCode;

use super::answer::ProblemAnswer;
use crate::domain::problem::Problem;

/// Why there is no success to show.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the address cannot be used: {0}")]
    Address(String),
    #[error("the request cannot be signed")]
    Unsignable(#[source] Problem),
    /// What became of the request is not known.
    #[error("there was no answer")]
    NoAnswer(#[source] reqwest::Error),
    /// The platform heard it and says no, or not now.
    #[error("{status}: {problem}")]
    Refused {
        status: StatusCode,
        problem: Box<ProblemAnswer>,
        /// How long the platform asks us to stay away.
        retry_after: Option<Duration>,
    },
    #[error("the answer cannot be read: {0}")]
    Unexpected(String),
}

impl ClientError {
    /// Whether the same request, signed anew, may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            ClientError::NoAnswer(error) => !error.is_builder(),
            ClientError::Refused { status, .. } => matches!(
                *status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            ),
            ClientError::Address(_) | ClientError::Unsignable(_) | ClientError::Unexpected(_) => {
                false
            }
        }
    }

    /// The code of the platform's refusal, if it is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            ClientError::Refused { problem, .. } => Some(&problem.code),
            _ => None,
        }
    }
}
