//! Blocks: ranges of serials in one account and one state, and every step a block can take.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::unit::Tonnes;

use super::serial::{SerialRange, out_of_range};

/// Where a block (区块) stands.
///
/// ```text
///          transfer          list            sell
///           ┌────┐       ┌─────────▶ Listed ──────▶ Held (buyer)
///           ▼    │       │  unlist      │
///           Held ────────┴◀─────────────┘
///           │  └──retire──▶ Retired        (final)
///           └─────cancel──▶ Cancelled      (final)
/// Held, Listed ──split──▶ Split            (final; its children stand in its place)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Free to move.
    Held,
    /// Frozen for an order on the exchange, by the listing's id.
    Listed(Uuid),
    /// Used for a claim.
    Retired,
    /// Taken out without a claim.
    Cancelled,
    /// Replaced by two children.
    Split,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Held => "held",
            Status::Listed(_) => "listed",
            Status::Retired => "retired",
            Status::Cancelled => "cancelled",
            Status::Split => "split",
        }
    }
}

/// A range of serials of one issuance, in one account and one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub id: Uuid,
    pub issuance: Uuid,
    pub range: SerialRange,
    pub holder: Uuid,
    pub status: Status,
    pub parent: Option<Uuid>,
    /// Counts the changes; a write names the version it saw.
    pub version: i32,
}

/// A part taken from a block: the part, and what is left of the block if anything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carved {
    pub part: Block,
    /// The block as it becomes, and its other child; `None` when the whole block was taken.
    pub split: Option<(Block, Block)>,
}

impl Block {
    /// The first block of an issuance: all of it, in the assignee's account.
    pub fn issued(id: Uuid, issuance: Uuid, range: SerialRange, holder: Uuid) -> Block {
        Block {
            id,
            issuance,
            range,
            holder,
            status: Status::Held,
            parent: None,
            version: 1,
        }
    }

    /// # Errors
    /// `not_holder` if the block is in somebody else's account.
    pub fn held_by(&self, holder: Uuid) -> Result<(), Problem> {
        if self.holder == holder {
            return Ok(());
        }
        Err(Code::NotHolder.into())
    }

    /// Takes the first `quantity` tonnes as a block of their own, in the same account and state.
    /// The two children partition the parent exactly.
    ///
    /// # Errors
    /// `quantity_out_of_range` if there is less, or nothing is asked for; `block_state` if the block
    /// is final.
    pub fn carve(&self, quantity: Tonnes, ids: [Uuid; 2]) -> Result<Carved, Problem> {
        if !matches!(self.status, Status::Held | Status::Listed(_)) {
            return Err(self.not(detail!("须为 held 或 listed", "held or listed")));
        }
        if quantity == self.range.tonnes() {
            return Ok(Carved {
                part: self.clone(),
                split: None,
            });
        }
        if quantity > self.range.tonnes() {
            return Err(out_of_range(quantity, self.range.tonnes()));
        }
        let (head, tail) = self.range.split(quantity)?;
        let [head_id, tail_id] = ids;
        Ok(Carved {
            part: self.child(head_id, head),
            split: Some((self.becomes(Status::Split), self.child(tail_id, tail))),
        })
    }

    /// Gives the block to another holder (划转).
    ///
    /// # Errors
    /// `block_state` unless held; `invalid_field` if it is the same holder.
    pub fn transfer(&self, to: Uuid) -> Result<Block, Problem> {
        self.must_be_held()?;
        if to == self.holder {
            let detail = detail!("区块已在该账户名下", "The block is already there.");
            return Err(Problem::at(Code::InvalidField, "to_holder", detail));
        }
        Ok(self.moved_to(to))
    }

    /// Uses the block for a claim; irreversible.
    ///
    /// # Errors
    /// `block_state` unless held: a frozen block cannot be retired.
    pub fn retire(&self) -> Result<Block, Problem> {
        self.must_be_held()?;
        Ok(self.becomes(Status::Retired))
    }

    /// Takes the block out of the books without a claim, by the authority; irreversible.
    ///
    /// # Errors
    /// `block_state` unless held.
    pub fn cancel(&self) -> Result<Block, Problem> {
        self.must_be_held()?;
        Ok(self.becomes(Status::Cancelled))
    }

    /// Freezes the block for an order on the exchange (冻结).
    ///
    /// # Errors
    /// `block_state` unless held.
    pub fn list(&self, listing: Uuid) -> Result<Block, Problem> {
        self.must_be_held()?;
        Ok(self.becomes(Status::Listed(listing)))
    }

    /// Gives the block back to its seller (解冻).
    ///
    /// # Errors
    /// `block_state` unless frozen for this listing.
    pub fn unlist(&self, listing: Uuid) -> Result<Block, Problem> {
        self.must_be_listed(listing)?;
        Ok(self.becomes(Status::Held))
    }

    /// Moves title to the buyer of a trade (交割).
    ///
    /// # Errors
    /// `block_state` unless frozen for this listing.
    pub fn sell(&self, listing: Uuid, buyer: Uuid) -> Result<Block, Problem> {
        Ok(self.unlist(listing)?.owned_by(buyer))
    }

    /// SHA-256 of all that the block is, for the audit chain.
    pub fn digest(&self) -> [u8; 32] {
        let listing = match self.status {
            Status::Listed(id) => id,
            _ => Uuid::nil(),
        };
        Sha256::new()
            .chain_update(self.id)
            .chain_update(self.issuance)
            .chain_update(self.range.first().to_be_bytes())
            .chain_update(self.range.last().to_be_bytes())
            .chain_update(self.holder)
            .chain_update(listing)
            .chain_update(self.version.to_be_bytes())
            .chain_update(self.status.as_str())
            .finalize()
            .into()
    }

    fn must_be_held(&self) -> Result<(), Problem> {
        match self.status {
            Status::Held => Ok(()),
            _ => Err(self.not(detail!("须为 held", "held"))),
        }
    }

    fn must_be_listed(&self, listing: Uuid) -> Result<(), Problem> {
        if self.status == Status::Listed(listing) {
            return Ok(());
        }
        Err(self.not(detail!("须由此订单挂牌", "listed by this order")))
    }

    fn not(&self, needed: Detail) -> Problem {
        let status = self.status.as_str();
        let detail = Detail::told(
            format_args!("区块当前为 {status}，{}", needed.zh()),
            format_args!("It is {status}, and must be {}.", needed.en()),
        );
        Problem::at(Code::BlockState, "block", detail)
    }

    fn becomes(&self, status: Status) -> Block {
        Block {
            status,
            version: self.version + 1,
            ..self.clone()
        }
    }

    fn moved_to(&self, holder: Uuid) -> Block {
        self.becomes(Status::Held).owned_by(holder)
    }

    fn owned_by(self, holder: Uuid) -> Block {
        Block { holder, ..self }
    }

    fn child(&self, id: Uuid, range: SerialRange) -> Block {
        Block {
            id,
            range,
            parent: Some(self.id),
            version: 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests;
