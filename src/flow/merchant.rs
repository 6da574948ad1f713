//! The bureau contracts merchants and puts up what they offer; each act is recorded.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::redemption::{Merchant, Offer, OfferState};
use crate::store::{Tx, offer};

use super::FlowResult;
use super::audit::{self, Change};

/// Registers a merchant; `basis` is the contract or decision.
///
/// # Errors
/// `invalid_field`, also for a code that is taken and for an empty basis.
pub fn register_merchant(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    merchant: &Merchant,
    basis: &str,
) -> FlowResult<()> {
    merchant.check()?;
    if offer::merchant_by_code(tx, &merchant.code)?.is_some() {
        return Err(
            Problem::at(Code::InvalidField, "code", detail!("已被使用", "is taken")).into(),
        );
    }
    offer::add_merchant(tx, merchant)?;
    let after = digest(&[&merchant.code, &merchant.name_zh, &merchant.name_en]);
    let subject = format!("merchant {}", merchant.id);
    recorded(
        tx,
        ctx,
        "merchant.register",
        &subject,
        basis,
        (None, Some(after)),
    )
}

/// Puts an offer up.
///
/// # Errors
/// `invalid_field` naming the field; `not_found` for an unknown merchant.
pub fn put_up_offer(tx: &mut Tx<'_>, ctx: &Ctx, new: &Offer, basis: &str) -> FlowResult<()> {
    new.check()?;
    offer::merchant(tx, new.merchant)?.ok_or_else(|| Problem::on(Code::NotFound, "merchant"))?;
    offer::add_offer(tx, new)?;
    let subject = format!("offer {}", new.id);
    recorded(
        tx,
        ctx,
        "offer.put_up",
        &subject,
        basis,
        (None, Some(terms_of(new))),
    )
}

/// Suspends an offer, takes it up again, or closes it for ever.
///
/// # Errors
/// `not_found`; `invalid_field` for a step that the states do not know.
pub fn change_offer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: Uuid,
    to: OfferState,
    basis: &str,
) -> FlowResult<Offer> {
    let before = offer::offer(tx, id)?.ok_or_else(|| Problem::on(Code::NotFound, "offer"))?;
    let known = before.state != OfferState::Closed && before.state != to;
    if !known || !offer::set_offer_state(tx, id, before.state, to)? {
        let state = before.state.as_str();
        let detail = detail!("商品当前为 {state}", "the offer is {state}");
        return Err(Problem::at(Code::InvalidField, "state", detail).into());
    }
    let after = Offer {
        state: to,
        ..before.clone()
    };
    let change = (Some(terms_of(&before)), Some(terms_of(&after)));
    recorded(
        tx,
        ctx,
        "offer.change",
        &format!("offer {id}"),
        basis,
        change,
    )?;
    Ok(after)
}

/// Puts more pieces of an offer up.
///
/// # Errors
/// `not_found`; `invalid_field` for less than one piece or too many.
pub fn restock_offer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    id: Uuid,
    pieces: i64,
    basis: &str,
) -> FlowResult<Offer> {
    let before = offer::offer(tx, id)?.ok_or_else(|| Problem::on(Code::NotFound, "offer"))?;
    if pieces < 1 {
        let detail = detail!("须不少于 1", "must be 1 or more");
        return Err(Problem::at(Code::InvalidField, "pieces", detail).into());
    }
    let sum = |left: i64| left.checked_add(pieces).unwrap_or(i64::MAX);
    let after = Offer {
        stock: sum(before.stock),
        stocked: sum(before.stocked),
        ..before.clone()
    };
    after.check()?;
    offer::add_stock(tx, id, pieces)?;
    let change = (Some(terms_of(&before)), Some(terms_of(&after)));
    recorded(
        tx,
        ctx,
        "offer.restock",
        &format!("offer {id}"),
        basis,
        change,
    )?;
    Ok(after)
}

fn recorded(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    action: &str,
    subject: &str,
    basis: &str,
    (before, after): (Option<[u8; 32]>, Option<[u8; 32]>),
) -> FlowResult<()> {
    if basis.trim().is_empty() {
        return Err(Problem::on(Code::MissingField, "reason").into());
    }
    audit::record(tx, ctx, action, subject, basis, Change { before, after })
}

fn terms_of(offer: &Offer) -> [u8; 32] {
    let numbers = format!(
        "{} {} {} {} {}",
        offer.points,
        offer.settlement_fen,
        offer.stocked,
        offer.validity_days,
        offer.state.as_str()
    );
    let span = format!("{} {}", offer.from.to_rfc3339(), offer.to.to_rfc3339());
    let merchant = offer.merchant.to_string();
    digest(&[&merchant, &offer.title_zh, &offer.title_en, &numbers, &span])
}

/// SHA-256 over fields, each preceded by its length.
fn digest(fields: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}
