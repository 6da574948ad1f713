//! A citizen's vouchers: the list, one with its QR code, and taking it back.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use askama::Template;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::wallet::LineQuery;
use super::{Shell, figure, page};
use crate::api::auth::CitizenAuth;
use crate::api::cursor::{PageQuery, cut};
use crate::api::{ApiResult, AppState};
use crate::domain::problem::Code;
use crate::domain::redemption::{Voucher, VoucherState};
use crate::flow::FlowError;
use crate::flow::release_voucher::cancel_voucher;
use crate::store::{Conn, StoreError, StoreResult, offer, redemption};

const ROWS: i64 = 20;

#[derive(Template)]
#[template(path = "citizen/vouchers.html")]
struct Vouchers<'a> {
    shell: &'a Shell,
    rows: Vec<Seen>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "citizen/voucher.html")]
struct One<'a> {
    shell: &'a Shell,
    seen: Seen,
    code: Option<String>,
    /// Until when it can be taken back, while it can.
    cancel_until: Option<String>,
}

/// A voucher as people see it; nothing in it says whose it is.
pub(super) struct Seen {
    pub id: Uuid,
    pub title_zh: String,
    pub title_en: String,
    pub merchant_zh: String,
    pub merchant_en: String,
    pub points: String,
    pub state: VoucherState,
    pub state_zh: &'static str,
    pub state_en: &'static str,
    pub created_at: String,
    /// The first instant at which it is no longer good.
    pub expires_at: String,
    pub closed_at: Option<String>,
}

/// `GET /me/vouchers`.
///
/// # Errors
/// `token_invalid`; a cursor that is not ours.
#[get("/vouchers")]
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
    let (before, limit) = asked.read::<Uuid>()?;
    let (account, now, zone) = (citizen.account_id, state.now(), state.redemption.zone);
    let read = move |conn: &mut Conn| {
        let mut found = redemption::vouchers_of(conn, account, before, limit + 1)?;
        let next = cut(&mut found, limit, |voucher| voucher.id);
        let rows = found
            .iter()
            .map(|voucher| Seen::read(conn, voucher, now, zone));
        Ok((rows.collect::<StoreResult<Vec<_>>>()?, next))
    };
    let (rows, next) = state.pool.read::<_, StoreError>(read).await?;
    let shell = Shell::of(&request);
    page(
        &shell,
        &Vouchers {
            shell: &shell,
            rows,
            next,
        },
    )
}

/// `GET /me/vouchers/{id}`.
///
/// # Errors
/// `not_found`, also for another's voucher.
#[get("/vouchers/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (account, id) = (citizen.account_id, id.into_inner());
    let (now, zone) = (state.now(), state.redemption.zone);
    let read = move |conn: &mut Conn| {
        let Some(voucher) = redemption::voucher(conn, account, id)? else {
            return Ok(None);
        };
        let seen = Seen::read(conn, &voucher, now, zone)?;
        Ok(Some((voucher, seen)))
    };
    let found = state.pool.read::<_, StoreError>(read).await?;
    let (voucher, seen) = found.ok_or(Code::NotFound)?;
    let open = seen.state == VoucherState::Issued;
    let code = match open {
        true => Some(state.redemption.desk()?.key.code_of(voucher.id).to_string()),
        false => None,
    };
    let cancellable = open && now <= voucher.cancel_until;
    let shell = Shell::of(&request);
    page(
        &shell,
        &One {
            shell: &shell,
            seen,
            code,
            cancel_until: cancellable.then(|| figure::instant(voucher.cancel_until, zone)),
        },
    )
}

/// `POST /me/vouchers/{id}/cancel`.
///
/// # Errors
/// `not_found`, `cross_site`, `cancel_too_late`, and what else keeps it from being taken back.
#[post("/vouchers/{id}/cancel")]
pub(super) async fn cancel(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let (account, id) = (citizen.account_id, id.into_inner());
    let (ctx, zone) = (state.ctx(citizen.actor()), state.redemption.zone);
    state
        .pool
        .write::<_, FlowError>(move |tx| {
            cancel_voucher(tx, &mut ctx.clone(), zone, account, id)?;
            Ok(())
        })
        .await?;
    let to = format!("/me/vouchers/{id}");
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .finish())
}

impl Seen {
    /// # Errors
    /// The query failed.
    pub(super) fn read(
        conn: &mut Conn,
        voucher: &Voucher,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> StoreResult<Seen> {
        let offer = offer::offer(conn, voucher.offer)?;
        let merchant = offer::merchant(conn, voucher.merchant)?;
        let (title_zh, title_en) = offer
            .map(|it| (it.title_zh, it.title_en))
            .unwrap_or_default();
        let (merchant_zh, merchant_en) = merchant
            .map(|it| (it.name_zh, it.name_en))
            .unwrap_or_default();
        // Past its end it is no good, whether or not the job has been by.
        let state = match voucher.state {
            VoucherState::Issued if now >= voucher.expires_at => VoucherState::Expired,
            state => state,
        };
        let (state_zh, state_en) = words(state);
        Ok(Seen {
            id: voucher.id,
            title_zh,
            title_en,
            merchant_zh,
            merchant_en,
            points: figure::grouped(voucher.points),
            state,
            state_zh,
            state_en,
            created_at: figure::instant(voucher.created_at, zone),
            expires_at: figure::instant(voucher.expires_at, zone),
            closed_at: voucher.closed.map(|(at, _)| figure::instant(at, zone)),
        })
    }
}

fn words(state: VoucherState) -> (&'static str, &'static str) {
    match state {
        VoucherState::Issued => ("可用", "Ready to use"),
        VoucherState::Used => ("已核销", "Used"),
        VoucherState::Cancelled => ("已取消", "Cancelled"),
        VoucherState::Expired => ("已过期", "Expired"),
    }
}
