//! The table of refusals.

use actix_web::{HttpResponse, get};
use serde::Serialize;

use crate::api::problem::status_of;
use crate::domain::problem::Code;

/// One row of the table.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemRow {
    pub code: &'static str,
    pub status: u16,
    pub title: &'static str,
    pub title_zh: &'static str,
}

impl ProblemRow {
    /// Every code, in table order.
    pub fn all() -> Vec<ProblemRow> {
        let row = |code: &Code| ProblemRow {
            code: code.as_str(),
            status: status_of(code.kind()).as_u16(),
            title: code.en(),
            title_zh: code.zh(),
        };
        Code::ALL.iter().map(row).collect()
    }
}

/// Every refusal this platform can answer with
#[utoipa::path(tag = "open", responses((status = OK, body = Vec<ProblemRow>)))]
#[get("/api/problems")]
pub(super) async fn list_problems() -> HttpResponse {
    HttpResponse::Ok().json(ProblemRow::all())
}
