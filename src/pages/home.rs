//! The first page.

use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;

use super::{Shell, page};
use crate::api::ApiResult;

#[derive(Template)]
#[template(path = "public/home.html")]
struct Home<'a> {
    shell: &'a Shell,
}

/// `GET /`.
///
/// # Errors
/// The template failed.
#[get("/")]
pub(super) async fn home(request: HttpRequest) -> ApiResult<HttpResponse> {
    let shell = Shell::of(&request);
    page(&shell, &Home { shell: &shell })
}
