//! How often a caller may ask: each network address, and within it each token. Answers carry
//! `RateLimit` and `RateLimit-Policy`; a refusal also says when to come back.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{ResponseError, web};

use super::auth::{SESSION_COOKIE, bearer};
use super::problem::ApiError;
use super::state::AppState;
use crate::config::Quota;
use crate::domain::party::Token;
use crate::gateway::Verdict;

/// Seconds in the window that quotas speak of.
const WINDOW_SECONDS: u64 = 60;
/// Probes of the machines that run us.
const UNLIMITED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
/// Partners sign and send in bulk: they have a quota of their own.
const PARTNER_PATHS: &str = "/api/partner/";

/// What was counted, against which quota, and how it ended.
struct Counted {
    policy: &'static str,
    quota: Quota,
    verdict: Verdict,
}

/// Middleware: counts the request and refuses it, or serves it and says what is left.
pub async fn limit<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    let Some(counted) = count(&request).await else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let mut response = if counted.verdict.allowed {
        next.call(request).await?.map_into_left_body()
    } else {
        let seconds = counted.verdict.wait.as_secs() + 1;
        let refusal = ApiError::too_many(seconds);
        request
            .into_response(refusal.error_response())
            .map_into_right_body()
    };
    counted.write(response.headers_mut());
    Ok(response)
}

/// Counts the address first, then the token: a caller that invents tokens still has one address.
async fn count(request: &ServiceRequest) -> Option<Counted> {
    if UNLIMITED.contains(&request.path()) {
        return None;
    }
    let state = request.app_data::<web::Data<AppState>>()?;
    let limits = &state.config.limits;
    let (policy, quota) = match request.path().starts_with(PARTNER_PATHS) {
        true => ("partner", limits.partner),
        false => ("address", limits.address),
    };
    let address = format!(
        "{policy}:{}",
        address(request, state.config.http.behind_proxy)
    );
    let by_address = counted(state, policy, &address, quota).await;
    if by_address
        .as_ref()
        .is_some_and(|counted| !counted.verdict.allowed)
    {
        return by_address;
    }
    let Some(token) = bearer(request.request()) else {
        return by_address;
    };
    let digest = hex::encode(Token::shown(token).digest());
    counted(state, "caller", &format!("caller:{digest}"), limits.caller)
        .await
        .or(by_address)
}

async fn counted(
    state: &AppState,
    policy: &'static str,
    key: &str,
    quota: Quota,
) -> Option<Counted> {
    if quota.per_minute == 0 {
        return None;
    }
    let verdict = state.short_lived.count(key, quota).await;
    Some(Counted {
        policy,
        quota,
        verdict,
    })
}

/// The caller's network address. Behind a proxy it is the last one in `X-Forwarded-For`: that one
/// the proxy wrote itself, while those before it are what the caller says.
fn address(request: &ServiceRequest, behind_proxy: bool) -> String {
    let forwarded = request
        .headers()
        .get_all("X-Forwarded-For")
        .last()
        .and_then(|hops| hops.to_str().ok()?.rsplit(',').next())
        .filter(|_| behind_proxy);
    match (forwarded, request.peer_addr()) {
        (Some(hop), _) => hop.trim().to_owned(),
        (None, Some(peer)) => peer.ip().to_string(),
        (None, None) => String::new(),
    }
}

impl Counted {
    /// The fields of draft-ietf-httpapi-ratelimit-headers.
    fn write(&self, headers: &mut HeaderMap) {
        let Counted {
            policy,
            quota,
            verdict,
        } = self;
        let mut field = |name: &'static str, text: String| {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        field(
            "ratelimit-policy",
            format!("\"{policy}\";q={};w={WINDOW_SECONDS}", quota.per_minute),
        );
        let wait = if verdict.allowed {
            0
        } else {
            verdict.wait.as_secs() + 1
        };
        field(
            "ratelimit",
            format!("\"{policy}\";r={};t={wait}", verdict.remaining),
        );
    }
}

/// Security fields for every answer: nothing is loaded from outside, nothing is framed, and
/// answers to a named caller are kept by no cache.
pub async fn guard_headers<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let named =
        bearer(request.request()).is_some() || request.request().cookie(SESSION_COOKIE).is_some();
    let docs = request.path().starts_with("/docs/");
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    let policy = if docs { DOCS_POLICY } else { PAGE_POLICY };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if named && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

const PAGE_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Swagger UI writes style attributes of its own.
const DOCS_POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' \
     'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::address;
    use actix_web::test::TestRequest;

    #[test]
    fn a_caller_cannot_name_its_own_address() {
        let request = || {
            TestRequest::get()
                .peer_addr(([10, 0, 0, 1], 4000).into())
                .append_header(("X-Forwarded-For", "1.1.1.1"))
                .append_header(("X-Forwarded-For", "2.2.2.2, 3.3.3.3"))
                .to_srv_request()
        };
        assert_eq!(address(&request(), false), "10.0.0.1");
        assert_eq!(address(&request(), true), "3.3.3.3");
        let direct = TestRequest::get().peer_addr(([10, 0, 0, 1], 4000).into());
        assert_eq!(address(&direct.to_srv_request(), true), "10.0.0.1");
    }
}
