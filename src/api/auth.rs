//! Who calls. A handler names the proof it needs as an argument; only this file makes proofs, so
//! a handler without one cannot call what asks for it.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use uuid::Uuid;

use super::problem::{ApiError, ApiResult};
use super::state::AppState;
use crate::domain::context::Actor;
use crate::domain::party::{Role, Token};
use crate::domain::problem::Code;
use crate::store::StoreError;
use crate::store::party::find_token;

/// The cookie by which pages carry a citizen's token.
pub const SESSION_COOKIE: &str = "session";

macro_rules! proofs {
    ($($(#[$doc:meta])* $name:ident { $id:ident } $role:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name {
            pub $id: Uuid,
            _proof: (),
        }

        impl $name {
            /// As the audit chain records this caller.
            pub fn actor(&self) -> Actor {
                Actor { role: Role::$role.as_str(), id: self.$id }
            }

            /// As idempotency keys and limits name this caller.
            pub fn caller(&self) -> String {
                format!("{}:{}", Role::$role.as_str(), self.$id)
            }
        }

        impl FromRequest for $name {
            type Error = actix_web::Error;
            type Future = Pin<Box<dyn Future<Output = Result<$name, actix_web::Error>>>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let request = request.clone();
                Box::pin(async move {
                    let $id = party_of(&request, Role::$role).await?;
                    Ok($name { $id, _proof: () })
                })
            }
        }
    )*};
}

proofs! {
    /// A citizen or a small firm, by its carbon account.
    CitizenAuth { account_id } Citizen;
    /// A merchant that writes vouchers off.
    MerchantAuth { merchant_id } Merchant;
    /// An officer of the bureau.
    BureauAuth { officer_id } Bureau;
    /// A validation and verification body's auditor.
    VerifierAuth { verifier_id } Verifier;
    /// Somebody who runs the platform.
    OperatorAuth { operator_id } Operator;
    /// Somebody who may read everything.
    AuditorAuth { auditor_id } Auditor;
    /// A holder of certified units.
    HolderAuth { holder_id } Holder;
}

/// The party behind the request's token, if the token has this role.
async fn party_of(request: &HttpRequest, wanted: Role) -> ApiResult<Uuid> {
    let state = request
        .app_data::<web::Data<AppState>>()
        .ok_or_else(|| ApiError::internal("the server was built without its state"))?;
    let digest = token_of(request, state)?.digest();
    let found = state
        .pool
        .read::<_, StoreError>(move |conn| find_token(conn, &digest))
        .await?;
    let row = found.ok_or(Code::TokenInvalid)?;
    if row.expires_at.0 <= state.now() {
        return Err(Code::TokenInvalid.into());
    }
    match Role::parse(&row.role) {
        Some(role) if role == wanted => Ok(row.party_id.0),
        Some(_) => Err(Code::RoleMissing.into()),
        None => Err(StoreError::Corrupt(format!("tokens.role {}", row.role)).into()),
    }
}

/// The token from the `Authorization` field, else from the session cookie.
fn token_of(request: &HttpRequest, state: &AppState) -> ApiResult<Token> {
    if let Some(text) = bearer(request) {
        return Ok(Token::shown(text));
    }
    let cookie = request.cookie(SESSION_COOKIE).ok_or(Code::TokenInvalid)?;
    // A browser sends the cookie whoever made the form; the header it cannot be talked into.
    if !request.method().is_safe() && !same_site(request, state) {
        return Err(Code::CrossSite.into());
    }
    Ok(Token::shown(cookie.value()))
}

/// The bearer token of a request, as it was sent.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn same_site(request: &HttpRequest, state: &AppState) -> bool {
    let field = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    match field("Sec-Fetch-Site") {
        Some(site) => site == "same-origin",
        None => field("Origin").is_some_and(|origin| origin == &*state.public_url),
    }
}
