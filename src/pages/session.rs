//! Signing in and out: the cookie carries the token that an app would send in a header.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use askama::Template;
use serde::Deserialize;

use super::refusal::for_people;
use super::{Shell, page};
use crate::api::auth::{CitizenAuth, SESSION_COOKIE};
use crate::api::{ApiResult, AppState};
use crate::domain::party::{Role, Token};
use crate::domain::problem::Code;
use crate::store::StoreError;
use crate::store::party::find_token;

/// The most characters of a token that are looked at; a real one has 68.
const TOKEN_CHARS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "public/login.html")]
struct Login<'a> {
    shell: &'a Shell,
}

#[derive(Deserialize)]
struct LoginQuery {
    token: Option<String>,
}

#[derive(Deserialize)]
struct LoginForm {
    token: String,
}

/// `GET /login`: the form; with `?token=…` it signs in at once.
///
/// # Errors
/// `token_invalid`, `role_missing`.
#[get("/login", wrap = "from_fn(for_people)")]
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<AppState>,
    query: web::Query<LoginQuery>,
) -> ApiResult<HttpResponse> {
    match &query.token {
        Some(token) => sign_in(&state, token).await,
        None => {
            let shell = Shell::of(&request);
            page(&shell, &Login { shell: &shell })
        }
    }
}

/// `POST /login`.
///
/// # Errors
/// As [`show`].
#[post("/login", wrap = "from_fn(for_people)")]
pub(super) async fn enter(
    state: web::Data<AppState>,
    form: web::Form<LoginForm>,
) -> ApiResult<HttpResponse> {
    sign_in(&state, &form.token).await
}

async fn sign_in(state: &AppState, shown: &str) -> ApiResult<HttpResponse> {
    let shown = shown.trim();
    // What is not of a token's alphabet could not stand in a cookie either.
    if shown.len() > TOKEN_CHARS_MAX
        || !shown
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Err(Code::TokenInvalid.into());
    }
    let digest = Token::shown(shown).digest();
    let found = state
        .pool
        .read::<_, StoreError>(move |conn| find_token(conn, &digest))
        .await?;
    let now = state.now();
    let row = found.filter(|row| row.expires_at.0 > now);
    let row = row.ok_or(Code::TokenInvalid)?;
    if Role::parse(&row.role) != Some(Role::Citizen) {
        return Err(Code::RoleMissing.into());
    }
    let life = (row.expires_at.0 - now).num_seconds();
    let cookie = session(state, shown).max_age(Duration::seconds(life));
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, "/me"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .cookie(cookie.finish())
        .finish())
}

/// `POST /logout`: this browser forgets the token; an app that has it keeps it.
///
/// # Errors
/// `token_invalid`, `cross_site`.
#[post("/logout", wrap = "from_fn(for_people)")]
pub(super) async fn leave(_: CitizenAuth, state: web::Data<AppState>) -> HttpResponse {
    let mut cookie = session(&state, "").finish();
    cookie.make_removal();
    HttpResponse::SeeOther()
        .insert_header((LOCATION, "/"))
        .cookie(cookie)
        .finish()
}

fn session<'c>(state: &AppState, token: &str) -> actix_web::cookie::CookieBuilder<'c> {
    Cookie::build(SESSION_COOKIE, token.to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(state.public_url.starts_with("https://"))
}
