//! What anybody may read.

mod health;
mod log;
mod periods;
mod problems;
mod registry;

pub use periods::PeriodBody;
pub use problems::ProblemRow;
pub use registry::{BlocksBody, IssuanceBody};

pub(super) use registry::blocks_page;

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
        .service(health::readyz)
        .service(periods::list_periods)
        .service(periods::show_period)
        .service(registry::list_issuances)
        .service(registry::list_blocks)
        .service(registry::show_serial)
        .service(registry::list_retirements)
        .service(registry::show_retirement);
}
