//! Monitoring periods, which anybody may read.

use actix_web::{HttpResponse, get, web};
use chrono::{Days, NaiveDate};
use serde::Serialize;
use uuid::Uuid;

use crate::api::cursor::{PageQuery, cut};
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::{Code, Problem};
use crate::store::StoreError;
use crate::store::verification::{self, FindingRow, MethodologyShare, PeriodRow, StatementRow};

/// A monitoring period; its amounts appear when it is closed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PeriodBody {
    pub id: Uuid,
    pub scene: i32,
    /// Counts the scene's periods.
    pub no: i32,
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// `open`, `closed`, `findings`, `verified`, `issued` or `carried`.
    pub state: String,
    /// To whom the units are issued.
    pub holder: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_in_mg: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum_mg: Option<i64>,
    /// Whole tonnes, rounded down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole_t: Option<i64>,
    /// What the verifier accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_t: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_out_mg: Option<i64>,
    /// Merkle root over the members' leaf hashes, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// One page of periods, in the order they were opened.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PeriodsBody {
    pub periods: Vec<PeriodBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A period with all that was said about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PeriodReportBody {
    #[serde(flatten)]
    pub period: PeriodBody,
    pub methodologies: Vec<ShareBody>,
    pub findings: Vec<FindingBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<StatementBody>,
}

/// A methodology version's share of a period.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ShareBody {
    pub methodology: String,
    pub version: String,
    pub members: i64,
    pub sum_mg: i64,
}

/// A question and its answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FindingBody {
    pub round: i32,
    pub finding: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// A verification statement.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StatementBody {
    pub accepted_t: i64,
    pub recounted_mg: i64,
    pub statement: String,
    /// SHA-256 of the text, in hexadecimal.
    pub statement_hash: String,
}

/// Monitoring periods of every scene
#[utoipa::path(tag = "open", params(PageQuery), responses(
    (status = OK, body = PeriodsBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/periods")]
pub async fn list_periods(
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    let (after, limit) = page.read::<Uuid>()?;
    let mut rows = state
        .pool
        .read::<_, StoreError>(move |conn| verification::periods(conn, None, after, limit + 1))
        .await?;
    let next = cut(&mut rows, limit, |row| row.id.0);
    let periods = rows.iter().map(PeriodBody::from).collect();
    Ok(HttpResponse::Ok().json(PeriodsBody { periods, next }))
}

/// One monitoring period: its books, methodologies, findings and statement
#[utoipa::path(tag = "open", responses(
    (status = OK, body = PeriodReportBody), (status = NOT_FOUND, body = ProblemBody)))]
#[get("/api/periods/{id}")]
pub async fn show_period(
    state: web::Data<AppState>,
    id: web::Path<Uuid>,
) -> ApiResult<HttpResponse> {
    let id = id.into_inner();
    let found = state.pool.read::<_, StoreError>(move |conn| {
        let Some(row) = verification::period(conn, id)? else {
            return Ok(None);
        };
        let shares = verification::period_methodologies(conn, id)?;
        let findings = verification::findings(conn, id)?;
        let statement = verification::statement(conn, id)?;
        Ok(Some((row, shares, findings, statement)))
    });
    let named = || Problem::on(Code::NotFound, "period");
    let (row, shares, findings, statement) = found.await?.ok_or_else(named)?;
    Ok(HttpResponse::Ok().json(PeriodReportBody {
        period: PeriodBody::from(&row),
        methodologies: shares.into_iter().map(ShareBody::from).collect(),
        findings: findings.into_iter().map(FindingBody::from).collect(),
        statement: statement.map(StatementBody::from),
    }))
}

impl From<&PeriodRow> for PeriodBody {
    fn from(row: &PeriodRow) -> PeriodBody {
        PeriodBody {
            id: row.id.0,
            scene: row.scene_id,
            no: row.no,
            from: date(row.from_day),
            to: date(row.to_day),
            state: row.state.clone(),
            holder: row.holder_id.0,
            members: row.members,
            carried_in_mg: row.carried_in_mg,
            sum_mg: row.sum_mg,
            whole_t: row.whole_t,
            accepted_t: row.accepted_t,
            carried_out_mg: row.carried_out_mg,
            root: row.root.as_ref().map(hex::encode),
        }
    }
}

impl From<MethodologyShare> for ShareBody {
    fn from(share: MethodologyShare) -> ShareBody {
        ShareBody {
            methodology: share.code,
            version: share.version,
            members: share.members,
            sum_mg: share.sum_mg,
        }
    }
}

impl From<FindingRow> for FindingBody {
    fn from(row: FindingRow) -> FindingBody {
        FindingBody {
            round: row.round,
            finding: row.finding,
            answer: row.answer,
        }
    }
}

impl From<StatementRow> for StatementBody {
    fn from(row: StatementRow) -> StatementBody {
        StatementBody {
            accepted_t: row.accepted_t,
            recounted_mg: row.recounted_mg,
            statement: row.statement,
            statement_hash: hex::encode(row.statement_hash),
        }
    }
}

/// The date of a day number; the tables hold none before 1970.
fn date(day: i32) -> NaiveDate {
    let days = Days::new(u64::try_from(day).unwrap_or(0));
    NaiveDate::default()
        .checked_add_days(days)
        .unwrap_or_default()
}
