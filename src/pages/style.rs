//! The one style sheet, served from the program itself.

use actix_web::{HttpResponse, get, http::header};

/// `GET /style.css`.
#[get("/style.css")]
pub(super) async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(include_str!("../../templates/style.css"))
}
