//! What anybody may read.

mod health;
mod log;
mod problems;

pub use problems::ProblemRow;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services
        .service(log::checkpoint)
        .service(log::verifier_key)
        .service(log::inclusion_proof)
        .service(log::consistency_proof)
        .service(log::leaf)
        .service(log::tile_file)
        .service(problems::list_problems)
        .service(health::healthz)
        .service(health::readyz);
}
