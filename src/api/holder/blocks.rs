//! A holder's units: what is there, passing them on, retiring them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::HolderAuth;
use crate::api::cursor::PageQuery;
use crate::api::idempotency::Once;
use crate::api::open::{BlocksBody, blocks_page};
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::{Code, Problem};
use crate::domain::registry::{Claim, Purpose};
use crate::domain::unit::Tonnes;
use crate::flow::Part;
use crate::flow::retire::retire;
use crate::flow::transfer::transfer;

/// Units to be passed on.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferBody {
    pub tonnes: i64,
    pub to_holder: Uuid,
    /// The contract or gift.
    pub reason: String,
}

/// Units to be retired.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireBody {
    pub tonnes: i64,
    /// `compliance`, `event`, `organisation`, `personal`, `charity` or `compensation`.
    pub purpose: String,
    pub beneficiary: String,
    #[serde(default)]
    pub claim: String,
}

/// The part that moved, as a block of its own.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MovedBody {
    pub block: Uuid,
    pub first: i64,
    pub last: i64,
}

/// What was retired.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RetiredBody {
    pub certificate_no: String,
    pub block: Uuid,
    pub first: i64,
    pub last: i64,
}

/// The caller's blocks, in order of serial
#[utoipa::path(tag = "holder", security(("bearer" = [])), params(PageQuery), responses(
    (status = OK, body = BlocksBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/holder/blocks")]
pub async fn list_own(
    holder: HolderAuth,
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    let page = blocks_page(&state, Some(holder.holder_id), &page).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// Passes part of a block to another holder
#[utoipa::path(tag = "holder", security(("bearer" = [])), request_body = TransferBody, responses(
    (status = OK, body = MovedBody), (status = FORBIDDEN, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody),
    (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
#[post("/api/holder/blocks/{id}/transfer")]
pub async fn pass_on(
    request: HttpRequest,
    holder: HolderAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<TransferBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, holder.caller(), &*body)?;
    let ctx = state.ctx(holder.actor());
    let part = part(id.into_inner(), &holder, body.tonnes);
    once.run(&state, move |tx| {
        let moved = transfer(tx, &mut ctx.clone(), &part, body.to_holder, &body.reason)?;
        let body = MovedBody {
            block: moved.id,
            first: moved.range.first(),
            last: moved.range.last(),
        };
        Ok((StatusCode::OK, body))
    })
    .await
}

/// Retires part of a block for a claim; irreversible
#[utoipa::path(tag = "holder", security(("bearer" = [])), request_body = RetireBody, responses(
    (status = CREATED, body = RetiredBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
#[post("/api/holder/blocks/{id}/retire")]
pub async fn retire_part(
    request: HttpRequest,
    holder: HolderAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<RetireBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, holder.caller(), &*body)?;
    let ctx = state.ctx(holder.actor());
    let part = part(id.into_inner(), &holder, body.tonnes);
    let purpose =
        Purpose::parse(&body.purpose).ok_or_else(|| Problem::on(Code::InvalidField, "purpose"))?;
    let claim = Claim::new(purpose, &body.beneficiary, &body.claim)?;
    once.run(&state, move |tx| {
        let row = retire(tx, &mut ctx.clone(), &part, &claim)?;
        let body = RetiredBody {
            certificate_no: row.certificate_no,
            block: row.block_id.0,
            first: row.first_serial,
            last: row.last_serial,
        };
        Ok((StatusCode::CREATED, body))
    })
    .await
}

pub(super) fn part(block: Uuid, holder: &HolderAuth, tonnes: i64) -> Part {
    Part {
        block,
        holder: holder.holder_id,
        quantity: Tonnes(tonnes),
    }
}
