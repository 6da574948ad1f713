//! Records of a household or a vehicle that several people share: each record is stored once, and
//! what it came to is credited in parts, in a batch that follows from the record's own.

use crate::domain::wallet::sharing::Part;
use crate::flow::ingest::adjust::{Batches, Fresh, Ground, adjust, derived_id};
use crate::flow::ingest::shared::Shared;
use crate::store::link::Links;
use crate::store::share::{append_parts, sharing_of};

use super::*;

impl<'p> Decision<'p> {
    /// Finds the linked items whose subject is shared on their day.
    pub(super) fn find_shares(
        &mut self,
        tx: &mut Tx<'_>,
        scene: &SceneView,
        links: &Links,
    ) -> FlowResult<()> {
        let shareable: Vec<bool> = scene.pinned.iter().map(Pinned::is_shareable).collect();
        if !shareable.contains(&true) {
            return Ok(());
        }
        let may = |item: &Item| item.reading.is_none() && shareable[item.pinned];
        let mut subjects: Vec<SubjectHash> = self
            .linked
            .iter()
            .filter(|(_, item)| may(item))
            .map(|(_, item)| item.subject)
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        let sharing = sharing_of(tx, &subjects)?;
        if sharing.is_empty() {
            return Ok(());
        }
        for (pos, (_, item)) in self.linked.iter().enumerate() {
            let link = links.on(&item.subject, item.day).filter(|_| may(item));
            let shares = link.map(|link| sharing.on(&item.subject, &link, item.day));
            if let Some(shares) = shares.filter(|shares| !shares.is_empty()) {
                self.shared.insert(pos, shares);
            }
        }
        Ok(())
    }

    /// The shared positions that are still to be credited.
    pub(super) fn sharing(&self) -> impl Iterator<Item = (usize, &[Share])> + '_ {
        self.shared
            .iter()
            .filter(|(pos, _)| !self.against.contains_key(pos))
            .map(|(pos, shares)| (*pos, shares.as_slice()))
    }

    fn shared<'s>(&'s self, pos: usize, shares: &'s [Share]) -> Shared<'s> {
        let item = self.item(pos);
        let record = item.origin.unwrap_or(ReductionId {
            batch: self.batch,
            pos: u32::try_from(pos).unwrap_or(u32::MAX),
        });
        Shared {
            item,
            record,
            shares,
        }
    }

    /// Credits every shared record in parts; what the source is told of each.
    pub(super) fn credit_shares(
        &self,
        tx: &mut Tx<'_>,
        ctx: &Ctx,
        scene: &SceneView,
        log: &LogSettings,
    ) -> FlowResult<Vec<(usize, Answer)>> {
        let mut given: Vec<(usize, Shared<'_>, Part)> = self
            .sharing()
            .flat_map(|(pos, shares)| {
                let shared = self.shared(pos, shares);
                let parts = shared.parts().into_iter();
                parts.map(move |part| (pos, shared, part))
            })
            .collect();
        if given.is_empty() {
            return Ok(Vec::new());
        }
        given.sort_by_key(|(pos, shared, part)| (part.account, shared.item.day, *pos));
        let fresh: Vec<Fresh> = given
            .iter()
            .enumerate()
            .map(|(place, (_, shared, part))| shared.fresh(place, part))
            .collect();
        let ground = Ground {
            ctx,
            scene,
            log,
            batches: Batches {
                credits: derived_id(self.batch, b"shares"),
                reversals: derived_id(self.batch, b"counter-entries"),
                digest: self.prepared.body_digest,
                held: 0,
                refused: 0,
            },
        };
        let adjusted = adjust(tx, &ground, &[], &fresh)?;
        let mut rows = Vec::with_capacity(given.len());
        let mut told: BTreeMap<usize, Answer> = BTreeMap::new();
        for ((pos, shared, part), gave) in given.iter().zip(&adjusted.fresh) {
            rows.push(shared.row(part, gave.reduction));
            let answer = told.entry(*pos).or_insert_with(|| Answer::Accepted {
                reduction: Some(gave.reduction),
                mg: shared.item.mg,
                points: 0,
                capped: false,
            });
            if let Answer::Accepted {
                points: sum,
                capped,
                ..
            } = answer
            {
                *sum += gave.points;
                *capped |= gave.capped;
            }
        }
        append_parts(tx, &rows)?;
        for (pos, answer) in &told {
            if let (
                Some(held),
                Answer::Accepted {
                    reduction: Some(reduction),
                    ..
                },
            ) = (self.item(*pos).origin, answer)
            {
                release_held(tx, held, *reduction)?;
            }
        }
        Ok(told.into_iter().collect())
    }
}
