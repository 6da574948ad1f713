//! Transfer of title between holders, off the exchange.

use uuid::Uuid;

use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::registry::Block;
use crate::store::{Tx, registry};

use super::FlowResult;
use super::block::{Basis, Part, block_of, step};

/// Moves part of a block to another holder and returns the block that arrived there.
///
/// # Errors
/// `not_found`, `not_holder`, `block_state`, `quantity_out_of_range`, `block_changed`.
pub fn transfer(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    part: &Part,
    to: Uuid,
    basis: &str,
) -> FlowResult<Block> {
    registry::holder(tx, to)?.ok_or_else(|| Problem::on(Code::NotFound, "to_holder"))?;
    let block = block_of(tx, part.block, part.holder)?;
    let act = Basis::new("transfer", basis).from(part.holder).to(to);
    step(tx, ctx, &block, part.quantity, |b| b.transfer(to), act)
}
