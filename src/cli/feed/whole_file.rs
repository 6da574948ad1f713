//! Whole files in the scene adapter's own format: the platform reads them and answers row by row.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use indicatif::ProgressBar;
use reqwest::{Body, Response};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use super::post::{Args, PostError, show_pause, size};
use super::source::progress_bar;
use super::tally::Tally;
use crate::domain::party::content_digest::ContentDigest;
use crate::gateway::partner_client::{
    ClientError, FileLine, PartnerClient, Patience, StreamedBody, files_path,
};

/// The file is what the scene's adapter reads, whatever that is.
const CONTENT_TYPE: &str = "application/octet-stream";
/// Bytes read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// The longest line of an answer.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Posts each file in turn.
pub(super) async fn post(client: &PartnerClient, args: &Args) -> Result<Tally, PostError> {
    let mut tally = Tally::default();
    for file in &args.files {
        let several = (args.files.len() > 1).then_some(file.as_path());
        tally.add(post_file(client, &args.scene, file, several).await?);
    }
    Ok(tally)
}

/// Tries until the answer has come to its last line: what an earlier try brought is then a replay.
async fn post_file(
    client: &PartnerClient,
    scene: &str,
    file: &Path,
    named: Option<&Path>,
) -> Result<Tally, PostError> {
    let io = |source| PostError::Io {
        path: file.to_owned(),
        source,
    };
    let bar = progress_bar("hash 摘要", size(file));
    let (digest, length) = digest(file, &bar).map_err(io)?;
    bar.finish_and_clear();
    let patience = Patience::default();
    let mut attempt = 1;
    loop {
        let bar = progress_bar("post 发送", length);
        let body = body(file, length, &bar).await.map_err(io)?;
        let body = StreamedBody {
            digest: digest.clone(),
            length,
            body,
        };
        let sent = answered(client, scene, body, named, &bar).await;
        bar.finish_and_clear();
        let paused = match sent {
            Ok(tally) => return Ok(tally),
            Err(failed) => patience.pause(attempt, failed),
        };
        let (failed, pause): (ClientError, Duration) =
            paused.map_err(|source| PostError::Request {
                file: file.to_owned(),
                source,
            })?;
        show_pause(&bar, &failed, pause);
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

async fn answered(
    client: &PartnerClient,
    scene: &str,
    body: StreamedBody,
    named: Option<&Path>,
    bar: &ProgressBar,
) -> Result<Tally, ClientError> {
    let path = files_path(scene);
    let response = client.post_streamed(&path, CONTENT_TYPE, body).await?;
    let mut lines = Lines::new(client.accepted(response).await?);
    let mut tally = Tally::default();
    while let Some(line) = lines.next().await? {
        match line {
            FileLine::Record { place, answer } => {
                bar.set_message(format!("answered 已答复 {}", tally.records()));
                tally.count(&answer, || match named {
                    Some(file) => format!("{}: {place}", file.display()),
                    None => place.clone(),
                });
            }
            FileLine::Summary { summary } => {
                let counted = (tally.accepted, tally.replayed);
                return match (summary.accepted, summary.replayed) == counted {
                    true => Ok(tally),
                    false => Err(unexpected("the sums are not those of the lines")),
                };
            }
        }
    }
    Err(unexpected("it breaks off before its last line"))
}

fn unexpected(what: &str) -> ClientError {
    ClientError::Unexpected(what.to_owned())
}

/// The lines of an answer, as they come.
struct Lines {
    response: Response,
    waiting: BytesMut,
}

impl Lines {
    fn new(response: Response) -> Lines {
        Lines {
            response,
            waiting: BytesMut::new(),
        }
    }

    async fn next(&mut self) -> Result<Option<FileLine>, ClientError> {
        let mut searched = 0;
        loop {
            let rest = self.waiting.get(searched..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = self.waiting.split_to(searched + end + 1);
                return serde_json::from_slice(&line)
                    .map(Some)
                    .map_err(|error| unexpected(&error.to_string()));
            }
            searched = self.waiting.len();
            if searched > LINE_BYTES_MAX {
                return Err(unexpected("a line is too long"));
            }
            match self.response.chunk().await.map_err(ClientError::NoAnswer)? {
                Some(piece) => self.waiting.extend_from_slice(&piece),
                None if self.waiting.is_empty() => return Ok(None),
                None => return Err(unexpected("its last line is torn")),
            }
        }
    }
}

fn digest(file: &Path, bar: &ProgressBar) -> io::Result<(ContentDigest, u64)> {
    let mut file = std::fs::File::open(file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut length = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        length += u64::try_from(count).unwrap_or(0);
        bar.inc(u64::try_from(count).unwrap_or(0));
    }
    let field = format!("sha-256=:{}:", STANDARD.encode(hash.finalize()));
    let digest = ContentDigest::parse(field.as_bytes()).map_err(io::Error::other)?;
    Ok((digest, length))
}

/// The file as a body that is read while it is sent.
async fn body(file: &Path, length: u64, bar: &ProgressBar) -> io::Result<Body> {
    // A file that grew since its digest was taken is sent as it was; one that shrank fails.
    let file = tokio::fs::File::open(file).await?.take(length);
    let state = (file, bar.clone());
    Ok(Body::wrap_stream(futures_util::stream::try_unfold(
        state,
        |(mut file, bar)| async move {
            let mut piece = BytesMut::with_capacity(CHUNK_BYTES);
            let count = file.read_buf(&mut piece).await?;
            bar.inc(u64::try_from(count).unwrap_or(0));
            let piece: Option<Bytes> = (count > 0).then(|| piece.freeze());
            Ok::<_, io::Error>(piece.map(|piece| (piece, (file, bar))))
        },
    )))
}
