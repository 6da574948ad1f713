//! The public registry: series, blocks, the history of a serial, retirements and their certificates.

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::api::cursor::{PageQuery, cut};
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::{Code, Problem};
use crate::domain::registry::{Serial, SerialRange, Series, masked};
use crate::store::StoreError;
use crate::store::registry::{self, ActRow, BlockRow, IssuanceRow, RetirementRow};

/// An issuance: its series, its serials, and the reductions behind it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IssuanceBody {
    pub id: Uuid,
    /// Series and range in one.
    #[schema(example = "SZ-PH-SZ-METRO-1-20261101-20261130-1-1-140")]
    pub serial: String,
    pub tonnes: i64,
    pub period: Uuid,
    /// Merkle root over the leaf hashes of its reductions, in hexadecimal.
    pub root: String,
    pub leaf_count: i64,
    pub issued_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IssuancesBody {
    pub issuances: Vec<IssuanceBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A range of serials in one state.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BlockBody {
    pub id: Uuid,
    pub serial: String,
    pub tonnes: i64,
    /// `held`, `listed`, `retired` or `cancelled`.
    pub state: String,
    pub changed_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BlocksBody {
    pub blocks: Vec<BlockBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Where a serial is now, and everything that ever happened to its first number.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SerialBody {
    pub block: BlockBody,
    pub issuance: IssuanceBody,
    pub history: Vec<ActBody>,
}

/// A line of the registry's history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ActBody {
    pub at: DateTime<Utc>,
    /// `issue`, `split`, `transfer`, `list`, `unlist`, `sell`, `retire` or `cancel`.
    pub kind: String,
    pub first: i64,
    pub last: i64,
}

/// A retirement certificate.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CertificateBody {
    #[schema(example = "R-2026-000001")]
    pub certificate_no: String,
    pub serial: String,
    pub tonnes: i64,
    pub purpose: String,
    /// A person's name is masked.
    pub beneficiary: String,
    pub claim: String,
    pub retired_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CertificatesBody {
    pub retirements: Vec<CertificateBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Every issuance, in order of serial
#[utoipa::path(tag = "open", params(PageQuery), responses(
    (status = OK, body = IssuancesBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/registry/issuances")]
pub async fn list_issuances(
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    let (after, limit) = page.read::<i64>()?;
    let after = after.unwrap_or(0);
    let mut rows = state
        .pool
        .read::<_, StoreError>(move |conn| registry::issuances(conn, after, limit + 1))
        .await?;
    let next = cut(&mut rows, limit, |row| row.first_serial);
    let issuances = rows.iter().map(IssuanceBody::from).collect();
    Ok(HttpResponse::Ok().json(IssuancesBody { issuances, next }))
}

/// Every block and its state, in order of serial
#[utoipa::path(tag = "open", params(PageQuery), responses(
    (status = OK, body = BlocksBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/registry/blocks")]
pub async fn list_blocks(
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    Ok(HttpResponse::Ok().json(blocks_page(&state, None, &page).await?))
}

/// One page of blocks, of one holder or of all.
pub(in crate::api) async fn blocks_page(
    state: &AppState,
    holder: Option<Uuid>,
    page: &PageQuery,
) -> ApiResult<BlocksBody> {
    let (after, limit) = page.read::<i64>()?;
    let after = after.unwrap_or(0);
    let read = move |conn: &mut crate::store::Conn| {
        registry::blocks_with_series(conn, holder, after, limit + 1)
    };
    let mut rows = state.pool.read::<_, StoreError>(read).await?;
    let next = cut(&mut rows, limit, |(row, _)| row.first_serial);
    let blocks = rows
        .iter()
        .map(|(row, series)| BlockBody::of(row, series))
        .collect();
    Ok(BlocksBody { blocks, next })
}

/// Where a serial is, and its history
///
/// Takes a full serial as issued, or any part of its range.
#[utoipa::path(tag = "open", responses(
    (status = OK, body = SerialBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody)))]
#[get("/api/registry/serials/{serial}")]
pub async fn show_serial(
    state: web::Data<AppState>,
    serial: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let serial = Serial::parse(&serial)?;
    let number = serial.range.first();
    let found = state.pool.read::<_, StoreError>(move |conn| {
        let found = registry::find_serial(conn, number)?;
        let Some((block, issuance)) = found.filter(|(_, i)| i.series == serial.series.as_str())
        else {
            return Ok(None);
        };
        let acts = registry::acts_of_serial(conn, issuance.id.0, number)?;
        Ok(Some((block, issuance, acts)))
    });
    let named = || Problem::on(Code::NotFound, "serial");
    let (block, issuance, acts) = found.await?.ok_or_else(named)?;
    Ok(HttpResponse::Ok().json(SerialBody {
        block: BlockBody::of(&block, &issuance.series),
        issuance: IssuanceBody::from(&issuance),
        history: acts.into_iter().map(ActBody::from).collect(),
    }))
}

/// Every retirement, oldest first
#[utoipa::path(tag = "open", params(PageQuery), responses(
    (status = OK, body = CertificatesBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/api/registry/retirements")]
pub async fn list_retirements(
    state: web::Data<AppState>,
    page: web::Query<PageQuery>,
) -> ApiResult<HttpResponse> {
    let (after, limit) = page.read::<Uuid>()?;
    let read = move |conn: &mut crate::store::Conn| {
        registry::retirements_with_series(conn, None, after, limit + 1)
    };
    let mut rows = state.pool.read::<_, StoreError>(read).await?;
    let next = cut(&mut rows, limit, |(row, _)| row.id.0);
    let retirements = rows
        .iter()
        .map(|(row, series)| CertificateBody::of(row, series))
        .collect();
    Ok(HttpResponse::Ok().json(CertificatesBody { retirements, next }))
}

/// A retirement certificate by its number
#[utoipa::path(tag = "open", responses(
    (status = OK, body = CertificateBody), (status = NOT_FOUND, body = ProblemBody)))]
#[get("/api/registry/retirements/{certificate_no}")]
pub async fn show_retirement(
    state: web::Data<AppState>,
    no: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let no = no.into_inner();
    let read = move |conn: &mut crate::store::Conn| {
        registry::retirements_with_series(conn, Some(&no), None, 1)
    };
    let rows = state.pool.read::<_, StoreError>(read).await?;
    let named = || Problem::on(Code::NotFound, "certificate_no");
    let (row, series) = rows.first().ok_or_else(named)?;
    Ok(HttpResponse::Ok().json(CertificateBody::of(row, series)))
}

impl From<&IssuanceRow> for IssuanceBody {
    fn from(row: &IssuanceRow) -> IssuanceBody {
        IssuanceBody {
            id: row.id.0,
            serial: written(&row.series, row.first_serial, row.last_serial),
            tonnes: row.last_serial - row.first_serial + 1,
            period: row.period_id.0,
            root: hex::encode(&row.root),
            leaf_count: row.leaf_count,
            issued_at: row.issued_at.0,
        }
    }
}

impl BlockBody {
    pub(in crate::api) fn of(row: &BlockRow, series: &str) -> BlockBody {
        BlockBody {
            id: row.id.0,
            serial: written(series, row.first_serial, row.last_serial),
            tonnes: row.last_serial - row.first_serial + 1,
            state: row.state.clone(),
            changed_at: row.changed_at.0,
        }
    }
}

impl From<ActRow> for ActBody {
    fn from(row: ActRow) -> ActBody {
        ActBody {
            at: row.at.0,
            kind: row.kind,
            first: row.first_serial,
            last: row.last_serial,
        }
    }
}

impl CertificateBody {
    fn of(row: &RetirementRow, series: &str) -> CertificateBody {
        let beneficiary = match row.purpose.as_str() {
            "personal" => masked(&row.beneficiary),
            _ => row.beneficiary.clone(),
        };
        CertificateBody {
            certificate_no: row.certificate_no.clone(),
            serial: written(series, row.first_serial, row.last_serial),
            tonnes: row.last_serial - row.first_serial + 1,
            purpose: row.purpose.clone(),
            beneficiary,
            claim: row.claim.clone(),
            retired_at: row.retired_at.0,
        }
    }
}

/// A serial as it is written; the tables hold no range that cannot be.
fn written(series: &str, first: i64, last: i64) -> String {
    let series = Series::stored(series.to_owned());
    match SerialRange::new(first, last) {
        Ok(range) => Serial { series, range }.to_string(),
        Err(_) => series.as_str().to_owned(),
    }
}
