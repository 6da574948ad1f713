//! Revisions of what several people share: every part is taken back, and the new record is given
//! in parts, in a batch that follows from the wave's.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::reduction::ReductionId;
use crate::domain::wallet::sharing::Part;
use crate::flow::FlowResult;
use crate::flow::ingest::adjust::{Batches, Fresh, adjust, derived_id, open_wallets};
use crate::flow::ingest::shared::Shared;
use crate::store::Tx;
use crate::store::reduction::ReductionRow;
use crate::store::share::{PartRow, append_parts, parts_of_record};

use super::wave::Wave;
use super::write::{Moved, Placed};

/// One part and its record among those that are shared.
type Of<'p> = (&'p Placed<'p>, Shared<'p>, Part);

impl Wave<'_> {
    /// What shared records gave, by the record.
    pub(super) fn parts(
        &self,
        tx: &mut Tx<'_>,
        records: &[ReductionId],
    ) -> FlowResult<HashMap<ReductionId, Vec<ReductionRow>>> {
        let mut found = HashMap::new();
        if !self.scene.is_shareable() {
            return Ok(found);
        }
        for record in records {
            let parts = parts_of_record(tx, *record)?;
            if !parts.is_empty() {
                found.insert(*record, parts);
            }
        }
        Ok(found)
    }

    /// Where something is shared, all wallets concerned are locked in one go, so that two batches
    /// wait for each other instead of deadlocking.
    pub(super) fn lock_sharers(&self, tx: &mut Tx<'_>, placed: &[Placed<'_>]) -> FlowResult<()> {
        if placed.iter().all(|placed| placed.one.shares.is_empty()) {
            return Ok(());
        }
        let mut accounts: Vec<Uuid> = Vec::new();
        for placed in placed {
            accounts.extend(placed.credits());
            accounts.extend(placed.lives.iter().map(|row| row.account_id.0));
            accounts.extend(placed.one.shares.iter().map(|share| share.account));
        }
        accounts.sort_unstable();
        accounts.dedup();
        open_wallets(tx, self.ctx, self.scene, &accounts)?;
        Ok(())
    }

    /// The counter-entries and the new parts of what is shared now.
    pub(super) fn adjust_shared(
        &self,
        tx: &mut Tx<'_>,
        batches: Batches,
        placed: &[Placed<'_>],
        moved: &mut Moved,
    ) -> FlowResult<()> {
        let shared = placed.iter().filter(|placed| !placed.one.shares.is_empty());
        let mut given: Vec<Of<'_>> = shared
            .clone()
            .flat_map(|placed| {
                let shared = self.shared(placed);
                let parts = shared.parts().into_iter();
                parts.map(move |part| (placed, shared, part))
            })
            .collect();
        if given.is_empty() {
            return Ok(());
        }
        given.sort_by_key(|(placed, _, part)| (part.account, placed.one.item.day, placed.pos));
        let fresh: Vec<Fresh> = (given.iter().enumerate())
            .map(|(place, (_, shared, part))| shared.fresh(place, part))
            .collect();
        let (mut reversals, mut reversed) = (Vec::new(), Vec::new());
        for placed in shared {
            let of = |(own, ..): &Of<'_>| own.pos == placed.pos;
            for row in &placed.lives {
                let same = |one: &Of<'_>| of(one) && one.2.account == row.account_id.0;
                let stead = given.iter().position(same);
                let stead = stead.or_else(|| given.iter().position(of));
                reversed.push(placed.pos);
                reversals.push(placed.reversal(row, stead));
            }
        }
        let batches = Batches {
            credits: derived_id(self.batch, b"shares"),
            reversals: derived_id(self.batch, b"shares' counter-entries"),
            held: 0,
            refused: 0,
            ..batches
        };
        let adjusted = adjust(tx, &self.ground(batches), &reversals, &fresh)?;
        let gave = given.iter().zip(&adjusted.fresh);
        let rows: Vec<PartRow> = gave
            .clone()
            .map(|((_, shared, part), given)| shared.row(part, given.reduction))
            .collect();
        append_parts(tx, &rows)?;
        moved.give(gave.map(|((placed, ..), given)| (placed.pos, *given)));
        moved.take(reversed.into_iter().zip(adjusted.back));
        Ok(())
    }

    fn shared<'s>(&self, placed: &'s Placed<'s>) -> Shared<'s> {
        Shared {
            item: placed.one.item,
            record: ReductionId {
                batch: self.batch,
                pos: u32::try_from(placed.pos).unwrap_or(u32::MAX),
            },
            shares: &placed.one.shares,
        }
    }
}
