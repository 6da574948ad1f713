//! A retirement certificate (注销凭证): anyone who holds the paper can compare it with this page.

use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;

use super::registry::{Ground, RetirementSeen, written};
use super::{Shell, figure, page};
use crate::api::{ApiError, ApiResult, AppState};
use crate::domain::problem::Code;
use crate::domain::redemption::svg;
use crate::store::registry::{block, issuance, retirement_by_certificate};
use crate::store::{Conn, StoreError};

#[derive(Template)]
#[template(path = "public/certificate.html")]
struct Certificate<'a> {
    shell: &'a Shell,
    retirement: RetirementSeen,
    serial: String,
    root: String,
    leaf_count: String,
    issuance: String,
    ground: Ground,
    address: String,
}

/// `GET /public/certificates/{no}`.
///
/// # Errors
/// `not_found`.
#[get("/certificates/{no}")]
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<AppState>,
    no: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let no = no.into_inner();
    let read = move |conn: &mut Conn| {
        let Some(row) = retirement_by_certificate(conn, &no)? else {
            return Ok(None);
        };
        let block = block(conn, row.block_id.0)?.ok_or(StoreError::NotFound)?;
        let issuance = issuance(conn, block.issuance)?.ok_or(StoreError::NotFound)?;
        let ground = Ground::read(conn, issuance.period_id.0)?;
        Ok(Some((row, issuance, ground)))
    };
    let found = state.pool.read::<_, StoreError>(read).await?;
    let (row, issuance, ground) = found.ok_or(Code::NotFound)?;
    let shell = Shell::of(&request);
    let certificate = Certificate {
        shell: &shell,
        serial: written(&issuance.series, row.first_serial, row.last_serial),
        root: hex::encode(&issuance.root),
        leaf_count: figure::grouped(issuance.leaf_count),
        issuance: issuance.id.0.simple().to_string(),
        ground,
        address: address(&state, &row.certificate_no),
        retirement: RetirementSeen::new(&row, state.redemption.zone),
    };
    page(&shell, &certificate)
}

/// `GET /public/certificates/{no}/qr.svg`.
///
/// # Errors
/// `not_found`.
#[get("/certificates/{no}/qr.svg")]
pub(super) async fn show_qr(
    state: web::Data<AppState>,
    no: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let no = no.into_inner();
    let read = move |conn: &mut Conn| retirement_by_certificate(conn, &no);
    let found = state.pool.read::<_, StoreError>(read).await?;
    let row = found.ok_or(Code::NotFound)?;
    let picture = svg(&address(&state, &row.certificate_no)).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml")
        .body(picture))
}

fn address(state: &AppState, no: &str) -> String {
    format!("{}/public/certificates/{no}", state.public_url)
}
