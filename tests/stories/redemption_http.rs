//! Redemption as its three audiences see it: over HTTP, with tokens.

use chrono::{DateTime, Duration, TimeDelta, Utc};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tanpuhui::config::{Clock, Config, Settings};
use tanpuhui::domain::party::{Role, Token};
use tanpuhui::flow::access::issue_token;
use tanpuhui::server::{Running, start_on};
use tanpuhui::store::Pool;
use uuid::Uuid;

use crate::redemption::{citizen, today};
use crate::world::{ctx_at, noon};

struct Town {
    server: Running,
    clock: Clock,
    client: Client,
    pool: Pool,
}

impl Town {
    fn open(pool: Pool) -> Town {
        Town::open_at(pool, noon())
    }

    fn open_at(pool: Pool, at: DateTime<Utc>) -> Town {
        // Another test may have been first; either way there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut settings = Settings::default();
        let set = [
            ("TANPUHUI_HTTP_LISTEN", "127.0.0.1:0"),
            ("TANPUHUI_HTTP_WORKERS", "1"),
            ("TANPUHUI_HTTP_PUBLIC_URL", "https://city.example"),
            ("TANPUHUI_REDEMPTION_CODE_KEY", &"ab".repeat(32)),
        ];
        settings.add_variables(set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let config = Config::read(&mut settings).expect("the settings are sound");
        let clock = Clock::fixed(at);
        let server = start_on(pool.clone(), config, clock.clone()).expect("it starts");
        Town {
            server,
            clock,
            client: Client::new(),
            pool,
        }
    }

    fn token(&self, role: Role, party: Uuid) -> String {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(Uuid::now_v7().as_bytes());
        let token = Token::new(&secret);
        let ctx = ctx_at(noon());
        self.pool
            .write_now(|tx| issue_token(tx, &ctx, &token, (role, party), TimeDelta::days(500)))
            .expect("a token is issued");
        token.reveal().to_owned()
    }

    fn ask(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.server.base_url);
        self.client.request(method, url).bearer_auth(token)
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        let (status, body) = answer(self.ask(Method::GET, path, token)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> (StatusCode, Value) {
        answer(self.ask(Method::POST, path, token).json(&body)).await
    }
}

async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("the server answers");
    let status = response.status();
    (status, response.json().await.expect("in JSON"))
}

fn run(story: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(story);
}

on_both! {
    fn from_the_bureaus_offer_to_the_merchants_statement(pool: Pool) {
        let town = Town::open(pool.clone());
        run(async {
            let officer = town.token(Role::Bureau, Uuid::now_v7());
            let account = citizen(&pool, &[(today() + 5, 1_000)]);
            let person = town.token(Role::Citizen, account);

            let shop = json!({"code": "metro-coffee", "name_zh": "咖啡店", "name_en": "Coffee", "reason": "contract 7"});
            let (status, made) = town.post("/api/bureau/merchants", &officer, shop.clone()).await;
            assert_eq!(status, StatusCode::CREATED, "{made}");
            let (status, refused) = town.post("/api/bureau/merchants", &officer, shop).await;
            assert_eq!((status, &refused["param"]), (StatusCode::BAD_REQUEST, &json!("code")));
            let offer = json!({
                "merchant": made["id"], "title_zh": "咖啡", "title_en": "A coffee", "points": 300,
                "settlement_fen": 900, "stock": 2, "validity_days": 30,
                "from": "2026-11-01T00:00:00Z", "to": "2027-11-01T00:00:00Z", "reason": "contract 7",
            });
            let (status, _) = town.post("/api/bureau/offers", &person, offer.clone()).await;
            assert_eq!(status, StatusCode::FORBIDDEN);
            let (status, offer) = town.post("/api/bureau/offers", &officer, offer).await;
            assert_eq!(status, StatusCode::CREATED, "{offer}");

            let offers = town.get("/api/offers", &person).await;
            assert_eq!((&offers["offers"][0]["id"], &offers["offers"][0]["stock"]), (&offer["id"], &json!(2)));

            // Twice with one key is one voucher; the key with another wish is refused.
            let wish = || town.ask(Method::POST, "/api/citizen/vouchers", &person)
                .header("Idempotency-Key", "k1").json(&json!({"offer": offer["id"]}));
            let (status, voucher) = answer(wish()).await;
            assert_eq!(status, StatusCode::CREATED, "{voucher}");
            let replay = wish().send().await.unwrap();
            assert_eq!(replay.headers().get("Idempotency-Replayed").map(|v| v.as_bytes()), Some(&b"true"[..]));
            assert_eq!(replay.json::<Value>().await.unwrap()["id"], voucher["id"]);
            let other = town.ask(Method::POST, "/api/citizen/vouchers", &person)
                .header("Idempotency-Key", "k1").json(&json!({"offer": Uuid::now_v7()}));
            let (status, mismatch) = answer(other).await;
            assert_eq!((status, &mismatch["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_mismatch")));
            let balance = town.get("/api/citizen/balance", &person).await;
            assert_eq!(balance, json!({"available": 700, "held": 300, "saved_mg": 0,
                "expiring": {"points": 700, "last_day": "2026-11-25"}}));

            // A second one, taken back.
            let (_, second) = town.post("/api/citizen/vouchers", &person, json!({"offer": offer["id"]})).await;
            let path = format!("/api/citizen/vouchers/{}/cancel", second["id"].as_str().unwrap());
            let (status, cancelled) = town.post(&path, &person, json!({})).await;
            assert_eq!((status, &cancelled["state"]), (StatusCode::OK, &json!("cancelled")), "{cancelled}");
            assert!(cancelled.get("code").is_none());

            let path = format!("/api/citizen/vouchers/{}/qr.svg", voucher["id"].as_str().unwrap());
            let picture = town.ask(Method::GET, &path, &person).send().await.unwrap();
            assert_eq!(picture.headers()["content-type"], "image/svg+xml");
            assert!(picture.text().await.unwrap().contains("<svg"));
            let neighbour = town.token(Role::Citizen, Uuid::now_v7());
            let hidden = town.ask(Method::GET, &path, &neighbour).send().await.unwrap();
            assert_eq!(hidden.status(), StatusCode::NOT_FOUND);

            let merchant = town.token(Role::Merchant, made["id"].as_str().unwrap().parse().unwrap());
            let stranger = town.token(Role::Merchant, Uuid::now_v7());
            let code = || json!({"code": voucher["code"]});
            let (status, elsewhere) = town.post("/api/merchant/write-offs", &stranger, code()).await;
            assert_eq!((status, &elsewhere["code"]), (StatusCode::FORBIDDEN, &json!("voucher_elsewhere")));
            let (status, typo) = town.post("/api/merchant/write-offs", &merchant, json!({"code": "TPH-0000-0000-0000-0001"})).await;
            assert_eq!((status, &typo["code"]), (StatusCode::BAD_REQUEST, &json!("voucher_code_mistyped")));
            town.clock.advance(Duration::hours(2));
            let (status, used) = town.post("/api/merchant/write-offs", &merchant, code()).await;
            assert_eq!((status, &used["settlement_fen"]), (StatusCode::OK, &json!(900)), "{used}");
            let (status, again) = town.post("/api/merchant/write-offs", &merchant, code()).await;
            assert_eq!((status, &again["code"]), (StatusCode::CONFLICT, &json!("voucher_used")));
            assert!(again["detail"].as_str().unwrap().contains("2026-11-20T06:00:00Z"), "{again}");

            let owed = town.get("/api/merchant/statement", &merchant).await;
            assert_eq!((&owed["vouchers"], &owed["owed_fen"]), (&json!(1), &json!(900)), "{owed}");
            assert_eq!(owed["months"], json!([{"span": "2026-11", "vouchers": 1, "owed_fen": 900}]));
            assert_eq!(owed["lines"][0]["voucher"], voucher["id"]);
            let nothing = town.get("/api/merchant/statement?from=2026-11-01&to=2026-11-02", &merchant).await;
            assert_eq!(nothing["vouchers"], json!(0));
        });
    }

    fn a_statement_is_read_page_by_page(pool: Pool) {
        let town = Town::open(pool.clone());
        run(async {
            let offer = crate::redemption::offer_of(&pool, 1, 100);
            let account = citizen(&pool, &[(today() + 5, 1_000)]);
            let person = town.token(Role::Citizen, account);
            for _ in 0..7 {
                let (status, body) = town.post("/api/citizen/vouchers", &person, json!({"offer": offer.id})).await;
                assert_eq!(status, StatusCode::CREATED, "{body}");
            }
            for (path, list) in [("statement", "lines"), ("vouchers", "vouchers")] {
                let (mut rows, mut cursor) = (Vec::new(), String::new());
                loop {
                    let page = town.get(&format!("/api/citizen/{path}?limit=3{cursor}"), &person).await;
                    rows.extend(page[list].as_array().unwrap().iter().map(ToString::to_string));
                    match page["next"].as_str() {
                        Some(next) => cursor = format!("&cursor={next}"),
                        None => break,
                    }
                }
                assert_eq!(rows.len(), if path == "statement" { 8 } else { 7 });
                rows.sort();
                rows.dedup();
                assert_eq!(rows.len(), if path == "statement" { 8 } else { 7 }, "no row stands twice");
            }
            for wrong in ["cursor=zz", "limit=0", "limit=201", "offset=3"] {
                let (status, body) = answer(town.ask(Method::GET, &format!("/api/citizen/statement?{wrong}"), &person)).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {body}");
            }
        });
    }

    fn the_platform_ends_vouchers_and_lots_by_itself(pool: Pool) {
        let offer = crate::redemption::offer_of(&pool, 10, 100);
        let account = citizen(&pool, &[(today(), 15), (today() + 300, 20)]);
        let got = crate::redemption::redeemed(&pool, account, offer.id);
        let town = Town::open_at(pool, got.voucher.expires_at);
        run(async {
            let person = town.token(Role::Citizen, account);
            let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
            loop {
                let lines = town.get("/api/citizen/statement", &person).await;
                let kinds: Vec<&str> = lines["lines"].as_array().unwrap().iter()
                    .map(|line| line["kind"].as_str().unwrap()).collect();
                // What the voucher gave back to the passed lot lapses with it.
                if kinds.contains(&"expire") {
                    assert!(kinds.contains(&"release"), "{kinds:?}");
                    break;
                }
                assert!(std::time::Instant::now() < patience, "{kinds:?}");
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            let listed = town.get("/api/citizen/vouchers", &person).await;
            assert_eq!(listed["vouchers"][0]["state"], json!("expired"));
            let balance = town.get("/api/citizen/balance", &person).await;
            assert_eq!((&balance["available"], &balance["held"]), (&json!(20), &json!(0)), "{balance}");
        });
    }
}
