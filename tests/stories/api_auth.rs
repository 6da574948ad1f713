//! Who may call what: tokens, roles, and cookies that cross sites.

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use actix_web::{App, HttpResponse, get, post, web};
use chrono::TimeDelta;
use serde::Deserialize;
use tanpuhui::api::auth::{BureauAuth, CitizenAuth};
use tanpuhui::api::{AppState, problem};
use tanpuhui::config::{Clock, Config};
use tanpuhui::domain::party::{Role, Token};
use tanpuhui::flow::FlowError;
use tanpuhui::flow::access::{issue_token, revoke_token};
use uuid::Uuid;

use crate::world::{ctx_at, noon};

const SITE: &str = "https://platform.example";

#[get("/mine")]
async fn mine(caller: CitizenAuth) -> HttpResponse {
    HttpResponse::Ok().body(caller.account_id.to_string())
}

#[post("/act")]
async fn act(caller: CitizenAuth) -> HttpResponse {
    HttpResponse::Ok().body(caller.caller())
}

#[get("/office")]
async fn office(_officer: BureauAuth) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    points: i64,
}

#[post("/form")]
async fn form(form: web::Json<Form>) -> HttpResponse {
    HttpResponse::Ok().body(form.points.to_string())
}

/// Sends `request` to an application with the handlers above; status and body.
async fn send(state: &AppState, request: TestRequest) -> (StatusCode, String) {
    let app = App::new()
        .app_data(web::Data::new(state.clone()))
        .configure(problem::extractors(&state.config))
        .service(mine)
        .service(act)
        .service(office)
        .service(form);
    let app = init_service(app).await;
    let response = call_service(&app, request.to_request()).await;
    let status = response.status();
    if status.is_success() {
        let body = actix_web::test::read_body(response).await;
        return (status, String::from_utf8_lossy(&body).into_owned());
    }
    let body: serde_json::Value = read_body_json(response).await;
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

fn code(status: u16, code: &str) -> (StatusCode, String) {
    (
        StatusCode::from_u16(status).expect("a status"),
        code.to_owned(),
    )
}

on_both! {
    fn a_token_opens_what_its_role_opens(pool: Pool) {
        let clock = Clock::fixed(noon());
        let state = AppState::new(pool.clone(), Config::default(), clock.clone(), SITE)
            .expect("the state is made");
        let (party, token) = (Uuid::from_u128(7), Token::new(&[7; 32]));
        let (ctx, issued) = (ctx_at(noon()), token.clone());
        pool.write_now::<_, FlowError>(|tx| {
            issue_token(tx, &ctx, &issued, (Role::Citizen, party), TimeDelta::hours(1))
        })
        .expect("the token is issued");
        let bearer = |path: &str, token: &Token| {
            TestRequest::get().uri(path).insert_header(("Authorization", format!("Bearer {}", token.reveal())))
        };
        let cookie = |request: TestRequest| {
            request.insert_header(("Cookie", format!("session={}", token.reveal())))
        };
        actix_web::rt::System::new().block_on(async {
            assert_eq!(send(&state, TestRequest::get().uri("/mine")).await, code(401, "token_invalid"));
            let stranger = bearer("/mine", &Token::new(&[8; 32]));
            assert_eq!(send(&state, stranger).await, code(401, "token_invalid"));
            assert_eq!(send(&state, bearer("/mine", &token)).await, code(200, &party.to_string()));
            assert_eq!(send(&state, bearer("/office", &token)).await, code(403, "role_missing"));

            let read = cookie(TestRequest::get().uri("/mine"));
            assert_eq!(send(&state, read).await, code(200, &party.to_string()));
            let forged = cookie(TestRequest::post().uri("/act"));
            assert_eq!(send(&state, forged).await, code(403, "cross_site"));
            let elsewhere = cookie(TestRequest::post().uri("/act")).insert_header(("Sec-Fetch-Site", "cross-site"));
            assert_eq!(send(&state, elsewhere).await, code(403, "cross_site"));
            let own = cookie(TestRequest::post().uri("/act")).insert_header(("Sec-Fetch-Site", "same-origin"));
            assert_eq!(send(&state, own).await, code(200, &format!("citizen:{party}")));
            let older_browser = cookie(TestRequest::post().uri("/act")).insert_header(("Origin", SITE));
            assert_eq!(send(&state, older_browser).await.0, StatusCode::OK);

            clock.advance(TimeDelta::hours(1));
            assert_eq!(send(&state, bearer("/mine", &token)).await, code(401, "token_invalid"));
            clock.advance(TimeDelta::hours(-1));
            pool.write_now::<_, FlowError>(|tx| revoke_token(tx, &token)).expect("it is revoked");
            assert_eq!(send(&state, bearer("/mine", &token)).await, code(401, "token_invalid"));
        });
    }
}

#[test]
fn a_body_that_cannot_be_read_is_a_problem() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut config = Config::default();
    config.http.json_bytes = 1024;
    let pool = crate::world::sqlite(dir.path());
    let state = AppState::new(pool, config, Clock::fixed(noon()), SITE).expect("the state is made");
    let post = |body: &str| {
        TestRequest::post()
            .uri("/form")
            .insert_header(("Content-Type", "application/json"))
            .set_payload(body.to_owned())
    };
    actix_web::rt::System::new().block_on(async {
        assert_eq!(send(&state, post("{\"points\":3}")).await, code(200, "3"));
        assert_eq!(send(&state, post("{}")).await, code(400, "missing_field"));
        assert_eq!(
            send(&state, post("{\"points\":3,\"x\":1}")).await,
            code(400, "unknown_field")
        );
        assert_eq!(
            send(&state, post("{\"points\":\"x\"}")).await,
            code(400, "invalid_field")
        );
        assert_eq!(send(&state, post("{")).await, code(400, "invalid_field"));
        assert_eq!(
            send(&state, post(&" ".repeat(2000))).await,
            code(413, "body_too_large")
        );
        let text = TestRequest::post()
            .uri("/form")
            .insert_header(("Content-Type", "text/plain"));
        assert_eq!(
            send(&state, text.set_payload("x")).await,
            code(415, "unsupported_format")
        );
    });
}
