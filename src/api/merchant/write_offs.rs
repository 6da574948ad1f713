//! A merchant takes a voucher.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::MerchantAuth;
use crate::api::idempotency::Once;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::redemption::{Voucher, VoucherCode};
use crate::flow::write_off::write_off;

/// What was scanned or typed.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteOffBody {
    /// The code, in either case, with or without dashes.
    #[schema(example = "TPH-7K3M-9Q2X-0B5D-WJ8R")]
    pub code: String,
}

/// A voucher written off. It does not say whose it was.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WrittenOffBody {
    pub voucher: Uuid,
    pub offer: Uuid,
    pub points: i64,
    /// What the merchant is owed for it, in fen.
    pub settlement_fen: i64,
    pub at: Option<DateTime<Utc>>,
}

/// Writes a voucher off
#[utoipa::path(tag = "merchant", security(("bearer" = [])), request_body = WriteOffBody, responses(
    (status = OK, body = WrittenOffBody),
    (status = BAD_REQUEST, body = ProblemBody, description = "voucher_code_mistyped"),
    (status = FORBIDDEN, body = ProblemBody, description = "voucher_elsewhere"),
    (status = NOT_FOUND, body = ProblemBody),
    (status = CONFLICT, body = ProblemBody,
     description = "voucher_used with the instant, voucher_cancelled, voucher_expired")))]
#[post("/api/merchant/write-offs")]
pub async fn write_off_voucher(
    request: HttpRequest,
    merchant: MerchantAuth,
    state: web::Data<AppState>,
    body: web::Json<WriteOffBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, merchant.caller(), &*body)?;
    let code = VoucherCode::parse(&body.code)?;
    let (ctx, desk) = (
        state.ctx(merchant.actor()),
        state.redemption.desk()?.clone(),
    );
    once.run(&state, move |tx| {
        let voucher = write_off(tx, &mut ctx.clone(), &desk, merchant.merchant_id, &code)?;
        Ok((StatusCode::OK, WrittenOffBody::from(voucher)))
    })
    .await
}

impl From<Voucher> for WrittenOffBody {
    fn from(voucher: Voucher) -> WrittenOffBody {
        WrittenOffBody {
            voucher: voucher.id,
            offer: voucher.offer,
            points: voucher.points,
            settlement_fen: voucher.settlement_fen,
            at: voucher.closed.map(|(at, _)| at),
        }
    }
}
