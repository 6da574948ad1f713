//! Refusals as HTTP: RFC 9457 `application/problem+json`. The only place where statuses are
//! chosen. An error that nobody foresaw is a 500 and is logged once, with its causes.

use actix_web::error::{JsonPayloadError, PathError, PayloadError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, web};
use serde::Serialize;

use crate::config::Config;
use crate::domain::problem::{Code, Kind, Problem, detail};
use crate::flow::FlowError;
use crate::store::StoreError;

pub type ApiResult<T> = Result<T, ApiError>;

/// Seconds after which a busy platform is asked again.
const RETRY_AFTER_BUSY: u64 = 1;
const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal or a failure on its way out. Made with `?` from [`Problem`], [`Code`], [`FlowError`]
/// and [`StoreError`].
#[derive(Debug)]
pub struct ApiError {
    pub problem: Problem,
    /// Seconds, for the `Retry-After` field.
    retry_after: Option<u64>,
    /// What went wrong inside, for the log only.
    cause: Option<Box<dyn std::error::Error>>,
    allow: Option<String>,
}

/// The body of every refusal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// Where the code is explained.
    #[schema(example = "/problems#token_invalid")]
    pub r#type: String,
    pub title: &'static str,
    pub title_zh: &'static str,
    pub status: u16,
    /// Stable; clients branch on it.
    #[schema(example = "token_invalid")]
    pub code: &'static str,
    /// The field, header or row that offends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// What exactly broke the rule.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail_zh: String,
}

/// The HTTP status of a kind of refusal.
pub fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl ProblemBody {
    pub fn new(problem: &Problem) -> ProblemBody {
        let code = problem.code;
        ProblemBody {
            r#type: format!("/problems#{}", code.as_str()),
            title: code.en(),
            title_zh: code.zh(),
            status: status_of(code.kind()).as_u16(),
            code: code.as_str(),
            param: problem.param.clone(),
            detail: problem.detail.en().to_owned(),
            detail_zh: problem.detail.zh().to_owned(),
        }
    }
}

impl ApiError {
    /// A defect of ours: the caller learns nothing but that it is recorded.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error>>) -> ApiError {
        ApiError::caused(Code::Internal, cause)
    }

    /// Not the caller's fault, and worth another try.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error>>) -> ApiError {
        ApiError::caused(Code::Unavailable, cause)
    }

    /// Nothing answers this method here; `methods` as the `Allow` field lists them.
    pub fn method_not_allowed(methods: String) -> ApiError {
        ApiError {
            allow: Some(methods),
            ..Code::MethodNotAllowed.into()
        }
    }

    /// Too often; says in how many seconds the caller may come back.
    pub fn too_many(retry_after: u64) -> ApiError {
        ApiError {
            retry_after: Some(retry_after),
            ..Code::TooManyRequests.into()
        }
    }

    fn caused(code: Code, cause: impl Into<Box<dyn std::error::Error>>) -> ApiError {
        ApiError {
            cause: Some(cause.into()),
            ..code.into()
        }
    }

    fn log(&self) {
        let Some(cause) = &self.cause else { return };
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(inner) = next {
            chain.push_str(": ");
            chain.push_str(&inner.to_string());
            next = inner.source();
        }
        match self.problem.code.kind() {
            Kind::Internal => tracing::error!(error = %chain, "a request failed"),
            _ => tracing::warn!(error = %chain, "a request could not be served"),
        }
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> ApiError {
        let retry_after = (problem.code.kind() == Kind::Unavailable).then_some(RETRY_AFTER_BUSY);
        ApiError {
            problem,
            retry_after,
            cause: None,
            allow: None,
        }
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> ApiError {
        Problem::new(code).into()
    }
}

impl From<FlowError> for ApiError {
    fn from(error: FlowError) -> ApiError {
        match error {
            FlowError::Refused(problem) => problem.into(),
            FlowError::Store(error) => error.into(),
            other => ApiError::internal(other),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        match error {
            StoreError::NotFound => Code::NotFound.into(),
            StoreError::Busy | StoreError::Unavailable(_) => ApiError::unavailable(error),
            other => ApiError::internal(other),
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        status_of(self.problem.code.kind())
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        let mut response = HttpResponseBuilder::new(self.status_code());
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(methods) = &self.allow {
            response.insert_header((header::ALLOW, methods.as_str()));
        }
        if self.problem.code.kind() == Kind::Unauthenticated {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response
            .insert_header((header::CONTENT_TYPE, PROBLEM_JSON))
            .insert_header((HeaderName::from_static("content-language"), "en, zh"))
            .json(ProblemBody::new(&self.problem))
    }
}

/// Makes actix's own refusals of bodies, queries and paths problems too.
pub fn extractors(config: &Config) -> impl FnOnce(&mut web::ServiceConfig) {
    let json_bytes = config.http.json_bytes;
    move |services| {
        services
            .app_data(web::PayloadConfig::new(json_bytes))
            .app_data(
                web::JsonConfig::default()
                    .limit(json_bytes)
                    .error_handler(bad_json),
            )
            .app_data(web::QueryConfig::default().error_handler(bad_query))
            .app_data(web::PathConfig::default().error_handler(bad_path));
    }
}

fn bad_json(error: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    let problem = match &error {
        JsonPayloadError::OverflowKnownLength { limit, .. }
        | JsonPayloadError::Overflow { limit } => Problem::at(
            Code::BodyTooLarge,
            "body",
            detail!("上限为 {limit} 字节", "the limit is {limit} bytes"),
        ),
        JsonPayloadError::ContentType => Problem::at(
            Code::UnsupportedFormat,
            "Content-Type",
            detail!("此处只读 application/json", "application/json is read here"),
        ),
        JsonPayloadError::Deserialize(error) => of_serde(&error.to_string(), "body"),
        other => unreadable("body", other),
    };
    ApiError::from(problem).into()
}

fn bad_query(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    let problem = match &error {
        QueryPayloadError::Deserialize(error) => of_serde(&error.to_string(), "query"),
        other => unreadable("query", other),
    };
    ApiError::from(problem).into()
}

fn bad_path(_: PathError, _: &HttpRequest) -> actix_web::Error {
    // A path whose parameter has the wrong form names nothing that exists.
    ApiError::from(Code::NotFound).into()
}

/// Turns an error of a streamed body into a problem.
pub fn bad_payload(error: &PayloadError) -> ApiError {
    match error {
        PayloadError::Overflow => Problem::on(Code::BodyTooLarge, "body").into(),
        other => unreadable("body", other).into(),
    }
}

/// What serde says, as a problem: it names the field in backticks.
fn of_serde(message: &str, whole: &str) -> Problem {
    let named = message.split('`').nth(1).unwrap_or(whole);
    if message.starts_with("missing field") {
        Problem::on(Code::MissingField, named)
    } else if message.starts_with("unknown field") {
        Problem::on(Code::UnknownField, named)
    } else {
        unreadable(whole, &message)
    }
}

fn unreadable(param: &str, why: &dyn std::fmt::Display) -> Problem {
    let detail = detail!("无法解析：{why}", "{why}");
    Problem::at(Code::InvalidField, param, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_parameter_and_detail() {
        let error = ApiError::from(FlowError::from(Problem::at(
            Code::MissingField,
            "a.b",
            detail!("缘由", "why"),
        )));
        let body = ProblemBody::new(&error.problem);
        assert_eq!(error.status_code(), StatusCode::BAD_REQUEST);
        assert_eq!(body.r#type, "/problems#missing_field");
        assert_eq!(
            (body.param.as_deref(), body.detail.as_str()),
            (Some("a.b"), "why")
        );
        assert_eq!(body.detail_zh, "缘由");
    }

    #[test]
    fn an_unforeseen_error_is_a_500_without_its_cause() {
        let error = ApiError::from(FlowError::from(StoreError::Constraint(
            "lots_held_check".into(),
        )));
        assert_eq!(error.status_code(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&ProblemBody::new(&error.problem)).expect("it is JSON");
        assert!(!body.contains("lots_held"), "{body}");
    }

    #[test]
    fn a_busy_store_asks_to_try_again() {
        let response = ApiError::from(StoreError::Busy).error_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            response.headers().get("Retry-After").map(|v| v.as_bytes()),
            Some(&b"1"[..])
        );
        let problem = response.headers().get("Content-Type").map(|v| v.as_bytes());
        assert_eq!(problem, Some(PROBLEM_JSON.as_bytes()));
    }

    #[test]
    fn what_serde_says_becomes_a_code() {
        assert_eq!(
            of_serde("missing field `a` at line 1", "body").code,
            Code::MissingField
        );
        let unknown = of_serde("unknown field `zz`, expected `a`", "body");
        assert_eq!(
            (unknown.code, unknown.param.as_deref()),
            (Code::UnknownField, Some("zz"))
        );
        let invalid = of_serde("invalid type: map", "body");
        assert_eq!(invalid.param.as_deref(), Some("body"));
        assert_eq!(invalid.detail.zh(), "无法解析：invalid type: map");
        assert_eq!(invalid.detail.en(), "invalid type: map");
    }
}
