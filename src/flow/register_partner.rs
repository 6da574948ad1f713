//! Scene partners and the keys that they sign with; each act is recorded.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::party::key::VerifyKey;
use crate::domain::problem::{Code, Problem, detail};
use crate::store::Tx;
use crate::store::party::{self, PartnerKeyRow, PartnerRow};

use super::FlowResult;
use super::audit::{self, Change};

/// A partner (数据方) to be registered.
#[derive(Debug, Clone)]
pub struct NewPartner {
    /// Short and unique.
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
}

/// Registers a partner and returns its id; `basis` is the agreement.
///
/// # Errors
/// `missing_field` for a blank code or name, `invalid_field` for a code that is taken.
pub fn register_partner(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    new: &NewPartner,
    basis: &str,
) -> FlowResult<Uuid> {
    for (param, text) in [
        ("code", &new.code),
        ("name_zh", &new.name_zh),
        ("name_en", &new.name_en),
    ] {
        if text.trim().is_empty() {
            return Err(Problem::on(Code::MissingField, param).into());
        }
    }
    if party::partner_by_code(tx, &new.code)?.is_some() {
        return Err(
            Problem::at(Code::InvalidField, "code", detail!("已被使用", "is taken")).into(),
        );
    }
    let id = ctx.id();
    let row = PartnerRow {
        id: id.into(),
        code: new.code.clone(),
        name_zh: new.name_zh.clone(),
        name_en: new.name_en.clone(),
        registered_at: ctx.now.into(),
    };
    party::register_partner(tx, &row)?;
    let subject = format!("partner {id}");
    audit::record(
        tx,
        ctx,
        "partner.register",
        &subject,
        basis,
        Change::default(),
    )?;
    Ok(id)
}

/// Makes a key of a partner known under `key_id`, from now on.
///
/// # Errors
/// `not_found` for an unknown partner, `invalid_field` for a key id that is taken.
pub fn add_partner_key(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    partner: Uuid,
    key_id: &str,
    key: &VerifyKey,
    basis: &str,
) -> FlowResult<()> {
    party::partner(tx, partner)?.ok_or_else(|| Problem::on(Code::NotFound, "partner"))?;
    if party::partner_key(tx, key_id)?.is_some() {
        return Err(Problem::at(
            Code::InvalidField,
            "key_id",
            detail!("已被使用", "is taken"),
        )
        .into());
    }
    let row = PartnerKeyRow {
        key_id: key_id.to_owned(),
        partner_id: partner.into(),
        algorithm: key.algorithm().as_str().to_owned(),
        material: key.material(),
        valid_from: ctx.now.into(),
        revoked_at: None,
    };
    party::add_partner_key(tx, &row)?;
    let subject = format!("partner {partner} key {key_id}");
    audit::record(
        tx,
        ctx,
        "partner.add_key",
        &subject,
        basis,
        Change::default(),
    )
}
