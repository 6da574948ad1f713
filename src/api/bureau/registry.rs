//! The bureau keeps the registry: accounts, cancellations, and trades that did not fit.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::BureauAuth;
use crate::api::idempotency::Once;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::registry::{HolderKind, Reason};
use crate::domain::unit::Tonnes;
use crate::flow::open_holder::{NewHolder, open_holder};
use crate::flow::retire::cancel;
use crate::flow::settle_trade::resolve_incident;

use super::periods::{BasisBody, OpenedBody};

/// A registry account to be opened.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHolderBody {
    /// `project`, `enterprise`, `person` or `reserve`.
    pub kind: String,
    /// The account's number.
    pub code: String,
    pub name: String,
    /// What the exchange calls this holder.
    pub exchange_member: Option<String>,
}

/// Units to be cancelled.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelBody {
    pub tonnes: i64,
    /// `error`, `fraud` or `make_up`.
    pub cause: String,
    /// The decision; it stands in the audit chain.
    pub reason: String,
}

/// What was cancelled.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CancelledBody {
    pub id: Uuid,
    pub first: i64,
    pub last: i64,
}

/// A trade that is settled now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ResolvedBody {
    pub trade: String,
}

/// Opens a registry account
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = NewHolderBody, responses(
    (status = CREATED, body = OpenedBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody)))]
#[post("/api/bureau/holders")]
pub async fn open_account(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    body: web::Json<NewHolderBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let ctx = state.ctx(officer.actor());
    let body = body.into_inner();
    let kind = HolderKind::parse(&body.kind).ok_or_else(|| {
        Problem::at(
            Code::InvalidField,
            "kind",
            detail!(
                "须为 project、enterprise、person 或 reserve",
                "project, enterprise, person or reserve"
            ),
        )
    })?;
    let new = NewHolder {
        kind,
        code: body.code,
        name: body.name,
        exchange_member: body.exchange_member,
    };
    once.run(&state, move |tx| {
        let id = open_holder(tx, &mut ctx.clone(), &new)?;
        Ok((StatusCode::CREATED, OpenedBody { id }))
    })
    .await
}

/// Cancels units by decision of the bureau; irreversible
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = CancelBody, responses(
    (status = CREATED, body = CancelledBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
    (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
#[post("/api/bureau/blocks/{id}/cancel")]
pub async fn cancel_units(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<CancelBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let (ctx, id) = (state.ctx(officer.actor()), id.into_inner());
    let cause = Reason::parse(&body.cause).ok_or_else(|| {
        let detail = detail!("须为 error、fraud 或 make_up", "error, fraud or make_up");
        Problem::at(Code::InvalidField, "cause", detail)
    })?;
    once.run(&state, move |tx| {
        let tonnes = Tonnes(body.tonnes);
        let row = cancel(tx, &mut ctx.clone(), id, tonnes, cause, &body.reason)?;
        let body = CancelledBody {
            id: row.id.0,
            first: row.first_serial,
            last: row.last_serial,
        };
        Ok((StatusCode::CREATED, body))
    })
    .await
}

/// Settles a trade that did not fit, after what was wrong was put right
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = BasisBody, responses(
    (status = OK, body = ResolvedBody), (status = NOT_FOUND, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody)))]
#[post("/api/bureau/trades/{id}/resolve")]
pub async fn resolve(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    id: web::Path<String>,
    body: web::Json<BasisBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let (ctx, trade) = (state.ctx(officer.actor()), id.into_inner());
    once.run(&state, move |tx| {
        resolve_incident(tx, &mut ctx.clone(), &trade, &body.reason)?;
        let trade = trade.clone();
        Ok((StatusCode::OK, ResolvedBody { trade }))
    })
    .await
}
