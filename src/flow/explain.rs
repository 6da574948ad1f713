//! One stored reduction, explained down to formula, factor and source: recomputed from the stored
//! record by the pinned document, and compared with what was credited.

use crate::domain::behaviour::Record;
use crate::domain::methodology::Explanation;
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::ExchangeRule;
use crate::store::behaviour::{BehaviourRow, behaviour};
use crate::store::correction::{CorrectionRow, correction, correction_against};
use crate::store::reduction::{ReductionRow, reduction};
use crate::store::share::{PartRow, part, parts_of_record};
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
    /// Set where the record was shared: of how much this is which part. For a counter-entry, that
    /// of the reduction that it takes back.
    pub share: Option<PartRow>,
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
    let counted = takes_back.as_ref().map_or(id, CorrectionRow::reversed);
    let share = part(conn, counted)?;
    let whole = match &share {
        Some(share) if sums_up(conn, share)? => share.whole_mg,
        Some(_) => -1,
        None => row.mg.abs(),
    };
    let signed = if takes_back.is_some() {
        row.mg <= 0
    } else {
        row.mg >= 0
    };
    let agrees = explanation.reduction_mg == whole && signed;
    Ok(Explained {
        reduction: row,
        behaviour: stored,
        explanation,
        takes_back,
        taken_back_by,
        share,
        rule,
        agrees,
    })
}

/// Whether all shares of the record together are what it came to.
fn sums_up(conn: &mut Conn, share: &PartRow) -> FlowResult<bool> {
    let record = ReductionId {
        batch: share.record_batch.0,
        pos: u32::try_from(share.record_pos).unwrap_or(0),
    };
    let parts = parts_of_record(conn, record)?;
    Ok(parts.iter().map(|part| part.mg).sum::<i64>() == share.whole_mg)
}
