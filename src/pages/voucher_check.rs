//! What the QR code on a voucher opens: whether it is good, and nothing about whose it is.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;

use super::refusal::for_people;
use super::voucher::Seen;
use super::{Shell, page};
use crate::api::{ApiResult, AppState};
use crate::domain::problem::{Code, Problem};
use crate::domain::redemption::{VoucherCode, VoucherState};
use crate::store::{Conn, StoreError, redemption};

#[derive(Template)]
#[template(path = "public/voucher.html")]
struct Check<'a> {
    shell: &'a Shell,
    code: String,
    seen: Seen,
    good: bool,
}

/// `GET /v/{code}`. Looking changes nothing: the merchant writes off with its own token.
///
/// # Errors
/// `voucher_code_mistyped`; `not_found` for a code that nobody was given.
#[get("/v/{code}", wrap = "from_fn(for_people)")]
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<AppState>,
    code: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let code = VoucherCode::parse(&code)?;
    let desk = state.redemption.desk()?.clone();
    let (now, asked) = (state.now(), code.clone());
    let read = move |conn: &mut Conn| {
        let found = redemption::voucher_by_code(conn, &asked.digest())?;
        let Some(voucher) = found.filter(|voucher| desk.key.signed(voucher.id, &asked)) else {
            return Ok(None);
        };
        Seen::read(conn, &voucher, now, desk.zone).map(Some)
    };
    let found = state.pool.read::<_, StoreError>(read).await?;
    let seen = found.ok_or_else(|| Problem::on(Code::NotFound, "code"))?;
    let shell = Shell::of(&request);
    let check = Check {
        shell: &shell,
        code: code.to_string(),
        good: seen.state == VoucherState::Issued,
        seen,
    };
    let mut answer = page(&shell, &check)?;
    let never = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(CACHE_CONTROL, never);
    Ok(answer)
}
