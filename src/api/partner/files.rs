//! Whole files in a scene adapter's own format, of any size.
//!
//! The body is written to a scratch file while its digest is taken; only when the digest is the
//! signed one, and the adapter has read the file to its end, is anything stored. Then the file is
//! read again and committed batch by batch, and each record's answer goes out as soon as its batch
//! is in. What is in the file may be wrapped in CloudEvents, as its content type says.

use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
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
use crate::domain::scene::adapter::{Envelope, EventAttributes, Outcome, Place, Seen};
use crate::flow::FlowError;
use crate::flow::catalogue::Scene;
use crate::flow::ingest::{RECORDS_MAX, Row, prepare};
use crate::store::StoreError;

use super::answers::{AnswerBody, Summary};
use super::batches::{scene_of, write_now};
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
    let (file, sha256) = spool(body, digest.start()).await?;
    let (send, answers) = mpsc::channel::<web::Bytes>(CHUNKS_WAITING);
    let ctx = state.ctx(Actor {
        role: "partner",
        id: proof.partner,
    });
    let (state, reader) = (state.clone(), Arc::clone(&scene));
    let checked = web::block(move || check(file, &reader, envelope))
        .await
        .map_err(ApiError::internal)??;
    actix_web::rt::task::spawn_blocking(move || {
        let mut ingestion = Ingestion::new(&state, &scene, ctx, sha256, send);
        ingestion.envelope = envelope;
        if let Err(error) = ingestion.run(checked) {
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
        let piece = piece.map_err(|_| Problem::at(Code::FileTruncated, "body", ""))?;
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

/// Reads the file to its end without storing anything: a file that is broken as a whole is
/// refused as a whole.
fn check(
    mut file: std::fs::File,
    scene: &Scene,
    envelope: Envelope,
) -> Result<std::fs::File, FlowError> {
    rewind(&mut file)?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    read(scene, envelope, &mut reader, &mut |_| ())?;
    Ok(reader.into_inner())
}

fn read(
    scene: &Scene,
    envelope: Envelope,
    source: &mut dyn BufRead,
    sink: &mut dyn FnMut(Outcome),
) -> Result<Seen, Problem> {
    envelope.read(&scene.adapter, source, &scene.options, sink)
}

fn rewind(file: &mut std::fs::File) -> Result<(), FlowError> {
    file.seek(SeekFrom::Start(0)).map_err(|error| {
        tracing::error!(%error, "a scratch file cannot be read");
        FlowError::from(Code::Internal)
    })?;
    Ok(())
}

/// One checked file on its way into the ledger.
struct Ingestion<'s> {
    state: &'s AppState,
    scene: &'s Scene,
    envelope: Envelope,
    ctx: Ctx,
    file_digest: [u8; 32],
    answers: mpsc::Sender<web::Bytes>,
    places: Vec<Place>,
    rows: Vec<Row>,
    summary: Summary,
    batches: u64,
}

impl<'s> Ingestion<'s> {
    fn new(
        state: &'s AppState,
        scene: &'s Scene,
        ctx: Ctx,
        file_digest: [u8; 32],
        answers: mpsc::Sender<web::Bytes>,
    ) -> Ingestion<'s> {
        let (places, rows) = (Vec::new(), Vec::new());
        let summary = Summary::default();
        Ingestion {
            state,
            scene,
            envelope: Envelope::None,
            ctx,
            file_digest,
            answers,
            places,
            rows,
            summary,
            batches: 0,
        }
    }

    fn run(&mut self, mut file: std::fs::File) -> Result<(), FlowError> {
        rewind(&mut file)?;
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let mut failed = None;
        let (scene, envelope) = (self.scene, self.envelope);
        read(scene, envelope, &mut reader, &mut |outcome| {
            if failed.is_none() {
                failed = self.take(outcome).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        self.flush()?;
        let last = FileSummary {
            summary: self.summary,
        };
        self.send(json_line(&last));
        Ok(())
    }

    fn take(&mut self, outcome: Outcome) -> Result<(), FlowError> {
        let (place, row) = match outcome {
            Outcome::Record(place, record) => (place, Row::Record(record)),
            Outcome::Refused(refused) => {
                let place = refused.place;
                (
                    place.clone(),
                    Row::Refused(place.to_string(), refused.problem),
                )
            }
            Outcome::Held(held) => (held.place, Row::Held(held.code)),
        };
        self.places.push(place);
        self.rows.push(row);
        if self.rows.len() < RECORDS_MAX {
            Ok(())
        } else {
            self.flush()
        }
    }

    fn flush(&mut self) -> Result<(), FlowError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.batches += 1;
        let mut digest = Sha256::new();
        digest.update(self.file_digest);
        digest.update(self.batches.to_be_bytes());
        let digest = digest.finalize().into();
        let rows = std::mem::take(&mut self.rows);
        let prepared = prepare(&self.scene.view, rows, digest, self.ctx.now);
        let batch = self.ctx.id();
        let receipt = write_now(self.state, self.scene, &prepared, &self.ctx, batch)?;
        let mut text = Vec::with_capacity(receipt.answers.len() * 128);
        for (place, answer) in self.places.iter().zip(&receipt.answers) {
            let answer = AnswerBody::from(answer);
            text.extend(json_line(&Line {
                place: &place.to_string(),
                answer,
            }));
        }
        self.places.clear();
        self.summary.add(Summary::from(&receipt));
        self.send(text);
        Ok(())
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
