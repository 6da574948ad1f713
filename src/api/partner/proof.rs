//! Proof that a request is a partner's own: RFC 9421 over method, address, type and body digest,
//! within the time window, with a nonce that was not used before.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use uuid::Uuid;

use crate::api::{ApiError, ApiResult, AppState};
use crate::domain::party::content_digest::ContentDigest;
use crate::domain::party::http_signature::{Body, Policy, Request, Verified, verify};
use crate::domain::party::key::VerifyKey;
use crate::domain::problem::Code;

/// How long a nonce is remembered: longer than the window in which its request is fresh, on both
/// sides.
const NONCE_KEPT: Duration = Duration::from_secs(15 * 60);

/// The partner behind a signed request. Only this file makes one.
#[derive(Debug, Clone)]
pub struct PartnerProof {
    pub partner: Uuid,
    pub key_id: String,
    /// What the signature says of a body that is still to be read.
    pub digest: Option<ContentDigest>,
    _proof: (),
}

/// Judges a request whose whole body is here.
///
/// # Errors
/// The problem of the first rule that the signature breaks.
pub async fn prove(
    request: &HttpRequest,
    state: &AppState,
    body: &[u8],
) -> ApiResult<PartnerProof> {
    judge(request, state, Body::Whole(body)).await
}

/// Judges a request whose body is still to come; the caller checks the digest at its end.
///
/// # Errors
/// As [`prove`].
pub async fn prove_streamed(request: &HttpRequest, state: &AppState) -> ApiResult<PartnerProof> {
    judge(request, state, Body::Streamed).await
}

async fn judge(request: &HttpRequest, state: &AppState, body: Body<'_>) -> ApiResult<PartnerProof> {
    let catalogue = state.catalogue.get();
    let verified = {
        let fields = |name: &str, take: &mut dyn FnMut(&[u8])| {
            request
                .headers()
                .get_all(name)
                .for_each(|value| take(value.as_bytes()));
        };
        let (scheme, authority) = addressed(request, state);
        let view = Request {
            method: request.method().as_str(),
            scheme: &scheme,
            authority: &authority,
            path: request.uri().path(),
            query: request.uri().query(),
            fields: &fields,
        };
        let key = |key_id: &str| -> Option<Arc<VerifyKey>> {
            catalogue.keys.get(key_id).map(|(_, key)| Arc::clone(key))
        };
        verify(&view, body, &Policy::PARTNER, state.now(), key)?
    };
    let Verified {
        key_id,
        nonce,
        digest,
        ..
    } = verified;
    let (partner, _) = catalogue.keys.get(&key_id).ok_or(Code::KeyUnknown)?;
    let fresh = state
        .short_lived
        .once(&format!("nonce:{key_id}:{nonce}"), NONCE_KEPT)
        .await
        .map_err(ApiError::unavailable)?;
    if !fresh {
        return Err(Code::NonceReused.into());
    }
    Ok(PartnerProof {
        partner: *partner,
        key_id,
        digest,
        _proof: (),
    })
}

/// Scheme and authority as the partner addressed us. Only behind a proxy that sets them are
/// `Forwarded` and its like believed; else anybody could say that a request was meant for us.
fn addressed(request: &HttpRequest, state: &AppState) -> (String, String) {
    if state.config.http.behind_proxy {
        let connection = request.connection_info();
        return (connection.scheme().to_owned(), connection.host().to_owned());
    }
    let host = request
        .headers()
        .get("host")
        .and_then(|value| value.to_str().ok());
    ("http".to_owned(), host.unwrap_or_default().to_owned())
}
