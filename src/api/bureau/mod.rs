//! The bureau, by [`BureauAuth`](super::auth::BureauAuth); operators and auditors too.

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(_services: &mut ServiceConfig<'_>) {}
