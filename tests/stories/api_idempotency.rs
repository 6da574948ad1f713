//! A client that retries gets one effect and one answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;
use tanpuhui::api::idempotency::Once;
use tanpuhui::api::{ApiResult, AppState};
use tanpuhui::config::{Clock, Config};
use tanpuhui::domain::problem::Code;
use tanpuhui::flow::FlowResult;
use tanpuhui::store::party::{AccountRow, account, open_account};
use tanpuhui::store::{Pool, Tx};
use uuid::Uuid;

use crate::world::noon;

fn node(pool: &Pool) -> AppState {
    AppState::new(
        pool.clone(),
        Config::default(),
        Clock::fixed(noon()),
        "http://x",
    )
    .expect("the state is made")
}

fn open(tx: &mut Tx<'_>, id: Uuid) -> FlowResult<(StatusCode, serde_json::Value)> {
    let row = AccountRow {
        id: id.into(),
        kind: "citizen".to_owned(),
        opened_at: noon().into(),
    };
    open_account(tx, &row)?;
    Ok((StatusCode::CREATED, json!({ "id": id })))
}

fn request(key: &str, body: &serde_json::Value) -> Once {
    let request = TestRequest::post()
        .uri("/accounts")
        .insert_header(("Idempotency-Key", key));
    Once::new(&request.to_http_request(), "citizen:1".to_owned(), body).expect("the key is sound")
}

async fn seen(answer: ApiResult<HttpResponse>) -> (u16, bool, String) {
    let response = answer.unwrap_or_else(|error| actix_web::ResponseError::error_response(&error));
    let status = response.status().as_u16();
    let replayed = response.headers().contains_key("Idempotency-Replayed");
    let body = actix_web::body::to_bytes(response.into_body())
        .await
        .expect("a whole body");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("it is JSON");
    let text = body["id"]
        .as_str()
        .or(body["code"].as_str())
        .unwrap_or_default();
    (status, replayed, text.to_owned())
}

on_both! {
    fn a_retry_is_answered_from_the_first_time(pool: Pool) {
        let state = node(&pool);
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        actix_web::rt::System::new().block_on(async {
            let body = json!({ "name": "a" });
            let made = request("k", &body).run(&state, move |tx| open(tx, first)).await;
            assert_eq!(seen(made).await, (201, false, first.to_string()));
            let again = request("k", &body).run(&state, move |tx| open(tx, second)).await;
            assert_eq!(seen(again).await, (201, true, first.to_string()));
            let other = request("k", &json!({ "name": "b" })).run(&state, move |tx| open(tx, second)).await;
            assert_eq!(seen(other).await, (422, false, "idempotency_mismatch".to_owned()));
        });
        assert!(pool.read_now(|conn| account(conn, second)).expect("a query").is_none());
    }

    fn a_refusal_leaves_the_key_free(pool: Pool) {
        let state = node(&pool);
        let id = Uuid::from_u128(1);
        actix_web::rt::System::new().block_on(async {
            let body = json!({});
            let refused = request("k", &body).run(&state, move |tx| {
                open(tx, id)?;
                Err::<(StatusCode, ()), _>(Code::InvalidField.into())
            });
            assert_eq!(seen(refused.await).await.0, 400);
            assert!(pool.read_now(|conn| account(conn, id)).expect("a query").is_none());
            let made = request("k", &body).run(&state, move |tx| open(tx, id)).await;
            assert_eq!(seen(made).await, (201, false, id.to_string()));
        });
    }

    fn one_effect_however_many_send_it_at_once(pool: Pool) {
        // Two nodes on one database, four clients at each, all with one key.
        let nodes = [node(&pool), node(&pool)];
        let effects = Arc::new(AtomicU32::new(0));
        let answers: Vec<_> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8).map(|client: u128| {
                let (state, effects) = (&nodes[usize::from(client.is_multiple_of(2))], Arc::clone(&effects));
                scope.spawn(move || actix_web::rt::System::new().block_on(async move {
                    let once = request("k", &json!({}));
                    seen(once.run(state, move |tx| {
                        effects.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(200));
                        open(tx, Uuid::from_u128(client))
                    }).await).await
                }))
            }).collect();
            clients.into_iter().map(|client| client.join().expect("it was answered")).collect()
        });
        assert_eq!(effects.load(Ordering::SeqCst), 1, "{answers:?}");
        let fresh: Vec<_> = answers.iter().filter(|(status, replayed, _)| *status == 201 && !replayed).collect();
        assert_eq!(fresh.len(), 1, "{answers:?}");
        for (status, replayed, text) in &answers {
            let told_to_wait = *status == 409 && text == "idempotency_running";
            let same_answer = *status == 201 && *text == fresh[0].2;
            assert!(told_to_wait || same_answer, "{status} {replayed} {text}");
        }
        assert!(answers.iter().any(|(status, ..)| *status == 409), "{answers:?}");
    }
}

#[test]
fn a_key_that_is_no_key_is_refused() {
    for key in ["", "with space", &"x".repeat(256)] {
        let request = TestRequest::post()
            .insert_header(("Idempotency-Key", key))
            .to_http_request();
        assert!(Once::new(&request, String::new(), &()).is_err(), "{key:?}");
    }
}
