//! One stored reduction, explained down to formula, factor and source: recomputed from the stored
//! record by the pinned document, and compared with what was credited.

use crate::domain::behaviour::Record;
use crate::domain::methodology::Explanation;
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::ExchangeRule;
use crate::store::behaviour::{BehaviourRow, behaviour};
use crate::store::correction::{CorrectionRow, correction, correction_against};
use crate::store::reduction::{ReductionRow, of_batch, reduction};
use crate::store::{Conn, StoreError};

use super::FlowResult;
use super::catalogue::Catalogue;

/// A reduction with everything that led to it.
#[derive(Debug)]
pub struct Explained<'c> {
    pub reduction: ReductionRow,
    pub behaviour: BehaviourRow,
    /// For a counter-entry: how the reduction that it takes back was counted.
    pub explanation: Explanation,
    /// Set for a counter-entry: what it takes back, and what stands in its place.
    pub takes_back: Option<CorrectionRow>,
    /// Set for a reduction that was taken back.
    pub taken_back_by: Option<CorrectionRow>,
    pub rule: &'c ExchangeRule,
    /// The recomputed amount is the stored one: of all shares together where it is shared, with
    /// the sign turned where it is taken back.
    pub agrees: bool,
}

/// Explains one reduction.
///
/// # Errors
/// There is none of this id.
pub fn explain<'c>(
    conn: &mut Conn,
    catalogue: &'c Catalogue,
    id: ReductionId,
) -> FlowResult<Explained<'c>> {
    let row = reduction(conn, id)?;
    let stored = behaviour(conn, row.behaviour())?;
    let corrupt = |what: &str| StoreError::Corrupt(format!("reduction {id}: {what}"));
    let record = Record::from_stored(
        &stored.source_id,
        stored.from_at.0,
        stored.to_at.0,
        &stored.content,
    )
    .ok_or_else(|| corrupt("its behaviour cannot be read"))?;
    let filed = catalogue.filed.get(&row.methodology_id);
    let compiled = filed.and_then(|filed| filed.compiled.as_deref());
    let compiled = compiled.ok_or_else(|| corrupt("its methodology is not filed"))?;
    let explanation = compiled
        .explain(&record)
        .map_err(|refusal| refusal.into_problem())?;
    let rule = catalogue
        .rules
        .get(&row.exchange_rule_id)
        .ok_or(Code::Internal)?;
    let takes_back = correction(conn, id)?;
    let taken_back_by = correction_against(conn, id)?;
    let whole = shared_total(conn, &row)?;
    let agrees = explanation.reduction_mg == whole.abs() && (whole < 0) == takes_back.is_some();
    Ok(Explained {
        reduction: row,
        behaviour: stored,
        explanation,
        takes_back,
        taken_back_by,
        rule,
        agrees,
    })
}

/// What all shares of one behaviour in this batch come to; most have one.
fn shared_total(conn: &mut Conn, row: &ReductionRow) -> FlowResult<i64> {
    if row.origin_batch.is_none() && !has_shares(conn, row)? {
        return Ok(row.mg);
    }
    let of_same = of_batch(conn, row.batch_id.0)?.into_iter();
    Ok(of_same
        .filter(|other| other.behaviour() == row.behaviour())
        .map(|other| other.mg)
        .sum())
}

/// Whether other reductions of the batch were computed from this one's behaviour.
fn has_shares(conn: &mut Conn, row: &ReductionRow) -> FlowResult<bool> {
    Ok(crate::store::reduction::shares_of(conn, row)? > 0)
}
