//! Whole files in a scene adapter's own format, of any size.
//!
//! The body is written to a scratch file while its digest is taken; only when the digest is the
//! signed one, and the adapter has read the file to its end, is anything stored. Then the file is
//! read again and committed batch by batch, and each record's answer goes out as soon as its batch
//! is in. What is in the file may be wrapped in CloudEvents, as its content type says.

use std::io::Write;
use std::sync::Arc;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, post, web};
use futures_util::StreamExt;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::api::{ApiError, ApiResult, AppState, ProblemBody};
use crate::domain::context::{Actor, Ctx};
use crate::domain::problem::{Code, Problem};
use crate::domain::scene::adapter::{Envelope, EventAttributes, Place};
use crate::flow::ingest::{Receipt, Wrapped, check_whole, ingest_whole};
use crate::flow::{FlowError, FlowResult};
use crate::store::StoreError;

use super::answers::{AnswerBody, Summary};
use super::batches::scene_of;
use super::proof::prove_streamed;

/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 30;
/// Chunks of answers that may wait for a slow reader.
const CHUNKS_WAITING: usize = 4;

/// One record's answer, with its place in the file.
#[derive(Serialize)]
struct Line<'a> {
    place: &'a str,
    #[serde(flatten)]
    answer: AnswerBody,
}

/// The last line of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FileSummary {
    pub summary: Summary,
}

/// The last line of an answer that could not be finished.
#[derive(Serialize)]
struct FileBroken {
    problem: ProblemBody,
}

/// Post a file in the scene adapter's own format
///
/// Answers with one JSON line a record and a last line with the sums. A body of CloudEvents
/// (`application/cloudevents+json`, `application/cloudevents-batch+json`, or `ce-` header fields
/// over the file itself) is opened, and what is in it read by the scene's adapter.
#[utoipa::path(tag = "partner", security(("signature" = [])),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = OK, body = FileSummary, content_type = "application/x-ndjson"),
    (status = UNAUTHORIZED, body = ProblemBody), (status = BAD_REQUEST, body = ProblemBody)))]
#[post("/api/partner/scenes/{scene}/files")]
pub async fn post_file(
    request: HttpRequest,
    state: web::Data<AppState>,
    scene: web::Path<String>,
    body: web::Payload,
) -> ApiResult<HttpResponse> {
    let proof = prove_streamed(&request, &state).await?;
    let scene = scene_of(&state, &proof, &scene)?;
    let envelope = envelope_of(&request)?;
    let digest = proof.digest.clone().ok_or(Code::DigestMismatch)?;
    let (mut file, sha256) = spool(body, digest.start()).await?;
    let (send, answers) = mpsc::channel::<web::Bytes>(CHUNKS_WAITING);
    let ctx = state.ctx(Actor {
        role: "partner",
        id: proof.partner,
    });
    let (state, reader) = (state.clone(), Arc::clone(&scene));
    let checked = web::block(move || {
        let feed = Wrapped {
            scene: &reader,
            envelope,
        };
        check_whole(&mut file, feed).map(|()| file)
    })
    .await
    .map_err(ApiError::internal)??;
    actix_web::rt::task::spawn_blocking(move || {
        let mut ingestion = Ingestion {
            state: &state,
            feed: Wrapped {
                scene: &scene,
                envelope,
            },
            answers: send,
            summary: Summary::default(),
        };
        if let Err(error) = ingestion.run(checked, sha256, ctx) {
            tracing::error!(?error, "a file could not be ingested to its end");
            ingestion.break_off(&error);
        }
    });
    let stream = futures_util::stream::unfold(answers, |mut answers| async move {
        answers
            .recv()
            .await
            .map(|bytes| (Ok::<_, actix_web::Error>(bytes), answers))
    });
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .streaming(stream))
}

/// What the body is wrapped in. In binary mode the envelope is in header fields and the body is
/// the file itself: the fields are checked, and nothing of them enters a record, for the
/// signature need not cover them.
fn envelope_of(request: &HttpRequest) -> ApiResult<Envelope> {
    let headers = request.headers();
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let envelope = Envelope::of_content_type(content_type.unwrap_or_default())?;
    if envelope == Envelope::None {
        let fields = headers.iter();
        let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
        EventAttributes::of_header(fields, content_type)?;
    }
    Ok(envelope)
}

/// Writes the body to a scratch file that vanishes with its handle.
async fn spool(
    mut body: web::Payload,
    mut check: crate::domain::party::content_digest::BodyCheck,
) -> ApiResult<(std::fs::File, [u8; 32])> {
    let mut file = tempfile::tempfile().map_err(ApiError::internal)?;
    let mut sha256 = Sha256::new();
    let mut size = 0;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| Problem::on(Code::FileTruncated, "body"))?;
        size += piece.len() as u64;
        if size > FILE_BYTES_MAX {
            return Err(Code::BodyTooLarge.into());
        }
        check.update(&piece);
        sha256.update(&piece);
        file.write_all(&piece).map_err(ApiError::internal)?;
    }
    check.finish()?;
    Ok((file, sha256.finalize().into()))
}

/// One checked file on its way into the ledger, and the answers on their way to the partner.
struct Ingestion<'s> {
    state: &'s AppState,
    feed: Wrapped<'s>,
    answers: mpsc::Sender<web::Bytes>,
    summary: Summary,
}

impl Ingestion<'_> {
    fn run(&mut self, mut file: std::fs::File, sha256: [u8; 32], ctx: Ctx) -> FlowResult<()> {
        let (state, feed) = (self.state, self.feed);
        let log = &state.keys.settings;
        ingest_whole(
            &state.pool,
            feed,
            log,
            ctx,
            &mut file,
            sha256,
            &mut |places, receipt| {
                self.tell(places, receipt);
                Ok(())
            },
        )?;
        let last = FileSummary {
            summary: self.summary,
        };
        self.send(json_line(&last));
        Ok(())
    }

    fn tell(&mut self, places: &[Place], receipt: &Receipt) {
        let mut text = Vec::with_capacity(receipt.answers.len() * 128);
        for (place, answer) in places.iter().zip(&receipt.answers) {
            let answer = AnswerBody::from(answer);
            text.extend(json_line(&Line {
                place: &place.to_string(),
                answer,
            }));
        }
        self.summary.add(Summary::from(receipt));
        self.send(text);
    }

    /// Tells why no summary follows. What was answered before is committed; sending the file again
    /// goes on from there.
    fn break_off(&self, error: &FlowError) {
        let code = match error {
            FlowError::Store(StoreError::Busy | StoreError::Unavailable(_)) => Code::Unavailable,
            _ => Code::Internal,
        };
        self.send(json_line(&FileBroken {
            problem: ProblemBody::new(&code.into()),
        }));
    }

    /// A partner that went away still has its file taken in: what is committed stays, and sending
    /// it again answers as replays.
    fn send(&self, text: Vec<u8>) {
        let _ = self.answers.blocking_send(text.into());
    }
}

fn json_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}
