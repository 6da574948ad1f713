//! What becomes of one record of a wave, before anything is written.

use uuid::Uuid;

use crate::domain::behaviour::ClaimKey;
use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::sharing::Share;
use crate::flow::FlowResult;
use crate::store::Tx;
use crate::store::behaviour::{BehaviourRow, Claim, digest, waits_as};
use crate::store::period::reading_of;
use crate::store::revision::awaits_as;

use super::chain::chains;
use super::wave::{Known, Wave};
use super::{Names, cancels, record_of};
use crate::flow::ingest::answer::Answer;
use crate::flow::ingest::batch::{Item, Reading};
use crate::flow::ingest::commit::{count, first_result};
use crate::flow::ingest::prepare::STATED_AT;

pub(super) enum Verdict<'i> {
    Answered(Answer),
    /// It depends on something that another one of the wave does.
    Deferred,
    Decided(Box<Decided<'i>>),
}

/// A record that is to be written.
pub(super) struct Decided<'i> {
    pub item: &'i Item,
    pub account: Option<Uuid>,
    /// Who shares what it comes to, where several do.
    pub shares: Vec<Share>,
    /// The record that it takes the place of; `None` for one that revises nothing that is here.
    pub current: Option<BehaviourRow>,
    /// Where that one stood, if it is counted by periods.
    pub old: Option<Reading>,
    /// Keys to be taken.
    pub keys: Vec<ClaimKey>,
    /// Keys that pass to it, and the cancelled record that each passes from.
    pub passed: Vec<(ClaimKey, ReductionId)>,
    /// The claim of the record that it cancels and that has not come.
    pub awaits: Option<ClaimKey>,
}

fn refused<'i>(problem: impl Into<Problem>) -> FlowResult<Verdict<'i>> {
    Ok(Verdict::Answered(Answer::Refused(problem.into())))
}

impl Wave<'_> {
    pub(super) fn decide<'i>(
        &self,
        tx: &mut Tx<'_>,
        known: &mut Known,
        item: &'i Item,
    ) -> FlowResult<Verdict<'i>> {
        let names = Names::of(self.scene, item);
        let first = names
            .revised
            .or(names.source)
            .and_then(|key| known.claims.get(&key).copied());
        // A known id stated anew has a key of its own; a new id has its id's.
        let own = match (item.revises.is_none(), first, names.stated) {
            (true, Some(_), None) => return refused(conflict()),
            (true, Some(_), Some(stated)) => Some(stated),
            _ => names.source,
        };
        let Some(own) = own else {
            return refused(Code::Internal);
        };
        if let Some(holder) = known.claims.get(&own) {
            return Ok(Verdict::Answered(self.seen(tx, item, own, *holder)?));
        }
        let link = known.links.on(&item.subject, item.day);
        let shared = link.filter(|_| self.shareable(item));
        let mut decided = Decided {
            item,
            account: link.map(|link| link.account),
            shares: shared.map_or_else(Vec::new, |link| {
                known.sharing.on(&item.subject, &link, item.day)
            }),
            current: None,
            old: None,
            keys: vec![own],
            passed: Vec::new(),
            awaits: None,
        };
        let chain = first.and_then(|first| known.chains.get(&first)).cloned();
        match (&chain, names.revised) {
            (Some(chain), _) => {
                if let Some(verdict) = self.replaces(tx, known, chain, &mut decided)? {
                    return Ok(verdict);
                }
            }
            (None, Some(revised)) if item.cancels => {
                decided.keys.push(revised);
                decided.awaits = Some(revised);
            }
            (None, Some(_)) => return refused(unknown()),
            (None, None) => {}
        }
        self.declared(tx, known, chain.unwrap_or_default(), decided)
    }

    /// Fills in what is replaced; a verdict where it cannot be.
    fn replaces<'i>(
        &self,
        tx: &mut Tx<'_>,
        known: &mut Known,
        chain: &[ReductionId],
        decided: &mut Decided<'i>,
    ) -> FlowResult<Option<Verdict<'i>>> {
        let (Some(root), Some(last)) = (chain.first(), chain.last()) else {
            return refused(Code::Internal).map(Some);
        };
        if known.touched.contains(root) {
            return Ok(Some(Verdict::Deferred));
        }
        let stored = known.stored.get(last).cloned().ok_or(Code::Internal)?;
        let days = self.days(&stored);
        if !self.same_subject(tx, known, decided, &stored, days.as_ref())? {
            return refused(unknown()).map(Some);
        }
        if decided.item.revises.is_none()
            && let Some(answer) = restated(decided.item, &stored)
        {
            return Ok(Some(Verdict::Answered(answer)));
        }
        known.touched.insert(*root);
        decided.old = days;
        decided.current = Some(stored);
        Ok(None)
    }

    /// The keys that the methodology declares: free, the record's own chain's, or of a record
    /// that was cancelled.
    fn declared<'i>(
        &self,
        tx: &mut Tx<'_>,
        known: &mut Known,
        chain: Vec<ReductionId>,
        mut decided: Decided<'i>,
    ) -> FlowResult<Verdict<'i>> {
        for key in &decided.item.declared_keys {
            if known.keys.contains(key) {
                return Ok(Verdict::Deferred);
            }
            let Some(holder) = known.claims.get(key).copied() else {
                decided.keys.push(*key);
                continue;
            };
            if chain.contains(&holder) {
                // Once cancelled, its keys may be passing to another at this moment.
                if decided.current.as_ref().is_some_and(cancels) {
                    decided.passed.push((*key, holder));
                }
                continue;
            }
            let other = chains(tx, &[holder])?.remove(&holder).unwrap_or_default();
            if other
                .first()
                .is_some_and(|root| known.touched.contains(root))
            {
                return Ok(Verdict::Deferred);
            }
            let last = other.last().copied().unwrap_or(holder);
            if !cancels(&crate::store::behaviour::behaviour(tx, last)?) {
                return refused(Code::AlreadyClaimed);
            }
            known.touched.extend(other.first());
            decided.passed.push((*key, holder));
        }
        known.keys.extend(&decided.item.declared_keys);
        Ok(Verdict::Decided(Box::new(decided)))
    }

    /// The record's own key is taken: what was sent before is a replay.
    fn seen(
        &self,
        tx: &mut Tx<'_>,
        item: &Item,
        key: ClaimKey,
        holder: ReductionId,
    ) -> FlowResult<Answer> {
        let holder = Claim {
            key,
            batch: holder.batch,
            pos: count(holder.pos as usize),
        };
        if digest(tx, holder.batch, holder.pos)? == item.canonical.digest {
            return first_result(tx, self.scene, &holder);
        }
        let detail = detail!("更正须有自己的编号", "a revision has an id of its own");
        Ok(Answer::Refused(Problem::at(
            Code::RecordConflict,
            "id",
            detail,
        )))
    }

    fn same_subject(
        &self,
        tx: &mut Tx<'_>,
        known: &Known,
        decided: &Decided<'_>,
        stored: &BehaviourRow,
        days: Option<&Reading>,
    ) -> FlowResult<bool> {
        if stored.scene_id != self.scene.id {
            return Ok(false);
        }
        let subject = &decided.item.subject;
        if let Some(account) = stored.account_id {
            let link = known.links.on(subject, self.scene.day(stored.from_at.0));
            return Ok(link.is_some_and(|link| link.account == account.0));
        }
        let (batch, pos) = (stored.batch_id.0, stored.pos);
        if let Some(days) = days
            && reading_of(tx, self.scene.id, subject, days.days.0, batch, pos)?
        {
            return Ok(true);
        }
        Ok(waits_as(tx, batch, pos, subject)? || awaits_as(tx, batch, pos, Some(subject))?)
    }
}

fn unknown() -> Problem {
    Problem::on(Code::RevisedUnknown, "revises")
}

fn conflict() -> Problem {
    let detail = detail!(
        "请提交更正，并写明所更正的记录",
        "send a correction that names the record it revises"
    );
    Problem::at(Code::RecordConflict, "id", detail)
}

/// What the source of a statement is told that is not later than the one in force, or says the
/// same.
fn restated(item: &Item, stored: &BehaviourRow) -> Option<Answer> {
    let known = record_of(stored)?;
    let content = &item.canonical.content;
    let stated = crate::domain::behaviour::Record::from_stored(
        &item.source_id,
        item.from,
        item.to,
        content,
    )?;
    let before = known.attribute(STATED_AT).unwrap_or_default();
    let now = item.stated_at.as_deref().unwrap_or_default();
    let plain = |record: &crate::domain::behaviour::Record| {
        let mut record = record.clone();
        record.attributes.retain(|(name, _)| name != STATED_AT);
        (record.from, record.to, record.quantities, record.attributes)
    };
    if plain(&known) == plain(&stated) {
        return Some(Answer::Replayed {
            reduction: None,
            mg: 0,
            points: 0,
        });
    }
    // Both are RFC 3339 in UTC with the same letters, so the later is the greater text.
    let superseded = || Problem::at(Code::Superseded, "stated_at", Detail::value(before));
    (now <= before).then(|| Answer::Refused(superseded()))
}
