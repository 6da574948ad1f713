//! HTTP in, for people: Chinese first with English beside it, readable on a phone, nothing loaded
//! from outside. One module an audience; `shell` is the frame around each page.

mod shell;
mod style;

pub mod home;
pub mod problems;

pub use shell::{Shell, page};

use actix_web::web::ServiceConfig;

/// Every page.
pub fn routes(services: &mut ServiceConfig) {
    services
        .service(style::style)
        .service(home::home)
        .service(problems::problems);
}
