//! What is new: every item takes its keys, and one that cannot is a replay or is refused.

use super::*;
use crate::domain::problem::detail;
use crate::flow::ingest::revise::has_ended;
use crate::store::behaviour::behaviour;
use crate::store::correction::correction_against;
use crate::store::revision::{AwaitedRow, awaited, awaits_as, revised_by};
use crate::store::share::parts_of_record;

/// Marks of what is decided last, until it is: a known id stated anew, and what needs a key that
/// a cancelled record has.
const RESTATED: Answer = Answer::Held(Code::Superseded);
const WAITS_FOR_A_KEY: Answer = Answer::Held(Code::AlreadyClaimed);

impl<'p> Decision<'p> {
    /// Takes every item's keys. An item one of whose keys is taken is a replay or is refused, and
    /// gives back the keys it did get.
    pub(super) fn take_claims(&mut self, tx: &mut Tx<'_>, scene: &SceneView) -> FlowResult<()> {
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
                let answer = self.against_holder(tx, scene, pos, &holder)?;
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
        // What states a known id anew is neither a replay nor a conflict: it is decided last, and
        // so is what needs a key that may be free by then.
        let those = |marked: Answer| {
            let against = self.against.iter();
            let marked = against.filter(move |(_, answer)| **answer == marked);
            marked.map(|(pos, _)| *pos).collect::<Vec<usize>>()
        };
        (self.restated, self.late) = (those(RESTATED), those(WAITS_FOR_A_KEY));
        let losers: Vec<usize> = self.against.keys().copied().collect();
        self.give_back(tx, &losers, &wanted)
    }

    /// What the record's own id says beats what its other keys say.
    pub(super) fn decide_against(&mut self, pos: usize, answer: Answer) {
        let weight = |answer: &Answer| match answer {
            waits if *waits == WAITS_FOR_A_KEY => 0,
            restated if *restated == RESTATED => 3,
            Answer::Refused(problem) if problem.code == Code::AlreadyClaimed => 1,
            Answer::Refused(_) => 2,
            _ => 4,
        };
        let known = self.against.get(&pos).map(weight);
        if known.is_none_or(|known| known < weight(&answer)) {
            self.against.insert(pos, answer);
        }
    }

    pub(super) fn against_holder(
        &self,
        tx: &mut Tx<'_>,
        scene: &SceneView,
        pos: usize,
        holder: &Claim,
    ) -> FlowResult<Answer> {
        let item = self.item(pos);
        if item.source_key != Some(holder.key) {
            // What a cancelled record had claimed may pass on; that is decided last.
            return Ok(match self.cancels() || has_ended(tx, holder.holder())? {
                true => WAITS_FOR_A_KEY,
                false => Answer::Refused(Code::AlreadyClaimed.into()),
            });
        }
        if digest(tx, holder.batch, holder.pos)? != item.canonical.digest {
            if let Some(cancelled) = awaited(tx, &holder.key)? {
                return came_too_late(tx, item, &cancelled);
            }
            if item.stated_at.is_some() {
                return Ok(RESTATED);
            }
            return Ok(Answer::Refused(Problem::at(
                Code::RecordConflict,
                "id",
                detail!(
                    "请提交更正，并写明所更正的记录",
                    "send a correction that names the record it revises"
                ),
            )));
        }
        first_result(tx, scene, holder)
    }

    pub(super) fn against_neighbour(&self, pos: usize, first: usize, key: &ClaimKey) -> Answer {
        let (item, neighbour) = (self.item(pos), self.item(first));
        if item.source_key != Some(*key) {
            match self.cancels() {
                true => WAITS_FOR_A_KEY,
                false => Answer::Refused(Code::AlreadyClaimed.into()),
            }
        } else if item.canonical.digest == neighbour.canonical.digest {
            Answer::Replayed {
                reduction: None,
                mg: 0,
                points: 0,
            }
        } else if item.stated_at.is_some() {
            RESTATED
        } else {
            Answer::Refused(Problem::at(
                Code::RecordConflict,
                "id",
                detail!("该编号出现了两次", "the id stands twice"),
            ))
        }
    }

    /// Whether a cancellation of this submission may yet set keys free.
    fn cancels(&self) -> bool {
        self.prepared.revisions.iter().any(|item| item.cancels)
    }

    /// Returns the keys that these positions took in this transaction.
    pub(super) fn give_back(
        &self,
        tx: &mut Tx<'_>,
        losers: &[usize],
        wanted: &[Claim],
    ) -> FlowResult<()> {
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
}

/// What the second of two equal records is told, when the first was told this.
pub(super) fn replay_of(first: &Answer) -> Answer {
    match first {
        Answer::Accepted {
            reduction,
            mg,
            points,
            ..
        } => Answer::Replayed {
            reduction: *reduction,
            mg: *mg,
            points: *points,
        },
        other => other.clone(),
    }
}

/// What a record is told that was cancelled before it came.
fn came_too_late(tx: &mut Tx<'_>, item: &Item, cancelled: &AwaitedRow) -> FlowResult<Answer> {
    if cancelled.subject != item.subject {
        let detail = detail!(
            "此前已收到对该编号的取消，且所指用户不同",
            "a cancellation of this id came before, and names another subject"
        );
        let conflict = Problem::at(Code::RecordConflict, "subject", detail);
        return Ok(Answer::Refused(conflict));
    }
    let by = behaviour(tx, place(cancelled.batch_id.0, cancelled.pos))?;
    let detail = detail!("由 {source} 取消", "by {source}", source = by.source_id);
    Ok(Answer::Refused(Problem::at(
        Code::RecordCancelled,
        "id",
        detail,
    )))
}

fn place(batch: Uuid, pos: i32) -> ReductionId {
    ReductionId {
        batch,
        pos: u32::try_from(pos).unwrap_or(0),
    }
}

/// What a replayed record gave when it was first taken.
pub(in crate::flow::ingest) fn first_result(
    tx: &mut Tx<'_>,
    scene: &SceneView,
    holder: &Claim,
) -> FlowResult<Answer> {
    let first = holder.holder();
    if scene.is_shareable() {
        let parts = parts_of_record(tx, first)?;
        if let Some(part) = parts.first() {
            return Ok(Answer::Replayed {
                reduction: Some(part.id()),
                mg: parts.iter().map(|part| part.mg).sum(),
                points: parts.iter().map(|part| part.points).sum(),
            });
        }
    }
    if let Some(row) = given_for(tx, first)? {
        return Ok(replayed(Some(&row)));
    }
    if awaits_as(tx, holder.batch, holder.pos, None)? {
        return Ok(Answer::Held(Code::RevisedAwaited));
    }
    let stored = behaviour(tx, first)?;
    let gathers = scene
        .in_force(stored.from_at.0)
        .is_some_and(|(_, compiled)| compiled.gathers());
    if gathers {
        return Ok(Answer::Held(Code::PeriodOpen));
    }
    match revised_by(tx, first)?.filter(|row| row.cancels == 1) {
        // A cancellation gave the counter-entry of what it cancelled.
        Some(row) => {
            let cancelled = given_for(tx, row.revised())?;
            let counter = match cancelled {
                Some(row) => correction_against(tx, row.id())?,
                None => None,
            };
            let counter = match counter {
                Some(row) => reduction_at(tx, row.batch_id.0, row.pos)?,
                None => None,
            };
            Ok(replayed(counter.as_ref()))
        }
        None => Ok(Answer::Held(Code::SubjectNotLinked)),
    }
}

fn replayed(row: Option<&ReductionRow>) -> Answer {
    Answer::Replayed {
        reduction: row.map(ReductionRow::id),
        mg: row.map_or(0, |row| row.mg),
        points: row.map_or(0, |row| row.points),
    }
}

/// The reduction that a record gave, at once or when its subject was linked.
fn given_for(tx: &mut Tx<'_>, record: ReductionId) -> FlowResult<Option<ReductionRow>> {
    let at = |id: ReductionId| (id.batch, count(id.pos as usize));
    let (batch, pos) = at(record);
    if let Some(row) = reduction_at(tx, batch, pos)? {
        return Ok(Some(row));
    }
    let Some(later) = released(tx, record)? else {
        return Ok(None);
    };
    let (batch, pos) = at(later);
    Ok(reduction_at(tx, batch, pos)?)
}
