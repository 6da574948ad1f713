use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::thread::JoinHandle;

use chrono::{TimeZone, Utc};
use reqwest::header::{HeaderMap, HeaderValue};

use super::*;
use crate::domain::party::http_signature::{Body, verify};
use crate::domain::party::key::VerifyKey;

/// A request as it came over the wire.
struct Heard {
    method: String,
    target: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

fn answer(status: &str, field: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{field}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Answers each request on a connection of its own with the next of `answers`.
fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<Heard>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let heard = answers.iter().map(|answer| {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let heard = hear(&mut reader);
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            heard
        });
        heard.collect()
    });
    (base, thread)
}

fn hear(reader: &mut impl BufRead) -> Heard {
    let mut line = || {
        let mut text = String::new();
        reader.read_line(&mut text).unwrap();
        text.trim_end().to_owned()
    };
    let start = line();
    let (method, rest) = start.split_once(' ').unwrap();
    let target = rest.split_once(' ').unwrap().0.to_owned();
    let fields: Vec<(String, String)> = std::iter::from_fn(|| Some(line()))
        .take_while(|text| !text.is_empty())
        .map(|text| {
            let (name, value) = text.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect();
    let length = fields.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    Heard {
        method: method.to_owned(),
        target,
        fields,
        body,
    }
}

impl Heard {
    fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(key, _)| key == name);
        &found.expect(name).1
    }

    /// The nonce, once the signature is found sound under `key`.
    fn nonce(&self, key: &VerifyKey, clock: &Clock) -> String {
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.target.as_str(), None),
        };
        let request = Request {
            method: &self.method,
            scheme: "http",
            authority: self.field("host"),
            path,
            query,
            fields: &FieldList(&fields),
        };
        let body = Body::Whole(&self.body);
        verify(&request, body, &Policy::PARTNER, clock.now(), |id| {
            (id == "k1").then_some(key)
        })
        .expect("the signature holds")
        .nonce
    }
}

fn clock() -> Clock {
    Clock::fixed(Utc.with_ymd_and_hms(2026, 11, 20, 4, 0, 0).unwrap())
}

fn client(base: &str) -> (PartnerClient, VerifyKey) {
    let key = SignKey::ed25519("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
    let public = key.verify_key();
    (
        PartnerClient::new(base, "k1", key, clock()).unwrap(),
        public,
    )
}

const QUICK: Patience = Patience {
    attempts_max: 4,
    first_pause: Duration::from_millis(1),
    pause_max: Duration::from_millis(2),
};

const RECEIPT: &str = r#"{"batch":"0","accepted":1,"replayed":0,"refused":0,"held":1,
    "reduction_mg":5,"points":0,"records":[
    {"status":"accepted","reduction_id":"a-1","mg":5,"points":0,"capped":true},
    {"status":"held","reason":"x"}]}"#;

#[tokio::test]
async fn a_batch_is_signed_anew_until_it_is_answered() {
    let (base, heard) = serve(vec![
        answer("503 Busy", "Retry-After: 0\r\n", ""),
        // Torn in the middle: nobody knows what became of it.
        answer("200 OK", "", RECEIPT)[..120].to_owned(),
        answer("429 Slow", "", "{}"),
        answer("200 OK", "", RECEIPT),
    ]);
    let (client, key) = client(&base);
    let pauses = Mutex::new(0);
    let told = |_: &ClientError, _: Duration| *pauses.lock().unwrap() += 1;
    let lines = Bytes::from_static(b"{\"id\":\"1\"}\n");
    let receipt = client
        .post_behaviours("metro/1", lines, &QUICK, &told)
        .await
        .unwrap();
    assert_eq!((receipt.sums.accepted, receipt.records.len()), (1, 2));
    assert_eq!(
        receipt.records[1],
        RecordAnswer::Held { reason: "x".into() }
    );
    assert_eq!(*pauses.lock().unwrap(), 3);
    let mut nonces: Vec<_> = heard
        .join()
        .unwrap()
        .iter()
        .map(|request| {
            assert_eq!(request.target, "/api/partner/scenes/metro%2F1/behaviours");
            assert_eq!(request.field("content-type"), NDJSON);
            request.nonce(&key, &clock())
        })
        .collect();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 4, "each try has a nonce of its own");
}

#[tokio::test]
async fn a_refusal_is_final_and_keeps_its_code() {
    let problem = r#"{"code":"scene_unknown","title_zh":"没有此场景","status":404}"#;
    let (base, heard) = serve(vec![answer("404 No", "", problem)]);
    let (client, _) = client(&base);
    let told = |_: &ClientError, _: Duration| panic!("nothing is tried again");
    let refused = client
        .post_behaviours("x", Bytes::new(), &QUICK, &told)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("scene_unknown"));
    assert_eq!(
        refused.to_string(),
        "404 Not Found: scene_unknown 没有此场景"
    );
    heard.join().unwrap();
}

#[tokio::test]
async fn a_query_is_signed_and_a_streamed_body_has_its_length() {
    let (base, heard) = serve(vec![answer("200 OK", "", "")]);
    let (client, key) = client(&base);
    let pieces = [&b"ab"[..], b"c"].map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece)));
    let body = StreamedBody {
        digest: ContentDigest::sha256(b"abc"),
        length: 3,
        body: reqwest::Body::wrap_stream(futures_util::stream::iter(pieces)),
    };
    client
        .post_streamed("/p?q=%20", "text/csv", body)
        .await
        .unwrap();
    let heard = heard.join().unwrap();
    assert_eq!(heard[0].field("content-length"), "3");
    assert_eq!(heard[0].target, "/p?q=%20");
    heard[0].nonce(&key, &clock());
}

#[tokio::test]
async fn nobody_at_the_address_is_a_passing_failure() {
    let (client, _) = client("http://127.0.0.1:1");
    let failed = client
        .post_patiently("/", "a/b", Bytes::new(), &QUICK, &|_, _| ())
        .await
        .unwrap_err();
    assert!(matches!(failed, ClientError::NoAnswer(_)) && failed.is_passing());
}

#[test]
fn addresses_that_cannot_be_signed_for_are_refused() {
    for base in [
        "",
        "ftp://a",
        "http://",
        "https://u:p@host",
        "host:80",
        "/x",
    ] {
        let key = SignKey::hmac_sha256("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
        let made = PartnerClient::new(base, "k", key, clock());
        assert!(matches!(made, Err(ClientError::Address(_))), "{base}");
    }
}

#[test]
fn pauses_double_up_to_a_bound_and_obey_the_platform() {
    let patience = Patience::default();
    let busy = |retry_after| ClientError::Refused {
        status: reqwest::StatusCode::SERVICE_UNAVAILABLE,
        problem: Box::default(),
        retry_after,
    };
    for (attempt, least) in [(1, 250), (2, 500), (3, 1_000), (9, 30_000)] {
        let (_, pause) = patience.pause(attempt, busy(None)).unwrap();
        let least = Duration::from_millis(least);
        assert!(
            pause >= least && pause <= least * 3 / 2,
            "{attempt}: {pause:?}"
        );
    }
    let asked = patience
        .pause(1, busy(Some(Duration::from_secs(7))))
        .unwrap()
        .1;
    assert!(asked >= Duration::from_secs(7));
    assert!(patience.pause(10, busy(None)).is_err());
    assert!(
        patience
            .pause(1, busy(Some(Duration::from_secs(301))))
            .is_err()
    );
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let now = Utc.with_ymd_and_hms(2026, 11, 20, 4, 0, 0).unwrap();
    let read = |text: &'static str| {
        let mut fields = HeaderMap::new();
        fields.insert("retry-after", HeaderValue::from_static(text));
        patience::retry_after(&fields, now).map(|pause| pause.as_secs())
    };
    assert_eq!(read("12"), Some(12));
    assert_eq!(read("Fri, 20 Nov 2026 04:01:00 GMT"), Some(60));
    assert_eq!(read("Fri, 20 Nov 2026 03:59:00 GMT"), Some(0));
    assert_eq!(read("soon"), None);
    assert_eq!(patience::retry_after(&HeaderMap::new(), now), None);
}
