//! Feeds that partners publish and the platform fetches. An officer names the address, so nothing
//! here trusts it: only http and https, no private network, a few redirects, bounded bodies, and a
//! credential for the declared origin alone. Neither bodies nor addresses are logged.

mod guard;
mod spool;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LINK, LOCATION,
};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::scene::pull::{Auth, next_link};

use super::partner_client::retry_after;

pub use spool::Spooled;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a source may say nothing.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Redirects that are followed for one request.
const REDIRECTS_MAX: usize = 5;
/// The longest validator that is kept, in bytes.
const VALIDATOR_BYTES_MAX: usize = 1_024;

/// Fetches feeds; cheap to clone.
#[derive(Debug, Clone)]
pub struct FeedClient {
    http: Client,
    private_networks: bool,
}

/// How a request proves who asks: what the scene declares, and the secret that the settings hold.
#[derive(Debug, Clone)]
pub struct Proof {
    pub auth: Auth,
    pub secret: SecretString,
}

/// One request.
#[derive(Debug, Clone)]
pub struct FeedRequest<'a> {
    pub url: &'a str,
    /// The address that was declared: the proof is for its origin only.
    pub declared: &'a str,
    pub proof: Option<&'a Proof>,
    pub etag: Option<&'a str>,
    pub last_modified: Option<&'a str>,
    /// For everything, the body included.
    pub timeout: Duration,
    /// The largest body, unpacked, in bytes.
    pub bytes_max: u64,
}

/// What a source answered.
#[derive(Debug)]
pub struct FeedAnswer {
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// The absolute address of the next page, if a `Link` field names one.
    pub next: Option<String>,
    /// With status 200 only.
    pub body: Option<Spooled>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The address, or one that it leads to, may not be reached.
    #[error("the address may not be reached: {0}")]
    Address(Detail),
    #[error("the source did not answer: {0}")]
    NoAnswer(String),
    /// The body broke off, or cannot be unpacked.
    #[error("the answer broke off: {0}")]
    Broken(String),
    #[error("the answer is packed in another way than gzip")]
    Packing,
    #[error("the answer is longer than {0} bytes")]
    TooLarge(u64),
    #[error("the scratch file cannot be written")]
    Scratch(#[source] std::io::Error),
    #[error("it takes longer than {} s", .0.as_secs())]
    TooSlow(Duration),
    #[error("the credential cannot stand in a field of a request")]
    Credential,
}

impl FeedError {
    /// As an officer is told.
    pub fn problem(&self) -> Problem {
        let (code, detail) = match self {
            FeedError::Address(why) => (
                Code::PullAddressRefused,
                Detail::told(
                    format_args!("地址不可访问：{}", why.zh()),
                    format_args!("{self}"),
                ),
            ),
            FeedError::NoAnswer(why) => {
                (Code::PullFailed, detail!("数据源没有应答：{why}", "{self}"))
            }
            FeedError::TooSlow(most) => {
                let most = most.as_secs();
                (Code::PullFailed, detail!("用时超过 {most} 秒", "{self}"))
            }
            FeedError::Broken(why) => (
                Code::FileTruncated,
                detail!("应答中途断开：{why}", "{self}"),
            ),
            FeedError::Packing => (
                Code::UnsupportedFormat,
                detail!("应答的压缩方式不是 gzip", "{self}"),
            ),
            FeedError::TooLarge(most) => (
                Code::BodyTooLarge,
                detail!("应答超过 {most} 字节", "{self}"),
            ),
            FeedError::Scratch(_) => (Code::Unavailable, detail!("无法写入临时文件", "{self}")),
            FeedError::Credential => (
                Code::CredentialMissing,
                detail!("凭证不能写入请求头字段", "{self}"),
            ),
        };
        Problem::at(code, "pull", detail)
    }

    /// Whether an officer must change something before it can be otherwise.
    pub fn is_final(&self) -> bool {
        matches!(self, FeedError::Address(_) | FeedError::Credential)
    }
}

impl FeedClient {
    /// `private_networks` lets feeds lie at loopback and private addresses, for tests and for
    /// sources inside the operator's own network.
    ///
    /// # Errors
    /// The client cannot be built on this machine.
    pub fn new(private_networks: bool) -> Result<FeedClient, FeedError> {
        // One provider a process; somebody may have named it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_MAX)
            // A proxy would look names up where the guard does not see it.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tanpuhui/", env!("CARGO_PKG_VERSION")));
        if !private_networks {
            builder = builder.dns_resolver(Arc::new(guard::PublicNames));
        }
        let http = builder.build().map_err(no_answer)?;
        Ok(FeedClient {
            http,
            private_networks,
        })
    }

    /// Asks once and, with status 200, takes the body into a scratch file.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn fetch(
        &self,
        request: &FeedRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<FeedAnswer, FeedError> {
        let asked = tokio::time::timeout(request.timeout, self.ask(request, now)).await;
        asked.unwrap_or(Err(FeedError::TooSlow(request.timeout)))
    }

    async fn ask(
        &self,
        request: &FeedRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<FeedAnswer, FeedError> {
        let declared = parsed(request.declared)?;
        let response = self.follow(request, &declared).await?;
        let (status, fields) = (response.status(), response.headers());
        let next = next_link(fields.get_all(LINK).iter().filter_map(text_of));
        let next = next.and_then(|link| response.url().join(link).ok());
        let next = next.map(String::from);
        let (etag, last_modified) = (kept(fields, &ETAG), kept(fields, &LAST_MODIFIED));
        let retry_after = retry_after(fields, now);
        let body = match status {
            StatusCode::OK => {
                let packed = is_packed(fields)?;
                Some(spool::spool(response, packed, request.bytes_max).await?)
            }
            _ => None,
        };
        Ok(FeedAnswer {
            status: status.as_u16(),
            retry_after,
            etag,
            last_modified,
            next,
            body,
        })
    }

    /// Follows redirects by hand: each step is looked at, and the proof stays with its origin.
    async fn follow(
        &self,
        request: &FeedRequest<'_>,
        declared: &Url,
    ) -> Result<Response, FeedError> {
        let mut url = parsed(request.url)?;
        if url.origin() != declared.origin() {
            let why = detail!("下一页不在同一来源", "the next page is at another origin");
            return Err(FeedError::Address(why));
        }
        for _ in 0..=REDIRECTS_MAX {
            self.allow(&url, declared)?;
            let fields = self.fields(request, url.origin() == declared.origin(), &url)?;
            let asking = self.http.get(url.clone()).headers(fields);
            let response = asking.send().await.map_err(guarded)?;
            let target = match response.status().as_u16() {
                301 | 302 | 303 | 307 | 308 => response.headers().get(LOCATION).and_then(text_of),
                _ => None,
            };
            match target {
                None => return Ok(response),
                Some(target) => {
                    let nowhere = || detail!("重定向的目标无效", "a redirect leads nowhere");
                    let bad = |_| FeedError::Address(nowhere());
                    url = url.join(target).map_err(bad)?;
                }
            }
        }
        let why = detail!("重定向次数过多", "it is redirected too often");
        Err(FeedError::Address(why))
    }

    fn allow(&self, url: &Url, declared: &Url) -> Result<(), FeedError> {
        let refused = match (declared.scheme(), url.scheme()) {
            (_, "https") | ("http", "http") => None,
            ("https", "http") => Some(detail!("重定向放弃了 TLS", "a redirect gives up TLS")),
            _ => Some(detail!(
                "既不是 http 也不是 https",
                "it is neither http nor https"
            )),
        };
        if let Some(why) = refused {
            return Err(FeedError::Address(why));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let why = detail!("含有用户名或密码", "it holds a user name or password");
            return Err(FeedError::Address(why));
        }
        match self.private_networks {
            true => Ok(()),
            false => guard::check_literal(url),
        }
    }

    fn fields(
        &self,
        request: &FeedRequest<'_>,
        own_origin: bool,
        url: &Url,
    ) -> Result<HeaderMap, FeedError> {
        let mut fields = HeaderMap::new();
        fields.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        for (name, value) in [
            (IF_NONE_MATCH, request.etag),
            (IF_MODIFIED_SINCE, request.last_modified),
        ] {
            // Only what a source once sent stands here, and that was a field value.
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                fields.insert(name, value);
            }
        }
        if let Some(proof) = request.proof.filter(|_| own_origin) {
            if url.scheme() != "https" && !self.private_networks {
                let why = detail!("携带凭证须用 https", "a credential needs https");
                return Err(FeedError::Address(why));
            }
            let (name, value) = proof.field()?;
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

impl Proof {
    fn field(&self) -> Result<(HeaderName, HeaderValue), FeedError> {
        use base64::Engine;
        let secret = self.secret.expose_secret();
        let (name, text) = match &self.auth {
            Auth::Bearer { .. } => (AUTHORIZATION, format!("Bearer {secret}")),
            Auth::Basic { .. } => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(secret);
                (AUTHORIZATION, format!("Basic {encoded}"))
            }
            Auth::Header { name, .. } => {
                let name = HeaderName::from_bytes(name.as_bytes());
                (name.map_err(|_| FeedError::Credential)?, secret.to_owned())
            }
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| FeedError::Credential)?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

/// The address of `link` as it reads from `base`, for a next page that a body names.
///
/// # Errors
/// [`FeedError::Address`].
pub fn join(base: &str, link: &str) -> Result<String, FeedError> {
    let joined = parsed(base)?.join(link);
    joined.map(String::from).map_err(|_| {
        FeedError::Address(detail!(
            "下一页的地址无法识别",
            "the next page's address cannot be read"
        ))
    })
}

fn parsed(url: &str) -> Result<Url, FeedError> {
    Url::parse(url).map_err(|_| FeedError::Address(detail!("无法识别", "it cannot be read")))
}

fn text_of(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

fn kept(fields: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = fields.get(name).and_then(text_of)?;
    (text.len() <= VALIDATOR_BYTES_MAX).then(|| text.to_owned())
}

fn is_packed(fields: &HeaderMap) -> Result<bool, FeedError> {
    match fields.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip" | b"x-gzip") => Ok(true),
        Some(_) => Err(FeedError::Packing),
    }
}

/// The guard's own refusal, if it is one: an officer must know it from a source that is down.
fn guarded(error: reqwest::Error) -> FeedError {
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(inner) = cause {
        if inner.is::<guard::NotPublic>() {
            return guard::not_public();
        }
        cause = inner.source();
    }
    no_answer(error)
}

/// Without the address: a redirect's may hold a passing token.
fn no_answer(error: reqwest::Error) -> FeedError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    FeedError::NoAnswer(text)
}
