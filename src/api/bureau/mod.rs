//! The bureau, by [`BureauAuth`](super::auth::BureauAuth); operators and auditors too.

mod merchants;
mod offers;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services
        .service(merchants::register)
        .service(offers::put_up)
        .service(offers::change)
        .service(offers::restock);
}
