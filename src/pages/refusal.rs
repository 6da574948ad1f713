//! What a person sees instead of problem+json: the same refusal, in words.

use actix_web::HttpResponse;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::middleware::Next;
use askama::Template;

use super::{Shell, page};
use crate::api::{ApiError, ApiResult};
use crate::domain::problem::{Detail, Kind, Problem};

#[derive(Template)]
#[template(path = "public/refusal.html")]
struct Refused<'a> {
    shell: &'a Shell,
    status: u16,
    code: &'static str,
    zh: &'static str,
    en: &'static str,
    detail: &'a Detail,
}

/// Middleware: a refusal becomes a page; who has not signed in is sent to the sign-in page. Pages
/// of a named person are kept by no cache.
pub(super) async fn for_people<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let mut response = next.call(request).await?;
    let refused = response
        .response()
        .error()
        .and_then(|error| error.as_error::<ApiError>())
        .map(|error| error.problem.clone());
    let Some(problem) = refused else {
        let named = response.request().path().starts_with("/me");
        if named && !response.headers().contains_key(CACHE_CONTROL) {
            let never = actix_web::http::header::HeaderValue::from_static("no-store");
            response.headers_mut().insert(CACHE_CONTROL, never);
        }
        return Ok(response.map_into_left_body());
    };
    let status = response.status();
    let page = match problem.code.kind() {
        // At the door itself the refusal is told.
        Kind::Unauthenticated if response.request().path() != "/login" => HttpResponse::SeeOther()
            .insert_header((LOCATION, "/login"))
            .finish(),
        _ if response.request().method() == Method::HEAD => HttpResponse::new(status),
        _ => {
            let shell = Shell::of(response.request());
            refusal(&shell, status.as_u16(), &problem)?
        }
    };
    Ok(response.into_response(page).map_into_right_body())
}

fn refusal(shell: &Shell, status: u16, problem: &Problem) -> ApiResult<HttpResponse> {
    let template = Refused {
        shell,
        status,
        code: problem.code.as_str(),
        zh: problem.code.zh(),
        en: problem.code.en(),
        detail: &problem.detail,
    };
    let mut answer = page(shell, &template)?;
    let known = actix_web::http::StatusCode::from_u16(status);
    *answer.status_mut() = known.map_err(ApiError::internal)?;
    Ok(answer)
}
