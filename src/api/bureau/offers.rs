//! The bureau puts up what merchants offer.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::BureauAuth;
use crate::api::idempotency::Once;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::redemption::{Offer, OfferState};
use crate::flow::merchant::{change_offer, put_up_offer, restock_offer};

/// An offer to be put up.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOfferBody {
    pub merchant: Uuid,
    pub title_zh: String,
    pub title_en: String,
    /// Price, in points.
    pub points: i64,
    /// What the merchant is owed for one voucher written off, in fen.
    pub settlement_fen: i64,
    pub stock: i64,
    /// A voucher is good to the end of this many days after its day of issue, 1 to 366.
    pub validity_days: i32,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// The contract or decision; it stands in the audit chain.
    pub reason: String,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferStateBody {
    /// `live`, `suspended` or `closed`; closed is for ever.
    pub state: String,
    pub reason: String,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestockBody {
    /// How many more.
    pub pieces: i64,
    pub reason: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BureauOfferBody {
    pub id: Uuid,
    pub state: &'static str,
    /// Pieces left.
    pub stock: i64,
    /// Pieces ever put up.
    pub stocked: i64,
}

/// Puts an offer up
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = NewOfferBody, responses(
    (status = CREATED, body = BureauOfferBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody)))]
#[post("/api/bureau/offers")]
pub async fn put_up(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    body: web::Json<NewOfferBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let mut ctx = state.ctx(officer.actor());
    let body = body.into_inner();
    let offer = Offer {
        id: ctx.id(),
        merchant: body.merchant,
        title_zh: body.title_zh,
        title_en: body.title_en,
        points: body.points,
        settlement_fen: body.settlement_fen,
        stocked: body.stock,
        stock: body.stock,
        validity_days: body.validity_days,
        state: OfferState::Live,
        from: body.from,
        to: body.to,
        created_at: ctx.now,
    };
    once.run(&state, move |tx| {
        put_up_offer(tx, &ctx, &offer, &body.reason)?;
        Ok((StatusCode::CREATED, BureauOfferBody::from(&offer)))
    })
    .await
}

/// Suspends an offer, takes it up again, or closes it
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = OfferStateBody, responses(
    (status = OK, body = BureauOfferBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody)))]
#[post("/api/bureau/offers/{id}/state")]
pub async fn change(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<OfferStateBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let to = OfferState::parse(&body.state).ok_or_else(|| {
        let detail = detail!(
            "须为 live、suspended 或 closed",
            "live, suspended or closed"
        );
        Problem::at(Code::InvalidField, "state", detail)
    })?;
    let (ctx, id, reason) = (
        state.ctx(officer.actor()),
        id.into_inner(),
        body.into_inner().reason,
    );
    once.run(&state, move |tx| {
        let offer = change_offer(tx, &ctx, id, to, &reason)?;
        Ok((StatusCode::OK, BureauOfferBody::from(&offer)))
    })
    .await
}

/// Puts more pieces of an offer up
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = RestockBody, responses(
    (status = OK, body = BureauOfferBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody)))]
#[post("/api/bureau/offers/{id}/stock")]
pub async fn restock(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<RestockBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let (ctx, id) = (state.ctx(officer.actor()), id.into_inner());
    once.run(&state, move |tx| {
        let offer = restock_offer(tx, &ctx, id, body.pieces, &body.reason)?;
        Ok((StatusCode::OK, BureauOfferBody::from(&offer)))
    })
    .await
}

impl From<&Offer> for BureauOfferBody {
    fn from(offer: &Offer) -> BureauOfferBody {
        BureauOfferBody {
            id: offer.id,
            state: offer.state.as_str(),
            stock: offer.stock,
            stocked: offer.stocked,
        }
    }
}
