//! The public log (公开日志): its signed head, and whether a reduction is in it.

use actix_web::{HttpRequest, HttpResponse, get, web};
use askama::Template;
use serde::Deserialize;

use super::{Shell, figure, page};
use crate::api::{ApiResult, AppState};
use crate::domain::log::checkpoint::Checkpoint;
use crate::domain::log::hash::leaf_hash;
use crate::domain::log::note::NoteVerifier;
use crate::domain::log::proof::verify_inclusion;
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::flow::FlowError;
use crate::flow::prove::{Inclusion, inclusion};
use crate::flow::show_leaf::show_leaf;
use crate::store::log::{CheckpointRow, checkpoints};

/// Heads shown.
const HEADS: i64 = 10;
/// The most characters of an asked id that are repeated on the page.
const ASKED_CHARS_MAX: usize = 80;

#[derive(Template)]
#[template(path = "public/log.html")]
struct Log<'a> {
    shell: &'a Shell,
    key: String,
    newest: Option<Newest>,
    heads: Vec<Head>,
    asked: String,
    found: Found,
}

struct Newest {
    size: String,
    root: String,
    note: String,
    signed_at: String,
}

struct Head {
    size: String,
    root: String,
    signed_at: String,
}

/// What looking an id up gave.
enum Found {
    NotAsked,
    /// No reduction has this id, or the text is no id.
    Unknown,
    /// It is recorded, and waits for the next checkpoint.
    Waiting,
    Placed(Box<Proven>),
}

/// A proof, and what checking it here found.
struct Proven {
    index: String,
    size: String,
    leaf: String,
    leaf_hash: String,
    path: Vec<String>,
    /// The leaf's bytes hash to the leaf.
    leaf_agrees: bool,
    /// The checkpoint is signed by the log's key.
    signed: bool,
    /// Leaf and path lead to the checkpoint's root.
    included: bool,
}

/// A reduction to look up.
#[derive(Debug, Deserialize)]
struct LogQuery {
    id: Option<String>,
}

/// `GET /public/log`.
///
/// # Errors
/// The store failed.
#[get("/log")]
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<AppState>,
    query: web::Query<LogQuery>,
) -> ApiResult<HttpResponse> {
    let asked: String = query
        .id
        .as_deref()
        .unwrap_or_default()
        .trim()
        .chars()
        .take(ASKED_CHARS_MAX)
        .collect();
    let wanted = asked.clone();
    let (catalogue, keys) = (state.catalogue.get(), state.keys.clone());
    let verifier = state.keys.signer.verifier();
    let key = verifier.to_string();
    let read = move |conn: &mut crate::store::Conn| {
        let heads = checkpoints(conn, i64::MAX, HEADS)?;
        let found = match wanted.parse::<ReductionId>() {
            _ if wanted.is_empty() => Found::NotAsked,
            Err(_) => Found::Unknown,
            Ok(id) => match inclusion(conn, id) {
                Ok(proof) => {
                    let leaf = show_leaf(conn, &catalogue, &keys.settings.salt, id)?;
                    Found::Placed(Box::new(Proven::new(&proof, &leaf, &verifier)))
                }
                Err(FlowError::Refused(problem)) if problem.code == Code::LogNotPlaced => {
                    Found::Waiting
                }
                Err(FlowError::Store(crate::store::StoreError::NotFound)) => Found::Unknown,
                Err(error) => return Err(error),
            },
        };
        Ok((heads, found))
    };
    let (heads, found) = state.pool.read::<_, FlowError>(read).await?;
    let zone = state.redemption.zone;
    let newest = heads.first().map(|row| Newest {
        size: figure::grouped(row.size),
        root: hex::encode(&row.root),
        note: row.note.clone(),
        signed_at: figure::instant(row.signed_at.0, zone),
    });
    let head = |row: &CheckpointRow| Head {
        size: figure::grouped(row.size),
        root: figure::short_hash(&row.root),
        signed_at: figure::instant(row.signed_at.0, zone),
    };
    let shell = Shell::of(&request);
    let log = Log {
        shell: &shell,
        key,
        newest,
        heads: heads.iter().map(head).collect(),
        asked,
        found,
    };
    page(&shell, &log)
}

impl Proven {
    fn new(proof: &Inclusion, leaf: &[u8], verifier: &NoteVerifier) -> Proven {
        let head = Checkpoint::open(&proof.checkpoint, verifier).ok();
        let signed = head.as_ref().is_some_and(|head| head.size == proof.size);
        let included = head.is_some_and(|head| {
            let (index, size) = (proof.index, proof.size);
            verify_inclusion(&proof.leaf, index, size, &proof.proof, &head.root).is_ok()
        });
        Proven {
            index: proof.index.to_string(),
            size: proof.size.to_string(),
            leaf: String::from_utf8_lossy(leaf).into_owned(),
            leaf_hash: hex::encode(proof.leaf),
            path: proof.proof.iter().map(hex::encode).collect(),
            leaf_agrees: leaf_hash(leaf) == proof.leaf,
            signed,
            included,
        }
    }
}
