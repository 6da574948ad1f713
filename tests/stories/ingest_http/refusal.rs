//! What is refused as a whole stores nothing at all.

use chrono::Duration;

use crate::partner::{
    FILE, JSON, NDJSON, Partner, Stored, Town, array, behaviours, bus, config, files, metro,
    metro_ed25519, trip,
};
use crate::wire::Answer;

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(
        answer.field("Content-Type"),
        Some("application/problem+json")
    );
    assert!(
        problem["title_zh"]
            .as_str()
            .is_some_and(|title| !title.is_ascii())
    );
}

on_both! {
    fn a_request_that_is_not_the_partners_own_stores_nothing(pool: Pool) {
        let town = Town::open(pool);
        town.rider(&["a"]);
        let (url, path) = (town.url(), behaviours("metro"));
        let body = array(&[trip("t1", "a", 0, "10"), trip("t2", "a", 60, "10")]);
        let signed = |by: &Partner| town.sign(by, &path, JSON, body.as_bytes());

        let mut bare = signed(&metro());
        bare.fields.retain(|(name, _)| name != "Signature" && name != "Signature-Input");
        refused(&bare.send(url), 401, "signature_missing");
        let mut bare = signed(&metro());
        bare.fields.retain(|(name, _)| name != "Content-Digest");
        assert!([400, 401].contains(&bare.send(url).status));

        let thief = Partner { key_id: metro_ed25519().key_id, key: bus().key };
        refused(&signed(&thief).send(url), 401, "signature_invalid");
        // A secret does not pass for a public key, whoever chose the algorithm.
        let mixed = Partner { key_id: metro_ed25519().key_id, key: metro().key };
        refused(&signed(&mixed).send(url), 401, "signature_invalid");
        let unknown = Partner { key_id: "nobody".into(), key: metro().key };
        refused(&signed(&unknown).send(url), 401, "key_unknown");

        for minutes in [-6, 6] {
            let at = town.clock.now() + Duration::minutes(minutes);
            let stale = metro().sign(url, at, &path, JSON, body.as_bytes());
            refused(&stale.send(url), 401, "signature_stale");
        }

        let mut changed = signed(&metro());
        let richer = String::from_utf8(changed.body.clone()).unwrap().replace(":10,", ":99,");
        assert_ne!(richer.as_bytes(), changed.body);
        changed.body = richer.into_bytes();
        refused(&changed.send(url), 400, "digest_mismatch");
        let mut retyped = signed(&metro());
        retyped.fields[0].1 = NDJSON.into();
        refused(&retyped.send(url), 401, "signature_invalid");
        let mut moved = signed(&metro());
        moved.path = behaviours("bus");
        refused(&moved.send(url), 401, "signature_invalid");

        for scene in ["bus", "nowhere"] {
            refused(&town.post_as(&metro(), scene, JSON, body.as_bytes()), 404, "scene_unknown");
        }
        refused(&town.post_as(&bus(), "metro", JSON, body.as_bytes()), 404, "scene_unknown");
        refused(&town.sign(&bus(), &files("taps"), FILE, b"{}").send(url), 404, "scene_unknown");
        assert_eq!(town.stored(), Stored::default());

        let once = signed(&metro_ed25519());
        assert_eq!(once.send(url).status, 200);
        let stored = town.stored();
        refused(&once.send(url), 401, "nonce_reused");
        assert_eq!(town.stored(), stored);
    }

    fn a_body_that_cannot_be_read_whole_stores_nothing(pool: Pool) {
        let town = Town::open(pool);
        town.rider(&["a"]);
        let good = [trip("t1", "a", 0, "10"), trip("t2", "a", 60, "10")];
        let post = |media: &str, body: &[u8]| town.post_as(&metro(), "metro", media, body);

        let row = trip("t", "a", 0, "1");
        let many = vec![row.as_str(); 10_001];
        let array_of_many = format!("[{}]", many.join(","));
        refused(&post(JSON, array_of_many.as_bytes()), 413, "batch_too_large");
        refused(&post(NDJSON, many.join("\n").as_bytes()), 413, "batch_too_large");

        let endless = format!("{}\n{{\"id\":\"{}\"}}\n", good[0], "x".repeat(3 << 20));
        refused(&post(NDJSON, endless.as_bytes()), 413, "line_too_long");

        let utf16: Vec<u8> = array(&good).encode_utf16().flat_map(u16::to_le_bytes).collect();
        refused(&post(JSON, &[&[0xff, 0xfe][..], &utf16].concat()), 415, "encoding_unsupported");
        refused(&post(JSON, &utf16), 415, "encoding_unsupported");

        for media in ["text/csv", "application/xml", "application/json2"] {
            refused(&post(media, array(&good).as_bytes()), 415, "unsupported_format");
        }
        let text = array(&good);
        for cut in [text.len() - 1, text.len() / 2, good[0].len() + 1] {
            refused(&post(JSON, &text.as_bytes()[..cut]), 400, "file_truncated");
        }
        let torn = good.join("\n");
        refused(&post(NDJSON, &torn.as_bytes()[..torn.len() - 3]), 400, "file_truncated");
        refused(&post(JSON, b"hello"), 400, "format_mismatch");
        assert_eq!(town.stored(), Stored::default());
    }

    fn the_encodings_of_the_country_are_read(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["乘客甲"]);
        let text = array(&[trip("行程一", "乘客甲", 0, "10"), trip("行程二", "乘客甲", 60, "10")]);
        let (gbk, _, lossy) = encoding_rs::GBK.encode(&text);
        assert!(!lossy);
        let answer = town.post_as(&metro(), "metro", JSON, &gbk);
        assert_eq!(answer.json()["accepted"], 2, "{}", answer.body);
        let marked = format!("\u{feff}{text}");
        let answer = town.post_as(&metro(), "metro", JSON, marked.as_bytes());
        assert_eq!(answer.json()["replayed"], 2, "the same records in another encoding");
        assert_eq!(town.wealth(account), (936, 936_000));
    }
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let mut config = config();
    config.http.batch_bytes = 2_048;
    let town = Town::open_with(crate::world::sqlite(dir.path()), config);
    let trips: Vec<String> = (0..20)
        .map(|n| trip(&format!("t{n}"), "a", n * 40, "1"))
        .collect();
    refused(&town.post(&trips), 413, "body_too_large");
    assert_eq!(town.stored(), Stored::default());
    assert_eq!(town.post(&trips[..5]).json()["held"], 5);
}
