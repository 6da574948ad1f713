//! Chains of revisions: a record, what replaced it, what replaced that.

use std::collections::HashMap;

use crate::domain::reduction::ReductionId;
use crate::flow::FlowResult;
use crate::store::Tx;
use crate::store::behaviour::behaviour;
use crate::store::revision::{revised_by_all, revisions_of};

use super::cancels;

/// The first record of each one's chain and everything that replaced it, the latest last,
/// whichever of them is named.
pub(super) fn chains(
    tx: &mut Tx<'_>,
    named: &[ReductionId],
) -> FlowResult<HashMap<ReductionId, Vec<ReductionId>>> {
    let mut roots: Vec<ReductionId> = named.to_vec();
    let mut open: Vec<usize> = (0..roots.len()).collect();
    while !open.is_empty() {
        let ends: Vec<ReductionId> = open.iter().map(|at| roots[*at]).collect();
        let before = revised_by_all(tx, &ends)?;
        open.retain(|at| match before.get(&roots[*at]) {
            Some(row) => {
                roots[*at] = row.revised();
                true
            }
            None => false,
        });
    }
    let mut chains: Vec<Vec<ReductionId>> = roots.into_iter().map(|root| vec![root]).collect();
    let mut open: Vec<usize> = (0..chains.len()).collect();
    while !open.is_empty() {
        let end = |chain: &[ReductionId]| chain.last().copied();
        let ends: Vec<ReductionId> = open.iter().filter_map(|at| end(&chains[*at])).collect();
        let after = revisions_of(tx, &ends)?;
        open.retain(|at| {
            let next = end(&chains[*at]).and_then(|end| after.get(&end));
            chains[*at].extend(next.map(|row| row.revision()));
            next.is_some()
        });
    }
    Ok(named.iter().copied().zip(chains).collect())
}

/// Whether a record was cancelled, so that what it had claimed may pass to another.
pub(in crate::flow::ingest) fn has_ended(tx: &mut Tx<'_>, record: ReductionId) -> FlowResult<bool> {
    let found = chains(tx, &[record])?.remove(&record);
    let last = found.and_then(|chain| chain.last().copied());
    match last {
        Some(last) => Ok(cancels(&behaviour(tx, last)?)),
        None => Ok(false),
    }
}
