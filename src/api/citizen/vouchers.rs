//! A citizen redeems, shows and takes back.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::CitizenAuth;
use crate::api::cursor::{PageQuery, cut};
use crate::api::idempotency::{Once, REPLAYED, key_of};
use crate::api::{ApiError, ApiResult, AppState, ProblemBody};
use crate::domain::problem::Code;
use crate::domain::redemption::{CodeKey, Voucher, VoucherState, svg};
use crate::flow::redeem::RedeemRequest;
use crate::flow::release_voucher::cancel_voucher;
use crate::store::{StoreError, redemption};

/// What a citizen wants.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemBody {
    pub offer: Uuid,
}

/// A voucher as its owner sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VoucherBody {
    pub id: Uuid,
    pub offer: Uuid,
    pub points: i64,
    /// `issued`, `used`, `cancelled` or `expired`.
    pub state: &'static str,
    /// What the merchant takes; only while the voucher is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "TPH-7K3M-9Q2X-0B5D-WJ8R")]
    pub code: Option<String>,
    pub created_at: DateTime<Utc>,
    /// The last instant at which it can be taken back.
    pub cancel_until: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
}

/// One page of vouchers, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VouchersBody {
    pub vouchers: Vec<VoucherBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Redeems points for a voucher
///
/// With an `Idempotency-Key` the same request gives the same voucher, however often it is sent.
#[utoipa::path(tag = "citizen", security(("bearer" = [])), request_body = RedeemBody, responses(
    (status = CREATED, body = VoucherBody),
    (status = UNPROCESSABLE_ENTITY, body = ProblemBody,
     description = "points_insufficient, out_of_stock, offer_not_open, idempotency_mismatch"),
    (status = SERVICE_UNAVAILABLE, body = ProblemBody)))]
#[post("/api/citizen/vouchers")]
pub async fn redeem(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    body: web::Json<RedeemBody>,
) -> ApiResult<HttpResponse> {
    let key = key_of(&request)?;
    let mut ctx = state.ctx(citizen.actor());
    let wish = RedeemRequest::new(&mut ctx, citizen.account_id, body.offer, key);
    let got = state.redemption.queue()?.submit(wish).await??;
    let mut response = HttpResponse::Created();
    if got.replayed {
        response.insert_header((REPLAYED, "true"));
    }
    let signer = &state.redemption.desk()?.key;
    Ok(response
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(VoucherBody::of(&got.voucher, signer)))
}

/// The caller's vouchers
#[utoipa::path(tag = "citizen", security(("bearer" = [])), params(PageQuery), responses(
    (status = OK, body = VouchersBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/citizen/vouchers")]
pub async fn list_vouchers(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    let (before, limit) = page.read::<Uuid>()?;
    let account = citizen.account_id;
    let mut found = state
        .pool
        .read::<_, StoreError>(move |conn| {
            redemption::vouchers_of(conn, account, before, limit + 1)
        })
        .await?;
    let next = cut(&mut found, limit, |voucher| voucher.id);
    let signer = &state.redemption.desk()?.key;
    let vouchers = found.iter().map(|voucher| VoucherBody::of(voucher, signer));
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(VouchersBody {
            vouchers: vouchers.collect(),
            next,
        }))
}

/// A voucher's code as a QR picture
#[utoipa::path(tag = "citizen", security(("bearer" = [])), responses(
    (status = OK, content_type = "image/svg+xml", body = String),
    (status = NOT_FOUND, body = ProblemBody)))]
#[get("/api/citizen/vouchers/{id}/qr.svg")]
pub async fn show_qr(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (account, id) = (citizen.account_id, id.into_inner());
    let found = state
        .pool
        .read::<_, StoreError>(move |conn| redemption::voucher(conn, account, id))
        .await?;
    let shown = found.filter(|voucher| voucher.state == VoucherState::Issued);
    let voucher = shown.ok_or(Code::NotFound)?;
    let code = state.redemption.desk()?.key.code_of(voucher.id);
    let picture = svg(&format!("{}/v/{code}", state.public_url)).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(picture))
}

/// Takes a redemption back, within ten minutes
#[utoipa::path(tag = "citizen", security(("bearer" = [])), responses(
    (status = OK, body = VoucherBody), (status = NOT_FOUND, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody, description = "voucher_used, voucher_cancelled"),
    (status = UNPROCESSABLE_ENTITY, body = ProblemBody, description = "cancel_too_late")))]
#[post("/api/citizen/vouchers/{id}/cancel")]
pub async fn cancel(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (account, id) = (citizen.account_id, id.into_inner());
    let once = Once::new(&request, citizen.caller(), &())?;
    let (ctx, desk) = (state.ctx(citizen.actor()), state.redemption.desk()?.clone());
    once.run(&state, move |tx| {
        let voucher = cancel_voucher(tx, &mut ctx.clone(), desk.zone, account, id)?;
        Ok((StatusCode::OK, VoucherBody::of(&voucher, &desk.key)))
    })
    .await
}

impl VoucherBody {
    fn of(voucher: &Voucher, signer: &CodeKey) -> VoucherBody {
        let shown = voucher.state == VoucherState::Issued;
        VoucherBody {
            id: voucher.id,
            offer: voucher.offer,
            points: voucher.points,
            state: voucher.state.as_str(),
            code: shown.then(|| signer.code_of(voucher.id).to_string()),
            created_at: voucher.created_at,
            cancel_until: voucher.cancel_until,
            expires_at: voucher.expires_at,
            closed_at: voucher.closed.map(|(at, _)| at),
        }
    }
}
