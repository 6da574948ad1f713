//! Why a demonstration stops.

use crate::flow::FlowError;
use crate::gateway::partner_client::ClientError;
use crate::server::StartError;
use crate::store::StoreError;

/// Whatever goes wrong ends the demonstration; it never goes on over a fault.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The directory or database is somebody else's.
    #[error("{0}")]
    Place(String),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Flow(#[from] FlowError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("a request failed")]
    Http(#[from] reqwest::Error),
    #[error("a partner's request failed")]
    Client(#[from] ClientError),
    #[error("an answer is not JSON")]
    Json(#[from] serde_json::Error),
    /// The platform said no where yes was expected, or the reverse.
    #[error("{method} {path} answered {status}: {body}")]
    Answer {
        method: String,
        path: String,
        status: u16,
        body: String,
    },
    /// A figure or a proof is not what it must be.
    #[error("{0}")]
    Wrong(String),
    #[error("stopped")]
    Stopped,
}

pub type DemoResult<T> = Result<T, DemoError>;

/// A fault that the walk found.
pub fn wrong(what: impl Into<String>) -> DemoError {
    DemoError::Wrong(what.into())
}

impl From<crate::domain::problem::Problem> for DemoError {
    fn from(problem: crate::domain::problem::Problem) -> DemoError {
        DemoError::Wrong(problem.to_string())
    }
}
