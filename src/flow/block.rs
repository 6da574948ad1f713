//! What every step of a block has in common: find it, take the part, write the next state if nobody
//! was faster, and add a line to the registry's history.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::registry::Block;
use crate::domain::unit::Tonnes;
use crate::store::registry::{self, ActRow};
use crate::store::{Id, Tx};

use super::FlowResult;
use super::audit::{self, Change};

/// Part of somebody's block, as a caller names it.
#[derive(Debug, Clone)]
pub struct Part {
    pub block: Uuid,
    /// Whose account it must be in.
    pub holder: Uuid,
    pub quantity: Tonnes,
}

/// What is written about a step: its kind, why, and between whom.
#[derive(Debug, Clone)]
pub(super) struct Basis<'a> {
    kind: &'a str,
    text: &'a str,
    from: Option<Uuid>,
    to: Option<Uuid>,
    trade: Option<&'a str>,
}

impl<'a> Basis<'a> {
    pub(super) fn new(kind: &'a str, text: &'a str) -> Basis<'a> {
        Basis {
            kind,
            text,
            from: None,
            to: None,
            trade: None,
        }
    }

    pub(super) fn from(self, from: Uuid) -> Basis<'a> {
        let from = Some(from);
        Basis { from, ..self }
    }

    pub(super) fn to(self, to: Uuid) -> Basis<'a> {
        let to = Some(to);
        Basis { to, ..self }
    }

    pub(super) fn by_trade(self, trade: &'a str) -> Basis<'a> {
        let trade = Some(trade);
        Basis { trade, ..self }
    }
}

/// # Errors
/// `not_found` if there is no such block, `not_holder` if it is in another account.
pub(super) fn block_of(tx: &mut Tx<'_>, block: Uuid, holder: Uuid) -> FlowResult<Block> {
    let found = registry::block(tx, block)?;
    let block = found.ok_or_else(|| Problem::on(Code::NotFound, "block"))?;
    block.held_by(holder)?;
    Ok(block)
}

/// Takes `quantity` of a block one step on: splits it off if it is not the whole, writes the part in
/// its next state, its line of history, and its act in the audit chain. Returns the part.
///
/// # Errors
/// What `next` refuses; `quantity_out_of_range`, `block_state`, or `block_changed` if another act was
/// faster.
pub(super) fn step(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    seen: &Block,
    quantity: Tonnes,
    next: impl FnOnce(&Block) -> Result<Block, Problem>,
    basis: Basis<'_>,
) -> FlowResult<Block> {
    let carved = seen.carve(quantity, [ctx.id(), ctx.id()])?;
    let after = next(&carved.part)?;
    match carved.split {
        // The parent leaves first: for a moment its serials are in no block, never in two.
        Some((parent, rest)) => {
            change(tx, ctx, seen, &parent)?;
            registry::insert_block(tx, &after, ctx.now.into())?;
            registry::insert_block(tx, &rest, ctx.now.into())?;
            write_act(tx, ctx, &parent, Basis::new("split", "part of a block"))?;
        }
        None => change(tx, ctx, seen, &after)?,
    }
    let (kind, text) = (basis.kind, basis.text);
    write_act(tx, ctx, &after, basis)?;
    let digests = Change {
        before: Some(carved.part.digest()),
        after: Some(after.digest()),
    };
    let subject = format!("block {}", after.id);
    audit::record(tx, ctx, &format!("cer.{kind}"), &subject, text, digests)?;
    Ok(after)
}

/// Adds a line to the registry's history.
pub(super) fn write_act(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    block: &Block,
    basis: Basis<'_>,
) -> FlowResult<()> {
    let row = ActRow {
        id: ctx.id().into(),
        at: ctx.now.into(),
        kind: basis.kind.to_owned(),
        issuance_id: block.issuance.into(),
        block_id: block.id.into(),
        first_serial: block.range.first(),
        last_serial: block.range.last(),
        from_holder: basis.from.map(Id),
        to_holder: basis.to.map(Id),
        trade_id: basis.trade.map(str::to_owned),
        actor_role: ctx.actor.role.to_owned(),
        actor_id: ctx.actor.id.into(),
        basis: basis.text.to_owned(),
    };
    Ok(registry::insert_act(tx, &row)?)
}

fn change(tx: &mut Tx<'_>, ctx: &Ctx, seen: &Block, next: &Block) -> FlowResult<()> {
    if registry::update_block(tx, seen, next, ctx.now.into())? {
        return Ok(());
    }
    Err(Code::BlockChanged.into())
}
