//! Verification bodies, by [`VerifierAuth`](super::auth::VerifierAuth).

mod periods;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services.service(periods::ask).service(periods::accept);
}
