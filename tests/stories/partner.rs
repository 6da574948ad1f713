//! A town with two scene partners, and how they speak to a real server: signed, over HTTP.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, TimeDelta, Utc};
use diesel::prelude::*;
use tanpuhui::config::{Clock, Config};
use tanpuhui::domain::behaviour::subject_hash;
use tanpuhui::domain::context::Actor;
use tanpuhui::domain::methodology::{EMBEDDED_DOCUMENTS, Library, SignOffs};
use tanpuhui::domain::party::content_digest::ContentDigest;
use tanpuhui::domain::party::http_signature::{
    Component, FieldList, Policy, Request, Signing, sign,
};
use tanpuhui::domain::party::key::{SignKey, VerifyKey};
use tanpuhui::domain::party::{Role, Token};
use tanpuhui::flow::FlowError;
use tanpuhui::flow::access::issue_token;
use tanpuhui::flow::approve::{file_document, file_rule, go_live, sign_off};
use tanpuhui::flow::audit_books::{LogGround, audit};
use tanpuhui::flow::catalogue::Catalogue;
use tanpuhui::flow::log_keys::LogKeys;
use tanpuhui::flow::sequence_log::sequence_log;
use tanpuhui::server::{Running, start_on};
use tanpuhui::store::party::{PartnerKeyRow, PartnerRow, add_partner_key, register_partner};
use tanpuhui::store::scene::{SceneRow, open_scene};
use tanpuhui::store::{Pool, StoreError, Ts, Tx};
use uuid::Uuid;

use crate::wire::{Answer, ask, try_send};
use crate::world::{ctx_at, ctx_of, noon, open_account};

pub const JSON: &str = "application/json";
pub const NDJSON: &str = "application/x-ndjson";
pub const FILE: &str = "application/octet-stream";
/// The log's seed, so that a server can be started again under the same keys.
pub const SEED: &str = "0707070707070707070707070707070707070707070707070707070707070707";
pub const ORIGIN: &str = "town.example/log";

pub const METRO: Uuid = Uuid::from_u128(0xa0);
const BUS: Uuid = Uuid::from_u128(0xb0);
const HMAC_SECRET: [u8; 32] = [5; 32];
const METRO_SEED: [u8; 32] = [6; 32];
const BUS_SEED: [u8; 32] = [8; 32];
const DISTANCES: &str = "from,to,km\n罗湖,老街,1.9\n老街,布吉,12.5\n";
const RULE: &str = "code = 'town'\nversion = '1'\ntitle_zh = '规则'\ntitle_en = 'rule'\n\
     effective_from = 2022-01-01T00:00:00+08:00\nmg_per_point = 1000\n\
     daily_cap_points = 1000000\nvalid_months = 24\nsource = 'test'\n";

/// One who signs.
#[derive(Clone)]
pub struct Partner {
    pub key_id: String,
    pub key: SignKey,
}

/// The metro's key: a shared secret.
pub fn metro() -> Partner {
    let key = SignKey::hmac_sha256(&STANDARD.encode(HMAC_SECRET)).unwrap();
    Partner {
        key_id: "metro-hmac".into(),
        key,
    }
}

/// The metro's other key.
pub fn metro_ed25519() -> Partner {
    let key = SignKey::ed25519(&STANDARD.encode(METRO_SEED)).unwrap();
    Partner {
        key_id: "metro-ed25519".into(),
        key,
    }
}

/// Another partner.
pub fn bus() -> Partner {
    let key = SignKey::ed25519(&STANDARD.encode(BUS_SEED)).unwrap();
    Partner {
        key_id: "bus-ed25519".into(),
        key,
    }
}

/// A request as its sender signed it; what is sent may then differ.
pub struct Signed {
    pub path: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Partner {
    /// Signs a POST of `body` at this instant under a fresh nonce.
    pub fn sign(
        &self,
        base_url: &str,
        at: DateTime<Utc>,
        path: &str,
        media: &str,
        body: &[u8],
    ) -> Signed {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let nonce = format!("nonce-{:016}", NONCE.fetch_add(1, Ordering::Relaxed));
        let digest = ContentDigest::sha256(body).field();
        let fields = [("content-type", media), ("content-digest", digest.as_str())];
        let request = Request {
            method: "POST",
            scheme: "http",
            authority: base_url.trim_start_matches("http://"),
            path,
            query: None,
            fields: &FieldList(&fields),
        };
        let components: Vec<Component<'_>> = Policy::PARTNER.components(false, true).collect();
        let signing = Signing::new(&self.key_id, &components, at, &nonce);
        let signature = sign(&request, &signing, &self.key).expect("the request is signed");
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Signed {
            path: path.to_owned(),
            fields: vec![
                field("Content-Type", media),
                field("Content-Digest", &digest),
                field("Signature-Input", &signature.signature_input),
                field("Signature", &signature.signature),
            ],
            body: body.to_vec(),
        }
    }
}

impl Signed {
    pub fn send(&self, base_url: &str) -> Answer {
        self.try_send(base_url).expect("the server answers")
    }

    pub fn try_send(&self, base_url: &str) -> std::io::Result<Answer> {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        try_send(base_url, "POST", &self.path, &fields, &self.body)
    }
}

/// The settings of every server of these stories.
pub fn config() -> Config {
    let mut config = Config::default();
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.http.workers = 2;
    config.limits.caller.per_minute = 0;
    config.limits.address.per_minute = 0;
    config.limits.partner.per_minute = 0;
    config.log.seed = Some(SEED.parse().unwrap());
    config.log.origin = Some(ORIGIN.to_owned());
    config
}

/// A running platform with two partners: `metro`, `taps` and `meter` are one's, `bus` the other's.
pub struct Town {
    pub server: Running,
    pub clock: Clock,
    pub pool: Pool,
}

impl Town {
    pub fn open(pool: Pool) -> Town {
        Town::open_with(pool, config())
    }

    pub fn open_with(pool: Pool, config: Config) -> Town {
        settle(&pool);
        Town::serve(pool, config)
    }

    /// Serves a town that is settled already.
    pub fn resume(pool: Pool) -> Town {
        Town::serve(pool, config())
    }

    fn serve(pool: Pool, config: Config) -> Town {
        let clock = Clock::fixed(noon());
        let server = start_on(pool.clone(), config, clock.clone()).expect("it starts");
        Town {
            server,
            clock,
            pool,
        }
    }

    pub fn url(&self) -> &str {
        &self.server.base_url
    }

    /// A citizen whom the metro knows by these names.
    pub fn rider(&self, subjects: &[&str]) -> Uuid {
        rider(&self.pool, subjects)
    }

    /// Signs for now.
    pub fn sign(&self, by: &Partner, path: &str, media: &str, body: &[u8]) -> Signed {
        by.sign(self.url(), self.clock.now(), path, media, body)
    }

    /// Signs and posts a batch as it stands.
    pub fn post_as(&self, by: &Partner, scene: &str, media: &str, body: &[u8]) -> Answer {
        self.sign(by, &behaviours(scene), media, body)
            .send(self.url())
    }

    /// The metro's batch of trips, as a JSON array.
    pub fn post(&self, trips: &[String]) -> Answer {
        self.post_as(&metro(), "metro", JSON, array(trips).as_bytes())
    }

    /// The metro's file for a scene.
    pub fn post_file(&self, scene: &str, body: &[u8]) -> Answer {
        self.sign(&metro(), &files(scene), FILE, body)
            .send(self.url())
    }

    /// A citizen's GET.
    pub fn get(&self, path: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        ask(self.url(), "GET", path, &[("Authorization", &bearer)], "")
    }

    pub fn token(&self, account: Uuid) -> String {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(Uuid::now_v7().as_bytes());
        let token = Token::new(&secret);
        let (ctx, party) = (ctx_at(noon()), (Role::Citizen, account));
        self.pool
            .write_now(|tx| issue_token(tx, &ctx, &token, party, TimeDelta::days(500)))
            .expect("a token is issued");
        token.reveal().to_owned()
    }

    /// Points and milligrams of one citizen.
    pub fn wealth(&self, account: Uuid) -> (i64, i64) {
        let body = self
            .get("/api/citizen/balance", &self.token(account))
            .json();
        let number = |name: &str| body[name].as_i64().expect("a number");
        (number("available"), number("saved_mg"))
    }

    pub fn stored(&self) -> Stored {
        stored(&self.pool)
    }

    pub fn assert_audit_is_clean(&self) {
        assert_audit_is_clean(&self.pool);
    }
}

/// Rows in the tables that ingestion writes.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
pub struct Stored {
    pub batches: i64,
    pub claims: i64,
    pub behaviours: i64,
    pub reductions: i64,
    pub held: i64,
    pub refusals: i64,
    pub entries: i64,
}

pub fn stored(pool: &Pool) -> Stored {
    use tanpuhui::store::schema::{
        batches, behaviours, claims, entries, held_records, reductions, refusals,
    };
    pool.read_now::<_, StoreError>(|conn| {
        Ok(Stored {
            batches: batches::table.count().get_result(conn)?,
            claims: claims::table.count().get_result(conn)?,
            behaviours: behaviours::table.count().get_result(conn)?,
            reductions: reductions::table.count().get_result(conn)?,
            held: held_records::table.count().get_result(conn)?,
            refusals: refusals::table.count().get_result(conn)?,
            entries: entries::table.count().get_result(conn)?,
        })
    })
    .expect("the tables are counted")
}

/// Finishes the log and re-adds every book.
pub fn assert_audit_is_clean(pool: &Pool) {
    let keys = LogKeys::from_seed(ORIGIN, [7; 32]).unwrap();
    let ctx = ctx_at(noon());
    // The server's own job may place batches at the same time; either does.
    for _ in 0..1_000 {
        let done = pool
            .write_now::<_, FlowError>(|tx| sequence_log(tx, &ctx, &keys.origin, &keys.signer))
            .expect("the log grows");
        if done.batches == 0 {
            break;
        }
    }
    let catalogue = pool.read_now(Catalogue::load).expect("a catalogue");
    let ground = LogGround {
        salt: &keys.settings.salt,
        scenes: &catalogue.scene_codes(),
        methodologies: &catalogue.methodology_names(),
    };
    let checks = pool
        .read_now::<_, FlowError>(|conn| audit(conn, &ground, |_| ()))
        .expect("the books are read");
    assert!(checks.len() > 5, "{checks:?}");
    for check in &checks {
        assert_eq!(check.difference, None, "{}", check.book);
    }
}

/// A metro trip of half an hour that begins so many minutes after midnight of 19 November in
/// Shenzhen; `km` as a JSON number.
pub fn trip(id: &str, subject: &str, minute: i64, km: &str) -> String {
    trip_with(id, subject, minute, "distance", km, "km", "metro")
}

pub fn trip_with(
    id: &str,
    subject: &str,
    minute: i64,
    quantity: &str,
    value: &str,
    unit: &str,
    mode: &str,
) -> String {
    let from = noon() - Duration::hours(36) + Duration::minutes(minute);
    let to = from + Duration::minutes(30);
    format!(
        r#"{{"id":"{id}","subject":"{subject}","from":"{}","to":"{}","quantities":{{"{quantity}":{{"value":{value},"unit":"{unit}"}}}},"attributes":{{"mode":"{mode}"}}}}"#,
        from.format("%Y-%m-%dT%H:%M:%SZ"),
        to.format("%Y-%m-%dT%H:%M:%SZ"),
    )
}

pub fn array(trips: &[String]) -> String {
    format!("[{}]", trips.join(","))
}

pub fn behaviours(scene: &str) -> String {
    format!("/api/partner/scenes/{scene}/behaviours")
}

pub fn files(scene: &str) -> String {
    format!("/api/partner/scenes/{scene}/files")
}

/// A citizen whom the metro knows by these names.
pub fn rider(pool: &Pool, subjects: &[&str]) -> Uuid {
    let account = open_account(pool);
    for subject in subjects {
        let subject = subject_hash(METRO, subject);
        pool.write_now(|tx| {
            tanpuhui::store::behaviour::link_subject(tx, &subject, account, Ts(noon()))
        })
        .expect("a link");
    }
    account
}

/// The methodology, signed off and live; partners, keys and scenes.
pub fn settle(pool: &Pool) {
    pool.write_now::<_, FlowError>(|tx| {
        methodology(tx)?;
        partner(tx, METRO, "metro", "地铁")?;
        partner(tx, BUS, "bus", "公交")?;
        key(tx, METRO, &metro(), HMAC_SECRET.to_vec())?;
        for (of, by) in [(METRO, metro_ed25519()), (BUS, bus())] {
            let VerifyKey::Ed25519(public) = by.key.verify_key() else {
                unreachable!()
            };
            key(tx, of, &by, public.to_bytes().to_vec())?;
        }
        scene(tx, 1, "metro", METRO, "native")?;
        scene(tx, 2, "taps", METRO, "shenzhen-tong")?;
        scene(tx, 3, "meter", METRO, "green-button")?;
        scene(tx, 4, "bus", BUS, "native")
    })
    .expect("the town settles");
}

fn methodology(tx: &mut Tx<'_>) -> Result<(), FlowError> {
    let (code, version) = ("sz-public-transport", "2021.1");
    let ctx = ctx_of(
        Actor {
            role: "operator",
            id: Uuid::from_u128(1),
        },
        noon(),
    );
    for (_, text) in EMBEDDED_DOCUMENTS
        .iter()
        .filter(|(path, _)| path.contains(code))
    {
        file_document(tx, &ctx, text)?;
    }
    let library = Library::embedded().expect("the documents are sound");
    let document = library.get(code, version).expect("it is embedded");
    for blocker in document.blockers(&SignOffs::new()) {
        sign_off(
            tx,
            &ctx,
            code,
            version,
            &blocker.item,
            "reviewer",
            "compared",
        )?;
    }
    let officer = ctx_of(
        Actor {
            role: "bureau",
            id: Uuid::from_u128(2),
        },
        noon(),
    );
    go_live(tx, &officer, code, version, "test")?;
    file_rule(tx, &ctx, RULE, "test")?;
    Ok(())
}

fn partner(tx: &mut Tx<'_>, id: Uuid, code: &str, name_zh: &str) -> Result<(), FlowError> {
    let row = PartnerRow {
        id: id.into(),
        code: code.into(),
        name_zh: name_zh.into(),
        name_en: code.into(),
        registered_at: noon().into(),
    };
    Ok(register_partner(tx, &row)?)
}

fn key(tx: &mut Tx<'_>, of: Uuid, by: &Partner, material: Vec<u8>) -> Result<(), FlowError> {
    let row = PartnerKeyRow {
        key_id: by.key_id.clone(),
        partner_id: of.into(),
        algorithm: by.key.algorithm().as_str().into(),
        material,
        valid_from: noon().into(),
        revoked_at: None,
    };
    Ok(add_partner_key(tx, &row)?)
}

fn scene(tx: &mut Tx<'_>, id: i32, code: &str, of: Uuid, adapter: &str) -> Result<(), FlowError> {
    let row = SceneRow {
        id,
        code: code.into(),
        partner_id: of.into(),
        name_zh: "场景".into(),
        name_en: code.into(),
        adapter: adapter.into(),
        methodology_code: "sz-public-transport".into(),
        exchange_rule_code: "town".into(),
        zone: "Asia/Shanghai".into(),
        adapter_table: (adapter == "shenzhen-tong").then(|| DISTANCES.into()),
        state: "live".into(),
        opened_at: noon().into(),
        adapter_settings: None,
    };
    Ok(open_scene(tx, &row)?)
}

/// A real file, which is not part of the repository; without it the test says so and passes.
pub fn shared(file: &str) -> Option<std::path::PathBuf> {
    let root = std::env::var_os("TANPUHUI_SHARED_DATA").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").into(),
        std::path::PathBuf::from,
    );
    let path = root.join(file);
    if !path.exists() {
        eprintln!("SKIPPED, no shared data: {}", path.display());
        return None;
    }
    Some(path)
}
