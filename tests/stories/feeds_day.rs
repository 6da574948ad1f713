//! A day of several feeds at the command line: a charging operator and a grid company post files in
//! their own formats and correct them, a collector's feed is pulled, and the books agree.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tanpuhui::config::{Clock, Config, Settings};
use tanpuhui::domain::behaviour::subject_hash;
use tanpuhui::domain::context::Actor;
use tanpuhui::domain::party::{Role, Token};
use tanpuhui::flow::FlowError;
use tanpuhui::flow::access::issue_token;
use tanpuhui::flow::approve::{file_document, file_rule, go_live};
use tanpuhui::flow::pull::declare;
use tanpuhui::gateway::partner_feed::FeedClient;
use tanpuhui::jobs::Ground;
use tanpuhui::jobs::pull_feeds::pull_due;
use tanpuhui::jobs::quantify_periods::reconcile;
use tanpuhui::server::{Running, start_on};
use tanpuhui::store::behaviour::link_subject;
use tanpuhui::store::party::{PartnerKeyRow, PartnerRow, add_partner_key, register_partner};
use tanpuhui::store::scene::{SceneRow, open_scene};
use tanpuhui::store::{Pool, Target, Ts, Tx};
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use crate::pull_feeds::source::{Source, ok};
use crate::wire::{Answer, ask};
use crate::world::{ctx_of, open_account};

const CHARGER: Uuid = Uuid::from_u128(0xc4a6);
const GRID: Uuid = Uuid::from_u128(0x96d);
const SEED: [u8; 32] = [0x2b; 32];
const RULE: &str = "code = 'r'\nversion = '1'\ntitle_zh = '规则'\ntitle_en = 'rule'\n\
    effective_from = 2022-01-01T00:00:00+08:00\nmg_per_point = 1000\ndaily_cap_points = 100000\n\
    valid_months = 24\nsource = 'test'\n";

/// A document of one formula.
fn document(code: &str, zone: &str, period: &str, body: &str) -> String {
    format!(
        "format = 1\nkind = 'methodology'\n[identity]\ncode = '{code}'\nversion = '1'\n\
         title_zh = '测试'\ntitle_en = 'test'\ntext_grade = 'D'\n[effect]\nfrom = '2020-01-01'\n\
         zone = '{zone}'\n[scope]\nregion = 'CN'\nscene = 's'\nsubject = 'person'\n\
         quantity_kind = 'co2'\nperiod = '{period}'\n{body}\nunit = 'kgCO2'\n"
    )
}

const CHARGE: &str = "[claims]\nexclusivity_keys = [['evse', 'from']]\n[inputs.electricity]\n\
    type = 'quantity'\nunit = 'kWh'\n[inputs.evse]\ntype = 'text'\n[formula]\n\
    reduction = 'electricity * 1 kgCO2/kWh'";
const COLLECT: &str = "[inputs.mass]\ntype = 'quantity'\nunit = 'kg'\n[formula]\n\
    reduction = 'mass * 1 kgCO2/kg'";
const HOME: &str = "[period]\n[claims]\nexclusivity_keys = [['meter', 'day']]\n\
    [inputs.electricity]\ntype = 'quantity'\nunit = 'kWh'\n[inputs.meter]\ntype = 'text'\n\
    [derived]\nmean = 'trailing_mean(electricity, days = 7, min_count = 2)'\n[formula]\n\
    reduction = 'max(0 kWh, mean - electricity) * 1 kgCO2/kWh'";
/// Market time has no summer.
const MARKET: &str = "Australia/Brisbane";

struct Day {
    pool: Pool,
    dir: TempDir,
    server: Running,
    clock: Clock,
    /// The driver, the resident who sorts waste, the household.
    accounts: [Uuid; 3],
}

impl Day {
    fn open(pool: Pool) -> Day {
        let dir = tempfile::tempdir().unwrap();
        let accounts = [(); 3].map(|()| open_account(&pool));
        let keys = ["charger-1", "grid-1"].map(|id| keygen(dir.path(), id));
        pool.write_now::<_, FlowError>(|tx| settle(tx, &keys, &accounts))
            .unwrap();
        let clock = Clock::running(TimeDelta::zero());
        let mut settings = Settings::default();
        let set = [
            ("TANPUHUI_HTTP_LISTEN", "127.0.0.1:0"),
            ("TANPUHUI_HTTP_WORKERS", "2"),
            ("TANPUHUI_PULL_WORKERS", "0"),
            ("TANPUHUI_LOG_SEED", &hex::encode(SEED)),
            ("TANPUHUI_LOG_ORIGIN", "log.example/day"),
        ];
        settings.add_variables(set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let config = Config::read(&mut settings).expect("the settings are sound");
        let server = start_on(pool.clone(), config, clock.clone()).expect("it starts");
        Day {
            pool,
            dir,
            server,
            clock,
            accounts,
        }
    }

    fn run(&self, args: &[&str], files: &[&Path]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
            .args(args)
            .args(files)
            .env("TANPUHUI_LOG_SEED", hex::encode(SEED))
            .env("TANPUHUI_LOG_ORIGIN", "log.example/day")
            .output()
            .expect("the command starts")
    }

    /// Posts one whole file and gives what was answered.
    #[track_caller]
    fn post(&self, key: &str, scene: &str, text: &str) -> Value {
        let file: PathBuf = self.dir.path().join("feed");
        std::fs::write(&file, text).unwrap();
        let pem = self.dir.path().join(format!("{key}.key"));
        let pem = pem.to_str().unwrap();
        let url = &self.server.base_url;
        let args = [
            "feed",
            "post",
            "--url",
            url,
            "--scene",
            scene,
            "--key-id",
            key,
            "--ed25519-key",
            pem,
            "--whole-file",
            "--json",
        ];
        let output = self.run(&args, &[&file]);
        assert!(output.status.success(), "{output:?}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        said["answered"].clone()
    }

    fn ground(&self) -> Ground {
        let state = &self.server.state;
        Ground {
            pool: state.pool.clone(),
            config: state.config.clone(),
            clock: self.clock.clone(),
            keys: state.keys.clone(),
            catalogue: state.catalogue.clone(),
        }
    }

    fn quantify(&self) {
        let (_alive, stop) = watch::channel(false);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(reconcile(&self.ground(), &stop)).unwrap();
    }

    fn token(&self, account: Uuid) -> String {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(Uuid::now_v7().as_bytes());
        let token = Token::new(&secret);
        let (ctx, party) = (ctx_of(officer(1), now()), (Role::Citizen, account));
        self.pool
            .write_now(|tx| issue_token(tx, &ctx, &token, party, TimeDelta::days(5)))
            .unwrap();
        token.reveal().to_owned()
    }

    fn get(&self, path: &str, account: Uuid) -> Answer {
        let bearer = format!("Bearer {}", self.token(account));
        let fields = [("Authorization", bearer.as_str())];
        ask(&self.server.base_url, "GET", path, &fields, "")
    }

    /// A page as the citizen's browser asks for it.
    fn see(&self, path: &str, account: Uuid) -> Answer {
        let cookie = format!("session={}", self.token(account));
        let fields = [("Cookie", cookie.as_str())];
        ask(&self.server.base_url, "GET", path, &fields, "")
    }

    /// Points and grams.
    fn wealth(&self, account: Uuid) -> (i64, i64) {
        let body = self.get("/api/citizen/balance", account).json();
        let number = |name: &str| body[name].as_i64().expect("a number");
        (number("available"), number("saved_mg") / 1_000)
    }

    /// The real command, once the log's job has placed everything.
    #[track_caller]
    fn books_agree(&self) {
        let url = match self.pool.target() {
            Target::Postgres(url) => url.clone(),
            Target::Sqlite(path) => format!("sqlite:{}", path.display()),
        };
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let output = self.run(&["audit", "--json", "--database", &url], &[]);
            let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if said["agree"] == true {
                return;
            }
            assert!(Instant::now() < until, "{output:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn now() -> DateTime<Utc> {
    Clock::running(TimeDelta::zero()).now()
}

fn officer(id: u128) -> Actor {
    Actor {
        role: "bureau",
        id: Uuid::from_u128(id),
    }
}

/// Makes a key; gives the name it is registered under and its public half.
fn keygen(dir: &Path, id: &'static str) -> (&'static str, Vec<u8>) {
    use base64::Engine;
    let args = ["feed", "keygen", "--key-id", id, "--json", "--out"];
    let output = Command::new(env!("CARGO_BIN_EXE_tanpuhui"))
        .args(args)
        .arg(dir)
        .output()
        .expect("the command starts");
    assert!(output.status.success(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let public = said["public_key"].as_str().unwrap();
    let engine = base64::engine::general_purpose::STANDARD;
    (id, engine.decode(public).unwrap())
}

fn settle(
    tx: &mut Tx<'_>,
    keys: &[(&str, Vec<u8>); 2],
    accounts: &[Uuid; 3],
) -> Result<(), FlowError> {
    let (author, approver) = (ctx_of(officer(1), now()), ctx_of(officer(2), now()));
    let documents = [
        (
            "charge",
            document("charge", "Asia/Shanghai", "event", CHARGE),
        ),
        (
            "collect",
            document("collect", "Asia/Shanghai", "event", COLLECT),
        ),
        ("home", document("home", MARKET, "day", HOME)),
    ];
    for (code, text) in &documents {
        file_document(tx, &author, text)?;
        go_live(tx, &approver, code, "1", "test")?;
    }
    file_rule(tx, &author, RULE, "test")?;
    for ((key_id, material), (id, code)) in keys.iter().zip([(CHARGER, "charger"), (GRID, "grid")])
    {
        let row = PartnerRow {
            id: id.into(),
            code: code.into(),
            name_zh: "伙伴".into(),
            name_en: code.into(),
            registered_at: Ts(now()),
        };
        register_partner(tx, &row)?;
        let key = PartnerKeyRow {
            key_id: (*key_id).into(),
            partner_id: id.into(),
            algorithm: "ed25519".into(),
            material: material.clone(),
            valid_from: Ts(now()),
            revoked_at: None,
        };
        add_partner_key(tx, &key)?;
    }
    let collector = "subject = 'source:possessing_party'\n";
    let scenes = [
        (1, "charge", CHARGER, "ocpi-cdr", "Asia/Shanghai", None),
        (
            2,
            "collect",
            CHARGER,
            "epcis",
            "Asia/Shanghai",
            Some(collector),
        ),
        (3, "home", GRID, "nem12", MARKET, None),
    ];
    for (id, code, of, adapter, zone, settings) in scenes {
        let row = SceneRow {
            id,
            code: code.into(),
            partner_id: of.into(),
            name_zh: "场景".into(),
            name_en: code.into(),
            adapter: adapter.into(),
            methodology_code: code.into(),
            exchange_rule_code: "r".into(),
            zone: zone.into(),
            adapter_table: None,
            state: "live".into(),
            opened_at: Ts(now()),
            adapter_settings: settings.map(Into::into),
        };
        open_scene(tx, &row)?;
    }
    let subjects = [(CHARGER, "CNSZXC0001"), (CHARGER, RESIDENT), (GRID, NMI)];
    for ((of, subject), account) in subjects.into_iter().zip(accounts) {
        link_subject(tx, &subject_hash(of, subject), *account, Ts(now()))?;
    }
    Ok(())
}

const RESIDENT: &str = "urn:example:resident:42";
const NMI: &str = "NMI0000001";

/// What the files' times are counted from; the same for all files of a run.
fn base() -> DateTime<Utc> {
    static BASE: std::sync::LazyLock<DateTime<Utc>> = std::sync::LazyLock::new(now);
    *BASE
}

/// A charge detail record of an hour that began so many hours ago; `credits` names what it credits.
fn cdr(id: &str, hours: i64, kwh: i64, credits: Option<&str>) -> Value {
    let from = base() - TimeDelta::hours(hours);
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:00:00Z").to_string();
    let sign = if credits.is_some() { -1 } else { 1 };
    let mut cdr = json!({
        "country_code": "CN", "party_id": "SZX", "id": id,
        "start_date_time": time(from), "end_date_time": time(from + TimeDelta::hours(1)),
        "cdr_token": {"country_code": "CN", "party_id": "SZX", "uid": "1", "type": "RFID", "contract_id": "CNSZXC0001"},
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": "L1", "address": "深南大道 1 号", "city": "深圳", "country": "CHN",
            "coordinates": {"latitude": "22.543096", "longitude": "114.057865"},
            "evse_uid": "1", "evse_id": "CN*SZX*E1", "connector_id": "1", "connector_standard": "GBT_AC",
            "connector_format": "SOCKET", "connector_power_type": "AC_1_PHASE"
        },
        "currency": "CNY",
        "charging_periods": [{"start_date_time": time(from), "dimensions": [{"type": "TIME", "volume": 1.0}]}],
        "total_cost": {"excl_vat": 4 * sign}, "total_energy": kwh, "total_time": 1.0,
        "last_updated": time(from + TimeDelta::hours(1))
    });
    if let Some(reference) = credits {
        cdr["credit"] = true.into();
        cdr["credit_reference_id"] = reference.into();
    }
    cdr
}

fn file(rows: &[Value]) -> String {
    Value::from(rows.to_vec()).to_string()
}

/// 2.5 kg that were collected so many hours ago; `error` declares that they were not.
fn collected(number: u32, hours: i64, error: bool) -> Value {
    let at = (base() - TimeDelta::hours(hours))
        .format("%Y-%m-%dT%H:00:00+00:00")
        .to_string();
    let mut event = json!({
        "eventID": format!("urn:uuid:00000000-0000-4000-8000-00000000000{number}"),
        "type": "ObjectEvent", "eventTime": at, "eventTimeZoneOffset": "+08:00", "action": "OBSERVE",
        "bizStep": "collecting", "readPoint": {"id": "urn:epc:id:sgln:6900000.00001.7"},
        "sourceList": [{"type": "possessing_party", "source": RESIDENT}],
        "quantityList": [{"epcClass": "urn:epc:class:lgtin:6900000.012345.PET", "quantity": 2.5, "uom": "KGM"}],
    });
    if error {
        let declared = base().format("%Y-%m-%dT%H:%M:%S+00:00").to_string();
        event["errorDeclaration"] =
            json!({"declarationTime": declared, "reason": "incorrect_data"});
    }
    event
}

fn events(events: &[Value]) -> String {
    json!({
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-05-02T00:00:00Z",
        "epcisBody": {"eventList": events},
    })
    .to_string()
}

/// Days of one meter, each with its kWh: the day is so many after the one that was twelve days ago.
/// `made` hours ago the file was made.
fn nem12(days: &[(i64, u32)], made: i64) -> String {
    let market = chrono_tz::Australia::Brisbane;
    let stamp = (base() - TimeDelta::hours(made)).with_timezone(&market);
    let mut text = format!(
        "100,NEM12,{},MDP,RET\n200,{NMI},E1,1,E1,N1,S-7,kWh,60,\n",
        stamp.format("%Y%m%d%H%M")
    );
    for (day, kwh) in days {
        let date = base().with_timezone(&market).date_naive() + TimeDelta::days(day - 12);
        let rest = ",0".repeat(23);
        let updated = stamp.format("%Y%m%d%H%M%S");
        text.push_str(&format!(
            "300,{},{kwh}{rest},A,,,{updated},\n",
            date.format("%Y%m%d")
        ));
    }
    text.push_str("900\n");
    text
}

on_both! {
    fn a_credit_cdr_takes_back_its_cdr_in_whatever_order_they_come(pool: Pool) {
        let day = Day::open(pool);
        let driver = day.accounts[0];
        let post = |rows: &[Value]| day.post("charger-1", "charge", &file(rows));
        // One file: the wrong CDR, its credit, and the corrected one under an id of its own.
        let said = post(&[cdr("A", 9, 10, None), cdr("A-C", 9, 10, Some("A")), cdr("B", 9, 7, None)]);
        assert_eq!((&said["accepted"], &said["points"]), (&json!(3), &json!(7_000)), "{said}");
        assert_eq!(day.wealth(driver), (7_000, 7_000));
        // Two files.
        post(&[cdr("C", 7, 5, None)]);
        assert_eq!(day.wealth(driver), (12_000, 12_000));
        let said = post(&[cdr("C-C", 7, 5, Some("C"))]);
        assert_eq!((&said["accepted"], &said["points"], &said["reduction_mg"]), (&json!(1), &json!(-5_000), &json!(-5_000_000)));
        // The credit first: it is kept, and what it credits earns nothing.
        let credit = [cdr("D-C", 5, 6, Some("D"))];
        for _ in 0..2 {
            assert_eq!(post(&credit)["held"], json!({"revised_awaited": 1}));
        }
        assert_eq!(post(&[cdr("D", 5, 6, None)])["refused"], json!({"record_cancelled": 1}));
        assert_eq!(post(&[cdr("E", 5, 2, None)])["points"], 2_000);
        assert_eq!(day.wealth(driver), (9_000, 9_000));
        // The citizen sees what was taken back, and by what.
        let lines = day.get("/api/citizen/statement", driver).json();
        assert!(lines.to_string().contains("reverse"), "{lines}");
        let (id, counter) = corrected(&day);
        for (id, turned) in [(&id, false), (&counter, true)] {
            let told = day.get(&format!("/api/citizen/reductions/{id}"), driver).json();
            assert_eq!((&told["correction"]["reason"], &told["agrees"]), (&json!("cancelled"), &json!(true)), "{told}");
            assert_eq!(told["mg"].as_i64().unwrap() < 0, turned);
            let page = day.see(&format!("/me/reductions/{id}"), driver);
            assert_eq!(page.status, 200, "{}", page.body);
            assert!(page.body.contains(&counter), "{}", page.body);
        }
        day.books_agree();
    }

    fn a_day_of_three_feeds(pool: Pool) {
        let day = Day::open(pool);
        let [driver, resident, home] = day.accounts;
        // Morning: the operator's charges, the grid's reads, what was collected.
        let said = day.post("charger-1", "charge", &file(&[cdr("A", 30, 10, None), cdr("B", 28, 4, None)]));
        assert_eq!(said["accepted"], 2);
        let said = day.post("grid-1", "home", &nem12(&[(0, 10), (1, 8), (2, 5), (3, 6)], 40));
        assert_eq!(said["held"], json!({"period_open": 4}), "{said}");
        day.quantify();
        // 9 - 5, and 23/3 - 6.
        assert_eq!(day.wealth(home), (5_666, 5_666));
        let said = day.post("charger-1", "collect", &events(&[collected(1, 20, false), collected(2, 18, false)]));
        assert_eq!((&said["accepted"], &said["points"]), (&json!(2), &json!(5_000)), "{said}");
        // A partner posts to its own scenes only.
        let pem = day.dir.path().join("grid-1.key");
        let feed = day.dir.path().join("feed");
        let stranger = day.run(
            &["feed", "post", "--url", &day.server.base_url, "--scene", "charge", "--key-id", "grid-1",
              "--ed25519-key", pem.to_str().unwrap(), "--whole-file", "--json"],
            &[&feed],
        );
        assert!(!stranger.status.success(), "{stranger:?}");

        // Afternoon: a later file of the second day; every day that looks back at it moves.
        let said = day.post("grid-1", "home", &nem12(&[(1, 14)], 2));
        assert_eq!(said["held"], json!({"period_open": 1}), "{said}");
        day.quantify();
        // 12 - 5, and 29/3 - 6: 7 and 3.666.
        assert_eq!(day.wealth(home), (10_666, 10_666));
        // The first file again is no news, and an older word on the second day does not count.
        let said = day.post("grid-1", "home", &nem12(&[(0, 10), (1, 8), (2, 5), (3, 6)], 40));
        assert_eq!(said["held"], json!({"period_open": 4}), "{said}");
        let said = day.post("grid-1", "home", &nem12(&[(1, 9)], 20));
        assert_eq!(said["refused"], json!({"superseded": 1}), "{said}");
        day.quantify();
        assert_eq!(day.wealth(home), (10_666, 10_666));
        day.post("charger-1", "charge", &file(&[cdr("B-C", 28, 4, Some("B"))]));
        assert_eq!(day.wealth(driver), (10_000, 10_000));

        // Evening: the collector's feed is pulled; it declares one event an error, and one that
        // is not here yet.
        let body = events(&[collected(2, 18, true), collected(3, 10, true), collected(4, 9, false)]);
        let source = Source::start(move |_, _| ok(body.clone()));
        let start = (base() - TimeDelta::hours(3)).format("%Y-%m-%dT%H:%M:%SZ");
        let text = format!("url = '{}/events'\nstart = '{start}'\nevery_minutes = 60\n", source.url);
        let ctx = ctx_of(officer(1), now());
        day.pool.write_now::<_, FlowError>(|tx| declare(tx, &ctx, "collect", &text, "agreement 7")).unwrap();
        let (_alive, stop) = watch::channel(false);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = FeedClient::new(true).unwrap();
        let pulled = runtime.block_on(pull_due(&day.ground(), &client, &stop)).unwrap();
        assert_eq!((pulled.sums.accepted, pulled.sums.refused), (2, 0), "{pulled:?}");
        assert_eq!(day.wealth(resident), (5_000, 5_000));
        let said = day.post("charger-1", "collect", &events(&[collected(3, 10, false)]));
        assert_eq!(said["refused"], json!({"record_cancelled": 1}), "{said}");
        assert_eq!(day.wealth(resident), (5_000, 5_000));
        day.books_agree();
    }
}

/// A reduction that was cancelled, and its counter-entry, as the driver's pages name them.
fn corrected(day: &Day) -> (String, String) {
    use diesel::prelude::*;
    use tanpuhui::store::StoreError;
    use tanpuhui::store::correction::CorrectionRow;
    use tanpuhui::store::schema::corrections;
    let rows: Vec<CorrectionRow> = day
        .pool
        .read_now::<_, StoreError>(|conn| Ok(corrections::table.load(conn)?))
        .unwrap();
    assert_eq!(rows.len(), 2);
    (
        rows[0].reversed().to_string(),
        rows[0].counter().to_string(),
    )
}
