//! The bureau opens and closes monitoring periods, answers findings, and issues.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::BureauAuth;
use crate::api::idempotency::Once;
use crate::api::open::{IssuanceBody, PeriodBody};
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::{Code, Problem};
use crate::domain::verification::Window;
use crate::flow::close_period::{Opening, close_period, open_period};
use crate::flow::issue::issue;
use crate::flow::verify_period::answer_finding;
use crate::store::verification;

/// A period to be opened.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPeriodBody {
    /// The scene's code.
    pub scene: String,
    pub from: NaiveDate,
    /// The last day, included.
    pub to: NaiveDate,
    /// The registry account that the units are issued to.
    pub holder: Uuid,
    pub reason: String,
}

/// Why an officer does it; it stands in the audit chain.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BasisBody {
    pub reason: String,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    pub answer: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OpenedBody {
    pub id: Uuid,
}

/// Opens a scene's next monitoring period
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = NewPeriodBody, responses(
    (status = CREATED, body = OpenedBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
#[post("/api/bureau/periods")]
pub async fn open(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    body: web::Json<NewPeriodBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let ctx = state.ctx(officer.actor());
    let body = body.into_inner();
    let window = Window::new(day(body.from), day(body.to))?;
    once.run(&state, move |tx| {
        let scene = verification::scene_id(tx, &body.scene)?;
        let opening = Opening {
            scene: scene.ok_or_else(|| Problem::on(Code::NotFound, "scene"))?,
            window,
            holder: body.holder,
            basis: body.reason.clone(),
        };
        let id = open_period(tx, &mut ctx.clone(), &opening)?;
        Ok((StatusCode::CREATED, OpenedBody { id }))
    })
    .await
}

/// Closes a monitoring period: its members are counted once and for all
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = BasisBody, responses(
    (status = OK, body = PeriodBody), (status = NOT_FOUND, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
#[post("/api/bureau/periods/{id}/close")]
pub async fn close(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<BasisBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let (ctx, id) = (state.ctx(officer.actor()), id.into_inner());
    once.run(&state, move |tx| {
        let row = close_period(tx, &ctx, id, &body.reason)?;
        Ok((StatusCode::OK, PeriodBody::from(&row)))
    })
    .await
}

/// Answers the verifier's open question
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = AnswerBody, responses(
    (status = OK, body = OpenedBody), (status = NOT_FOUND, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody)))]
#[post("/api/bureau/periods/{id}/answer")]
pub async fn answer(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<AnswerBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let (ctx, id) = (state.ctx(officer.actor()), id.into_inner());
    once.run(&state, move |tx| {
        answer_finding(tx, &ctx, id, &body.answer)?;
        Ok((StatusCode::OK, OpenedBody { id }))
    })
    .await
}

/// Issues a verified period's tonnes
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = BasisBody, responses(
    (status = CREATED, body = IssuanceBody), (status = FORBIDDEN, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
#[post("/api/bureau/periods/{id}/issue")]
pub async fn issue_units(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<BasisBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let (ctx, id) = (state.ctx(officer.actor()), id.into_inner());
    let prefix = state.config.registry.prefix.clone();
    once.run(&state, move |tx| {
        let row = issue(tx, &mut ctx.clone(), id, &prefix, &body.reason)?;
        Ok((StatusCode::CREATED, IssuanceBody::from(&row)))
    })
    .await
}

/// Days since 1970-01-01; a date out of range is refused as a window.
fn day(date: NaiveDate) -> i32 {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).unwrap_or(-1)
}
