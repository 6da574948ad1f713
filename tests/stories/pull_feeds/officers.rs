//! The bureau's side: declared, seen, suspended and resumed over the API, listed at the command line.

use std::process::Command;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tanpuhui::domain::party::{Role, Token};
use tanpuhui::flow::FlowError;
use tanpuhui::flow::access::issue_token;
use tanpuhui::store::Target;
use uuid::Uuid;

use super::source::{Source, ok, status};
use super::{pull, stand, town, trips};
use crate::market::request;
use crate::partner::Town;
use crate::world::{ctx_at, noon};

const PATH: &str = "/api/bureau/scenes/metro/pull";

fn token(town: &Town, role: Role) -> String {
    let mut secret = [0; 32];
    secret[..16].copy_from_slice(Uuid::now_v7().as_bytes());
    let token = Token::new(&secret);
    let (ctx, party) = (ctx_at(noon()), (role, Uuid::from_u128(9)));
    town.pool
        .write_now::<_, FlowError>(|tx| issue_token(tx, &ctx, &token, party, TimeDelta::days(9)))
        .expect("a token is issued");
    token.reveal().to_owned()
}

fn listed(town: &Town) -> (Option<i32>, Value) {
    let url = match town.pool.target() {
        Target::Postgres(url) => url.clone(),
        Target::Sqlite(path) => format!("sqlite:{}", path.display()),
    };
    let output = Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
        .args(["feed", "pulls", "--json", "--database", &url])
        .output()
        .expect("the command starts");
    let text = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), text)
}

on_both! {
    fn a_feed_is_declared_watched_suspended_and_resumed(pool: Pool) {
        let town = town(pool, &[]);
        town.rider(&["a"]);
        let source = Source::start(|number, _| match number {
            0 => ok(trips(&[1])),
            _ => status(403),
        });
        let ask = |token: &str, method: &str, path: &str, body: Value| {
            request(&format!("{}{path}", town.url()), token, method, &body, None)
        };
        let (bureau, citizen) = (token(&town, Role::Bureau), token(&town, Role::Citizen));
        let text = format!("url = '{}/all.json'\nstart = '2026-11-20T00:00:00Z'\nevery_minutes = 60\n", source.url);
        let body = json!({"declaration": text, "reason": "agreement 7"});
        assert_eq!(ask(&citizen, "POST", PATH, body.clone()).0, 403);
        assert_eq!(ask(&bureau, "GET", PATH, Value::Null).0, 404);
        for (wrong, status, code, param) in [
            ("every_minutes = 1", 400, "invalid_field", "pull"),
            (&format!("{text}max_mib = 0"), 400, "invalid_field", "pull.max_mib"),
            (
                &format!("{text}auth = {{ kind = 'bearer', credential = 'metro' }}"),
                422,
                "credential_missing",
                "pull.auth.credential",
            ),
        ] {
            let (answered, problem) = ask(&bureau, "POST", PATH, json!({"declaration": wrong, "reason": "x"}));
            assert_eq!((answered, &problem["code"], &problem["param"]), (status, &json!(code), &json!(param)), "{problem}");
        }
        let (answered, problem) = ask(&bureau, "POST", "/api/bureau/scenes/moon/pull", body.clone());
        assert_eq!((answered, &problem["code"]), (404, &json!("scene_unknown")));
        let (answered, problem) = ask(&bureau, "POST", PATH, json!({"declaration": text, "reason": " "}));
        assert_eq!((answered, &problem["code"], &problem["param"]), (400, &json!("missing_field"), &json!("reason")));
        let (answered, made) = ask(&bureau, "POST", PATH, body.clone());
        assert_eq!((answered, &made["state"]), (200, &json!("idle")), "{made}");

        assert_eq!(pull(&town).sums.accepted, 1);
        let (_, seen) = ask(&bureau, "GET", PATH, Value::Null);
        assert_eq!((&seen["watermark"], &seen["last_error"]), (&json!("2026-11-20T04:00:00Z"), &Value::Null));
        let run = &seen["runs"][0];
        assert_eq!((&run["outcome"], &run["status"], &run["accepted"], &run["points"]), (&json!("ingested"), &json!(200), &json!(1), &json!(468)));
        assert_eq!(listed(&town).0, Some(0));

        let change = |state: &str| ask(&bureau, "POST", &format!("{PATH}/state"), json!({"state": state, "reason": "a doubt"}));
        assert_eq!(change("asleep").0, 400);
        assert_eq!(change("suspended").1["state"], "suspended");
        town.clock.advance(TimeDelta::days(1));
        assert_eq!(pull(&town).turns, 0);
        assert_eq!(change("resumed").1["state"], "idle");
        assert_eq!(pull(&town).requests, 1);
        let (code, row) = listed(&town);
        assert_eq!((code, &row["scene"], &row["state"]), (Some(1), &json!("metro"), &json!("stopped")), "{row}");
        assert!(row["last_error"].as_str().unwrap().starts_with("pull_denied"));
        // Declared anew it goes on where it was, or where it is told to begin.
        assert_eq!(ask(&bureau, "POST", PATH, body).1["watermark"], json!("2026-11-20T04:00:00Z"));
        let moved = text.replace("2026-11-20T00", "2026-11-19T00");
        let body = json!({"declaration": moved, "reason": "from the day before"});
        assert_eq!(ask(&bureau, "POST", PATH, body).1["watermark"], json!("2026-11-19T00:00:00Z"));
        assert_eq!(stand(&town).failures, 0);
        town.assert_audit_is_clean();
    }
}
