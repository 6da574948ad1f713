//! The bureau, by [`BureauAuth`](super::auth::BureauAuth); operators and auditors too.

mod links;
mod merchants;
mod offers;
mod periods;
mod pulls;
mod registry;

use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this audience: `services.service(handler)` one a line.
pub fn routes(services: &mut ServiceConfig<'_>) {
    services
        .service(links::show)
        .service(links::end)
        .service(merchants::register)
        .service(offers::put_up)
        .service(offers::change)
        .service(offers::restock)
        .service(periods::open)
        .service(periods::close)
        .service(periods::answer)
        .service(periods::issue_units)
        .service(pulls::declare_pull)
        .service(pulls::change_pull)
        .service(pulls::show_pull)
        .service(registry::open_account)
        .service(registry::cancel_units)
        .service(registry::resolve);
}
