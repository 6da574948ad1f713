//! The API's version is a date. A caller may name the one it was written for.

use actix_web::ResponseError;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;

use super::problem::ApiError;
use crate::domain::problem::{Code, Problem, detail};

/// Versions served, newest first.
pub const VERSIONS: [&str; 1] = ["2026-11-21"];

const FIELD: HeaderName = HeaderName::from_static("api-version");
const PATHS: &str = "/api/";

/// Middleware: refuses a version that is not served; names the newest in every answer.
pub async fn version<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    if !request.path().starts_with(PATHS) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let asked = request
        .headers()
        .get(FIELD)
        .map(|value| value.to_str().unwrap_or_default());
    let served = asked.is_none_or(|version| VERSIONS.contains(&version));
    let mut response = if served {
        next.call(request).await?.map_into_left_body()
    } else {
        let served = VERSIONS.join(", ");
        let detail = detail!("支持的版本：{served}", "served: {served}");
        let refusal = ApiError::from(Problem::at(Code::VersionUnknown, "API-Version", detail));
        request
            .into_response(refusal.error_response())
            .map_into_right_body()
    };
    response
        .headers_mut()
        .insert(FIELD, HeaderValue::from_static(VERSIONS[0]));
    Ok(response)
}
