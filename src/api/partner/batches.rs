//! Batches of records in the platform's own form.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, post, web};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::context::{Actor, Ctx};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::adapter::native::{Format, parse_batch};
use crate::flow::catalogue::Scene;
use crate::flow::ingest::{Prepared, Receipt, Row, SinglePost, commit, prepare};
use crate::flow::{FlowError, FlowResult};

use super::answers::ReceiptBody;
use super::proof::{PartnerProof, prove};

/// Post up to 10,000 records of a scene
///
/// Each record is answered in its place: accepted, replayed, refused or held. Sending a batch
/// again changes nothing and says so.
#[utoipa::path(tag = "partner", security(("signature" = [])), request_body(content = String, content_type = "application/json"),
    responses((status = OK, body = ReceiptBody), (status = UNAUTHORIZED, body = ProblemBody),
    (status = NOT_FOUND, body = ProblemBody), (status = PAYLOAD_TOO_LARGE, body = ProblemBody)))]
#[post("/api/partner/scenes/{scene}/behaviours")]
pub async fn post_behaviours(
    request: HttpRequest,
    state: web::Data<AppState>,
    scene: web::Path<String>,
    body: web::Payload,
) -> ApiResult<HttpResponse> {
    let body = whole(body, state.config.http.batch_bytes).await?;
    let proof = prove(&request, &state, &body).await?;
    let scene = scene_of(&state, &proof, &scene)?;
    let format = format_of(&request)?;
    let mut ctx = state.ctx(Actor {
        role: "partner",
        id: proof.partner,
    });
    let batch = ctx.id();
    let receipt = if body.len() <= SINGLE_BYTES_MAX {
        let prepared = read(&scene, &body, format, &ctx)?;
        match prepared.records() {
            1 => single(&state, &scene, prepared, ctx).await?,
            _ => write(&state, scene, prepared, ctx, batch).await?,
        }
    } else {
        let shared = state.clone();
        web::block(move || {
            let prepared = read(&scene, &body, format, &ctx)?;
            write_now(&shared, &scene, &prepared, &ctx, batch)
        })
        .await
        .map_err(crate::api::ApiError::internal)??
    };
    Ok(HttpResponse::Ok().json(ReceiptBody::from(receipt)))
}

/// Reads a body of at most `limit` bytes.
async fn whole(body: web::Payload, limit: usize) -> ApiResult<web::Bytes> {
    match body.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::on(Code::FileTruncated, "body").into()),
        Err(_) => Err(Code::BodyTooLarge.into()),
    }
}

/// A body this small is parsed on the spot; larger ones leave the web worker.
const SINGLE_BYTES_MAX: usize = 4_096;

fn read(scene: &Scene, body: &[u8], format: Format, ctx: &Ctx) -> FlowResult<Prepared> {
    let rows = parse_batch(body, format)?
        .into_iter()
        .map(|(place, parsed)| match parsed {
            Ok(record) => Row::Record(record),
            Err(problem) => Row::Refused(place.to_string(), problem),
        });
    Ok(prepare(
        &scene.view,
        rows,
        Sha256::digest(body).into(),
        ctx.now,
    ))
}

async fn single(
    state: &AppState,
    scene: &Arc<Scene>,
    prepared: Prepared,
    ctx: Ctx,
) -> ApiResult<Receipt> {
    let post = SinglePost {
        scene: Arc::clone(scene),
        prepared,
        ctx,
    };
    let answer = state.single_posts.submit(post).await??;
    let batch = match &answer {
        crate::flow::ingest::Answer::Accepted {
            reduction: Some(reduction),
            ..
        } => reduction.batch,
        _ => Uuid::nil(),
    };
    Ok(Receipt::of(batch, vec![answer]))
}

async fn write(
    state: &web::Data<AppState>,
    scene: Arc<Scene>,
    prepared: Prepared,
    ctx: Ctx,
    batch: Uuid,
) -> ApiResult<Receipt> {
    let state = state.clone();
    let done = web::block(move || write_now(&state, &scene, &prepared, &ctx, batch)).await;
    Ok(done.map_err(crate::api::ApiError::internal)??)
}

/// Writes one prepared batch and waits for the commit.
///
/// # Errors
/// The store failed.
fn write_now(
    state: &AppState,
    scene: &Scene,
    prepared: &Prepared,
    ctx: &Ctx,
    batch: Uuid,
) -> Result<Receipt, FlowError> {
    state
        .pool
        .write_now(|tx| commit(tx, ctx, batch, &scene.view, &state.keys.settings, prepared))
}

/// The scene of this code, if it is the caller's and takes records.
///
/// # Errors
/// There is none, it is another partner's (which is answered alike), or it is closed.
pub(super) fn scene_of(
    state: &AppState,
    proof: &PartnerProof,
    code: &str,
) -> ApiResult<Arc<Scene>> {
    let catalogue = state.catalogue.get();
    let scene = catalogue
        .scenes
        .get(code)
        .filter(|scene| scene.row.partner_id.0 == proof.partner);
    let scene = scene.ok_or(Code::SceneUnknown)?;
    if scene.row.state != "live" {
        return Err(Code::SceneNotLive.into());
    }
    Ok(Arc::clone(scene))
}

fn format_of(request: &HttpRequest) -> ApiResult<Format> {
    let field = request
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let media = field
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    match media {
        "application/json" => Ok(Format::Json),
        "application/x-ndjson" => Ok(Format::Ndjson),
        _ => Err(Problem::at(
            Code::UnsupportedFormat,
            "Content-Type",
            detail!(
                "请发送 application/json 或 application/x-ndjson",
                "send application/json or application/x-ndjson"
            ),
        )
        .into()),
    }
}
