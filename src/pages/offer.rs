//! What points can be redeemed for, and redeeming.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use askama::Template;
use serde::Deserialize;
use uuid::Uuid;

use super::wallet::LineQuery;
use super::{Shell, figure, page};
use crate::api::auth::CitizenAuth;
use crate::api::cursor::{PageQuery, cut};
use crate::api::{ApiResult, AppState};
use crate::domain::redemption::day_in;
use crate::flow::redeem::RedeemRequest;
use crate::store::{Conn, StoreError, offer, wallet};

const ROWS: i64 = 20;

#[derive(Template)]
#[template(path = "citizen/offers.html")]
struct Offers<'a> {
    shell: &'a Shell,
    available: String,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: Uuid,
    title_zh: String,
    title_en: String,
    merchant_zh: String,
    merchant_en: String,
    points: String,
    stock: String,
    validity_days: i32,
    /// There is one left and the wallet has the points.
    affordable: bool,
    /// Makes one press one voucher, however often the form is sent.
    key: Uuid,
}

#[derive(Deserialize)]
struct RedeemForm {
    key: Uuid,
}

/// `GET /me/offers`.
///
/// # Errors
/// `token_invalid`; a cursor that is not ours.
#[get("/offers")]
pub(super) async fn list(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    query: web::Query<LineQuery>,
) -> ApiResult<HttpResponse> {
    let asked = PageQuery {
        cursor: query.cursor.clone(),
        limit: Some(query.limit.unwrap_or(ROWS)),
    };
    let (after, limit) = asked.read::<Uuid>()?;
    let (account, now) = (citizen.account_id, state.now());
    let read = move |conn: &mut Conn| {
        Ok((
            wallet::lots_of(conn, account)?,
            offer::offers(conn, Some(now), after, limit + 1)?,
        ))
    };
    let (lots, mut found) = state.pool.read::<_, StoreError>(read).await?;
    let next = cut(&mut found, limit, |(offer, _)| offer.id);
    let today = day_in(now, state.redemption.zone);
    let live = lots.iter().filter(|lot| lot.bucket >= today);
    let available: i64 = live.map(|lot| lot.available).sum();
    let mut ctx = state.ctx(citizen.actor());
    let rows = found
        .into_iter()
        .map(|(offer, merchant)| Row {
            id: offer.id,
            title_zh: offer.title_zh,
            title_en: offer.title_en,
            merchant_zh: merchant.name_zh,
            merchant_en: merchant.name_en,
            points: figure::grouped(offer.points),
            stock: figure::grouped(offer.stock),
            validity_days: offer.validity_days,
            affordable: offer.stock > 0 && offer.points <= available,
            key: ctx.id(),
        })
        .collect();
    let shell = Shell::of(&request);
    page(
        &shell,
        &Offers {
            shell: &shell,
            available: figure::grouped(available),
            rows,
            next,
        },
    )
}

/// `POST /me/offers/{id}/redeem`.
///
/// # Errors
/// `cross_site`, `points_insufficient`, `out_of_stock`, `offer_not_open`, `not_found`.
#[post("/offers/{id}/redeem")]
pub(super) async fn redeem(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
    form: web::Form<RedeemForm>,
) -> ApiResult<HttpResponse> {
    let mut ctx = state.ctx(citizen.actor());
    let key = Some(format!("page:{}", form.key));
    let wish = RedeemRequest::new(&mut ctx, citizen.account_id, id.into_inner(), key);
    let got = state.redemption.queue()?.submit(wish).await??;
    let to = format!("/me/vouchers/{}", got.voucher.id);
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .finish())
}
