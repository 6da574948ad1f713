//! The frame around every page.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::api::{ApiError, ApiResult};

/// The cookie that remembers large print.
const LARGE_COOKIE: &str = "large";

/// What `layout.html` needs. A page's template struct has it as its field `shell`.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Large print (大字版): chosen with `?large=1`, remembered in a cookie.
    pub large: bool,
    /// This page's address without its query, for the switch.
    pub path: String,
    chosen: bool,
}

impl Shell {
    pub fn of(request: &HttpRequest) -> Shell {
        let asked = request
            .query_string()
            .split('&')
            .find_map(|pair| pair.strip_prefix("large="));
        let kept = request
            .cookie(LARGE_COOKIE)
            .is_some_and(|cookie| cookie.value() == "1");
        Shell {
            large: asked.map_or(kept, |value| value == "1"),
            path: request.path().to_owned(),
            chosen: asked.is_some(),
        }
    }
}

/// Answers with a page.
///
/// # Errors
/// The template failed: a defect.
pub fn page(shell: &Shell, template: &impl Template) -> ApiResult<HttpResponse> {
    let body = template.render().map_err(ApiError::internal)?;
    let mut response = HttpResponse::Ok();
    if shell.chosen {
        let value = if shell.large { "1" } else { "0" };
        let cookie = Cookie::build(LARGE_COOKIE, value)
            .path("/")
            .same_site(SameSite::Lax)
            .permanent();
        response.cookie(cookie.finish());
    }
    Ok(response.content_type("text/html; charset=utf-8").body(body))
}
