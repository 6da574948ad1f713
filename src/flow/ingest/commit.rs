//! The second half: what is new, whose it is, what overlaps, what it earns; all of it or nothing.

mod claims;
mod rows;
mod shares;
mod wallets;

pub(super) use claims::first_result;
pub(super) use rows::{note_readings, periods_to_compute};

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::domain::behaviour::{ClaimKey, SubjectHash};
use crate::domain::context::Ctx;
use crate::domain::log::leaf::SaltKey;
use crate::domain::problem::{Code, Problem};
use crate::domain::reduction::ReductionId;
use crate::domain::wallet::sharing::Share;
use crate::domain::wallet::{Earner, Entry, ISSUANCE, Lot, Transfer, TransferKind};
use crate::flow::FlowResult;
use crate::store::behaviour::{
    BatchRow, Claim, HeldRow, NewBehaviour, RefusalRow, append_batch, append_behaviours,
    append_held, append_refusals, digest, release_held, released, return_claims, seen_body,
};
use crate::store::link::{keep_unlinked, links_of};
use crate::store::reduction::{
    DayCredit, DayRange, ReductionRow, append_leaves, append_reductions, day_credits, reduction_at,
};
use crate::store::wallet::{post, save_lots};
use crate::store::{Id, Tx};

use super::answer::{Answer, Receipt};
use super::batch::{Item, Prepared};
use super::overlap::Timeline;
use super::scene::{Pinned, SceneView};

/// What the log leaf of a reduction needs beside the reduction.
#[derive(Debug)]
pub struct LogSettings {
    pub salt: SaltKey,
}

/// Decides and writes one prepared batch in the caller's transaction.
///
/// # Errors
/// The store failed; nothing is written then. What is wrong with single records is in the
/// receipt, not here.
pub fn commit(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    batch: Uuid,
    scene: &SceneView,
    log: &LogSettings,
    prepared: &Prepared,
) -> FlowResult<Receipt> {
    let mut decision = Decision::new(batch, prepared);
    decision.find_accounts(tx, scene)?;
    decision.take_claims(tx, scene)?;
    let mut wallets = decision.lock_wallets(tx, ctx, scene)?;
    decision.refuse_overlaps(tx, scene, &wallets)?;
    let credited = decision.credit(scene, &mut wallets);
    decision.write(tx, ctx, scene, log, &wallets, &credited)?;
    let shared = decision.credit_shares(tx, ctx, scene, log)?;
    let revised = decision.revise(tx, ctx, scene, log)?;
    Ok(Receipt::of(
        batch,
        decision.into_answers(&credited, shared, revised),
    ))
}

/// One batch while it is decided.
struct Decision<'p> {
    batch: Uuid,
    prepared: &'p Prepared,
    /// The items whose subject is linked, with their account, by account, day and start. The
    /// index here is the item's position in the batch.
    linked: Vec<(Uuid, &'p Item)>,
    /// The items whose subject is not linked; their positions follow the linked ones'.
    unlinked: Vec<&'p Item>,
    /// Positions of linked items that several people share, and who: credited after the rest.
    shared: BTreeMap<usize, Vec<Share>>,
    /// What was decided against positions; all others are accepted or held.
    against: BTreeMap<usize, Answer>,
    /// Positions that say the same as an earlier one of this batch, and that one: they are told
    /// what it was told.
    twins: Vec<(usize, usize)>,
    /// Positions that state a known id anew, and those that need a key that a cancelled record
    /// has: decided after the rest.
    restated: Vec<usize>,
    late: Vec<usize>,
}

/// The locked lots of the accounts in a batch.
struct Wallets {
    lots: Vec<Lot>,
    /// Where each account's newest lot stands in `lots`.
    newest: HashMap<Uuid, usize>,
    /// Points credited before, by account and day.
    earned: HashMap<(Uuid, i32), i64>,
    credits: Vec<DayCredit>,
}

/// What one accepted item earned.
#[derive(Clone, Copy)]
struct Credited {
    pos: usize,
    points: i64,
    capped: bool,
    cut_mg: i64,
}

impl<'p> Decision<'p> {
    fn new(batch: Uuid, prepared: &'p Prepared) -> Decision<'p> {
        Decision {
            batch,
            prepared,
            linked: Vec::with_capacity(prepared.items.len()),
            unlinked: Vec::new(),
            shared: BTreeMap::new(),
            against: BTreeMap::new(),
            twins: Vec::new(),
            restated: Vec::new(),
            late: Vec::new(),
        }
    }

    fn find_accounts(&mut self, tx: &mut Tx<'_>, scene: &SceneView) -> FlowResult<()> {
        let items = &self.prepared.items;
        let mut subjects: Vec<SubjectHash> = items.iter().map(|item| item.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let mut links = links_of(tx, &subjects)?;
        let lacking = |item: &&Item| links.on(&item.subject, item.day).is_none();
        subjects = items
            .iter()
            .filter(lacking)
            .map(|item| item.subject)
            .collect();
        if !subjects.is_empty() {
            subjects.sort_unstable();
            subjects.dedup();
            // A link that commits between the look and ours would leave its record held for ever.
            keep_unlinked(tx, &subjects)?;
            links.extend(links_of(tx, &subjects)?);
        }
        for item in items {
            match links.on(&item.subject, item.day) {
                Some(link) => self.linked.push((link.account, item)),
                None => self.unlinked.push(item),
            }
        }
        self.linked.sort_by(|(a, x), (b, y)| {
            (a, x.day, x.from, &x.source_id).cmp(&(b, y.day, y.from, &y.source_id))
        });
        self.find_shares(tx, scene, &links)
    }

    fn item(&self, pos: usize) -> &'p Item {
        match self.linked.get(pos) {
            Some((_, item)) => item,
            None => self.unlinked[pos - self.linked.len()],
        }
    }

    fn positions(&self) -> usize {
        self.linked.len() + self.unlinked.len()
    }

    /// The positions that are still to be credited, in order of account and day.
    fn crediting(&self) -> impl Iterator<Item = (usize, Uuid, &'p Item)> + '_ {
        self.linked
            .iter()
            .enumerate()
            .filter(|(pos, (_, item))| item.reading.is_none() && !self.against.contains_key(pos))
            .filter(|(pos, _)| !self.shared.contains_key(pos))
            .map(|(pos, (account, item))| (pos, *account, *item))
    }

    /// The positions that wait for their period to close.
    fn recorded(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.positions())
            .filter(|pos| self.item(*pos).reading.is_some() && !self.against.contains_key(pos))
    }

    /// Replaces and cancels records, and then gives what waits for that another chance.
    fn revise(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
        log: &LogSettings,
    ) -> FlowResult<Vec<(usize, Answer)>> {
        let mut items: Vec<&Item> = self.restated.iter().map(|pos| self.item(*pos)).collect();
        items.extend(&self.prepared.revisions);
        items.extend(self.late.iter().map(|pos| self.item(*pos)));
        super::revise::revise(tx, ctx, self.batch, scene, log, &items)
    }

    /// `revised` are the answers that were given last, by place in the submission.
    fn into_answers(
        mut self,
        credited: &[Credited],
        shared: Vec<(usize, Answer)>,
        revised: Vec<(usize, Answer)>,
    ) -> Vec<Answer> {
        let held = Answer::Held(Code::SubjectNotLinked);
        let mut answers = vec![held; self.prepared.records()];
        let mut put = |at: usize, answer: Answer| {
            if let Some(place) = answers.get_mut(at) {
                *place = answer;
            }
        };
        for credit in credited {
            let reduction = ReductionId {
                batch: self.batch,
                pos: u32::try_from(credit.pos).unwrap_or(u32::MAX),
            };
            let item = self.item(credit.pos);
            let (points, capped) = (credit.points, credit.capped);
            put(
                item.index,
                Answer::Accepted {
                    reduction: Some(reduction),
                    mg: item.mg,
                    points,
                    capped,
                },
            );
        }
        for (pos, answer) in shared {
            put(self.item(pos).index, answer);
        }
        for pos in self.recorded().collect::<Vec<_>>() {
            put(self.item(pos).index, Answer::Held(Code::PeriodOpen));
        }
        for (pos, answer) in std::mem::take(&mut self.against) {
            put(self.item(pos).index, answer);
        }
        for (at, _, problem) in &self.prepared.refused {
            put(*at, Answer::Refused(problem.clone()));
        }
        for (at, code) in &self.prepared.held {
            put(*at, Answer::Held(*code));
        }
        for (at, answer) in revised {
            put(at, answer);
        }
        for (pos, first) in &self.twins {
            let told = answers.get(self.item(*first).index).map(claims::replay_of);
            if let Some((place, told)) = answers.get_mut(self.item(*pos).index).zip(told) {
                *place = told;
            }
        }
        answers
    }
}
fn index(pos: i32) -> usize {
    usize::try_from(pos).unwrap_or(usize::MAX)
}

pub(super) fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
