//! Households and vehicles of several people: who shares from which day on, what each gets, and
//! how a link ends and another takes over; over HTTP, on a running platform.

mod any_order;
mod household;
mod page;
mod unlink;
mod vehicle;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde_json::{Value, json};
use tanpuhui::domain::context::Actor;
use tanpuhui::domain::party::{Role, Token};
use tanpuhui::domain::problem::Code;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::access::issue_token;
use tanpuhui::flow::approve::{file_document, go_live};
use tanpuhui::flow::open_scene::{NewScene, open_scene};
use tanpuhui::flow::quantify_periods::{Quantified, quantify_periods};
use tanpuhui::store::Pool;
use tanpuhui::store::party::partner_by_code;
use tanpuhui::store::period::due_subjects;
use uuid::Uuid;

use crate::partner::{self, JSON, Partner, bus, config, metro};
use crate::wire::{Answer, ask};
use crate::world::{ctx_at, ctx_of, noon, open_account};

const LINKS: &str = "/api/partner/links";
const HEAD: &str = "format = 1\nkind = 'methodology'\n[identity]\ncode = 'CODE'\nversion = '1'\n\
    title_zh = '测试'\ntitle_en = 'test'\nissuer = '示例市'\ntext_grade = 'D'\n\
    [effect]\nfrom = '2026-01-01'\nzone = 'Asia/Shanghai'\n\
    [scope]\nregion = 'CN'\nscene = 's'\nsubject = 'SUBJECT'\nquantity_kind = 'co2'\nperiod = 'PERIOD'\n\
    [text]\nboundary = '测试'\n";
/// Two kilograms a member, less a kilogram a kWh.
const HOME: &str = "[period]\n[inputs.kwh]\ntype = 'quantity'\nunit = 'kWh'\n\
    [inputs.members]\ntype = 'quantity'\nunit = 'person'\nmin = '1 person'\nas_of = 'start'\n\
    [formula]\nreduction = 'max(0 kgCO2, members * 2 kgCO2/person - kwh * 1 kgCO2/kWh)'\nunit = 'kgCO2'\n";
/// A tenth of a kilogram a kilometre.
const CAR: &str = "[inputs.distance]\ntype = 'quantity'\nunit = 'km'\n\
    [formula]\nreduction = 'distance * 0.1 kgCO2/km'\nunit = 'kgCO2'\n";
const SOURCES: &str =
    "[[sources]]\ntitle = '示例原文'\nurl = 'https://example.org/a'\ngrade = 'D'\n";

/// The town of partners with two more scenes of the metro's: `home` and `car`.
struct Town {
    town: partner::Town,
}

fn document(code: &str, subject: &str, period: &str, body: &str) -> String {
    let head = HEAD
        .replace("CODE", code)
        .replace("SUBJECT", subject)
        .replace("PERIOD", period);
    format!("{head}{body}{SOURCES}")
}

fn officer(id: u128) -> Actor {
    Actor {
        role: "bureau",
        id: Uuid::from_u128(id),
    }
}

fn settle(pool: &Pool) {
    partner::settle(pool);
    let (one, two) = (ctx_of(officer(11), noon()), ctx_of(officer(12), noon()));
    let scenes = [
        (
            "home",
            "家庭用电",
            document("home", "household", "day", HOME),
        ),
        ("car", "新能源车", document("car", "vehicle", "event", CAR)),
    ];
    pool.write_now::<_, FlowError>(|tx| {
        let partner = partner_by_code(tx, "metro")?.expect("the metro").id.0;
        for (code, name, text) in &scenes {
            file_document(tx, &one, text)?;
            go_live(tx, &two, code, "1", "test")?;
            let scene = NewScene {
                code: (*code).into(),
                partner,
                name_zh: (*name).into(),
                name_en: (*code).into(),
                adapter: "native".into(),
                methodology: (*code).into(),
                exchange_rule: "town".into(),
                zone: "Asia/Shanghai".into(),
                distances: None,
                settings: None,
            };
            open_scene(tx, &one, &scene, "test")?;
        }
        Ok(())
    })
    .expect("the town settles");
}

/// The day so many days after the story's first, in Shenzhen.
fn date(after: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap() + Duration::days(after)
}

fn midnight(after: i64) -> DateTime<Utc> {
    noon() - Duration::hours(12) + Duration::days(after)
}

/// One day's electricity of a household.
fn kwh(id: &str, subject: &str, day: i64, kwh: i64) -> String {
    let (from, to) = (midnight(day), midnight(day + 1));
    json!({"id": id, "subject": subject, "from": from, "to": to,
        "quantities": {"kwh": {"value": kwh.to_string(), "unit": "kWh"}}, "attributes": {}})
    .to_string()
}

/// How many live there, from an instant on.
fn members(id: &str, subject: &str, day: i64, number: i64) -> String {
    json!({"id": id, "subject": subject, "at": midnight(day),
        "quantities": {"members": {"value": number.to_string(), "unit": "person"}}, "attributes": {}})
    .to_string()
}

/// A quarter of an hour in a car, at ten in the morning.
fn drive(id: &str, subject: &str, day: i64, km: &str) -> Value {
    let from = midnight(day) + Duration::hours(10);
    json!({"id": id, "subject": subject, "from": from, "to": from + Duration::minutes(15),
        "quantities": {"distance": {"value": km, "unit": "km"}}, "attributes": {}})
}

impl Town {
    fn open(pool: &Pool) -> Town {
        Town::open_with(pool, 10)
    }

    fn open_with(pool: &Pool, members_max: usize) -> Town {
        settle(pool);
        let mut config = config();
        config.sharing.members_max = members_max;
        Town {
            town: partner::Town::serve(pool.clone(), config),
        }
    }

    fn url(&self) -> &str {
        self.town.url()
    }

    fn pool(&self) -> &Pool {
        &self.town.pool
    }

    fn person(&self) -> Person<'_> {
        let account = open_account(self.pool());
        Person {
            town: self,
            account,
            token: self.town.token(account),
        }
    }

    /// Somebody to whom the metro has linked this name.
    fn owner(&self, subject: &str) -> Person<'_> {
        let owner = self.person();
        let linked = self.link(&metro(), subject, &owner.code());
        assert_eq!(linked.status, 200, "{}", linked.body);
        owner
    }

    fn link(&self, by: &Partner, subject: &str, code: &str) -> Answer {
        let body = json!({"subject": subject, "code": code}).to_string();
        self.town
            .sign(by, LINKS, JSON, body.as_bytes())
            .send(self.url())
    }

    fn unlink(&self, by: &Partner, subject: &str) -> Answer {
        let (body, at) = (
            json!({"subject": subject}).to_string(),
            self.town.clock.now(),
        );
        by.sign_as("DELETE", self.url(), at, LINKS, JSON, body.as_bytes())
            .send(self.url())
    }

    fn post(&self, scene: &str, records: &[String]) -> Value {
        let body = partner::array(records);
        let answer = self.town.post_as(&metro(), scene, JSON, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    fn drive(&self, records: &[Value]) -> Value {
        let records: Vec<String> = records.iter().map(Value::to_string).collect();
        self.post("car", &records)
    }

    /// Quantifies what is due; the server's own job may have done it already.
    fn close(&self) -> Quantified {
        let state = &self.town.server.state;
        let catalogue = state.catalogue.get();
        let scene = &catalogue.scenes["home"].view;
        let today = scene.day(self.town.clock.now());
        let due = self
            .pool()
            .read_now(|conn| due_subjects(conn, scene.id, today, &[], 100))
            .unwrap();
        let mut ctx = ctx_at(self.town.clock.now());
        let log = &state.keys.settings;
        self.pool()
            .write_now::<_, FlowError>(|tx| quantify_periods(tx, &mut ctx, scene, log, &due, today))
            .unwrap()
    }

    fn pass(&self, days: i64) {
        self.town.clock.advance(Duration::days(days));
    }

    fn bureau(&self, path: &str, body: &Value) -> Answer {
        let mut secret = [9; 32];
        secret[..16].copy_from_slice(Uuid::now_v7().as_bytes());
        let token = Token::new(&secret);
        let (ctx, party) = (ctx_at(noon()), (Role::Bureau, Uuid::from_u128(11)));
        self.pool()
            .write_now(|tx| issue_token(tx, &ctx, &token, party, Duration::days(500)))
            .expect("a token is issued");
        let bearer = format!("Bearer {}", token.reveal());
        let fields = [("Authorization", bearer.as_str()), ("Content-Type", JSON)];
        ask(self.url(), "POST", path, &fields, &body.to_string())
    }
}

/// A citizen with an app.
struct Person<'t> {
    town: &'t Town,
    account: Uuid,
    token: String,
}

impl Person<'_> {
    fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut fields = vec![("Authorization", bearer.as_str()), ("Content-Type", JSON)];
        fields.extend(key.map(|key| ("Idempotency-Key", key)));
        ask(self.town.url(), method, path, &fields, body)
    }

    fn code(&self) -> String {
        let answer = self.ask("POST", "/api/citizen/link-codes", None, "");
        answer.json()["code"].as_str().expect("a code").to_owned()
    }

    fn subjects(&self) -> Vec<Value> {
        let answer = self.ask("GET", "/api/citizen/subjects", None, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["subjects"]
            .as_array()
            .expect("a list")
            .clone()
    }

    /// The only subject of this person.
    fn subject(&self) -> Value {
        let mut subjects = self.subjects();
        assert_eq!(subjects.len(), 1, "{subjects:?}");
        subjects.remove(0)
    }

    fn reference(&self) -> String {
        self.subject()["reference"].as_str().unwrap().to_owned()
    }

    fn share(&self, body: &Value) -> Answer {
        self.share_at(&self.reference(), None, body)
    }

    fn share_at(&self, reference: &str, key: Option<&str>, body: &Value) -> Answer {
        let path = format!("/api/citizen/subjects/{reference}/shares");
        self.ask("POST", &path, key, &body.to_string())
    }

    fn leave(&self) -> Answer {
        let path = format!("/api/citizen/subjects/{}", self.reference());
        self.ask("DELETE", &path, None, "")
    }

    /// All that was ever recorded for this person, in mg.
    fn saved(&self) -> i64 {
        let answer = self.ask("GET", "/api/citizen/balance", None, "");
        answer.json()["saved_mg"].as_i64().expect("milligrams")
    }

    /// The ids of this person's reductions of one day, counter-entries too.
    fn reductions(&self, day: NaiveDate) -> Vec<tanpuhui::store::reduction::ReductionRow> {
        let pool = self.town.pool();
        let lines = pool
            .read_now(|conn| tanpuhui::store::wallet::statement(conn, self.account, None, 500))
            .unwrap();
        let mut batches: Vec<Uuid> = lines.iter().map(|line| line.transfer).collect();
        batches.sort();
        batches.dedup();
        batches
            .into_iter()
            .flat_map(|batch| {
                pool.read_now(|conn| tanpuhui::store::reduction::of_batch(conn, batch))
                    .unwrap()
            })
            .filter(|row| row.account_id.0 == self.account && row.day == day.to_epoch_days())
            .collect()
    }

    fn explained(&self, id: &str) -> Value {
        let answer = self.ask("GET", &format!("/api/citizen/reductions/{id}"), None, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }
}

#[track_caller]
fn refused(answer: &Answer, code: Code) {
    assert_eq!(answer.json()["code"], code.as_str(), "{}", answer.body);
}
