//! What is in force: scenes, live methodologies, exchange rules and partners' keys, read once and
//! shared until something of it changes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use crate::domain::log::Hash;
use crate::domain::methodology::{Compiled, Library};
use crate::domain::party::key::VerifyKey;
use crate::domain::scene::adapter::{self, Adapter, DistanceTable, Options, Settings};
use crate::domain::wallet::ExchangeRule;
use crate::flow::ingest::{Pinned, SceneView};
use crate::store::methodology::{MethodologyRow, documents, exchange_rule_rows};
use crate::store::scene::{SceneRow, live_partner_keys, scene_rows};
use crate::store::{Conn, Pool, StoreError};

use super::FlowResult;

/// One methodology document as the ledger knows it.
#[derive(Debug, Clone)]
pub struct Filed {
    pub row: MethodologyRow,
    pub hash: Hash,
    /// Absent for factor tables.
    pub compiled: Option<Arc<Compiled>>,
}

impl Filed {
    /// `code@version`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.row.code, self.row.version)
    }
}

/// One scene, its rules, and how its feed is read.
#[derive(Debug)]
pub struct Scene {
    pub row: SceneRow,
    pub view: SceneView,
    pub adapter: Adapter,
    pub options: Options,
}

/// Everything in force at one moment.
#[derive(Debug, Default)]
pub struct Catalogue {
    pub library: Library,
    pub filed: HashMap<i32, Filed>,
    pub rules: HashMap<i32, ExchangeRule>,
    pub scenes: HashMap<String, Arc<Scene>>,
    pub keys: HashMap<String, (Uuid, Arc<VerifyKey>)>,
}

/// The catalogue in force now, shared by all handlers of a process; replaced as a whole.
#[derive(Debug, Clone, Default)]
pub struct Current(Arc<RwLock<Arc<Catalogue>>>);

impl Current {
    /// # Errors
    /// As [`Catalogue::load`].
    pub fn load(pool: &Pool) -> FlowResult<Current> {
        let catalogue = pool.read_now(Catalogue::load)?;
        Ok(Current(Arc::new(RwLock::new(Arc::new(catalogue)))))
    }

    pub fn get(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads it again, after something in it was changed.
    ///
    /// # Errors
    /// As [`Catalogue::load`]; the old one stays in force.
    pub async fn reload(&self, pool: &Pool) -> FlowResult<()> {
        let catalogue = pool.read(Catalogue::load).await?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
        Ok(())
    }
}

impl Catalogue {
    /// Reads it all.
    ///
    /// # Errors
    /// The store failed, or holds a document that this program refuses.
    pub fn load(conn: &mut Conn) -> FlowResult<Catalogue> {
        let rows = documents(conn)?;
        let names: Vec<String> = rows
            .iter()
            .map(|row| format!("{}/{}.toml", row.code, row.version))
            .collect();
        let texts = names
            .iter()
            .zip(&rows)
            .map(|(name, row)| (name.as_str(), row.document.as_str()));
        let library = Library::load(texts).map_err(|defects| corrupt(&defects[0].to_string()))?;
        let mut filed = HashMap::new();
        for row in rows {
            let hash = row
                .hash
                .as_slice()
                .try_into()
                .map_err(|_| corrupt("methodologies.hash"))?;
            let compiled = library.get(&row.code, &row.version).cloned();
            filed.insert(
                row.id,
                Filed {
                    hash,
                    compiled,
                    row,
                },
            );
        }
        let mut rules = HashMap::new();
        for row in exchange_rule_rows(conn)? {
            let rule = ExchangeRule::parse(&row.document);
            rules.insert(row.id, rule.map_err(|error| corrupt(&error.to_string()))?);
        }
        let mut catalogue = Catalogue {
            library,
            filed,
            rules,
            ..Catalogue::default()
        };
        for row in scene_rows(conn)? {
            let scene = catalogue.scene(row)?;
            catalogue
                .scenes
                .insert(scene.row.code.clone(), Arc::new(scene));
        }
        for row in live_partner_keys(conn)? {
            let key = verify_key(&row.algorithm, &row.material)?;
            catalogue
                .keys
                .insert(row.key_id, (row.partner_id.0, Arc::new(key)));
        }
        Ok(catalogue)
    }

    fn scene(&self, row: SceneRow) -> FlowResult<Scene> {
        let adapter = adapter::by_name(&row.adapter).ok_or_else(|| corrupt("scenes.adapter"))?;
        let zone = row.zone.parse().map_err(|_| corrupt("scenes.zone"))?;
        let distances = match &row.adapter_table {
            Some(table) => Some(Arc::new(DistanceTable::read(&mut table.as_bytes())?)),
            None => None,
        };
        let settings = match &row.adapter_settings {
            Some(text) => Settings::parse(text)?,
            None => Settings::default(),
        };
        let (rule_id, rule) = self
            .rules
            .iter()
            .filter(|(_, rule)| rule.code == row.exchange_rule_code)
            .max_by_key(|(id, _)| **id)
            .ok_or_else(|| corrupt("scenes.exchange_rule_code"))?;
        let view = SceneView {
            id: row.id,
            code: row.code.clone(),
            partner: row.partner_id.0,
            zone,
            pinned: self.pinned(&row.methodology_code),
            rule_id: *rule_id,
            rule: rule.clone(),
            exclusive: self.exclusive(),
        };
        Ok(Scene {
            row,
            view,
            adapter,
            options: Options {
                zone: Some(zone),
                distances,
                settings,
            },
        })
    }

    /// The live versions of a methodology; the one that came into force last first.
    fn pinned(&self, code: &str) -> Vec<Pinned> {
        let live = |filed: &&Filed| filed.row.state == "live" && filed.row.code == code;
        let mut pinned: Vec<Pinned> = self
            .filed
            .values()
            .filter(live)
            .filter_map(|filed| {
                let compiled = filed.compiled.clone()?;
                Some(Pinned {
                    id: filed.row.id,
                    name: filed.name(),
                    hash: filed.hash,
                    exclusive_time: compiled.overlap().is_some(),
                    compiled: Some(compiled),
                })
            })
            .collect();
        pinned.sort_by_key(|pinned| {
            let from = pinned
                .compiled
                .as_ref()
                .map(|compiled| compiled.window().from);
            std::cmp::Reverse((from, pinned.id))
        });
        pinned
    }

    fn exclusive(&self) -> Vec<i32> {
        let excludes = |filed: &&Filed| {
            filed
                .compiled
                .as_ref()
                .is_some_and(|it| it.overlap().is_some())
        };
        self.filed
            .values()
            .filter(excludes)
            .map(|filed| filed.row.id)
            .collect()
    }

    /// Scene codes by id, as log leaves name them.
    pub fn scene_codes(&self) -> HashMap<i32, String> {
        self.scenes
            .values()
            .map(|scene| (scene.row.id, scene.row.code.clone()))
            .collect()
    }

    /// Names and hashes of methodologies by id, as log leaves name them.
    pub fn methodology_names(&self) -> HashMap<i32, (String, Hash)> {
        self.filed
            .iter()
            .map(|(id, filed)| (*id, (filed.name(), filed.hash)))
            .collect()
    }
}

fn verify_key(algorithm: &str, material: &[u8]) -> FlowResult<VerifyKey> {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(material);
    match algorithm {
        "ed25519" => Ok(VerifyKey::ed25519(&text)?),
        "hmac-sha256" => Ok(VerifyKey::hmac_sha256(&text)?),
        _ => Err(corrupt("partner_keys.algorithm").into()),
    }
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}
