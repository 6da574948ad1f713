//! Carries requests to the running platform as apps do: over HTTP, with tokens.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::problem::{DemoError, DemoResult};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A client of one platform.
#[derive(Clone)]
pub struct Courier {
    http: reqwest::Client,
    base_url: String,
}

impl Courier {
    /// # Errors
    /// No client can be built on this machine.
    pub fn new(base_url: &str) -> DemoResult<Courier> {
        // One provider a process; somebody may have named it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .build()?;
        Ok(Courier {
            http,
            base_url: base_url.to_owned(),
        })
    }

    pub async fn text(&self, path: &str) -> DemoResult<String> {
        let request = self.http.get(format!("{}{path}", self.base_url));
        self.send(Method::GET, path, request).await
    }

    pub async fn look(&self, path: &str) -> DemoResult<Value> {
        Ok(serde_json::from_str(&self.text(path).await?)?)
    }

    pub async fn get(&self, path: &str, token: &str) -> DemoResult<Value> {
        let request = self.http.get(format!("{}{path}", self.base_url));
        let text = self.send(Method::GET, path, request.bearer_auth(token));
        Ok(serde_json::from_str(&text.await?)?)
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> DemoResult<Value> {
        self.post_keyed(path, token, body, None).await
    }

    /// With an `Idempotency-Key`.
    pub async fn post_keyed(
        &self,
        path: &str,
        token: &str,
        body: &Value,
        key: Option<&str>,
    ) -> DemoResult<Value> {
        let request = self.http.post(format!("{}{path}", self.base_url));
        let mut request = request.bearer_auth(token).json(body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let text = self.send(Method::POST, path, request).await?;
        Ok(serde_json::from_str(if text.is_empty() {
            "null"
        } else {
            &text
        })?)
    }

    /// As another member of the exchange.
    pub async fn at(&self, url: &str, token: &str, body: &Value) -> DemoResult<Value> {
        let request = self.http.post(url).bearer_auth(token).json(body);
        let text = self.send(Method::POST, url, request).await?;
        Ok(serde_json::from_str(&text)?)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        request: RequestBuilder,
    ) -> DemoResult<String> {
        let response = request.send().await?;
        let status = response.status();
        let body = response.text().await?;
        if status.is_success() {
            return Ok(body);
        }
        Err(DemoError::Answer {
            method: method.to_string(),
            path: path.to_owned(),
            status: status.as_u16(),
            body,
        })
    }
}

/// The refusal's code, where one was expected; an error where the platform did it.
pub fn refused<T>(outcome: DemoResult<T>, code: &str) -> DemoResult<()> {
    match outcome {
        Err(DemoError::Answer { body, .. }) if body.contains(&format!("\"{code}\"")) => Ok(()),
        Err(other) => Err(other),
        Ok(_) => Err(super::problem::wrong(format!(
            "{code} was expected, and it was done"
        ))),
    }
}
