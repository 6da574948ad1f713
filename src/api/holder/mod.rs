//! Holders of certified units, by [`HolderAuth`](super::auth::HolderAuth).

mod blocks;
mod listings;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services
        .service(blocks::list_own)
        .service(blocks::pass_on)
        .service(blocks::retire_part)
        .service(listings::list_part)
        .service(listings::take_back)
        .service(listings::list_own_listings);
}
