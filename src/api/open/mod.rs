//! What anybody may read.

mod health;
mod problems;

pub use problems::ProblemRow;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services
        .service(problems::list_problems)
        .service(health::healthz)
        .service(health::readyz);
}
