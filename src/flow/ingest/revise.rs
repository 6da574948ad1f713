//! Revisions (更正): a record that replaces or cancels an earlier one. The earlier record stays;
//! what it gave is taken back by a counter-entry, and what the later one gives stands beside it.

mod parts;

use uuid::Uuid;

use crate::domain::behaviour::{ClaimKey, Record, source_key};
use crate::domain::context::Ctx;
use crate::domain::problem::{Code, Problem};
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::sharing::parts;
use crate::flow::FlowResult;
use crate::store::behaviour::{
    BatchRow, BehaviourRow, Claim, HeldRow, NewBehaviour, append_batch, append_behaviours,
    append_held, behaviour, claim, return_claims, take_claims,
};
use crate::store::correction::{RevisionRow, append_revision, revised_by, revision_of};
use crate::store::link::{Link, keep_unlinked, links_of};
use crate::store::period::{queue_periods, reading_of};
use crate::store::reduction::{DayRange, ReductionRow, day_credits, stretches};
use crate::store::{Id, Tx};

use super::adjust::{Batches, Reversal, adjust, derived_id};
use super::answer::Answer;
use super::batch::{Item, Reading};
use super::commit::{LogSettings, count, first_result, note_readings, periods_to_compute};
use super::prepare::STATED_AT;
use super::scene::SceneView;
use parts::live_reductions;

/// Decides and writes one revision in the caller's transaction; its record stands in `batch` at
/// position 0.
pub(super) fn revise(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    batch: Uuid,
    scene: &SceneView,
    log: &LogSettings,
    item: &Item,
) -> FlowResult<Answer> {
    let mut revision = Revision {
        batch,
        scene,
        item,
        taken: Vec::new(),
        chain: Vec::new(),
        link: None,
    };
    match revision.decide(tx)? {
        Err(answer) => {
            return_claims(tx, &revision.taken)?;
            Ok(answer)
        }
        Ok(current) => revision.write(tx, ctx, log, &current),
    }
}

struct Revision<'a> {
    batch: Uuid,
    scene: &'a SceneView,
    item: &'a Item,
    /// Keys taken by this revision, to be given back if it is refused.
    taken: Vec<ClaimKey>,
    /// The first record of the chain and everything that replaced it, the latest last.
    chain: Vec<ReductionId>,
    /// The link that covers the revising record's day.
    link: Option<Link>,
}

fn refused<T>(problem: impl Into<Problem>) -> FlowResult<Result<T, Answer>> {
    Ok(Err(Answer::Refused(problem.into())))
}

impl Revision<'_> {
    /// The record that is revised, or what the source is told instead.
    fn decide(&mut self, tx: &mut Tx<'_>) -> FlowResult<Result<BehaviourRow, Answer>> {
        let item = self.item;
        let named = item.revises.as_ref();
        let revised = match named {
            Some(id) => Some(source_key(self.scene.partner, id)),
            None => item.source_key,
        };
        let first = match revised {
            Some(key) => claim(tx, &key)?,
            None => None,
        };
        let own = match (named, &item.stated_at) {
            (Some(_), _) => item.source_key,
            (None, Some(at)) => Some(source_key(
                self.scene.partner,
                &format!("{}@{at}", item.source_id),
            )),
            (None, None) => None,
        };
        let Some(own) = own else {
            return refused(Code::Internal);
        };
        if let Some(answer) = self.take_own(tx, own)? {
            return Ok(Err(answer));
        }
        let unknown = || Problem::at(Code::RevisedUnknown, "revises", "");
        let Some(first) = first else {
            return refused(unknown());
        };
        self.follow(
            tx,
            ReductionId {
                batch: first.batch,
                pos: u32::try_from(first.pos).unwrap_or(0),
            },
        )?;
        let current = self.chain.last().copied().unwrap_or(ReductionId {
            batch: first.batch,
            pos: 0,
        });
        let stored = behaviour(tx, current)?;
        if !self.same_subject(tx, &stored)? {
            return refused(unknown());
        }
        if named.is_none()
            && let Some(answer) = restated(item, &stored)
        {
            return Ok(Err(answer));
        }
        for key in &item.declared_keys {
            match claim(tx, key)? {
                Some(holder)
                    if self.chain.iter().any(|known| {
                        (known.batch, count(known.pos as usize)) == (holder.batch, holder.pos)
                    }) => {}
                Some(_) => return refused(Code::AlreadyClaimed),
                None => {
                    take_claims(tx, &[self.claim(*key)])?;
                    self.taken.push(*key);
                }
            }
        }
        if self.overlaps(tx, current)? {
            return refused(Code::OverlappingAct);
        }
        Ok(Ok(stored))
    }

    fn claim(&self, key: ClaimKey) -> Claim {
        Claim {
            key,
            batch: self.batch,
            pos: 0,
        }
    }

    /// Takes the revision's own key; what was sent before is a replay.
    fn take_own(&mut self, tx: &mut Tx<'_>, key: ClaimKey) -> FlowResult<Option<Answer>> {
        let holders = take_claims(tx, &[self.claim(key)])?;
        let Some(holder) = holders.first() else {
            self.taken.push(key);
            return Ok(None);
        };
        let stored = crate::store::behaviour::digest(tx, holder.batch, holder.pos)?;
        if stored != self.item.canonical.digest {
            let conflict = Problem::at(
                Code::RecordConflict,
                "id",
                "a revision has an id of its own",
            );
            return Ok(Some(Answer::Refused(conflict)));
        }
        first_result(tx, self.scene, holder).map(Some)
    }

    /// Follows the chain from its first record, whichever of it is named, to the one in force.
    fn follow(&mut self, tx: &mut Tx<'_>, first: ReductionId) -> FlowResult<()> {
        let mut root = first;
        while let Some(row) = revised_by(tx, root)? {
            root = ReductionId {
                batch: row.revised_batch.0,
                pos: u32::try_from(row.revised_pos).unwrap_or(0),
            };
        }
        let mut next = Some(root);
        while let Some(record) = next {
            self.chain.push(record);
            next = revision_of(tx, record)?.map(|row| ReductionId {
                batch: row.batch_id.0,
                pos: u32::try_from(row.pos).unwrap_or(0),
            });
        }
        Ok(())
    }

    fn account(&self) -> Option<Uuid> {
        self.link.map(|link| link.account)
    }

    fn same_subject(&mut self, tx: &mut Tx<'_>, stored: &BehaviourRow) -> FlowResult<bool> {
        let subject = self.item.subject;
        let mut links = links_of(tx, &[subject])?;
        if links.on(&subject, self.item.day).is_none() {
            keep_unlinked(tx, &[subject])?;
            links = links_of(tx, &[subject])?;
        }
        self.link = links.on(&subject, self.item.day);
        if stored.scene_id != self.scene.id {
            return Ok(false);
        }
        let known = match stored.account_id {
            Some(account) => links
                .on(&subject, self.scene.day(stored.from_at.0))
                .is_some_and(|link| link.account == account.0),
            None => crate::store::behaviour::waits_as(tx, stored.batch_id.0, stored.pos, &subject)?,
        };
        let of_period = || {
            let days = self.days(stored);
            days.map(|reading| reading.days.0)
        };
        match (known, of_period()) {
            (true, _) => Ok(true),
            (false, Some(day)) if stored.account_id.is_none() => Ok(reading_of(
                tx,
                self.scene.id,
                &subject,
                day,
                stored.batch_id.0,
                stored.pos,
            )?),
            _ => Ok(false),
        }
    }

    /// Where a stored record stands, if its scene gathers periods.
    fn days(&self, stored: &BehaviourRow) -> Option<Reading> {
        let (_, compiled) = self.scene.in_force(stored.from_at.0)?;
        let record = record_of(stored).filter(|_| compiled.gathers())?;
        super::prepare::reading(compiled, &record).ok()
    }

    fn overlaps(&self, tx: &mut Tx<'_>, current: ReductionId) -> FlowResult<bool> {
        let item = self.item;
        let exclusive = !item.cancels
            && item.reading.is_none()
            && self.scene.pinned[item.pinned].exclusive_time;
        let (true, Some(account)) = (exclusive, self.account()) else {
            return Ok(false);
        };
        let range = DayRange {
            account,
            from: item.day - 1,
            to: item.day + 1,
        };
        let live = live_reductions(tx, current)?;
        let replaced = live.first().map(ReductionRow::id);
        for credit in day_credits(tx, &[range])? {
            for stretch in stretches(tx, &credit)? {
                let meets = item.from < stretch.to && stretch.from < item.to;
                if meets
                    && Some(stretch.reduction) != replaced
                    && stretch.stands
                    && self.scene.excludes_in_time(stretch.methodology_id)
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn write(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        log: &LogSettings,
        current: &BehaviourRow,
    ) -> FlowResult<Answer> {
        let item = self.item;
        append_behaviours(
            tx,
            vec![NewBehaviour {
                batch_id: self.batch.into(),
                pos: 0,
                scene_id: self.scene.id,
                account_id: self.account().map(Id),
                source_id: &item.source_id,
                from_at: item.from.into(),
                to_at: item.to.into(),
                content: &item.canonical.content,
                digest: &item.canonical.digest,
            }],
        )?;
        append_revision(
            tx,
            &RevisionRow {
                revised_batch: current.batch_id,
                revised_pos: current.pos,
                batch_id: self.batch.into(),
                pos: 0,
                cancels: i32::from(item.cancels),
            },
        )?;
        let old = self.days(current);
        if let Some(old) = &old {
            queue_periods(tx, &periods_to_compute(self.scene, &item.subject, old))?;
        }
        let own = ReductionId {
            batch: self.batch,
            pos: 0,
        };
        note_readings(tx, self.scene, std::iter::once((own, item)))?;
        if old.is_some() || item.reading.is_some() {
            self.append_batch(tx, ctx, 1)?;
            return Ok(Answer::Held(Code::PeriodOpen));
        }
        self.replace(tx, ctx, log, current)
    }

    /// The counter-entry and the new reduction of an act that is counted at once.
    fn replace(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        log: &LogSettings,
        current: &BehaviourRow,
    ) -> FlowResult<Answer> {
        let item = self.item;
        let live = live_reductions(
            tx,
            ReductionId {
                batch: current.batch_id.0,
                pos: u32::try_from(current.pos).unwrap_or(0),
            },
        )?;
        let shares = self.shares(tx)?;
        let given = parts(&shares, item.mg);
        let fresh = self.fresh(&given);
        let stead = |account: Uuid| {
            let own = given.iter().position(|part| part.account == account);
            own.or((!given.is_empty()).then_some(0))
        };
        let reversals = live.iter().map(|row| Reversal {
            row: row.clone(),
            reason: if item.cancels { "cancelled" } else { "revised" }.to_owned(),
            replaced_by: stead(row.account_id.0),
        });
        let batches = Batches {
            credits: self.batch,
            reversals: derived_id(self.batch, b"counter-entries"),
            digest: item.canonical.digest,
        };
        let adjusted = adjust(
            tx,
            ctx,
            self.scene,
            log,
            batches,
            reversals.collect(),
            &fresh,
        )?;
        self.note_parts(tx, &adjusted.fresh, &given, &shares)?;
        if let Some((reduction, _)) = adjusted.fresh.first() {
            return Ok(Answer::Accepted {
                reduction: *reduction,
                mg: item.mg,
                points: adjusted.fresh.iter().map(|(_, points)| points).sum(),
                capped: !adjusted.capped.is_empty(),
            });
        }
        let waits = !item.cancels;
        self.append_batch(tx, ctx, usize::from(waits))?;
        if waits {
            append_held(
                tx,
                &[HeldRow {
                    batch_id: self.batch.into(),
                    pos: 0,
                    subject: item.subject.to_vec(),
                    reason: Code::SubjectNotLinked.as_str().to_owned(),
                }],
            )?;
            return Ok(Answer::Held(Code::SubjectNotLinked));
        }
        Ok(Answer::Accepted {
            reduction: ReductionId {
                batch: batches.reversals,
                pos: 0,
            },
            mg: -live.iter().map(|row| row.mg).sum::<i64>(),
            points: -adjusted.taken,
            capped: false,
        })
    }

    fn append_batch(&self, tx: &mut Tx<'_>, ctx: &Ctx, held: usize) -> FlowResult<()> {
        Ok(append_batch(
            tx,
            &BatchRow {
                id: self.batch.into(),
                scene_id: self.scene.id,
                received_at: ctx.now.into(),
                body_digest: self.item.canonical.digest.to_vec(),
                accepted: 0,
                replayed: 0,
                refused: 0,
                held: count(held),
                reduction_mg: 0,
                points: 0,
            },
        )?)
    }
}

fn record_of(stored: &BehaviourRow) -> Option<Record> {
    Record::from_stored(
        &stored.source_id,
        stored.from_at.0,
        stored.to_at.0,
        &stored.content,
    )
}

/// What the source of a statement is told that is not later than the one in force, or says the
/// same.
fn restated(item: &Item, stored: &BehaviourRow) -> Option<Answer> {
    let known = record_of(stored)?;
    let stated = Record::from_stored(&item.source_id, item.from, item.to, &item.canonical.content)?;
    let before = known.attribute(STATED_AT).unwrap_or_default();
    let now = item.stated_at.as_deref().unwrap_or_default();
    let plain = |record: &Record| {
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
    (now <= before).then(|| Answer::Refused(Problem::at(Code::Superseded, "stated_at", before)))
}
