//! The table of refusals, for people.

use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;

use super::{Shell, page};
use crate::api::ApiResult;
use crate::api::open::ProblemRow;

#[derive(Template)]
#[template(path = "public/problems.html")]
struct Problems<'a> {
    shell: &'a Shell,
    rows: Vec<ProblemRow>,
}

/// `GET /problems`.
///
/// # Errors
/// The template failed.
#[get("/problems")]
pub(super) async fn problems(request: HttpRequest) -> ApiResult<HttpResponse> {
    let shell = Shell::of(&request);
    page(
        &shell,
        &Problems {
            shell: &shell,
            rows: ProblemRow::all(),
        },
    )
}
