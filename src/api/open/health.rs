//! Whether this process lives, and whether it can do its work.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;

use crate::api::problem::{ApiError, ApiResult, ProblemBody};
use crate::api::state::AppState;
use crate::store::{StoreError, pending_migrations};

/// How a process is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    pub status: &'static str,
    pub version: &'static str,
}

const OK: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// The process answers
#[utoipa::path(tag = "open", responses((status = OK, body = Health)))]
#[get("/healthz")]
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(OK)
}

/// The database answers and its schema is this program's
#[utoipa::path(tag = "open", responses(
    (status = OK, body = Health),
    (status = SERVICE_UNAVAILABLE, body = ProblemBody, content_type = "application/problem+json"),
))]
#[get("/readyz")]
pub(super) async fn readyz(state: web::Data<AppState>) -> ApiResult<HttpResponse> {
    match state.pool.read::<_, StoreError>(pending_migrations).await {
        Ok(false) => Ok(HttpResponse::Ok().json(OK)),
        Ok(true) => Err(ApiError::unavailable("migrations are pending")),
        Err(error) => Err(ApiError::unavailable(error)),
    }
}
