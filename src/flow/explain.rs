//! One stored reduction, explained down to formula, factor and source: recomputed from the stored
//! record by the pinned document, and compared with what was credited.

use crate::domain::behaviour::Record;
use crate::domain::methodology::Explanation;
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::ExchangeRule;
use crate::store::behaviour::{BehaviourRow, behaviour};
use crate::store::reduction::{ReductionRow, reduction};
use crate::store::{Conn, StoreError};

use super::FlowResult;
use super::catalogue::Catalogue;

/// A reduction with everything that led to it.
#[derive(Debug)]
pub struct Explained<'c> {
    pub reduction: ReductionRow,
    pub behaviour: BehaviourRow,
    /// Absent for a counter-entry, which names the reduction it corrects.
    pub explanation: Explanation,
    pub rule: &'c ExchangeRule,
    /// The recomputed amount is the stored one.
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
    let agrees = explanation.reduction_mg == row.mg;
    Ok(Explained {
        reduction: row,
        behaviour: stored,
        explanation,
        rule,
        agrees,
    })
}
