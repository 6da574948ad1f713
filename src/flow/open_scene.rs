//! The bureau opens scenes: a partner's feed, read by an adapter, under a methodology and a rule.

use std::sync::Arc;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::adapter::{self, DistanceTable, Options, Settings};
use crate::store::scene::{self, SceneRow};
use crate::store::{Tx, methodology, party};
use uuid::Uuid;

use super::FlowResult;
use super::audit::{self, Change};

/// A scene (场景) to be opened.
#[derive(Debug, Clone)]
pub struct NewScene {
    /// Short and unique; stands in paths, so of a-z, 0-9 and `-`.
    pub code: String,
    pub partner: Uuid,
    pub name_zh: String,
    pub name_en: String,
    /// Which adapter reads its files.
    pub adapter: String,
    pub methodology: String,
    pub exchange_rule: String,
    /// IANA zone in which its days begin and end.
    pub zone: String,
    /// Station-to-station distances, for adapters that want them.
    pub distances: Option<String>,
    /// What else the adapter must be told, in TOML: its page in `docs/adapters` says what.
    pub settings: Option<String>,
}

/// Opens a scene and returns its number; it takes records once the catalogue is read again.
///
/// # Errors
/// `not_found` or `invalid_field` naming what is unknown: partner, adapter, methodology (one that
/// is filed, live or not), exchange rule, zone; `invalid_field` for a code that is taken; whatever
/// the adapter finds wrong with its settings.
pub fn open_scene(tx: &mut Tx<'_>, ctx: &Ctx, new: &NewScene, basis: &str) -> FlowResult<i32> {
    check(new)?;
    let missing = |param: &str| Problem::on(Code::NotFound, param);
    party::partner(tx, new.partner)?.ok_or_else(|| missing("partner"))?;
    let filed = methodology::documents(tx)?;
    if !filed.iter().any(|row| row.code == new.methodology) {
        return Err(missing("methodology").into());
    }
    let rules = methodology::exchange_rule_rows(tx)?;
    if !rules.iter().any(|row| row.code == new.exchange_rule) {
        return Err(missing("exchange_rule").into());
    }
    let known = scene::scene_rows(tx)?;
    if known.iter().any(|row| row.code == new.code) {
        return Err(
            Problem::at(Code::InvalidField, "code", detail!("已被使用", "is taken")).into(),
        );
    }
    let id = known.last().map_or(0, |row| row.id) + 1;
    scene::open_scene(tx, &row(id, new, ctx))?;
    let subject = format!("scene {}", new.code);
    audit::record(tx, ctx, "scene.open", &subject, basis, Change::default())?;
    Ok(id)
}

fn check(new: &NewScene) -> Result<(), Problem> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let refused = |param: &str, detail| Err(Problem::at(Code::InvalidField, param, detail));
    if new.code.is_empty() || new.code.len() > 64 || !new.code.bytes().all(plain) {
        let detail = detail!(
            "1 至 64 个字符，只含 a-z、0-9 和 -",
            "1 to 64 of a-z, 0-9 and -"
        );
        return refused("code", detail);
    }
    if new.name_zh.trim().is_empty() || new.name_en.trim().is_empty() {
        return refused("name", detail!("不能为空", "may not be blank"));
    }
    let Some(adapter) = adapter::by_name(&new.adapter) else {
        return refused("adapter", detail!("没有此适配器", "is not known"));
    };
    let Ok(zone) = new.zone.parse() else {
        let detail = detail!(
            "须为 IANA 时区，如 Asia/Shanghai",
            "must be an IANA zone such as Asia/Shanghai"
        );
        return refused("zone", detail);
    };
    let distances = match &new.distances {
        Some(table) => Some(Arc::new(DistanceTable::read(&mut table.as_bytes())?)),
        None => None,
    };
    let settings = match &new.settings {
        Some(text) => Settings::parse(text)?,
        None => Settings::default(),
    };
    (adapter.check)(&Options {
        zone: Some(zone),
        distances,
        settings,
    })
}

fn row(id: i32, new: &NewScene, ctx: &Ctx) -> SceneRow {
    SceneRow {
        id,
        code: new.code.clone(),
        partner_id: new.partner.into(),
        name_zh: new.name_zh.clone(),
        name_en: new.name_en.clone(),
        adapter: new.adapter.clone(),
        methodology_code: new.methodology.clone(),
        exchange_rule_code: new.exchange_rule.clone(),
        zone: new.zone.clone(),
        adapter_table: new.distances.clone(),
        state: "live".to_owned(),
        opened_at: ctx.now.into(),
        adapter_settings: new.settings.clone(),
    }
}
