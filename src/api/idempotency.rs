//! Requests that a client may send twice: the `Idempotency-Key` field, the effect and the answer
//! commit together.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::problem::{ApiError, ApiResult};
use super::state::AppState;
use crate::domain::problem::{Code, Problem, detail};
use crate::flow::{FlowError, FlowResult};
use crate::store::idempotency::{self, AnswerRow};
use crate::store::{Conn, StoreError, Tx};

/// The longest key that is kept.
const KEY_BYTES_MAX: usize = 255;
const FIELD: &str = "Idempotency-Key";
/// Stands on an answer that was given before.
pub const REPLAYED: &str = "Idempotency-Replayed";

/// Keys whose request this process is serving.
pub type Running = Arc<Mutex<HashSet<(String, String)>>>;

/// A request with an idempotency key, or without one.
#[derive(Debug, Clone)]
pub struct Once {
    caller: String,
    key: Option<String>,
    digest: [u8; 32],
}

impl Once {
    /// Reads the key of a request. `caller` is [`CitizenAuth::caller`](super::auth::CitizenAuth)
    /// or its like; `body` is what the client asks for, and must serialise the same way twice.
    ///
    /// # Errors
    /// The key is empty, too long or not visible ASCII.
    pub fn new(request: &HttpRequest, caller: String, body: &impl Serialize) -> ApiResult<Once> {
        let key = key_of(request)?;
        let mut hasher = Sha256::new();
        hasher.update(request.method().as_str());
        hasher.update([0]);
        hasher.update(request.path());
        hasher.update([0]);
        hasher.update(serde_json::to_vec(body).map_err(ApiError::internal)?);
        Ok(Once {
            caller,
            key,
            digest: hasher.finalize().into(),
        })
    }

    /// A form of a page, which carries its key as a field; `path` is where it is sent.
    ///
    /// # Errors
    /// As [`Once::new`].
    pub fn of_form(
        key: &str,
        caller: String,
        path: &str,
        body: &impl Serialize,
    ) -> ApiResult<Once> {
        let key = checked(&format!("page:{key}"))?;
        let mut hasher = Sha256::new();
        hasher.update(path);
        hasher.update([0]);
        hasher.update(serde_json::to_vec(body).map_err(ApiError::internal)?);
        Ok(Once {
            caller,
            key: Some(key),
            digest: hasher.finalize().into(),
        })
    }

    /// The answer that was given under this key, for requests that use something up before their
    /// effect.
    ///
    /// # Errors
    /// 422 for a key used with other content.
    pub async fn answered(&self, state: &AppState) -> ApiResult<Option<HttpResponse>> {
        let Some(key) = self.key.clone() else {
            return Ok(None);
        };
        let caller = self.caller.clone();
        let find = move |conn: &mut Conn| idempotency::find(conn, &caller, &key);
        let Some(row) = state.pool.read::<_, StoreError>(find).await? else {
            return Ok(None);
        };
        Ok(Some(Answer::replayed(row, &self.digest)?.into_response()))
    }

    /// Runs `effect` in a write transaction and answers with what it returns; or, for a key that
    /// was answered before, repeats that answer and runs nothing. A refusal is not kept: the
    /// client may try the same key again.
    ///
    /// # Errors
    /// What `effect` refuses; 422 for a key used with other content, 409 while it is running.
    pub async fn run<T: Serialize>(
        self,
        state: &AppState,
        mut effect: impl FnMut(&mut Tx<'_>) -> FlowResult<(StatusCode, T)> + Send + 'static,
    ) -> ApiResult<HttpResponse> {
        let _guard = Guard::enter(&state.running, &self)?;
        let now = state.now();
        let answer = state
            .pool
            .write::<_, FlowError>(move |tx| self.answer(tx, now, &mut effect))
            .await?;
        Ok(answer.into_response())
    }

    fn answer<T: Serialize>(
        &self,
        tx: &mut Tx<'_>,
        now: DateTime<Utc>,
        effect: &mut impl FnMut(&mut Tx<'_>) -> FlowResult<(StatusCode, T)>,
    ) -> FlowResult<Answer> {
        let Some(key) = &self.key else {
            return Answer::fresh(effect(tx)?);
        };
        if !idempotency::take(tx, &self.caller, key)? {
            return Err(Problem::on(Code::IdempotencyRunning, FIELD).into());
        }
        if let Some(row) = idempotency::find(tx, &self.caller, key)? {
            return Answer::replayed(row, &self.digest);
        }
        let answer = Answer::fresh(effect(tx)?)?;
        let row = AnswerRow {
            caller: self.caller.clone(),
            key: key.clone(),
            request_digest: self.digest.to_vec(),
            status: i32::from(answer.status.as_u16()),
            answer: answer.body.clone(),
            created_at: now.into(),
        };
        idempotency::keep(tx, &row)?;
        Ok(answer)
    }
}

/// The idempotency key of a request, for flows that keep it beside their effect.
///
/// # Errors
/// The key is empty, too long or not visible ASCII.
pub fn key_of(request: &HttpRequest) -> ApiResult<Option<String>> {
    match request.headers().get(FIELD) {
        None => Ok(None),
        Some(value) => checked(value.to_str().unwrap_or_default()).map(Some),
    }
}

fn checked(key: &str) -> ApiResult<String> {
    let sound =
        !key.is_empty() && key.len() <= KEY_BYTES_MAX && key.bytes().all(|b| b.is_ascii_graphic());
    match sound {
        true => Ok(key.to_owned()),
        false => Err(Problem::at(
            Code::InvalidField,
            FIELD,
            detail!(
                "须为 1 至 255 个可见 ASCII 字符",
                "1 to 255 visible ASCII characters"
            ),
        )
        .into()),
    }
}

struct Answer {
    status: StatusCode,
    body: String,
    replayed: bool,
}

impl Answer {
    fn fresh<T: Serialize>((status, body): (StatusCode, T)) -> FlowResult<Answer> {
        let body = serde_json::to_string(&body).map_err(|error| {
            let detail = detail!("无法写成 JSON：{error}", "{error}");
            Problem::at(Code::Internal, "", detail)
        })?;
        Ok(Answer {
            status,
            body,
            replayed: false,
        })
    }

    fn replayed(row: AnswerRow, digest: &[u8; 32]) -> FlowResult<Answer> {
        if row.request_digest != digest {
            return Err(Problem::on(Code::IdempotencyMismatch, FIELD).into());
        }
        let status = u16::try_from(row.status)
            .ok()
            .and_then(|code| StatusCode::from_u16(code).ok());
        Ok(Answer {
            status: status.unwrap_or(StatusCode::OK),
            body: row.answer,
            replayed: true,
        })
    }

    fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if self.replayed {
            response.insert_header((REPLAYED, "true"));
        }
        response.content_type("application/json").body(self.body)
    }
}

/// Holds a key while its request runs in this process, so that a second request with it is told
/// at once and waits on no connection.
struct Guard {
    running: Running,
    name: Option<(String, String)>,
}

impl Guard {
    fn enter(running: &Running, once: &Once) -> ApiResult<Guard> {
        let name = once.key.clone().map(|key| (once.caller.clone(), key));
        if let Some(name) = &name
            && !running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name.clone())
        {
            return Err(Problem::on(Code::IdempotencyRunning, FIELD).into());
        }
        Ok(Guard {
            running: Arc::clone(running),
            name,
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            self.running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(name);
        }
    }
}
