//! The second half: what is new, whose it is, what overlaps, what it earns; all of it or nothing.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::behaviour::{ClaimKey, SubjectHash};
use crate::domain::context::Ctx;
use crate::domain::log::leaf::{Leaf, SaltKey};
use crate::domain::problem::{Code, Problem};
use crate::domain::reduction::ReductionId;
use crate::domain::unit::MgCo2e;
use crate::domain::wallet::{Earner, Entry, ISSUANCE, Lot, Transfer, TransferKind};
use crate::flow::FlowResult;
use crate::store::behaviour::{
    BatchRow, Claim, HeldRow, NewBehaviour, RefusalRow, append_batch, append_behaviours,
    append_held, append_refusals, digest, keep_unlinked, linked_accounts, release_held, released,
    return_claims, seen_body,
};
use crate::store::reduction::{
    DayCredit, DayRange, ReductionRow, append_leaves, append_reductions, day_credits, reduction_at,
};
use crate::store::wallet::{lock_lots, open_lots, post, save_lots};
use crate::store::{Id, Tx};

use super::answer::{Answer, Receipt};
use super::batch::{Item, Prepared};
use super::overlap::Timeline;
use super::scene::SceneView;

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
    decision.find_accounts(tx)?;
    decision.take_claims(tx)?;
    let mut wallets = decision.lock_wallets(tx, ctx, scene)?;
    decision.refuse_overlaps(tx, scene, &wallets)?;
    let credited = decision.credit(scene, &mut wallets);
    decision.write(tx, ctx, scene, log, &wallets, &credited)?;
    Ok(Receipt::of(batch, decision.into_answers(&credited)))
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
    /// What was decided against positions; all others are accepted or held.
    against: BTreeMap<usize, Answer>,
    /// Positions that say the same as an earlier one of this batch, and that one: they are told
    /// what it was told.
    twins: Vec<(usize, usize)>,
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
}

impl<'p> Decision<'p> {
    fn new(batch: Uuid, prepared: &'p Prepared) -> Decision<'p> {
        Decision {
            batch,
            prepared,
            linked: Vec::with_capacity(prepared.items.len()),
            unlinked: Vec::new(),
            against: BTreeMap::new(),
            twins: Vec::new(),
        }
    }

    fn find_accounts(&mut self, tx: &mut Tx<'_>) -> FlowResult<()> {
        let mut subjects: Vec<SubjectHash> = self
            .prepared
            .items
            .iter()
            .map(|item| item.subject)
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        let mut accounts: HashMap<SubjectHash, Uuid> =
            linked_accounts(tx, &subjects)?.into_iter().collect();
        subjects.retain(|subject| !accounts.contains_key(subject));
        if !subjects.is_empty() {
            // A link that commits between the look and ours would leave its record held for ever.
            keep_unlinked(tx, &subjects)?;
            accounts.extend(linked_accounts(tx, &subjects)?);
        }
        for item in &self.prepared.items {
            match accounts.get(&item.subject) {
                Some(account) => self.linked.push((*account, item)),
                None => self.unlinked.push(item),
            }
        }
        self.linked.sort_by(|(a, x), (b, y)| {
            (a, x.day, x.from, &x.source_id).cmp(&(b, y.day, y.from, &y.source_id))
        });
        Ok(())
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

    /// Takes every item's keys. An item one of whose keys is taken is a replay or is refused, and
    /// gives back the keys it did get.
    fn take_claims(&mut self, tx: &mut Tx<'_>) -> FlowResult<()> {
        let mut claims: Vec<Claim> = Vec::with_capacity(self.positions());
        for pos in 0..self.positions() {
            let item = self.item(pos);
            let place = i32::try_from(pos).unwrap_or(i32::MAX);
            claims.extend(
                item.source_key
                    .iter()
                    .chain(&item.declared_keys)
                    .map(|key| Claim {
                        key: *key,
                        batch: self.batch,
                        pos: place,
                    }),
            );
        }
        // Sorted by key, then position: of two records in one batch that name the same act, the
        // first one stays.
        claims.sort_unstable_by_key(|claim| (claim.key, claim.pos));
        let mut lost: Vec<Claim> = Vec::new();
        let mut wanted: Vec<Claim> = Vec::with_capacity(claims.len());
        for claim in claims {
            match wanted.last().filter(|last| last.key == claim.key) {
                Some(first) if first.pos != claim.pos => {
                    lost.push(Claim {
                        pos: claim.pos,
                        ..claim
                    });
                }
                Some(_) => {}
                None => wanted.push(claim),
            }
        }
        let within: Vec<(usize, usize, ClaimKey)> = lost
            .iter()
            .filter_map(|claim| {
                let first = wanted
                    .binary_search_by_key(&claim.key, |wanted| wanted.key)
                    .ok()?;
                Some((index(claim.pos), index(wanted[first].pos), claim.key))
            })
            .collect();
        let taken = crate::store::behaviour::take_claims(tx, &wanted)?;
        if taken.is_empty() && within.is_empty() {
            return Ok(());
        }
        for holder in taken {
            let at = wanted.binary_search_by_key(&holder.key, |wanted| wanted.key);
            if let Ok(at) = at {
                let pos = index(wanted[at].pos);
                let answer = self.against_holder(tx, pos, &holder)?;
                self.decide_against(pos, answer);
            }
        }
        for (pos, first, key) in within {
            let answer = self.against_neighbour(pos, first, &key);
            if matches!(answer, Answer::Replayed { .. }) {
                self.twins.push((pos, first));
            }
            self.decide_against(pos, answer);
        }
        let losers: Vec<usize> = self.against.keys().copied().collect();
        self.give_back(tx, &losers, &wanted)
    }

    /// A replay beats a refusal: the source key tells that the record itself was seen.
    fn decide_against(&mut self, pos: usize, answer: Answer) {
        match self.against.get(&pos) {
            Some(Answer::Replayed { .. }) => {}
            _ => {
                self.against.insert(pos, answer);
            }
        }
    }

    fn against_holder(&self, tx: &mut Tx<'_>, pos: usize, holder: &Claim) -> FlowResult<Answer> {
        let item = self.item(pos);
        if item.source_key != Some(holder.key) {
            return Ok(Answer::Refused(Code::AlreadyClaimed.into()));
        }
        if digest(tx, holder.batch, holder.pos)? != item.canonical.digest {
            return Ok(Answer::Refused(Problem::at(
                Code::RecordConflict,
                "id",
                "send a correction that names the record it revises",
            )));
        }
        first_result(tx, holder)
    }

    fn against_neighbour(&self, pos: usize, first: usize, key: &ClaimKey) -> Answer {
        let (item, neighbour) = (self.item(pos), self.item(first));
        if item.source_key != Some(*key) {
            Answer::Refused(Code::AlreadyClaimed.into())
        } else if item.canonical.digest == neighbour.canonical.digest {
            Answer::Replayed {
                reduction: None,
                mg: 0,
                points: 0,
            }
        } else {
            Answer::Refused(Problem::at(
                Code::RecordConflict,
                "id",
                "the id stands twice",
            ))
        }
    }

    /// Returns the keys that these positions took in this transaction.
    fn give_back(&self, tx: &mut Tx<'_>, losers: &[usize], wanted: &[Claim]) -> FlowResult<()> {
        let mut keys = Vec::new();
        for pos in losers {
            let item = self.item(*pos);
            let place = i32::try_from(*pos).unwrap_or(i32::MAX);
            for key in item.source_key.iter().chain(&item.declared_keys) {
                let ours = crate::store::behaviour::claim(tx, key)?
                    .is_some_and(|claim| claim.batch == self.batch && claim.pos == place);
                let asked = wanted
                    .binary_search_by_key(key, |wanted| wanted.key)
                    .is_ok();
                if ours && asked {
                    keys.push(*key);
                }
            }
        }
        Ok(return_claims(tx, &keys)?)
    }

    /// The positions that are still to be credited, in order of account and day.
    fn crediting(&self) -> impl Iterator<Item = (usize, Uuid, &'p Item)> + '_ {
        self.linked
            .iter()
            .enumerate()
            .filter(|(pos, _)| !self.against.contains_key(pos))
            .map(|(pos, (account, item))| (pos, *account, *item))
    }

    /// Locks the wallets of all accounts, opening the lot of the day where there is none.
    fn lock_wallets(&self, tx: &mut Tx<'_>, ctx: &Ctx, scene: &SceneView) -> FlowResult<Wallets> {
        let mut accounts: Vec<Uuid> = self.crediting().map(|(_, account, _)| account).collect();
        accounts.dedup();
        let today = ctx.now.with_timezone(&scene.zone).date_naive();
        let bucket = scene.rule.bucket(today);
        let mut lots = lock_lots(tx, &accounts)?;
        let mut newest = newest_lots(&lots);
        let missing: Vec<Lot> = accounts
            .iter()
            .filter(|account| {
                newest
                    .get(*account)
                    .is_none_or(|at| lots[*at].bucket < bucket)
            })
            .map(|account| Lot::empty(*account, bucket))
            .collect();
        if !missing.is_empty() {
            open_lots(tx, &missing)?;
            lots = lock_lots(tx, &accounts)?;
            carry_remainders(&mut lots);
            newest = newest_lots(&lots);
        }
        let credits = day_credits(tx, &self.day_ranges())?;
        let mut earned: HashMap<(Uuid, i32), i64> = HashMap::with_capacity(credits.len());
        for credit in &credits {
            *earned.entry((credit.account, credit.day)).or_default() += credit.points;
        }
        Ok(Wallets {
            lots,
            newest,
            earned,
            credits,
        })
    }

    /// For each account, the days of its items, and a day more on both sides for acts across
    /// midnight.
    fn day_ranges(&self) -> Vec<DayRange> {
        let mut ranges: Vec<DayRange> = Vec::new();
        for (_, account, item) in self.crediting() {
            match ranges.last_mut().filter(|range| range.account == account) {
                Some(range) => range.to = item.day + 1,
                None => ranges.push(DayRange {
                    account,
                    from: item.day - 1,
                    to: item.day + 1,
                }),
            }
        }
        ranges
    }

    fn refuse_overlaps(
        &mut self,
        tx: &mut Tx<'_>,
        scene: &SceneView,
        wallets: &Wallets,
    ) -> FlowResult<()> {
        let exclusive = |item: &Item| scene.pinned[item.pinned].exclusive_time;
        if !self.crediting().any(|(_, _, item)| exclusive(item)) {
            return Ok(());
        }
        let near: Vec<DayCredit> = wallets
            .credits
            .iter()
            .filter(|credit| self.may_overlap(credit))
            .cloned()
            .collect();
        let mut timeline = Timeline::load(tx, scene, &near)?;
        let refused: Vec<usize> = self
            .crediting()
            .filter(|(_, account, item)| {
                exclusive(item) && !timeline.take(*account, item.from, item.to)
            })
            .map(|(pos, _, _)| pos)
            .collect();
        for pos in &refused {
            let item = self.item(*pos);
            let keys: Vec<ClaimKey> = item
                .source_key
                .iter()
                .chain(&item.declared_keys)
                .copied()
                .collect();
            return_claims(tx, &keys)?;
            self.against
                .insert(*pos, Answer::Refused(Code::OverlappingAct.into()));
        }
        Ok(())
    }

    /// Whether any item lies within the span of this credit; most do not, and their details need
    /// not be read.
    fn may_overlap(&self, credit: &DayCredit) -> bool {
        let Some((from, to)) = credit.span else {
            return false;
        };
        let first = self
            .linked
            .partition_point(|(account, _)| *account < credit.account);
        self.linked[first..]
            .iter()
            .take_while(|(account, _)| *account == credit.account)
            .any(|(_, item)| item.from < to && from < item.to)
    }

    /// Turns the accepted items into points, account by account, and changes the lots.
    fn credit(&self, scene: &SceneView, wallets: &mut Wallets) -> Vec<Credited> {
        let mut credited = Vec::with_capacity(self.linked.len());
        let mut current: Option<(Uuid, Earner)> = None;
        for (pos, account, item) in self.crediting() {
            let lot = &mut wallets.lots[wallets.newest[&account]];
            let earner = match &mut current {
                Some((of, earner)) if *of == account => earner,
                _ => &mut current.insert((account, Earner::new(lot.remainder_mg))).1,
            };
            let earned = wallets
                .earned
                .get(&(account, item.day))
                .copied()
                .unwrap_or(0);
            earner.turn_to(item.day, earned);
            let credit = earner.credit(&scene.rule, item.mg);
            lot.remainder_mg = earner.remainder_mg;
            lot.available += credit.points;
            credited.push(Credited {
                pos,
                points: credit.points,
                capped: credit.capped,
            });
        }
        credited
    }

    fn write(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
        log: &LogSettings,
        wallets: &Wallets,
        credited: &[Credited],
    ) -> FlowResult<()> {
        let held = self.held_rows();
        let refusals = self.refusal_rows();
        let nothing_new = credited.is_empty() && held.is_empty();
        if nothing_new
            && (refusals.is_empty() || seen_body(tx, scene.id, &self.prepared.body_digest)?)
        {
            return Ok(());
        }
        append_behaviours(tx, self.behaviour_rows(scene, credited, &held))?;
        append_held(tx, &held)?;
        append_refusals(tx, &refusals)?;
        let points = self.post_credit(tx, ctx, scene, wallets, credited)?;
        let reductions = self.reduction_rows(scene, credited);
        if !reductions.is_empty() {
            let leaves = self.leaves(scene, log, &reductions);
            append_leaves(tx, self.batch, &leaves, count(reductions.len()))?;
        }
        for row in reductions.iter().filter(|row| row.origin_batch.is_some()) {
            release_held(tx, row.behaviour(), row.id())?;
        }
        let reduction_mg = reductions.iter().map(|row| row.mg).sum();
        let replayed = self
            .against
            .values()
            .filter(|answer| matches!(answer, Answer::Replayed { .. }));
        append_batch(
            tx,
            &BatchRow {
                id: self.batch.into(),
                scene_id: scene.id,
                received_at: ctx.now.into(),
                body_digest: self.prepared.body_digest.to_vec(),
                accepted: count(credited.len()),
                replayed: count(replayed.count()),
                refused: count(refusals.len()),
                held: count(held.len() + self.prepared.held.len()),
                reduction_mg,
                points,
            },
        )?;
        Ok(append_reductions(tx, reductions)?)
    }

    fn held_rows(&self) -> Vec<HeldRow> {
        (self.linked.len()..self.positions())
            .filter(|pos| !self.against.contains_key(pos))
            .map(|pos| HeldRow {
                batch_id: self.batch.into(),
                pos: count(pos),
                subject: self.item(pos).subject.to_vec(),
                reason: Code::SubjectNotLinked.as_str().to_owned(),
            })
            .collect()
    }

    /// What is refused now, by its place in the submission.
    fn refusal_rows(&self) -> Vec<RefusalRow> {
        let by_adapter = self
            .prepared
            .refused
            .iter()
            .map(|(at, source, problem)| (*at, source, problem));
        let by_us = self
            .against
            .iter()
            .filter_map(|(pos, answer)| match answer {
                Answer::Refused(problem) => {
                    let item = self.item(*pos);
                    Some((item.index, &item.source_id, problem))
                }
                _ => None,
            });
        by_adapter
            .chain(by_us)
            .map(|(at, source, problem)| RefusalRow {
                batch_id: self.batch.into(),
                pos: count(at),
                source_id: source.clone(),
                code: problem.code.as_str().to_owned(),
                param: problem.param.clone(),
                detail: problem.detail.clone(),
            })
            .collect()
    }

    /// Records that are stored now; a released one is stored already.
    fn behaviour_rows<'r>(
        &'r self,
        scene: &SceneView,
        credited: &[Credited],
        held: &[HeldRow],
    ) -> Vec<NewBehaviour<'r>> {
        let credited = credited.iter().map(|credit| credit.pos);
        let held = held.iter().map(|row| index(row.pos));
        credited
            .chain(held)
            .filter_map(|pos| {
                let item: &'r Item = self.item(pos);
                item.origin.is_none().then(|| NewBehaviour {
                    batch_id: self.batch.into(),
                    pos: count(pos),
                    scene_id: scene.id,
                    account_id: self.linked.get(pos).map(|(account, _)| Id(*account)),
                    source_id: &item.source_id,
                    from_at: item.from.into(),
                    to_at: item.to.into(),
                    content: &item.canonical.content,
                    digest: &item.canonical.digest,
                })
            })
            .collect()
    }

    fn reduction_rows(&self, scene: &SceneView, credited: &[Credited]) -> Vec<ReductionRow> {
        credited
            .iter()
            .map(|credit| {
                let (account, item) = self.linked[credit.pos];
                ReductionRow {
                    batch_id: self.batch.into(),
                    pos: count(credit.pos),
                    account_id: account.into(),
                    scene_id: scene.id,
                    methodology_id: scene.pinned[item.pinned].id,
                    day: item.day,
                    mg: item.mg,
                    points: credit.points,
                    exchange_rule_id: scene.rule_id,
                    origin_batch: item.origin.map(|origin| Id(origin.batch)),
                    origin_pos: item.origin.map(|origin| count(origin.pos as usize)),
                }
            })
            .collect()
    }

    /// Writes the lots, the transfer and its entries; returns the points credited.
    fn post_credit(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
        wallets: &Wallets,
        credited: &[Credited],
    ) -> FlowResult<i64> {
        if credited.is_empty() {
            return Ok(0);
        }
        save_lots(tx, &wallets.lots)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(credited.len() + 1);
        for credit in credited {
            let (account, item) = self.linked[credit.pos];
            let pos = count(credit.pos);
            let same = |entry: &&mut Entry| entry.account == account && entry.day == item.day;
            if let Some(entry) = entries.last_mut().filter(same) {
                entry.available += credit.points;
                entry.reduction_mg += item.mg;
                // Positions between may be refused ones; the range still holds only this account.
                entry.records = pos - entry.first_pos + 1;
                entry.span = entry.span.map(|(from, to)| (from, to.max(item.to)));
            } else {
                let bucket = wallets.lots[wallets.newest[&account]].bucket;
                entries.push(Entry {
                    account,
                    day: item.day,
                    bucket,
                    available: credit.points,
                    held: 0,
                    reduction_mg: item.mg,
                    first_pos: pos,
                    records: 1,
                    span: Some((item.from, item.to)),
                });
            }
        }
        let points: i64 = credited.iter().map(|credit| credit.points).sum();
        let today = ctx
            .now
            .with_timezone(&scene.zone)
            .date_naive()
            .to_epoch_days();
        entries.push(Entry::points(ISSUANCE, today, 0, -points, 0));
        let transfer = Transfer::of(self.batch, TransferKind::Credit, ctx.now, &entries)
            .expect("the issuance entry is minus the sum of the others");
        post(tx, &transfer, &entries)?;
        Ok(points)
    }

    fn leaves(&self, scene: &SceneView, log: &LogSettings, rows: &[ReductionRow]) -> Vec<u8> {
        let mut leaves = Vec::with_capacity(rows.len() * 32);
        let mut buffer = Vec::with_capacity(512);
        for row in rows {
            let (account, item) = self.linked[index(row.pos)];
            let pinned = &scene.pinned[item.pinned];
            let opening = log
                .salt
                .opening(row.id(), *account.as_bytes(), item.canonical.digest);
            let leaf = Leaf {
                reduction: row.id(),
                methodology: &pinned.name,
                methodology_hash: pinned.hash,
                scene: &scene.code,
                day: NaiveDate::from_epoch_days(row.day).unwrap_or(NaiveDate::MIN),
                amount: MgCo2e(row.mg),
                commitment: opening.commitment(),
            };
            leaves.extend_from_slice(&leaf.hash(&mut buffer));
        }
        leaves
    }

    fn into_answers(mut self, credited: &[Credited]) -> Vec<Answer> {
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
                    reduction,
                    mg: item.mg,
                    points,
                    capped,
                },
            );
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
        for (pos, first) in &self.twins {
            let told = answers.get(self.item(*first).index).map(replay_of);
            if let Some((place, told)) = answers.get_mut(self.item(*pos).index).zip(told) {
                *place = told;
            }
        }
        answers
    }
}

/// What the second of two equal records is told, when the first was told this.
fn replay_of(first: &Answer) -> Answer {
    match first {
        Answer::Accepted {
            reduction,
            mg,
            points,
            ..
        } => Answer::Replayed {
            reduction: Some(*reduction),
            mg: *mg,
            points: *points,
        },
        other => other.clone(),
    }
}

/// What a replayed record gave when it was first taken.
fn first_result(tx: &mut Tx<'_>, holder: &Claim) -> FlowResult<Answer> {
    let first = ReductionId {
        batch: holder.batch,
        pos: u32::try_from(holder.pos).unwrap_or(0),
    };
    let row = match reduction_at(tx, holder.batch, holder.pos)? {
        Some(row) => Some(row),
        None => match released(tx, first)? {
            Some(later) => reduction_at(tx, later.batch, count(later.pos as usize))?,
            None => None,
        },
    };
    Ok(match row {
        Some(row) => Answer::Replayed {
            reduction: Some(row.id()),
            mg: row.mg,
            points: row.points,
        },
        None => Answer::Held(Code::SubjectNotLinked),
    })
}

fn newest_lots(lots: &[Lot]) -> HashMap<Uuid, usize> {
    // Lots come by account and bucket, so the last one of an account is its newest.
    lots.iter()
        .enumerate()
        .map(|(at, lot)| (lot.account, at))
        .collect()
}

/// Moves what older lots still carry to the account's newest lot.
fn carry_remainders(lots: &mut [Lot]) {
    for at in 1..lots.len() {
        if lots[at].account == lots[at - 1].account {
            lots[at].remainder_mg += std::mem::take(&mut lots[at - 1].remainder_mg);
        }
    }
}

fn index(pos: i32) -> usize {
    usize::try_from(pos).unwrap_or(usize::MAX)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
