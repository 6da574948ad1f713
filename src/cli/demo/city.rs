//! Seeds the city (示范城市) by the platform's own acts: officers, documents, partners, scenes,
//! citizens. Nothing is written behind the flows' back.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::api::AppState;
use crate::domain::context::{Actor, Ctx};
use crate::domain::methodology::{EMBEDDED_DOCUMENTS, Library, SignOffs};
use crate::domain::party::key::SignKey;
use crate::domain::party::{Role, Token};
use crate::flow::access::issue_token;
use crate::flow::approve::{file_document, file_rule, go_live, sign_off};
use crate::flow::open_scene::{NewScene, open_scene};
use crate::flow::register_partner::{NewPartner, add_partner_key, register_partner};
use crate::flow::{FlowError, FlowResult};
use crate::gateway::partner_client::PartnerClient;
use crate::store::Tx;
use crate::store::party::{AccountRow, open_account};

use super::feeds;
use super::problem::{DemoResult, wrong};

/// Who signs what two sources report alike.
const REVIEWER: &str = "示范城市评审员（仅为演示） / demo-city reviewer (demonstration only)";
/// Stands as the reason of every act of the demonstration.
pub const BASIS: &str = "示范（仅为演示） / demonstration only";
const RULE: &str = include_str!("exchange_rule.toml");
const RULE_CODE: &str = "demo-city";
/// What goes live in the demonstration city.
const LIVE: [(&str, &str); 2] = [
    ("sz-public-transport", "2021.1"),
    ("distributed-pv", "2025.1"),
];
/// Longer than the demonstration's two years and what a visitor may take to look.
const TOKEN_LIFE: TimeDelta = TimeDelta::days(2_000);

pub const METRO: &str = "demo-metro";
pub const BUS: &str = "demo-bus";
pub const ROOFS: &str = "demo-roofs";

/// Somebody with a token.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: Uuid,
    pub token: String,
}

/// A partner: its scene, and the client that signs with its key.
pub struct Partner {
    pub scene: &'static str,
    pub client: PartnerClient,
}

/// The seeded city and everybody in it.
pub struct City {
    /// Files documents, opens and closes periods.
    pub clerk: Person,
    /// Approves what the clerk filed, and issues.
    pub director: Person,
    pub verifier: Person,
    pub auditor: Person,
    pub metro: Partner,
    pub bus: Partner,
    pub roofs: Partner,
    pub citizens: Vec<Person>,
}

impl City {
    /// # Errors
    /// A flow refused, which on a fresh database none does.
    pub async fn seed(state: &AppState) -> DemoResult<City> {
        let office = Office::staff(state)?;
        office.file_documents(state)?;
        office.put_in_force(state)?;
        let (metro, bus, roofs) = office.open_scenes(state)?;
        let citizens = citizens(state)?;
        state.catalogue.reload(&state.pool).await?;
        Ok(City {
            clerk: office.clerk,
            director: office.director,
            verifier: office.verifier,
            auditor: office.auditor,
            metro,
            bus,
            roofs,
            citizens,
        })
    }

    /// The citizen of this number, counted from 1.
    pub fn citizen(&self, no: u32) -> DemoResult<&Person> {
        let place = no.checked_sub(1).map(|place| place as usize);
        place
            .and_then(|place| self.citizens.get(place))
            .ok_or_else(|| wrong(format!("there is no citizen {no}")))
    }
}

struct Office {
    clerk: Person,
    reviewer: Person,
    director: Person,
    verifier: Person,
    auditor: Person,
}

impl Office {
    fn staff(state: &AppState) -> DemoResult<Office> {
        let appoint = |role: Role| {
            let id = state.ctx(Actor::SYSTEM).id();
            let token = hand_out(state, role, id)?;
            DemoResult::Ok(Person { id, token })
        };
        Ok(Office {
            clerk: appoint(Role::Bureau)?,
            reviewer: appoint(Role::Bureau)?,
            director: appoint(Role::Bureau)?,
            verifier: appoint(Role::Verifier)?,
            auditor: appoint(Role::Auditor)?,
        })
    }

    fn file_documents(&self, state: &AppState) -> DemoResult<()> {
        // Factor tables first: a document names the tables that it uses.
        let (tables, others): (Vec<_>, Vec<_>) = EMBEDDED_DOCUMENTS
            .iter()
            .partition(|(_, text)| is_table(text));
        for (_, text) in tables.into_iter().chain(others) {
            act(state, &self.clerk, |tx, ctx| file_document(tx, ctx, text))?;
        }
        act(state, &self.clerk, |tx, ctx| {
            file_rule(tx, ctx, RULE, BASIS)
        })?;
        Ok(())
    }

    /// Signs what the gate asks for, document by document, and has the director put it in force.
    fn put_in_force(&self, state: &AppState) -> DemoResult<()> {
        let library = Library::load(EMBEDDED_DOCUMENTS.iter().copied())
            .map_err(|defects| wrong(format!("{} defects in our documents", defects.len())))?;
        let mut signed = SignOffs::new();
        for (code, version) in LIVE {
            let document = library
                .get(code, version)
                .ok_or_else(|| wrong(format!("{code}@{version} is not embedded")))?;
            for blocker in document.blockers(&signed) {
                let (owner, of_version) = document_of(&blocker.item);
                act(state, &self.reviewer, |tx, ctx| {
                    sign_off(tx, ctx, owner, of_version, &blocker.item, REVIEWER, BASIS)
                })?;
                signed.sign(&blocker.item, REVIEWER);
            }
            act(state, &self.director, |tx, ctx| {
                go_live(tx, ctx, code, version, BASIS)
            })?;
        }
        Ok(())
    }

    fn open_scenes(&self, state: &AppState) -> DemoResult<(Partner, Partner, Partner)> {
        let metro = self.scene(
            state,
            Plan {
                code: METRO,
                name: ("示例地铁", "Sample metro"),
                adapter: "shenzhen-tong",
                methodology: "sz-public-transport",
                key: SignKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(&super::random())),
                distances: Some(feeds::distances()),
            },
        )?;
        let secret = crate::domain::party::key::HmacSecret::new(super::random::<32>().to_vec())?;
        let bus = self.scene(
            state,
            Plan {
                code: BUS,
                name: ("示例电动公交", "Sample electric bus"),
                adapter: "native",
                methodology: "sz-public-transport",
                key: SignKey::HmacSha256(secret),
                distances: None,
            },
        )?;
        let roofs = self.scene(
            state,
            Plan {
                code: ROOFS,
                name: ("示例屋顶光伏", "Sample solar roofs"),
                adapter: "native",
                methodology: "distributed-pv",
                key: SignKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(&super::random())),
                distances: None,
            },
        )?;
        Ok((metro, bus, roofs))
    }

    /// A partner, its key and its scene, in one transaction.
    fn scene(&self, state: &AppState, plan: Plan) -> DemoResult<Partner> {
        let key_id = format!("{}-key-1", plan.code);
        let verify = plan.key.verify_key();
        act(state, &self.clerk, |tx, ctx| {
            let new = NewPartner {
                code: plan.code.to_owned(),
                name_zh: format!("{}公司（示例数据）", plan.name.0),
                name_en: format!("{} company (sample data)", plan.name.1),
            };
            let partner = register_partner(tx, ctx, &new, BASIS)?;
            add_partner_key(tx, ctx, partner, &key_id, &verify, BASIS)?;
            let scene = NewScene {
                code: plan.code.to_owned(),
                partner,
                name_zh: format!("{}（示例数据）", plan.name.0),
                name_en: format!("{} (sample data)", plan.name.1),
                adapter: plan.adapter.to_owned(),
                methodology: plan.methodology.to_owned(),
                exchange_rule: RULE_CODE.to_owned(),
                zone: "Asia/Shanghai".to_owned(),
                distances: plan.distances.clone(),
                settings: None,
            };
            open_scene(tx, ctx, &scene, BASIS)
        })?;
        let clock = state.clock.clone();
        Ok(Partner {
            scene: plan.code,
            client: PartnerClient::new(&state.public_url, &key_id, plan.key, clock)?,
        })
    }
}

struct Plan {
    code: &'static str,
    name: (&'static str, &'static str),
    adapter: &'static str,
    methodology: &'static str,
    key: SignKey,
    distances: Option<String>,
}

fn is_table(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim() == "kind = \"factor-table\"")
}

/// `code` and `version` of the document that a sign-off item belongs to.
fn document_of(item: &str) -> (&str, &str) {
    let document = item.split_once('#').map_or(item, |(document, _)| document);
    document.split_once('@').unwrap_or((document, ""))
}

/// One act of an officer, in a transaction of its own.
fn act<T>(
    state: &AppState,
    who: &Person,
    mut step: impl FnMut(&mut Tx<'_>, &mut Ctx) -> FlowResult<T>,
) -> DemoResult<T> {
    let ctx = state.ctx(Actor {
        role: Role::Bureau.as_str(),
        id: who.id,
    });
    Ok(state.pool.write_now(|tx| step(tx, &mut ctx.clone()))?)
}

/// A fresh token of a party, and its text.
///
/// # Errors
/// The store failed.
pub fn hand_out(state: &AppState, role: Role, party: Uuid) -> DemoResult<String> {
    let token = Token::new(&super::random());
    let ctx = state.ctx(Actor::SYSTEM);
    state
        .pool
        .write_now(|tx| issue_token(tx, &ctx, &token, (role, party), TOKEN_LIFE))?;
    Ok(token.reveal().to_owned())
}

/// Everybody with a card gets an account, whether or not the card will be linked.
fn citizens(state: &AppState) -> DemoResult<Vec<Person>> {
    let tokens: Vec<Token> = (0..feeds::CARDS)
        .map(|_| Token::new(&super::random()))
        .collect();
    let ctx = state.ctx(Actor::SYSTEM);
    let ids = state.pool.write_now::<_, FlowError>(|tx| {
        let mut ctx = ctx.clone();
        let mut ids = Vec::with_capacity(tokens.len());
        for token in &tokens {
            let id = ctx.id();
            let row = AccountRow {
                id: id.into(),
                kind: "citizen".to_owned(),
                opened_at: ctx.now.into(),
            };
            open_account(tx, &row)?;
            issue_token(tx, &ctx, token, (Role::Citizen, id), TOKEN_LIFE)?;
            ids.push(id);
        }
        Ok(ids)
    })?;
    let people = ids.into_iter().zip(tokens);
    Ok(people
        .map(|(id, token)| Person {
            id,
            token: token.reveal().to_owned(),
        })
        .collect())
}
