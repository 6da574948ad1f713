//! A holder's listings on the exchange.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::HolderAuth;
use crate::api::cursor::{PageQuery, cut};
use crate::api::idempotency::Once;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::market::{Listing, Price};
use crate::flow::list_on_market::{list_on_market, unlist};
use crate::store::{StoreError, market};

use super::blocks::part;

/// Units to be listed.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBody {
    pub tonnes: i64,
    /// Yuan a tonne, with two decimals.
    #[schema(example = "45.00")]
    pub price: String,
}

/// A listing as its seller sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListingBody {
    pub id: Uuid,
    /// `pending`, `open`, `closing`, `refused`, `filled`, `closed` or `incident`.
    pub state: &'static str,
    pub tonnes: i64,
    pub price: String,
    pub sold_t: i64,
    pub returned_t: i64,
    pub proceeds_fen: i64,
    /// Why the exchange refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// One page of listings, oldest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListingsBody {
    pub listings: Vec<ListingBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Lists part of a block on the exchange
///
/// The units are frozen at once; the order reaches the exchange within seconds.
#[utoipa::path(tag = "holder", security(("bearer" = [])), request_body = ListBody, responses(
    (status = ACCEPTED, body = ListingBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = FORBIDDEN, body = ProblemBody), (status = NOT_FOUND, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
#[post("/api/holder/blocks/{id}/list")]
pub async fn list_part(
    request: HttpRequest,
    holder: HolderAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    body: web::Json<ListBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, holder.caller(), &*body)?;
    let ctx = state.ctx(holder.actor());
    let part = part(id.into_inner(), &holder, body.tonnes);
    let price = Price::parse(&body.price)?;
    once.run(&state, move |tx| {
        let listing = list_on_market(tx, &mut ctx.clone(), &part, price)?;
        Ok((StatusCode::ACCEPTED, ListingBody::from(&listing)))
    })
    .await
}

/// Asks for the unsold rest back
#[utoipa::path(tag = "holder", security(("bearer" = [])), responses(
    (status = ACCEPTED, body = ListingBody), (status = FORBIDDEN, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = CONFLICT, body = ProblemBody)))]
#[post("/api/holder/listings/{id}/unlist")]
pub async fn take_back(
    request: HttpRequest,
    holder: HolderAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, holder.caller(), &())?;
    let (ctx, id) = (state.ctx(holder.actor()), id.into_inner());
    once.run(&state, move |tx| {
        let listing = unlist(tx, &mut ctx.clone(), id, holder.holder_id)?;
        Ok((StatusCode::ACCEPTED, ListingBody::from(&listing)))
    })
    .await
}

/// The caller's listings
#[utoipa::path(tag = "holder", security(("bearer" = [])), params(PageQuery), responses(
    (status = OK, body = ListingsBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/holder/listings")]
pub async fn list_own_listings(
    holder: HolderAuth,
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    let (after, limit) = page.read::<Uuid>()?;
    let seller = Some(holder.holder_id);
    let read = move |conn: &mut crate::store::Conn| {
        let rows = market::listings(conn, seller, after, limit + 1)?;
        rows.iter().map(|row| row.listing()).collect()
    };
    let mut rows: Vec<Listing> = state.pool.read::<_, StoreError>(read).await?;
    let next = cut(&mut rows, limit, |listing| listing.id);
    let listings = rows.iter().map(ListingBody::from).collect();
    Ok(HttpResponse::Ok().json(ListingsBody { listings, next }))
}

impl From<&Listing> for ListingBody {
    fn from(listing: &Listing) -> ListingBody {
        ListingBody {
            id: listing.id,
            state: listing.state.as_str(),
            tonnes: listing.quantity.0,
            price: listing.price.to_string(),
            sold_t: listing.filled.0,
            returned_t: listing.returned.0,
            proceeds_fen: listing.proceeds.0,
            refusal: listing.refusal.clone(),
        }
    }
}
