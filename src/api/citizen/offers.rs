//! What can be had for points.

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::api::cursor::{PageQuery, cut};
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::redemption::{Merchant, Offer};
use crate::store::{StoreError, offer};

/// One page of open offers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OffersBody {
    pub offers: Vec<OfferBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OfferBody {
    pub id: Uuid,
    pub title_zh: String,
    pub title_en: String,
    pub merchant_zh: String,
    pub merchant_en: String,
    /// Price, in points.
    pub points: i64,
    /// Pieces left.
    pub stock: i64,
    /// A voucher is good to the end of this many days after its day of issue.
    pub validity_days: i32,
    /// Offered until this instant.
    pub until: DateTime<Utc>,
}

/// What can be redeemed now; anybody may look
#[utoipa::path(tag = "open", params(PageQuery), responses(
    (status = OK, body = OffersBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/offers")]
pub async fn list_offers(
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    let (after, limit) = page.read::<Uuid>()?;
    let now = state.now();
    let mut found = state
        .pool
        .read::<_, StoreError>(move |conn| offer::offers(conn, Some(now), after, limit + 1))
        .await?;
    let next = cut(&mut found, limit, |(offer, _)| offer.id);
    let offers = found.into_iter().map(OfferBody::from).collect();
    Ok(HttpResponse::Ok().json(OffersBody { offers, next }))
}

impl From<(Offer, Merchant)> for OfferBody {
    fn from((offer, merchant): (Offer, Merchant)) -> OfferBody {
        OfferBody {
            id: offer.id,
            title_zh: offer.title_zh,
            title_en: offer.title_en,
            merchant_zh: merchant.name_zh,
            merchant_en: merchant.name_en,
            points: offer.points,
            stock: offer.stock,
            validity_days: offer.validity_days,
            until: offer.to,
        }
    }
}
