//! A partner's side of the platform's API: requests signed by RFC 9421, tried again while that
//! makes sense. Used by `tanpuhui feed post`, the demo and the load tool.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response, Url};

use crate::config::Clock;
use crate::domain::party::content_digest::ContentDigest;
use crate::domain::party::http_signature::{
    FieldList, Policy, Request, SignedFields, Signing, sign,
};
use crate::domain::party::key::SignKey;

mod answer;
mod error;
mod patience;

pub(super) use answer::bounded;
pub use answer::{BatchReceipt, FileLine, ProblemAnswer, RecordAnswer, Sums};
pub use error::ClientError;
pub use patience::Patience;
pub(super) use patience::retry_after;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a batch may take, its answer included.
const BATCH_TIMEOUT: Duration = Duration::from_secs(120);
/// A file is given this long, and a second more for each of so many bytes.
const FILE_TIMEOUT: Duration = Duration::from_secs(600);
const FILE_BYTES_PER_SECOND: u64 = 64 << 10;
/// Bytes of a connection that answers nothing are given up after this long.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The longest answer to one batch; 10,000 refusals with details come to some 4 MB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

const DIGEST_FIELD: &str = "content-digest";

/// Posts as one partner (数据方) under one key; cheap to clone.
#[derive(Debug, Clone)]
pub struct PartnerClient {
    http: Client,
    base: Arc<str>,
    key_id: Arc<str>,
    key: Arc<SignKey>,
    clock: Clock,
}

/// A body that is sent while it is read. Its digest is signed, and so is taken beforehand.
#[derive(Debug)]
pub struct StreamedBody {
    pub digest: ContentDigest,
    /// Bytes.
    pub length: u64,
    pub body: reqwest::Body,
}

/// What one request was signed over.
struct Signed {
    url: Url,
    digest: String,
    fields: SignedFields,
}

impl PartnerClient {
    /// `base_url` is where the platform is, such as `https://points.example`; `clock` says what
    /// `created` is.
    ///
    /// # Errors
    /// [`ClientError::Address`] if it is no HTTP address; [`ClientError::NoAnswer`] if this
    /// machine offers no TLS.
    pub fn new(
        base_url: &str,
        key_id: &str,
        key: SignKey,
        clock: Clock,
    ) -> Result<PartnerClient, ClientError> {
        Ok(PartnerClient {
            http: http_client(&address(base_url, "")?)?,
            base: base_url.trim_end_matches('/').into(),
            key_id: key_id.into(),
            key: Arc::new(key),
            clock,
        })
    }

    /// Posts once and gives whatever came back, refusals included.
    ///
    /// # Errors
    /// [`ClientError::NoAnswer`] and [`ClientError::Unsignable`].
    pub async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Response, ClientError> {
        let signed = self.sign(path, content_type, &ContentDigest::sha256(&body))?;
        let request = self.request(signed, content_type).timeout(BATCH_TIMEOUT);
        request
            .body(body)
            .send()
            .await
            .map_err(ClientError::NoAnswer)
    }

    /// Posts a body of any size once, in bounded memory.
    ///
    /// # Errors
    /// As [`PartnerClient::post`].
    pub async fn post_streamed(
        &self,
        path: &str,
        content_type: &str,
        body: StreamedBody,
    ) -> Result<Response, ClientError> {
        let signed = self.sign(path, content_type, &body.digest)?;
        let more = Duration::from_secs(body.length / FILE_BYTES_PER_SECOND);
        let request = self
            .request(signed, content_type)
            .header(CONTENT_LENGTH, body.length)
            .timeout(FILE_TIMEOUT.saturating_add(more));
        request
            .body(body.body)
            .send()
            .await
            .map_err(ClientError::NoAnswer)
    }

    /// Posts until it is answered for good or patience ends, each time under a new nonce; gives
    /// the body of a success. Safe where a repeated request is a replay, as on every partner route.
    /// `wait_told` hears of each pause.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the platform's problem, or the last passing failure.
    pub async fn post_patiently(
        &self,
        path: &str,
        content_type: &str,
        body: Bytes,
        patience: &Patience,
        wait_told: &(dyn Fn(&ClientError, Duration) + Sync),
    ) -> Result<Vec<u8>, ClientError> {
        let mut attempt = 1;
        loop {
            let failed = match self.post_whole(path, content_type, body.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let (failed, pause) = patience.pause(attempt, failed)?;
            wait_told(&failed, pause);
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn post_whole(
        &self,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Vec<u8>, ClientError> {
        let response = self.post(path, content_type, body).await?;
        let response = success(response, &self.clock).await?;
        bounded(response, ANSWER_BYTES_MAX).await
    }

    /// Posts a batch of records, one JSON object a line (`adapter::native::write`).
    ///
    /// # Errors
    /// As [`PartnerClient::post_patiently`]; [`ClientError::Unexpected`] if the answer is not a
    /// receipt.
    pub async fn post_behaviours(
        &self,
        scene: &str,
        lines: Bytes,
        patience: &Patience,
        wait_told: &(dyn Fn(&ClientError, Duration) + Sync),
    ) -> Result<BatchReceipt, ClientError> {
        let path = behaviours_path(scene);
        let answer = self
            .post_patiently(&path, NDJSON, lines, patience, wait_told)
            .await?;
        serde_json::from_slice(&answer).map_err(|error| ClientError::Unexpected(error.to_string()))
    }

    /// The response if it is a success, else its problem.
    ///
    /// # Errors
    /// [`ClientError::Refused`].
    pub async fn accepted(&self, response: Response) -> Result<Response, ClientError> {
        success(response, &self.clock).await
    }

    fn request(&self, signed: Signed, content_type: &str) -> RequestBuilder {
        self.http
            .post(signed.url)
            .header(CONTENT_TYPE, content_type)
            .header(DIGEST_FIELD, signed.digest)
            .header("signature-input", signed.fields.signature_input)
            .header("signature", signed.fields.signature)
    }

    fn sign(
        &self,
        path: &str,
        content_type: &str,
        digest: &ContentDigest,
    ) -> Result<Signed, ClientError> {
        let url = address(&self.base, path)?;
        let digest = digest.field();
        let fields = [
            (DIGEST_FIELD, digest.as_str()),
            (CONTENT_TYPE.as_str(), content_type),
        ];
        let request = Request {
            method: "POST",
            scheme: url.scheme(),
            authority: url.authority(),
            path: url.path(),
            query: url.query(),
            fields: &FieldList(&fields),
        };
        let components: Vec<_> = Policy::PARTNER
            .components(url.query().is_some(), true)
            .collect();
        let nonce = nonce();
        let signing = Signing::new(&self.key_id, &components, self.clock.now(), &nonce);
        let fields = sign(&request, &signing, &self.key).map_err(ClientError::Unsignable)?;
        Ok(Signed {
            url,
            digest,
            fields,
        })
    }
}

/// One record a line.
pub const NDJSON: &str = "application/x-ndjson";

/// Where a scene takes batches of records.
pub fn behaviours_path(scene: &str) -> String {
    format!("/api/partner/scenes/{}/behaviours", segment(scene))
}

/// Where a scene takes files in its own format.
pub fn files_path(scene: &str) -> String {
    format!("/api/partner/scenes/{}/files", segment(scene))
}

/// A path segment: what is not a plain character is percent-encoded.
fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            // A lone dot or two would be resolved away.
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// The HTTP client of the partner's and the log's clients.
pub(super) fn http_client(base: &Url) -> Result<Client, ClientError> {
    // One provider a process; somebody may have named it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(SILENCE_MAX)
        // A signature is for one address: following would only be refused elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tanpuhui/", env!("CARGO_PKG_VERSION")));
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(ClientError::NoAnswer)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || literal.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The address of `path` below `base`.
pub(super) fn address(base: &str, path: &str) -> Result<Url, ClientError> {
    let text = format!("{}{path}", base.trim_end_matches('/'));
    let url =
        Url::parse(&text).map_err(|error| ClientError::Address(format!("{text}: {error}")))?;
    // A name or password would stand before the authority that is signed.
    let plain = url.username().is_empty() && url.password().is_none();
    match url.scheme() {
        "http" | "https" if url.has_host() && plain => Ok(url),
        _ => Err(ClientError::Address(format!(
            "{base}: must be http://… or https://…, without user name"
        ))),
    }
}

/// The response if it is a success, else the problem that it states.
pub(super) async fn success(response: Response, clock: &Clock) -> Result<Response, ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = patience::retry_after(response.headers(), clock.now());
    let body = bounded(response, answer::PROBLEM_BYTES_MAX).await?;
    Err(ClientError::Refused {
        status,
        problem: Box::new(ProblemAnswer::read(&body)),
        retry_after,
    })
}

/// 128 random bits, fresh for each request.
fn nonce() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    hex::encode(bytes)
}

#[cfg(test)]
mod tests;
