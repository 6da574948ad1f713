//! HTTP in, for people: Chinese first with English beside it, readable on a phone, nothing loaded
//! from outside, no script. `shell` is the frame around each page; a refusal is a page too.

mod chart;
mod factor;
mod figure;
mod refusal;
mod shell;
mod style;

// For everybody.
mod certificate;
mod home;
mod log;
mod methodology;
mod problems;
mod registry;
mod voucher_check;

// For a citizen.
mod credit;
mod offer;
mod reduction;
mod session;
mod subjects;
mod voucher;
mod wallet;

pub use shell::{Shell, page};

use actix_web::middleware::from_fn;
use actix_web::web::{ServiceConfig, scope};

/// Every page.
pub fn routes(services: &mut ServiceConfig) {
    let public = scope("/public")
        .wrap(from_fn(refusal::for_people))
        .service(log::show)
        .service(registry::show)
        .service(registry::show_issuance)
        .service(registry::list_retirements)
        .service(certificate::show)
        .service(certificate::show_qr)
        .service(methodology::list)
        .service(methodology::show);
    let citizen = scope("/me")
        .wrap(from_fn(refusal::for_people))
        .service(wallet::show)
        .service(credit::show)
        .service(reduction::show)
        .service(voucher::list)
        .service(voucher::show)
        .service(voucher::cancel)
        .service(offer::list)
        .service(offer::redeem)
        .service(subjects::list)
        .service(subjects::make_code)
        .service(subjects::state_shares)
        .service(subjects::leave);
    services
        .service(style::style)
        .service(home::home)
        .service(problems::problems)
        .service(session::show)
        .service(session::enter)
        .service(session::leave)
        .service(voucher_check::show)
        .service(public)
        .service(citizen);
}
