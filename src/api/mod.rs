//! HTTP in, for programs: JSON, one folder an audience. Every route stands in the `routes` of its
//! audience's `mod.rs`; this is the screen they meet on.

pub mod auth;
pub mod counter;
pub mod cursor;
pub mod idempotency;
pub mod limit;
pub mod link_code;
pub mod openapi;
pub mod problem;
pub mod state;
pub mod version;

mod fallback;

pub mod bureau;
pub mod citizen;
pub mod holder;
pub mod merchant;
pub mod open;
pub mod partner;
pub mod verifier;

pub use counter::Counter;
pub use problem::{ApiError, ApiResult, ProblemBody};
pub use state::AppState;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the API.
pub fn routes(services: &mut ServiceConfig<'_>) {
    open::routes(services);
    citizen::routes(services);
    merchant::routes(services);
    partner::routes(services);
    bureau::routes(services);
    verifier::routes(services);
    holder::routes(services);
}

pub use fallback::{KnownPaths, fallback};
