//! One reduction of mine, explained in full.

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::api::auth::CitizenAuth;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::flow::FlowError;
use crate::flow::explain::{Explained, explain};
use crate::store::correction::CorrectionRow;

/// A reduction with everything that led to it, so that a stranger can recompute it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExplainedBody {
    pub reduction_id: String,
    pub mg: i64,
    pub points: i64,
    /// The day of the act, in days since 1970-01-01 in the scene's zone.
    pub day: i32,
    pub behaviour: BehaviourBody,
    /// Formula, inputs, look-ups, parameters with their sources, intermediate values, roundings
    /// and the result, recomputed now from the stored record by the pinned document.
    #[schema(value_type = Object)]
    pub explanation: serde_json::Value,
    /// The recomputed amount is the credited one.
    pub agrees: bool,
    pub exchange_rule: RuleBody,
    /// Where a household or vehicle is shared: what all of it came to, and the caller's part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<SharedBody>,
    /// For a counter-entry: what it takes back, and what stands in its place. For a reduction that
    /// was taken back: by what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction: Option<CorrectionBody>,
    /// What opens the leaf's commitment in the public log; share it only with whom you trust.
    pub opening: OpeningBody,
}

/// `whole_mg × weight / weights`, to the milligram, is the reduction. What is left over goes one
/// milligram each to those who lost most by rounding down. Of a counter-entry it tells how the
/// reduction was split that is taken back.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SharedBody {
    pub whole_mg: i64,
    pub weight: i32,
    pub weights: i32,
}

/// A counter-entry and the rows it names.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CorrectionBody {
    pub counter_entry: String,
    pub reversed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// Points that were spent already and are owed.
    pub owed: i64,
    /// `revised`, `cancelled`, `recomputed`, or the reason of a year's end.
    pub reason: String,
}

impl From<&CorrectionRow> for CorrectionBody {
    fn from(row: &CorrectionRow) -> CorrectionBody {
        CorrectionBody {
            counter_entry: row.counter().to_string(),
            reversed: row.reversed().to_string(),
            replaced_by: row.replaced().map(|id| id.to_string()),
            owed: row.owed,
            reason: row.reason.clone(),
        }
    }
}

/// The record behind it, as the partner sent it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BehaviourBody {
    pub source_id: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    #[schema(value_type = Object)]
    pub content: serde_json::Value,
    /// SHA-256 of the whole record in canonical JSON.
    pub digest: String,
}

/// How grams became points.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RuleBody {
    pub code: String,
    pub version: String,
    pub mg_per_point: i64,
    pub daily_cap_points: i64,
    pub valid_months: u32,
}

/// The hidden parts of a log leaf.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OpeningBody {
    pub salt: String,
    pub account: String,
    pub content: String,
}

/// One reduction of mine, down to formula, factor and source
#[utoipa::path(tag = "citizen", security(("bearer" = [])),
    params(("id" = String, Path, description = "The reduction's id")),
    responses((status = OK, body = ExplainedBody), (status = NOT_FOUND, body = ProblemBody)))]
#[get("/api/citizen/reductions/{id}")]
pub async fn explain_reduction(
    citizen: CitizenAuth,
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let id: ReductionId = id.parse()?;
    let catalogue = state.catalogue.get();
    let keys = state.keys.clone();
    let body = state
        .pool
        .read::<_, FlowError>(move |conn| {
            let explained = explain(conn, &catalogue, id)?;
            // Another's reduction is answered like one that does not exist.
            if explained.reduction.account_id.0 != citizen.account_id {
                return Err(Code::NotFound.into());
            }
            let digest = explained.behaviour.digest.as_slice().try_into();
            let digest = digest.map_err(|_| Code::Internal)?;
            let account = *explained.reduction.account_id.0.as_bytes();
            let opening = keys.settings.salt.opening(id, account, digest);
            let opening = OpeningBody {
                salt: hex::encode(opening.salt),
                account: hex::encode(opening.account),
                content: hex::encode(opening.content),
            };
            ExplainedBody::new(id, &explained, opening)
        })
        .await?;
    Ok(HttpResponse::Ok().json(body))
}

impl ExplainedBody {
    fn new(
        id: ReductionId,
        explained: &Explained<'_>,
        opening: OpeningBody,
    ) -> Result<ExplainedBody, FlowError> {
        let broken = |error: serde_json::Error| {
            tracing::error!(%error, "an explanation cannot be written");
            FlowError::from(Code::Internal)
        };
        let (row, record, rule) = (&explained.reduction, &explained.behaviour, explained.rule);
        Ok(ExplainedBody {
            reduction_id: id.to_string(),
            mg: row.mg,
            points: row.points,
            day: row.day,
            behaviour: BehaviourBody {
                source_id: record.source_id.clone(),
                from: record.from_at.0,
                to: record.to_at.0,
                content: serde_json::from_str(&record.content).map_err(broken)?,
                digest: hex::encode(&record.digest),
            },
            explanation: serde_json::to_value(&explained.explanation).map_err(broken)?,
            agrees: explained.agrees,
            exchange_rule: RuleBody {
                code: rule.code.clone(),
                version: rule.version.clone(),
                mg_per_point: rule.mg_per_point,
                daily_cap_points: rule.daily_cap_points,
                valid_months: rule.valid_months,
            },
            share: explained.share.as_ref().map(|share| SharedBody {
                whole_mg: share.whole_mg,
                weight: share.weight,
                weights: share.weights,
            }),
            correction: explained
                .takes_back
                .as_ref()
                .or(explained.taken_back_by.as_ref())
                .map(CorrectionBody::from),
            opening,
        })
    }
}
