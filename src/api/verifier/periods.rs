//! A verifier asks about closed periods, and accepts a quantity.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::VerifierAuth;
use crate::api::idempotency::Once;
use crate::api::open::PeriodBody;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::unit::Tonnes;
use crate::domain::verification::Statement;
use crate::flow::verify_period::{accept_period, raise_finding};

/// What the verifier puts their name to.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptBody {
    /// Whole tonnes accepted; 0 carries all of it to the next period.
    pub accepted_t: i64,
    pub statement: String,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskBody {
    pub finding: String,
}

/// The round a question belongs to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AskedBody {
    pub round: i32,
}

/// Sends a closed period back with a question, at most three times
#[utoipa::path(tag = "verifier", security(("bearer" = [])), request_body = AskBody, responses(
    (status = CREATED, body = AskedBody), (status = FORBIDDEN, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
#[post("/api/verifier/periods/{id}/findings")]
pub async fn ask(
    request: HttpRequest,
    verifier: VerifierAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<AskBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, verifier.caller(), &*body)?;
    let (ctx, id) = (state.ctx(verifier.actor()), id.into_inner());
    once.run(&state, move |tx| {
        let round = raise_finding(tx, &ctx, id, &body.finding)?;
        Ok((StatusCode::CREATED, AskedBody { round }))
    })
    .await
}

/// Re-adds a closed period and accepts a quantity
#[utoipa::path(tag = "verifier", security(("bearer" = [])), request_body = AcceptBody, responses(
    (status = OK, body = PeriodBody), (status = FORBIDDEN, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
    (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
#[post("/api/verifier/periods/{id}/accept")]
pub async fn accept(
    request: HttpRequest,
    verifier: VerifierAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<AcceptBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, verifier.caller(), &*body)?;
    let (ctx, id) = (state.ctx(verifier.actor()), id.into_inner());
    let statement = Statement::new(Tonnes(body.accepted_t), &body.statement)?;
    once.run(&state, move |tx| {
        let row = accept_period(tx, &ctx, id, &statement)?;
        Ok((StatusCode::OK, PeriodBody::from(&row)))
    })
    .await
}
