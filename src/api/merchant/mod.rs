//! Merchants, by [`MerchantAuth`](super::auth::MerchantAuth).

mod statement;
mod write_offs;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services
        .service(write_offs::write_off_voucher)
        .service(statement::show_statement);
}
