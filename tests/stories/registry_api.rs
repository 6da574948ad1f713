//! The way of the units over HTTP: each step by the role that may take it, sold on the real sandbox
//! by the jobs of the running platform.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tanpuhui::config::{Clock, Config};
use tanpuhui::domain::party::{Role, Token};
use tanpuhui::flow::FlowError;
use tanpuhui::flow::access::issue_token;
use tanpuhui::server::{Running, start_on};
use tanpuhui::store::Pool;
use uuid::Uuid;

use crate::market::Sandbox;
use crate::registry::{T, assert_books_agree, by, city, holder, travel};
use crate::world::noon;

const BUREAU: u128 = 0xb3;

struct Platform {
    running: Running,
    pool: Pool,
}

impl Platform {
    fn start(pool: Pool, exchange: &Sandbox) -> Platform {
        let mut config = Config::default();
        config.http.listen.set_port(0);
        config.exchange.url = Some(exchange.url.clone());
        config.exchange.token = Some("b".into());
        // It runs, so that acts have an order in time.
        let clock = Clock::running(noon() + TimeDelta::days(42) - chrono::Utc::now());
        let running = start_on(pool.clone(), config, clock).expect("it starts");
        Platform { running, pool }
    }

    fn token(&self, role: Role, party: Uuid) -> String {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(party.as_bytes());
        let token = Token::new(&secret);
        let ctx = by(BUREAU);
        self.pool
            .write_now::<_, FlowError>(|tx| {
                issue_token(tx, &ctx, &token, (role, party), TimeDelta::days(90))
            })
            .expect("a token");
        token.reveal().to_owned()
    }

    fn ask(&self, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.running.base_url);
        crate::market::request(&url, token, method, &body, None)
    }

    fn post(&self, token: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(token, "POST", path, body);
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("", "GET", path, Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}

on_both! {
    fn a_period_becomes_units_that_are_passed_on_sold_and_retired(pool: Pool) {
        let dir = tempfile::tempdir().unwrap();
        let exchange = Sandbox::start(dir.path(), None);
        let owner = city(&pool);
        let buyer = holder(&pool, "B", Some("buyer-1"));
        travel(&pool, 0, &[7 * T, T / 2]);
        let platform = Platform::start(pool.clone(), &exchange);
        let bureau = platform.token(Role::Bureau, Uuid::from_u128(1));
        let verifier = platform.token(Role::Verifier, Uuid::from_u128(2));
        let seller = platform.token(Role::Holder, owner);

        let new = json!({ "scene": "metro", "from": "2026-11-01", "to": "2026-11-30", "holder": owner, "reason": "plan" });
        assert_eq!(platform.ask(&verifier, "POST", "/api/bureau/periods", new.clone()).0, 403);
        let opened = platform.post(&bureau, "/api/bureau/periods", new.clone());
        assert_eq!(platform.ask(&bureau, "POST", "/api/bureau/periods", new).0, 409);
        let id = opened["id"].as_str().unwrap();
        let why = json!({ "reason": "month is over" });
        let closed = platform.post(&bureau, &format!("/api/bureau/periods/{id}/close"), why.clone());
        assert_eq!((&closed["whole_t"], &closed["from"]), (&json!(7), &json!("2026-11-01")));
        platform.post(&verifier, &format!("/api/verifier/periods/{id}/findings"), json!({ "finding": "?" }));
        platform.post(&bureau, &format!("/api/bureau/periods/{id}/answer"), json!({ "answer": "!" }));
        platform.post(&verifier, &format!("/api/verifier/periods/{id}/accept"), json!({ "accepted_t": 7, "statement": "ok" }));
        let issued = platform.post(&bureau, &format!("/api/bureau/periods/{id}/issue"), why);
        assert_eq!(issued["serial"], "SZ-PH-SZ-METRO-1-20261101-20261130-1-1-7");
        let report = platform.get(&format!("/api/periods/{id}"));
        assert_eq!((&report["state"], &report["findings"][0]["answer"]), (&json!("issued"), &json!("!")));
        assert_eq!(report["root"], issued["root"]);

        let own = platform.ask(&seller, "GET", "/api/holder/blocks", Value::Null).1;
        let block = own["blocks"][0]["id"].as_str().unwrap().to_owned();
        let gift = json!({ "tonnes": 1, "to_holder": buyer, "reason": "gift" });
        let stranger = platform.token(Role::Holder, buyer);
        assert_eq!(platform.ask(&stranger, "POST", &format!("/api/holder/blocks/{block}/transfer"), gift.clone()).0, 403);
        platform.post(&seller, &format!("/api/holder/blocks/{block}/transfer"), gift);
        let own = platform.ask(&seller, "GET", "/api/holder/blocks", Value::Null).1;
        let block = own["blocks"][0]["id"].as_str().unwrap().to_owned();
        let claim = json!({ "tonnes": 2, "purpose": "personal", "beneficiary": "王小明", "claim": "2026" });
        let retired = platform.post(&seller, &format!("/api/holder/blocks/{block}/retire"), claim);
        let certificate = platform.get(&format!("/api/registry/retirements/{}", retired["certificate_no"].as_str().unwrap()));
        assert_eq!((&certificate["beneficiary"], &certificate["tonnes"]), (&json!("王＊＊"), &json!(2)));
        assert_eq!(certificate["serial"], "SZ-PH-SZ-METRO-1-20261101-20261130-1-2-3");

        let own = platform.ask(&seller, "GET", "/api/holder/blocks", Value::Null).1;
        let held = own["blocks"].as_array().unwrap().iter().find(|b| b["state"] == "held").unwrap();
        let path = format!("/api/holder/blocks/{}/list", held["id"].as_str().unwrap());
        assert_eq!(platform.ask(&seller, "POST", &path, json!({ "tonnes": 3, "price": "45" })).0, 400);
        let listed = platform.post(&seller, &path, json!({ "tonnes": 3, "price": "45.00" }));
        until(|| exchange.orders().len() == 1);
        let order = exchange.orders()[0]["order_id"].as_str().unwrap().to_owned();
        assert_eq!(exchange.click(&order, 2).0, 200);
        let sold = || platform.ask(&seller, "GET", "/api/holder/listings", Value::Null).1["listings"][0]["sold_t"] == 2;
        until(sold);
        platform.post(&seller, &format!("/api/holder/listings/{}/unlist", listed["id"].as_str().unwrap()), Value::Null);
        until(|| platform.ask(&seller, "GET", "/api/holder/listings", Value::Null).1["listings"][0]["state"] == "closed");

        let found = platform.get("/api/registry/serials/SZ-PH-SZ-METRO-1-20261101-20261130-1-4-5");
        let kinds: Vec<_> = found["history"].as_array().unwrap().iter().map(|act| act["kind"].clone()).collect();
        assert_eq!(kinds.last(), Some(&json!("sell")));
        assert_eq!(found["block"]["serial"], "SZ-PH-SZ-METRO-1-20261101-20261130-1-4-5");
        let all = platform.get("/api/registry/blocks?limit=2");
        assert_eq!(all["blocks"].as_array().unwrap().len(), 2);
        let rest = platform.get(&format!("/api/registry/blocks?cursor={}", all["next"].as_str().unwrap()));
        let tonnes = |page: &Value| page["blocks"].as_array().unwrap().iter().map(|b| b["tonnes"].as_i64().unwrap()).sum::<i64>();
        assert_eq!(tonnes(&all) + tonnes(&rest), 7);
        assert_eq!(platform.ask("", "GET", "/api/registry/serials/other-1-4", Value::Null).0, 404);
        assert_eq!(platform.ask("", "GET", "/api/registry/serials/nonsense", Value::Null).0, 400);
        platform.running.stop().unwrap();
        assert_books_agree(&pool);
    }
}

fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "it never happens"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
