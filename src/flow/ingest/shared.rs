//! A record that several people share, and the part of each.

use crate::domain::reduction::ReductionId;
use crate::domain::wallet::sharing::{Part, Share, parts};
use crate::store::share::PartRow;

use super::adjust::Fresh;
use super::batch::Item;

/// One shared record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared<'p> {
    pub item: &'p Item,
    /// Where the record is stored.
    pub record: ReductionId,
    pub shares: &'p [Share],
}

impl Shared<'_> {
    /// What each gets of it.
    pub fn parts(&self) -> Vec<Part> {
        parts(self.shares, self.item.mg)
    }

    /// One part, to be credited at a place of the batch of parts.
    pub fn fresh(&self, place: usize, part: &Part) -> Fresh {
        Fresh {
            pos: place,
            account: part.account,
            day: self.item.day,
            mg: part.mg,
            pinned: self.item.pinned,
            span: (self.item.from, self.item.to),
            origin: Some(self.record),
            digest: self.item.canonical.digest,
        }
    }

    /// That a reduction is this part of the record.
    pub fn row(&self, part: &Part, reduction: ReductionId) -> PartRow {
        PartRow::new(
            reduction,
            self.item.subject,
            self.item.day,
            self.record,
            self.item.mg,
            part,
            self.shares,
        )
    }
}
