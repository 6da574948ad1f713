//! A reduction told in full: to its owner how it came about, to anybody that the log holds it.

use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tanpuhui::domain::log::checkpoint::Checkpoint;
use tanpuhui::domain::log::hash::leaf_hash;
use tanpuhui::domain::log::leaf::Opening;
use tanpuhui::domain::log::note::NoteVerifier;
use tanpuhui::domain::log::proof::verify_inclusion;

use crate::partner::{Town, trip};
use crate::wire::get;

fn bytes<const N: usize>(hex_text: &Value) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(hex_text.as_str().expect("text"), &mut bytes).expect("hex");
    bytes
}

/// The inclusion proof, once the log's job has placed the batch.
fn proof(town: &Town, id: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = get(town.url(), &format!("/log/proofs/inclusion/{id}"));
        if answer.status == 200 {
            return answer.json();
        }
        assert_eq!(answer.json()["code"], "log_not_placed", "{}", answer.body);
        assert!(
            Instant::now() < until,
            "the log's job places what was committed"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

on_both! {
    fn the_owner_sees_formula_factor_and_source(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["a"]);
        let neighbour = town.rider(&["b"]);
        let answer = town.post(&[trip("t0", "b", 0, "3"), trip("t1", "a", 0, "12.5"), trip("t2", "a", 60, "1")]).json();
        let id = answer["records"][1]["reduction_id"].as_str().expect("an id").to_owned();
        let path = format!("/api/citizen/reductions/{id}");
        let told = town.get(&path, &town.token(account));
        assert_eq!(told.status, 200, "{}", told.body);
        let told = told.json();
        assert_eq!((&told["agrees"], &told["mg"], &told["points"]), (&true.into(), &585_000.into(), &585.into()));
        assert_eq!(told["behaviour"]["source_id"], "t1");
        assert_eq!(told["behaviour"]["from"], "2026-11-18T16:00:00Z");
        let explanation = &told["explanation"];
        assert_eq!(explanation["methodology"]["code"], "sz-public-transport");
        assert_eq!(explanation["formulas"][0]["text"], "rf[mode] * distance");
        assert_eq!((&explanation["result"]["value"], &explanation["result"]["unit"]), (&"585.0".into(), &"g".into()), "{explanation}");
        let factor = &explanation["lookups"][0];
        assert_eq!((&factor["value"], &factor["unit"]), (&"46.8".into(), &"gCO2/person-km".into()));
        assert_eq!(factor["grade"], "S2");
        assert!(factor["source"].as_str().is_some_and(|source| !source.is_empty()));
        let rule = &told["exchange_rule"];
        assert_eq!((&rule["code"], &rule["mg_per_point"]), (&"town".into(), &1_000.into()));

        for stranger in [neighbour, uuid::Uuid::now_v7()] {
            let hidden = town.get(&path, &town.token(stranger));
            assert_eq!((hidden.status, &hidden.json()["code"]), (404, &"not_found".into()));
        }
        let nowhere = town.get(&format!("/api/citizen/reductions/{}-0", "0".repeat(32)), &town.token(account));
        assert_eq!(nowhere.status, 404, "{}", nowhere.body);
        assert_eq!(get(town.url(), &path).status, 401);
    }

    fn anybody_can_check_that_the_log_holds_it(pool: Pool) {
        let town = Town::open(pool);
        let account = town.rider(&["a"]);
        town.post(&[trip("t0", "a", 0, "3")]);
        let answer = town.post(&[trip("t1", "a", 60, "12.5"), trip("t2", "a", 120, "1"), trip("t3", "a", 180, "1")]).json();
        let id = answer["records"][0]["reduction_id"].as_str().expect("an id").to_owned();

        let proof = proof(&town, &id);
        let leaf = get(town.url(), &format!("/log/leaves/{id}")).body;
        assert_eq!(hex::encode(leaf_hash(leaf.as_bytes())), proof["leaf_hash"].as_str().unwrap());
        let key = NoteVerifier::parse(get(town.url(), "/log/key").body.trim()).expect("the key is read");
        let head = Checkpoint::open(proof["checkpoint"].as_str().unwrap(), &key).expect("it is signed");
        let newest = Checkpoint::open(&get(town.url(), "/log/checkpoint").body, &key).expect("it is signed");
        assert!(newest.size >= head.size);
        let path: Vec<[u8; 32]> = proof["proof"].as_array().unwrap().iter().map(bytes).collect();
        let (index, size) = (proof["index"].as_u64().unwrap(), proof["size"].as_u64().unwrap());
        assert_eq!(size, head.size);
        verify_inclusion(&leaf_hash(leaf.as_bytes()), index, size, &path, &head.root).expect("it is in the tree");
        let other = leaf_hash(leaf.replace("585000", "985000").as_bytes());
        assert!(verify_inclusion(&other, index, size, &path, &head.root).is_err());

        // The leaf names nobody; its owner can show whose it is.
        assert!(!leaf.contains("\"a\"") && !leaf.contains(&account.simple().to_string()), "{leaf}");
        let leaf: Value = serde_json::from_str(&leaf).expect("the leaf is JSON");
        assert_eq!((&leaf["mg"], &leaf["scene"]), (&"585000".into(), &"metro".into()));
        let told = town.get(&format!("/api/citizen/reductions/{id}"), &town.token(account)).json();
        let opening = Opening {
            salt: bytes(&told["opening"]["salt"]),
            account: bytes(&told["opening"]["account"]),
            content: bytes(&told["opening"]["content"]),
        };
        assert_eq!(opening.account, *account.as_bytes());
        assert!(opening.opens(&bytes(&leaf["commitment"])));
        assert_eq!(told["opening"]["content"], told["behaviour"]["digest"]);
        let document = told["explanation"]["methodology"]["sha256"].as_str().unwrap();
        assert_eq!(leaf["methodology_hash"], document);
        assert_ne!(document, hex::encode(Sha256::digest([])));
    }
}
