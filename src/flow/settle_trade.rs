//! Settlement: each line of the exchange's trade report moves title once, or moves nothing and waits
//! for an officer.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::market::{Listing, ListingState, Settled, Trade};
use crate::domain::problem::{Code, Problem, detail};
use crate::store::market::{self, TradeRow};
use crate::store::{Id, Tx, registry};

use super::FlowResult;
use super::audit::{self, Change};
use super::block::{Basis, step};
use super::list_on_market::{frozen_block, known_listing, save};

/// What became of a line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Title moved now.
    Settled,
    /// Title moved, or an incident was recorded, when the line was read before.
    Known,
    /// Nothing moved; why.
    Incident(String),
}

/// Settles one line of the report.
///
/// # Errors
/// `listing_state` or `block_changed` if another act was faster (the next reading settles it);
/// `idempotency_mismatch` if the exchange reports other content under a trade's id.
pub fn settle_trade(tx: &mut Tx<'_>, ctx: &mut Ctx, trade: &Trade) -> FlowResult<Outcome> {
    if let Some(known) = market::trade(tx, &trade.id)? {
        return already(&known, trade);
    }
    let listing = match trade.listing {
        Some(id) => market::listing(tx, id)?,
        None => None,
    };
    let Some(listing) = listing else {
        let reason = "no listing of ours has this order's key";
        return incident(tx, ctx, trade, None, reason);
    };
    let Some(buyer) = registry::holder_by_member(tx, &trade.buyer)? else {
        let halted = Listing {
            state: ListingState::Incident,
            ..listing.clone()
        };
        save(tx, ctx, &listing, &halted)?;
        let reason = "the buyer has no registry account";
        return incident(tx, ctx, trade, Some(listing.id), reason);
    };
    match listing.settle(trade) {
        Settled::Incident(reason, halted) => {
            save(tx, ctx, &listing, &halted)?;
            incident(tx, ctx, trade, Some(listing.id), reason.en())
        }
        Settled::Moves(next) => {
            let row = settled_row(ctx, trade, &listing, buyer.id);
            market::insert_trade(tx, &row)?;
            move_title(tx, ctx, trade, (&listing, &next), buyer.id.0)?;
            Ok(Outcome::Settled)
        }
    }
}

/// Settles a trade that did not fit when it was read, after an officer put right what was wrong: an
/// account was opened, an earlier trade resolved.
///
/// # Errors
/// `not_found`, `listing_state` if the trade still does not fit, which the detail explains.
pub fn resolve_incident(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    trade_id: &str,
    basis: &str,
) -> FlowResult<Outcome> {
    let named = |param: &str| Problem::on(Code::NotFound, param);
    let row = market::trade(tx, trade_id)?.ok_or_else(|| named("trade"))?;
    if row.state == "settled" {
        return Ok(Outcome::Known);
    }
    let trade = row.trade()?;
    let listing = trade.listing.ok_or_else(|| named("listing"))?;
    let seen = known_listing(tx, listing)?;
    let buyer = registry::holder_by_member(tx, &trade.buyer)?.ok_or_else(|| named("buyer"))?;
    let next = match seen.resolved()?.settle(&trade) {
        Settled::Moves(next) => next,
        Settled::Incident(reason, _) => {
            return Err(Problem::at(Code::ListingState, "trade", reason).into());
        }
    };
    market::settle_incident(tx, &settled_row(ctx, &trade, &seen, buyer.id))?;
    // Others of the same listing may still wait; then it stays halted.
    let next = match market::has_incidents(tx, listing)? {
        true => Listing {
            state: ListingState::Incident,
            ..next
        },
        false => next,
    };
    move_title(tx, ctx, &trade, (&seen, &next), buyer.id.0)?;
    let subject = format!("trade {trade_id}");
    audit::record(tx, ctx, "trade.resolve", &subject, basis, Change::default())?;
    Ok(Outcome::Settled)
}

fn move_title(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    trade: &Trade,
    (seen, next): (&Listing, &Listing),
    buyer: Uuid,
) -> FlowResult<()> {
    let frozen = frozen_block(tx, seen)?;
    save(tx, ctx, seen, next)?;
    let text = format!("trade {} at {}", trade.id, trade.price);
    let act = Basis::new("sell", &text).from(seen.seller).to(buyer);
    let act = act.by_trade(&trade.id);
    step(
        tx,
        ctx,
        &frozen,
        trade.quantity,
        |b| b.sell(seen.id, buyer),
        act,
    )?;
    Ok(())
}

fn already(known: &TradeRow, trade: &Trade) -> FlowResult<Outcome> {
    let reported = Trade {
        // The report may name a key that is not ours; it is not kept.
        listing: known.listing_id.map(|id| id.0),
        ..trade.clone()
    };
    let same = known.trade()? == reported
        && (known.listing_id.is_none() || known.listing_id.map(|id| id.0) == trade.listing);
    if same {
        return Ok(Outcome::Known);
    }
    let detail = detail!(
        "成交 {id} 此前报送的内容不同",
        "Trade {id} was reported with other content.",
        id = trade.id
    );
    Err(Problem::at(Code::IdempotencyMismatch, "trade", detail).into())
}

fn incident(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    trade: &Trade,
    listing: Option<Uuid>,
    reason: &str,
) -> FlowResult<Outcome> {
    let row = TradeRow {
        state: "incident".to_owned(),
        incident: Some(reason.to_owned()),
        ..unsettled_row(trade, listing)
    };
    market::insert_trade(tx, &row)?;
    let subject = format!("trade {}", trade.id);
    audit::record(
        tx,
        ctx,
        "trade.incident",
        &subject,
        reason,
        Change::default(),
    )?;
    Ok(Outcome::Incident(reason.to_owned()))
}

fn settled_row(ctx: &Ctx, trade: &Trade, listing: &Listing, buyer: Id) -> TradeRow {
    TradeRow {
        buyer_id: Some(buyer),
        state: "settled".to_owned(),
        settled_at: Some(ctx.now.into()),
        ..unsettled_row(trade, Some(listing.id))
    }
}

fn unsettled_row(trade: &Trade, listing: Option<Uuid>) -> TradeRow {
    TradeRow {
        id: trade.id.clone(),
        report_seq: trade.seq,
        order_id: trade.order_id.clone(),
        listing_id: listing.map(Id),
        buyer_member: trade.buyer.clone(),
        buyer_id: None,
        quantity_t: trade.quantity.0,
        price_fen: trade.price.fen(),
        amount_fen: trade.price.times(trade.quantity).map_or(0, |fen| fen.0),
        traded_at: trade.at.into(),
        state: String::new(),
        incident: None,
        settled_at: None,
    }
}
