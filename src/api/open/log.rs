//! The public log: its signed head, its tiles, and proofs from it. For anybody.

use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};

use crate::api::{ApiResult, AppState, ProblemBody};
use crate::domain::log::tile::Tile;
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::flow::FlowError;
use crate::flow::prove::{consistency, inclusion};
use crate::flow::show_leaf::show_leaf;
use crate::store::log::{newest_checkpoint, tile};

/// That a leaf is in the tree of a signed checkpoint.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InclusionBody {
    pub index: u64,
    pub size: u64,
    /// Hex.
    pub leaf_hash: String,
    /// Hex, the leaf's sibling first.
    pub proof: Vec<String>,
    /// The signed checkpoint of `size` leaves.
    pub checkpoint: String,
}

/// That a tree of `new` leaves begins with the tree of `old` leaves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ConsistencyBody {
    pub old: u64,
    pub new: u64,
    /// Hex.
    pub proof: Vec<String>,
}

/// Two sizes of the log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct Sizes {
    pub old: u64,
    pub new: u64,
}

/// The newest signed checkpoint (C2SP tlog-checkpoint)
#[utoipa::path(tag = "open", responses((status = OK, body = String, content_type = "text/plain"),
    (status = NOT_FOUND, body = ProblemBody)))]
#[get("/log/checkpoint")]
pub async fn checkpoint(state: web::Data<AppState>) -> ApiResult<HttpResponse> {
    let head = state
        .pool
        .read::<_, FlowError>(|conn| Ok(newest_checkpoint(conn)?))
        .await?;
    let head = head.ok_or(Code::LogNotPlaced)?;
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::plaintext())
        .body(head.note))
}

/// The key that checkpoints are signed with, as `name+hash+key`
#[utoipa::path(tag = "open", responses((status = OK, body = String, content_type = "text/plain")))]
#[get("/log/key")]
pub async fn verifier_key(state: web::Data<AppState>) -> HttpResponse {
    let key = state.keys.signer.verifier().to_string();
    HttpResponse::Ok()
        .insert_header(ContentType::plaintext())
        .body(key)
}

/// Proof that a reduction is in the log
#[utoipa::path(tag = "open", params(("id" = String, Path, description = "The reduction's id")),
    responses((status = OK, body = InclusionBody), (status = NOT_FOUND, body = ProblemBody)))]
#[get("/log/proofs/inclusion/{id}")]
pub async fn inclusion_proof(
    state: web::Data<AppState>,
    id: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let id: ReductionId = id.parse()?;
    let found = state
        .pool
        .read::<_, FlowError>(move |conn| inclusion(conn, id))
        .await?;
    Ok(HttpResponse::Ok().json(InclusionBody {
        index: found.index,
        size: found.size,
        leaf_hash: hex::encode(found.leaf),
        proof: found.proof.iter().map(hex::encode).collect(),
        checkpoint: found.checkpoint,
    }))
}

/// Proof that the log only grew
#[utoipa::path(tag = "open", params(Sizes),
    responses((status = OK, body = ConsistencyBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[get("/log/proofs/consistency")]
pub async fn consistency_proof(
    state: web::Data<AppState>,
    sizes: web::Query<Sizes>,
) -> ApiResult<HttpResponse> {
    let Sizes { old, new } = sizes.into_inner();
    let proof = state
        .pool
        .read::<_, FlowError>(move |conn| consistency(conn, old, new))
        .await?;
    let proof = proof.iter().map(hex::encode).collect();
    Ok(HttpResponse::Ok().json(ConsistencyBody { old, new, proof }))
}

/// What a reduction's leaf says, byte for byte
///
/// The leaf hash is SHA-256 over a zero byte and these bytes.
#[utoipa::path(tag = "open", params(("id" = String, Path, description = "The reduction's id")),
    responses((status = OK, body = String, content_type = "application/json"),
    (status = NOT_FOUND, body = ProblemBody)))]
#[get("/log/leaves/{id}")]
pub async fn leaf(state: web::Data<AppState>, id: web::Path<String>) -> ApiResult<HttpResponse> {
    let id: ReductionId = id.parse()?;
    let (catalogue, keys) = (state.catalogue.get(), state.keys.clone());
    let bytes = state
        .pool
        .read::<_, FlowError>(move |conn| show_leaf(conn, &catalogue, &keys.settings.salt, id))
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(bytes))
}

/// One tile of the tree (C2SP tlog-tiles)
#[utoipa::path(tag = "open", params(("path" = String, Path, description = "As in tlog-tiles")),
    responses((status = OK, body = Vec<u8>, content_type = "application/octet-stream"),
    (status = NOT_FOUND, body = ProblemBody)))]
#[get("/log/tile/{path:.*}")]
pub async fn tile_file(
    state: web::Data<AppState>,
    path: web::Path<String>,
) -> ApiResult<HttpResponse> {
    let wanted = Tile::parse(&format!("tile/{path}"))?;
    let (level, index) = (i32::from(wanted.level()), i64::try_from(wanted.index()));
    let index = index.map_err(|_| Code::NotFound)?;
    let mut hashes = state
        .pool
        .read::<_, FlowError>(move |conn| Ok(tile(conn, level, index)?))
        .await?;
    let width = usize::from(wanted.width());
    if hashes.len() < width {
        return Err(Code::NotFound.into());
    }
    hashes.truncate(width);
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::octet_stream())
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(hashes.concat()))
}
