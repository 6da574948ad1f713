//! What a run writes: claims, the periods' records, counter-entries and new reductions, results.

use uuid::Uuid;

use crate::domain::behaviour::declared_key;
use crate::domain::context::Ctx;
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::sharing::Part;
use crate::flow::FlowResult;
use crate::flow::ingest::{Batches, Fresh, Ground, LogSettings, Reversal, adjust};
use crate::store::behaviour::{
    Claim, NewBehaviour, append_behaviours, claim, pass_claim, take_claims,
};
use crate::store::period::{
    PeriodCreditRow, ResultRow, append_period_credits, append_result, credits_of,
};
use crate::store::reduction::reduction;
use crate::store::share::append_parts;
use crate::store::{Id, StoreError, Tx};

use super::claimed::given_up;
use super::{Run, outcome};

impl Run<'_> {
    pub(super) fn write(
        &mut self,
        tx: &mut Tx<'_>,
        ctx: &mut Ctx,
        log: &LogSettings,
    ) -> FlowResult<()> {
        let batches = Batches {
            credits: ctx.id(),
            reversals: ctx.id(),
            digest: outcome::digest_of(self.changes.iter().map(|change| &change.outcome)),
            held: 0,
            refused: 0,
        };
        let order = self.order();
        let homes = self.homes(&order);
        let fresh = self.fresh(&order, &homes, batches.credits);
        self.take_keys(tx, &homes, batches.credits)?;
        self.append_records(tx, &homes, batches.credits)?;
        let reversals = self.reversals(tx, &order)?;
        self.done.taken_back += reversals.len();
        self.done.changed += self.changes.len();
        let back: i64 = reversals.iter().map(|reversal| reversal.row.mg).sum();
        self.done.reduction_mg += fresh.iter().map(|fresh| fresh.mg).sum::<i64>() - back;
        let ground = Ground {
            ctx,
            scene: self.scene,
            log,
            batches,
        };
        let adjusted = adjust(tx, &ground, &reversals, &fresh)?;
        let gave: i64 = adjusted.fresh.iter().map(|given| given.points).sum();
        self.done.points += gave - adjusted.taken;
        append_parts(tx, &self.part_rows(&order, &homes, batches.credits))?;
        self.append_results(tx, ctx, &order, &homes, batches.credits)
    }

    /// Every share of every change, in the order of account and day: place of the change, place
    /// of the share.
    fn order(&self) -> Vec<(usize, usize)> {
        let mut order: Vec<(usize, usize)> = self
            .changes
            .iter()
            .enumerate()
            .flat_map(|(at, change)| (0..change.parts.len()).map(move |share| (at, share)))
            .collect();
        order.sort_by_key(|(at, share)| {
            let change = &self.changes[*at];
            (change.parts[*share].account, change.day, *at)
        });
        order
    }

    /// Where the computed record of each change is stored: at its first reduction.
    fn homes(&self, order: &[(usize, usize)]) -> Vec<Option<usize>> {
        let mut homes = vec![None; self.changes.len()];
        for (pos, (at, _)) in order.iter().enumerate() {
            homes[*at].get_or_insert(pos);
        }
        homes
    }

    fn fresh(&self, order: &[(usize, usize)], homes: &[Option<usize>], batch: Uuid) -> Vec<Fresh> {
        let shares = order.iter().enumerate();
        shares
            .map(|(pos, (at, share))| {
                let change = &self.changes[*at];
                let Part { account, mg, .. } = change.parts[*share];
                let home = homes[*at].unwrap_or(pos);
                Fresh {
                    pos,
                    account,
                    day: change.day,
                    mg,
                    pinned: change.outcome.pinned,
                    span: change.outcome.span,
                    origin: (home != pos).then_some(id(batch, home)),
                    digest: change.outcome.canonical_digest(),
                }
            })
            .collect()
    }

    /// Takes the exclusivity keys of new periods, and those that others gave up; those of computed
    /// ones are theirs already.
    fn take_keys(&self, tx: &mut Tx<'_>, homes: &[Option<usize>], batch: Uuid) -> FlowResult<()> {
        let mut wanted: Vec<Claim> = Vec::new();
        for (change, home) in self.changes.iter().zip(homes) {
            let (Some(record), Some(home)) = (change.outcome.record(), home) else {
                continue;
            };
            let compiled = self.compiled(change.outcome.pinned)?;
            for text in compiled.claim_texts(record)? {
                let key = declared_key(&text);
                let new = Claim {
                    key,
                    batch,
                    pos: place(*home),
                };
                match claim(tx, &key)? {
                    None => wanted.push(new),
                    Some(known) if given_up(tx, known.holder())? => {
                        if !pass_claim(tx, known.holder(), &new)? {
                            return Err(StoreError::Busy.into());
                        }
                    }
                    Some(_) => {}
                }
            }
        }
        wanted.sort_unstable_by_key(|claim| claim.key);
        wanted.dedup_by_key(|claim| claim.key);
        // Somebody else took one since it was looked at: run again, and see it.
        match take_claims(tx, &wanted)?.is_empty() {
            true => Ok(()),
            false => Err(StoreError::Busy.into()),
        }
    }

    fn append_records(
        &self,
        tx: &mut Tx<'_>,
        homes: &[Option<usize>],
        batch: Uuid,
    ) -> FlowResult<()> {
        let rows = self.changes.iter().zip(homes).filter_map(|(change, home)| {
            let (home, canonical) = ((*home)?, change.outcome.canonical.as_ref()?);
            let record = change.outcome.record()?;
            let account = change.parts.first().map(|part| Id(part.account));
            Some(NewBehaviour {
                batch_id: batch.into(),
                pos: place(home),
                scene_id: self.scene.id,
                account_id: account,
                source_id: &record.source_id,
                from_at: record.from.into(),
                to_at: record.to.into(),
                content: &canonical.content,
                digest: &canonical.digest,
            })
        });
        Ok(append_behaviours(tx, rows.collect())?)
    }

    fn reversals(&self, tx: &mut Tx<'_>, order: &[(usize, usize)]) -> FlowResult<Vec<Reversal>> {
        let mut reversals = Vec::new();
        for (at, change) in self.changes.iter().enumerate() {
            let Some(before) = change.before.as_ref().filter(|row| row.refusal.is_none()) else {
                continue;
            };
            for credited in credits_of(tx, before)? {
                let row = reduction(tx, credited)?;
                let account = row.account_id.0;
                let own = |(_, (of, share)): &(usize, &(usize, usize))| {
                    *of == at && change.parts[*share].account == account
                };
                let mine = order.iter().enumerate().find(own);
                let any = order.iter().enumerate().find(|(_, (of, _))| *of == at);
                let reason = change.outcome.refusal.clone();
                reversals.push(Reversal {
                    row,
                    reason: reason.unwrap_or_else(|| "recomputed".to_owned()),
                    replaced_by: mine.or(any).map(|(pos, _)| pos),
                });
            }
        }
        Ok(reversals)
    }

    fn append_results(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        order: &[(usize, usize)],
        homes: &[Option<usize>],
        batch: Uuid,
    ) -> FlowResult<()> {
        let mut credits = Vec::with_capacity(order.len());
        for (at, change) in self.changes.iter().enumerate() {
            let seq = change.before.as_ref().map_or(0, |row| row.seq) + 1;
            append_result(
                tx,
                &ResultRow {
                    scene_id: self.scene.id,
                    subject: change.subject.to_vec(),
                    day: change.day,
                    seq,
                    out_day: change.out,
                    methodology_id: self.scene.pinned[change.outcome.pinned].id,
                    batch_id: homes[at].map(|_| Id(batch)),
                    pos: homes[at].map(place),
                    mg: change.parts.iter().map(|part| part.mg).sum(),
                    refusal: change.outcome.refusal.clone(),
                    digest: change.outcome.digest.to_vec(),
                    at: ctx.now.into(),
                },
            )?;
            let mine = order.iter().enumerate().filter(|(_, (of, _))| *of == at);
            credits.extend(mine.map(|(pos, _)| PeriodCreditRow {
                scene_id: self.scene.id,
                subject: change.subject.to_vec(),
                day: change.day,
                seq,
                batch_id: batch.into(),
                pos: place(pos),
            }));
        }
        Ok(append_period_credits(tx, &credits)?)
    }
}

fn place(pos: usize) -> i32 {
    i32::try_from(pos).unwrap_or(i32::MAX)
}

pub(super) fn id(batch: Uuid, pos: usize) -> ReductionId {
    ReductionId {
        batch,
        pos: u32::try_from(pos).unwrap_or(u32::MAX),
    }
}
