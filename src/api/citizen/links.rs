//! Codes with which a citizen lets a partner's records reach the account.

use actix_web::{HttpResponse, post, web};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::api::auth::CitizenAuth;
use crate::api::link_code::LinkCode;
use crate::api::{ApiError, ApiResult, AppState, ProblemBody};

/// A code to show to a partner.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LinkCodeBody {
    pub code: String,
    /// Good until then, and once.
    pub until: DateTime<Utc>,
}

/// Make a code that links a partner's records to me
#[utoipa::path(tag = "citizen", security(("bearer" = [])),
    responses((status = OK, body = LinkCodeBody), (status = UNAUTHORIZED, body = ProblemBody)))]
#[post("/api/citizen/link-codes")]
pub async fn make_link_code(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).map_err(ApiError::internal)?;
    let code = LinkCode::new(citizen.account_id, state.now(), salt);
    let body = LinkCodeBody {
        code: code.text(&state.keys.codes),
        until: code.until(),
    };
    Ok(HttpResponse::Ok().json(body))
}
