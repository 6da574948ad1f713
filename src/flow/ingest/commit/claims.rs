//! What is new: every item takes its keys, and one that cannot is a replay or is refused.

use super::*;
use crate::store::share::parts_of_record;

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
        // What states a known id anew is neither a replay nor a conflict: it is decided last.
        self.restated = self
            .against
            .iter()
            .filter(|(_, answer)| **answer == Answer::Held(Code::Superseded))
            .map(|(pos, _)| *pos)
            .collect();
        let losers: Vec<usize> = self.against.keys().copied().collect();
        self.give_back(tx, &losers, &wanted)
    }

    /// A replay beats a refusal: the source key tells that the record itself was seen.
    pub(super) fn decide_against(&mut self, pos: usize, answer: Answer) {
        match self.against.get(&pos) {
            Some(Answer::Replayed { .. }) => {}
            _ => {
                self.against.insert(pos, answer);
            }
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
            return Ok(Answer::Refused(Code::AlreadyClaimed.into()));
        }
        if digest(tx, holder.batch, holder.pos)? != item.canonical.digest {
            if item.stated_at.is_some() {
                return Ok(Answer::Held(Code::Superseded));
            }
            return Ok(Answer::Refused(Problem::at(
                Code::RecordConflict,
                "id",
                "send a correction that names the record it revises",
            )));
        }
        first_result(tx, scene, holder)
    }

    pub(super) fn against_neighbour(&self, pos: usize, first: usize, key: &ClaimKey) -> Answer {
        let (item, neighbour) = (self.item(pos), self.item(first));
        if item.source_key != Some(*key) {
            Answer::Refused(Code::AlreadyClaimed.into())
        } else if item.canonical.digest == neighbour.canonical.digest {
            Answer::Replayed {
                reduction: None,
                mg: 0,
                points: 0,
            }
        } else if item.stated_at.is_some() {
            Answer::Held(Code::Superseded)
        } else {
            Answer::Refused(Problem::at(
                Code::RecordConflict,
                "id",
                "the id stands twice",
            ))
        }
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
            reduction: Some(*reduction),
            mg: *mg,
            points: *points,
        },
        other => other.clone(),
    }
}

/// What a replayed record gave when it was first taken.
pub(in crate::flow::ingest) fn first_result(
    tx: &mut Tx<'_>,
    scene: &SceneView,
    holder: &Claim,
) -> FlowResult<Answer> {
    let first = ReductionId {
        batch: holder.batch,
        pos: u32::try_from(holder.pos).unwrap_or(0),
    };
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
        None => Answer::Held(waits_for(tx, scene, first)?),
    })
}

/// What a stored record that gave nothing yet waits for.
fn waits_for(tx: &mut Tx<'_>, scene: &SceneView, record: ReductionId) -> FlowResult<Code> {
    let stored = crate::store::behaviour::behaviour(tx, record)?;
    let gathers = scene
        .in_force(stored.from_at.0)
        .is_some_and(|(_, compiled)| compiled.gathers());
    Ok(match gathers {
        true => Code::PeriodOpen,
        false => Code::SubjectNotLinked,
    })
}
