//! Scene partners, by signed requests.

pub mod answers;
mod batches;
mod files;
mod links;
pub mod proof;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services
        .service(batches::post_behaviours)
        .service(files::post_file)
        .service(links::link_subject)
        .service(links::unlink_subject);
}
