//! Citizens, by [`CitizenAuth`](super::auth::CitizenAuth).

mod links;
mod offers;
mod reductions;
pub mod subjects;
mod vouchers;
mod wallet;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services
        .service(wallet::show_balance)
        .service(wallet::show_statement)
        .service(reductions::explain_reduction)
        .service(links::make_link_code)
        .service(subjects::list_subjects)
        .service(subjects::state_shares)
        .service(subjects::leave)
        .service(offers::list_offers)
        .service(vouchers::redeem)
        .service(vouchers::list_vouchers)
        .service(vouchers::show_qr)
        .service(vouchers::cancel);
}
