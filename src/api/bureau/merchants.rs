//! The bureau contracts merchants.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::BureauAuth;
use crate::api::idempotency::Once;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::redemption::Merchant;
use crate::flow::merchant::register_merchant;

/// A merchant to be registered.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMerchantBody {
    /// Short and unique, of a-z, 0-9 and `-`.
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    /// The contract or decision; it stands in the audit chain.
    pub reason: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MerchantBody {
    /// Tokens of the role `merchant` are issued for this id.
    pub id: Uuid,
    pub code: String,
}

/// Registers a merchant
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = NewMerchantBody, responses(
    (status = CREATED, body = MerchantBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[post("/api/bureau/merchants")]
pub async fn register(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    body: web::Json<NewMerchantBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let mut ctx = state.ctx(officer.actor());
    let body = body.into_inner();
    let merchant = Merchant {
        id: ctx.id(),
        code: body.code,
        name_zh: body.name_zh,
        name_en: body.name_en,
        registered_at: ctx.now,
    };
    once.run(&state, move |tx| {
        register_merchant(tx, &ctx, &merchant, &body.reason)?;
        let made = MerchantBody {
            id: merchant.id,
            code: merchant.code.clone(),
        };
        Ok((StatusCode::CREATED, made))
    })
    .await
}
