//! Balanced movements of points (分录).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Day;

/// Where points come from; its balance is minus all points ever issued.
pub const ISSUANCE: Uuid = Uuid::from_u128(0x7a6e_7068_7569_8000_8000_0000_0000_0001);
/// Where points go when a merchant writes a voucher off.
pub const REDEEMED: Uuid = Uuid::from_u128(0x7a6e_7068_7569_8000_8000_0000_0000_0002);
/// Where points go when a lot lapses.
pub const EXPIRED: Uuid = Uuid::from_u128(0x7a6e_7068_7569_8000_8000_0000_0000_0003);

/// Why points moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferKind {
    /// A reduction earned them (入账).
    Credit,
    /// Set aside for a voucher (冻结).
    Hold,
    /// A voucher was written off (核销).
    WriteOff,
    /// A voucher was cancelled or expired; back to their lots (解冻).
    Release,
    /// A lot reached its last day (过期).
    Expire,
    /// A counter-entry to an earlier transfer (冲正).
    Reverse,
}

impl TransferKind {
    pub fn as_str(self) -> &'static str {
        match self {
            TransferKind::Credit => "credit",
            TransferKind::Hold => "hold",
            TransferKind::WriteOff => "write_off",
            TransferKind::Release => "release",
            TransferKind::Expire => "expire",
            TransferKind::Reverse => "reverse",
        }
    }
}

/// One account's side of a transfer, in one lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub account: Uuid,
    /// The day of the act: for a credit, the day of the behaviour.
    pub day: Day,
    /// The lot; 0 for the system's accounts, which have none.
    pub bucket: Day,
    /// Points that can be spent: more (positive) or fewer.
    pub available: i64,
    /// Points set aside: more or fewer.
    pub held: i64,
    /// For a credit: the reductions behind it, in mg CO₂e; a memorandum, not a balance.
    pub reduction_mg: i64,
    /// For a credit: where the reductions stand in the batch, and how many there are.
    pub first_pos: i32,
    pub records: i32,
    /// For a credit: from the first act's start to the last act's end.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Entry {
    /// An entry that no reduction stands behind.
    pub fn points(account: Uuid, day: Day, bucket: Day, available: i64, held: i64) -> Entry {
        Entry {
            account,
            day,
            bucket,
            available,
            held,
            reduction_mg: 0,
            first_pos: 0,
            records: 0,
            span: None,
        }
    }
}

/// A movement whose entries add up to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    pub id: Uuid,
    pub kind: TransferKind,
    pub at: DateTime<Utc>,
    /// What the debited sides add up to; the credited sides add up to the same.
    pub total: i64,
}

/// The sides of a transfer differ: a defect, never a user's mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("transfer {id}: debits {debits}, credits {credits}")]
pub struct Unbalanced {
    id: Uuid,
    debits: i128,
    credits: i128,
}

impl Transfer {
    /// Makes the transfer that `entries` are the sides of.
    ///
    /// # Errors
    /// [`Unbalanced`] if they do not add up to nothing.
    pub fn of(
        id: Uuid,
        kind: TransferKind,
        at: DateTime<Utc>,
        entries: &[Entry],
    ) -> Result<Transfer, Unbalanced> {
        let (mut debits, mut credits) = (0_i128, 0_i128);
        for amount in entries
            .iter()
            .flat_map(|entry| [entry.available, entry.held])
        {
            if amount < 0 {
                debits -= i128::from(amount);
            } else {
                credits += i128::from(amount);
            }
        }
        match i64::try_from(debits) {
            Ok(total) if debits == credits => Ok(Transfer {
                id,
                kind,
                at,
                total,
            }),
            _ => Err(Unbalanced {
                id,
                debits,
                credits,
            }),
        }
    }
}
