//! Listing on the exchange: freezing and the order in one transaction, and what the exchange's
//! answers do. Nothing here talks to the exchange; the outbox does.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::market::{Listing, ListingState, Price, TradingRules};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::registry::Block;
use crate::domain::unit::Tonnes;
use crate::store::{StoreError, Tx, market, outbox, registry};

use super::FlowResult;
use super::block::{Basis, Part, block_of, step};

/// Topic of an order to be placed; the payload is [`payload`].
pub const TOPIC_LIST: &str = "exchange.list";
/// Topic of an order to be withdrawn.
pub const TOPIC_UNLIST: &str = "exchange.unlist";

/// Freezes part of a block and queues the order. The listing's id is the key under which the order is
/// sent, however often.
///
/// # Errors
/// `not_found`, `not_holder`, `block_state`, `quantity_out_of_range`, `price_invalid`,
/// `block_changed`.
pub fn list_on_market(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    part: &Part,
    price: Price,
) -> FlowResult<Listing> {
    TradingRules::SHENZHEN.check_quantity(part.quantity)?;
    // Whatever the trades, their sum stays money.
    Price::MAX.times(part.quantity)?;
    let block = block_of(tx, part.block, part.holder)?;
    let id = ctx.id();
    let listing = Listing::placed(id, part.holder, block.issuance, part.quantity, price);
    market::insert_listing(tx, &listing, ctx.now.into())?;
    let act = Basis::new("list", "listed on the exchange").from(part.holder);
    step(tx, ctx, &block, part.quantity, |b| b.list(id), act)?;
    enqueue(tx, ctx, TOPIC_LIST, id)?;
    Ok(listing)
}

/// Asks for the unsold rest back; it returns when the exchange has answered.
///
/// # Errors
/// `not_found`, `not_holder`, `listing_state` unless pending or open.
pub fn unlist(tx: &mut Tx<'_>, ctx: &mut Ctx, listing: Uuid, seller: Uuid) -> FlowResult<Listing> {
    let seen = known_listing(tx, listing)?;
    if seen.seller != seller {
        return Err(Code::NotHolder.into());
    }
    let closing = seen.unlist()?;
    save(tx, ctx, &seen, &closing)?;
    enqueue(tx, ctx, TOPIC_UNLIST, listing)?;
    Ok(closing)
}

/// The exchange took the order.
///
/// # Errors
/// `listing_state` if the answer contradicts an earlier one.
pub fn order_accepted(tx: &mut Tx<'_>, ctx: &Ctx, listing: Uuid, order_id: &str) -> FlowResult<()> {
    let seen = known_listing(tx, listing)?;
    let next = seen.accepted(order_id)?;
    if next == seen {
        return Ok(());
    }
    save(tx, ctx, &seen, &next)
}

/// The exchange refused the order: all of it is the seller's to use again.
///
/// # Errors
/// `listing_state` if the order was accepted before.
pub fn order_refused(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    listing: Uuid,
    reason: &str,
) -> FlowResult<()> {
    let seen = known_listing(tx, listing)?;
    if seen.state == ListingState::Refused {
        return Ok(());
    }
    let next = seen.refused(reason)?;
    save(tx, ctx, &seen, &next)?;
    give_back(tx, ctx, &seen, seen.quantity, reason)
}

/// The exchange withdrew the order after it had sold `filled` tonnes in all: the rest goes back. An
/// answer for a listing that has ended, or that was heard before, changes nothing.
///
/// # Errors
/// `listing_state` if the figure does not fit, or an incident waits for an officer.
pub fn order_withdrawn(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    listing: Uuid,
    filled: Tonnes,
) -> FlowResult<()> {
    let seen = known_listing(tx, listing)?;
    let ended = matches!(
        seen.state,
        ListingState::Filled | ListingState::Closed | ListingState::Refused
    );
    if ended || seen.returned != Tonnes::ZERO {
        return Ok(());
    }
    let (rest, next) = seen.withdrawn(filled)?;
    save(tx, ctx, &seen, &next)?;
    if rest == Tonnes::ZERO {
        return Ok(());
    }
    give_back(tx, ctx, &seen, rest, "withdrawn from the exchange")
}

/// # Errors
/// `not_found` if there is none of this id.
pub(super) fn known_listing(tx: &mut Tx<'_>, id: Uuid) -> FlowResult<Listing> {
    let found = market::listing(tx, id)?;
    Ok(found.ok_or_else(|| Problem::on(Code::NotFound, "listing"))?)
}

/// # Errors
/// `listing_state` if another act was faster.
pub(super) fn save(tx: &mut Tx<'_>, ctx: &Ctx, seen: &Listing, next: &Listing) -> FlowResult<()> {
    if market::update_listing(tx, seen, next, ctx.now.into())? {
        return Ok(());
    }
    let detail = detail!("已被另一操作更改", "Another act changed it first.");
    Err(Problem::at(Code::ListingState, "listing", detail).into())
}

/// The block that is still frozen for a listing; there is one while anything is frozen.
pub(super) fn frozen_block(tx: &mut Tx<'_>, listing: &Listing) -> FlowResult<Block> {
    let found = registry::listed_block(tx, listing.id)?;
    let block = found.filter(|block| block.range.tonnes() == listing.frozen());
    let lost = || StoreError::Corrupt(format!("listing {} and its block differ", listing.id));
    Ok(block.ok_or_else(lost)?)
}

fn give_back(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    seen: &Listing,
    quantity: Tonnes,
    basis: &str,
) -> FlowResult<()> {
    let block = frozen_block(tx, seen)?;
    let act = Basis::new("unlist", basis).to(seen.seller);
    step(tx, ctx, &block, quantity, |b| b.unlist(seen.id), act)?;
    Ok(())
}

fn enqueue(tx: &mut Tx<'_>, ctx: &mut Ctx, topic: &str, listing: Uuid) -> FlowResult<()> {
    let payload = payload(listing);
    Ok(outbox::enqueue(
        tx,
        ctx.id(),
        topic,
        &payload,
        ctx.now.into(),
    )?)
}

/// The message names the listing; the order itself is read from it when it is delivered.
fn payload(listing: Uuid) -> String {
    serde_json::json!({ "listing": listing }).to_string()
}
