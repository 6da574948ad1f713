//! What a merchant is owed.

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::auth::MerchantAuth;
use crate::api::cursor::{cursor, place, rows};
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::redemption::{day_in, months};
use crate::flow::settle::{MerchantStatement, merchant_statement};
use crate::flow::{FlowError, FlowResult};
use crate::store::redemption::OwedPlace;

/// Which days, and which page of them.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatementQuery {
    /// First day, in the city's zone; the first of this month if not given.
    pub from: Option<NaiveDate>,
    /// Last day; today if not given.
    pub to: Option<NaiveDate>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 if not given.
    pub limit: Option<i64>,
}

/// A merchant's write-offs and what they come to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MerchantStatementBody {
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// Vouchers written off on all these days, and what they come to, in fen.
    pub vouchers: i64,
    pub owed_fen: i64,
    pub months: Vec<TotalBody>,
    pub days: Vec<TotalBody>,
    /// One page, newest first.
    pub lines: Vec<OwedBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TotalBody {
    /// `2026-11` or `2026-11-20`, in the city's zone.
    pub span: String,
    pub vouchers: i64,
    pub owed_fen: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OwedBody {
    pub voucher: Uuid,
    pub offer: Uuid,
    pub at: DateTime<Utc>,
    pub points: i64,
    pub owed_fen: i64,
}

/// What the calling merchant is owed
#[utoipa::path(tag = "merchant", security(("bearer" = [])), params(StatementQuery), responses(
    (status = OK, body = MerchantStatementBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/merchant/statement")]
pub async fn show_statement(
    merchant: MerchantAuth,
    state: web::Data<AppState>,
    query: web::Query<StatementQuery>,
) -> ApiResult<HttpResponse> {
    let today = day_in(state.now(), state.redemption.zone);
    let to = query
        .to
        .unwrap_or_else(|| NaiveDate::from_epoch_days(today).unwrap_or_default());
    let from = query.from.or(to.with_day(1)).unwrap_or(to);
    let limit = rows(query.limit)?;
    let after = query.cursor.as_deref().map(place::<(DateTime<Utc>, Uuid)>);
    let after = after
        .transpose()?
        .map(|(at, voucher)| OwedPlace { at, voucher });
    let days = (from.to_epoch_days(), to.to_epoch_days());
    let found = state
        .pool
        .read::<_, FlowError>(move |conn| {
            merchant_statement(conn, merchant.merchant_id, days, after, limit)
        })
        .await?;
    Ok(HttpResponse::Ok().json(body(from, to, found)?))
}

fn body(
    from: NaiveDate,
    to: NaiveDate,
    found: MerchantStatement,
) -> FlowResult<MerchantStatementBody> {
    let months = months(&found.days)?;
    let day = |day| NaiveDate::from_epoch_days(day).unwrap_or_default();
    Ok(MerchantStatementBody {
        from,
        to,
        vouchers: found.vouchers,
        owed_fen: found.fen.0,
        months: months
            .into_iter()
            .map(|total| TotalBody {
                span: format!("{:04}-{:02}", total.year, total.month),
                vouchers: total.vouchers,
                owed_fen: total.fen.0,
            })
            .collect(),
        days: found
            .days
            .iter()
            .map(|total| TotalBody {
                span: day(total.day).to_string(),
                vouchers: total.vouchers,
                owed_fen: total.fen.0,
            })
            .collect(),
        next: found.next.map(|place| cursor(&(place.at, place.voucher))),
        lines: found
            .lines
            .into_iter()
            .map(|line| OwedBody {
                voucher: line.voucher,
                offer: line.offer,
                at: line.at,
                points: line.points,
                owed_fen: line.fen,
            })
            .collect(),
    })
}
