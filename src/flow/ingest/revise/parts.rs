//! What the revised record gave, and who gets what the revising one gives.

use crate::domain::reduction::ReductionId;
use crate::domain::wallet::sharing::{Part, Share};
use crate::flow::FlowResult;
use crate::flow::ingest::adjust::Fresh;
use crate::flow::ingest::commit::count;
use crate::store::Tx;
use crate::store::behaviour::released;
use crate::store::reduction::{ReductionRow, reduction_at};
use crate::store::share::{PartRow, append_parts, parts_of_record, sharing_of};

use super::Revision;

impl Revision<'_> {
    /// Who shares what the record comes to: the linked account alone, if nobody else does; nobody
    /// where the record cancels or waits for its link.
    pub(super) fn shares(&self, tx: &mut Tx<'_>) -> FlowResult<Vec<Share>> {
        let item = self.item;
        let Some(link) = self.link.filter(|_| !item.cancels) else {
            return Ok(Vec::new());
        };
        let mut shares = match self.scene.pinned[item.pinned].is_shareable() {
            true => sharing_of(tx, &[item.subject])?.on(&item.subject, &link, item.day),
            false => Vec::new(),
        };
        if shares.is_empty() {
            shares.push(Share {
                account: link.account,
                weight: 1,
            });
        }
        Ok(shares)
    }

    /// Where the revising record is stored: at its first reduction.
    pub(super) fn home(&self) -> ReductionId {
        ReductionId {
            batch: self.batch,
            pos: 0,
        }
    }

    /// Notes which reductions are parts of what the record came to.
    pub(super) fn note_parts(
        &self,
        tx: &mut Tx<'_>,
        written: &[(ReductionId, i64)],
        given: &[Part],
        shares: &[Share],
    ) -> FlowResult<()> {
        if given.len() < 2 {
            return Ok(());
        }
        let item = self.item;
        let row = |((id, _), part): (&(ReductionId, i64), &Part)| {
            PartRow::new(
                *id,
                item.subject,
                item.day,
                self.home(),
                item.mg,
                part,
                shares,
            )
        };
        let rows: Vec<PartRow> = written.iter().zip(given).map(row).collect();
        Ok(append_parts(tx, &rows)?)
    }

    pub(super) fn fresh(&self, given: &[Part]) -> Vec<Fresh> {
        let item = self.item;
        given
            .iter()
            .enumerate()
            .map(|(place, part)| Fresh {
                account: part.account,
                day: item.day,
                mg: part.mg,
                pinned: item.pinned,
                span: (item.from, item.to),
                origin: (place > 0).then(|| self.home()),
                digest: item.canonical.digest,
            })
            .collect()
    }
}

/// What a record gave and that still stands: one reduction, or one for each who has a share.
pub(super) fn live_reductions(
    tx: &mut Tx<'_>,
    record: ReductionId,
) -> FlowResult<Vec<ReductionRow>> {
    let parts = parts_of_record(tx, record)?;
    if !parts.is_empty() {
        return Ok(parts);
    }
    let at = |id: ReductionId| (id.batch, count(id.pos as usize));
    let (batch, pos) = at(record);
    if let Some(row) = reduction_at(tx, batch, pos)? {
        return Ok(vec![row]);
    }
    match released(tx, record)? {
        None => Ok(Vec::new()),
        Some(later) => {
            let (batch, pos) = at(later);
            Ok(reduction_at(tx, batch, pos)?.into_iter().collect())
        }
    }
}
