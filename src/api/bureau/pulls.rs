//! The bureau declares which scenes are pulled, and sees how it goes.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::api::auth::BureauAuth;
use crate::api::idempotency::Once;
use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::scene::pull;
use crate::flow::FlowError;
use crate::flow::pull::{declare, resume, suspend};
use crate::store::pull::{PullFeedRow, PullRunRow, feed, runs};
use crate::store::verification;

/// The newest requests that are shown.
const RUNS_SHOWN: i64 = 50;

/// How a scene's feed is to be pulled.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PullDeclarationBody {
    /// TOML; `docs/pull-feeds.md` lists the keys.
    #[schema(
        example = "url = 'https://ops.example/trips?end_time={to:hour}'\nstart = '2026-11-20T00:00:00Z'\nevery_minutes = 60\n"
    )]
    pub declaration: String,
    /// The agreement or decision; it stands in the audit chain.
    pub reason: String,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PullStateBody {
    /// `suspended`, or `resumed`: due at once, also after it stopped by itself.
    pub state: String,
    pub reason: String,
}

/// Where a pull feed stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PullFeedBody {
    pub scene: String,
    pub declaration: String,
    pub declared_at: DateTime<Utc>,
    /// `idle`, `running`, `backing_off`, `stopped` or `suspended`.
    pub state: String,
    /// Everything before it was taken in once.
    pub watermark: DateTime<Utc>,
    /// When it is due; while it runs, when its lease ends.
    pub next_at: DateTime<Utc>,
    /// In a row.
    pub failures: i32,
    /// What the last turn failed with, if it did.
    pub last_error: Option<String>,
    pub succeeded_at: Option<DateTime<Utc>>,
    /// The newest requests, the newest first.
    pub runs: Vec<PullRunBody>,
}

/// One request of a pull feed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PullRunBody {
    pub started_at: DateTime<Utc>,
    pub ended_at: DateTime<Utc>,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub page: i32,
    /// The HTTP status; absent where nothing was answered.
    pub status: Option<i32>,
    /// `ingested`, `unchanged`, `empty`, `later`, `failed` or `denied`.
    pub outcome: String,
    /// A problem's code, if it is one.
    pub code: Option<String>,
    pub bytes: i64,
    /// SHA-256 of the body in hex.
    pub sha256: Option<String>,
    pub accepted: i64,
    pub replayed: i64,
    pub refused: i64,
    pub held: i64,
    /// Milligrams of CO₂e of what was accepted.
    pub reduction_mg: i64,
    pub points: i64,
}

/// Declares how a scene's feed is pulled, or declares it anew
///
/// It is due at once. The watermark stays unless the declared start is another one.
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = PullDeclarationBody,
    responses((status = OK, body = PullFeedBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = UNPROCESSABLE_ENTITY, body = ProblemBody)))]
#[post("/api/bureau/scenes/{scene}/pull")]
pub async fn declare_pull(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    scene: web::Path<String>,
    body: web::Json<PullDeclarationBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let auth = pull::parse(&body.declaration)?.auth;
    let credentials = &state.config.pull.credentials;
    if let Some(name) = auth.as_ref().map(pull::Auth::credential)
        && !credentials.contains_key(name)
    {
        let (param, name) = ("pull.auth.credential", Detail::value(name));
        return Err(Problem::at(Code::CredentialMissing, param, name).into());
    }
    let (ctx, scene, body) = (
        state.ctx(officer.actor()),
        scene.into_inner(),
        body.into_inner(),
    );
    once.run(&state, move |tx| {
        let row = declare(tx, &ctx, &scene, &body.declaration, &body.reason)?;
        Ok((StatusCode::OK, shown(&scene, row, Vec::new())))
    })
    .await
}

/// Suspends a pull feed, or takes it up again
#[utoipa::path(tag = "bureau", security(("bearer" = [])), request_body = PullStateBody,
    responses((status = OK, body = PullFeedBody), (status = BAD_REQUEST, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody)))]
#[post("/api/bureau/scenes/{scene}/pull/state")]
pub async fn change_pull(
    request: HttpRequest,
    officer: BureauAuth,
    state: web::Data<AppState>,
    scene: web::Path<String>,
    body: web::Json<PullStateBody>,
) -> ApiResult<HttpResponse> {
    let once = Once::new(&request, officer.caller(), &*body)?;
    let act = match body.state.as_str() {
        "suspended" => suspend,
        "resumed" => resume,
        _ => {
            let detail = detail!("须为 suspended 或 resumed", "suspended or resumed");
            return Err(Problem::at(Code::InvalidField, "state", detail).into());
        }
    };
    let (ctx, scene, reason) = (
        state.ctx(officer.actor()),
        scene.into_inner(),
        body.into_inner().reason,
    );
    once.run(&state, move |tx| {
        let row = act(tx, &ctx, &scene, &reason)?;
        Ok((StatusCode::OK, shown(&scene, row, Vec::new())))
    })
    .await
}

/// Where a scene's pull feed stands, and its newest requests
#[utoipa::path(tag = "bureau", security(("bearer" = [])), responses(
    (status = OK, body = PullFeedBody), (status = NOT_FOUND, body = ProblemBody)))]
#[get("/api/bureau/scenes/{scene}/pull")]
pub async fn show_pull(
    _officer: BureauAuth,
    state: web::Data<AppState>,
    scene: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let code = scene.into_inner();
    let found = state.pool.read::<_, FlowError>(move |conn| {
        let id = verification::scene_id(conn, &code)?.ok_or(Code::SceneUnknown)?;
        let none = || {
            Problem::at(
                Code::NotFound,
                "scene",
                detail!("该场景未设置拉取", "is not pulled"),
            )
        };
        let row = feed(conn, id)?.ok_or_else(none)?;
        Ok(shown(&code, row, runs(conn, id, RUNS_SHOWN)?))
    });
    Ok(HttpResponse::Ok().json(found.await?))
}

fn shown(scene: &str, row: PullFeedRow, runs: Vec<PullRunRow>) -> PullFeedBody {
    PullFeedBody {
        scene: scene.to_owned(),
        declaration: row.declaration,
        declared_at: row.declared_at.0,
        state: row.state,
        watermark: row.watermark.0,
        next_at: row.next_at.0,
        failures: row.failures,
        last_error: row.last_error,
        succeeded_at: row.succeeded_at.map(|at| at.0),
        runs: runs.into_iter().map(PullRunBody::from).collect(),
    }
}

impl From<PullRunRow> for PullRunBody {
    fn from(row: PullRunRow) -> PullRunBody {
        PullRunBody {
            started_at: row.started_at.0,
            ended_at: row.ended_at.0,
            from: row.range_from.0,
            to: row.range_to.0,
            page: row.page,
            status: row.status,
            outcome: row.outcome,
            code: row.code,
            bytes: row.bytes,
            sha256: row.digest.map(hex::encode),
            accepted: row.accepted,
            replayed: row.replayed,
            refused: row.refused,
            held: row.held,
            reduction_mg: row.reduction_mg,
            points: row.points,
        }
    }
}
