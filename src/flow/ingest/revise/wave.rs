//! One wave: what it reads, its decisions, what it writes.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use crate::domain::behaviour::{ClaimKey, SubjectHash};
use crate::domain::context::Ctx;
use crate::domain::reduction::ReductionId;
use crate::flow::FlowResult;
use crate::store::Tx;
use crate::store::behaviour::{BehaviourRow, behaviours_at, claims_of};
use crate::store::link::{Links, keep_unlinked, links_of};
use crate::store::share::{Sharing, sharing_of};

use super::chain::chains;
use super::decide::{Decided, Verdict};
use super::{Names, Numbered};
use crate::flow::ingest::answer::Answer;
use crate::flow::ingest::batch::{Item, Reading};
use crate::flow::ingest::commit::LogSettings;
use crate::flow::ingest::scene::SceneView;

#[derive(Clone, Copy)]
pub(super) struct Wave<'a> {
    pub ctx: &'a Ctx,
    /// The batch that its records stand in.
    pub batch: Uuid,
    pub scene: &'a SceneView,
    pub log: &'a LogSettings,
}

/// What a wave came to.
#[derive(Default)]
pub(super) struct Done<'i> {
    pub answers: Vec<(&'i Item, Answer)>,
    /// What depends on something that this wave did.
    pub deferred: Numbered<'i>,
}

/// What was read for a wave before anything was decided.
pub(super) struct Known {
    pub links: Links,
    pub sharing: Sharing,
    pub claims: HashMap<ClaimKey, ReductionId>,
    pub chains: HashMap<ReductionId, Vec<ReductionId>>,
    /// The record in force of each chain.
    pub stored: HashMap<ReductionId, BehaviourRow>,
    /// First records of chains, and keys, that something of this wave touches.
    pub touched: HashSet<ReductionId>,
    pub keys: HashSet<ClaimKey>,
}

impl<'a> Wave<'a> {
    pub(super) fn run<'i>(&self, tx: &mut Tx<'_>, items: &Numbered<'i>) -> FlowResult<Done<'i>> {
        let mut known = self.read(tx, items)?;
        let mut done = Done::default();
        let mut decided: Vec<Decided<'i>> = Vec::with_capacity(items.len());
        for (at, item) in items {
            match self.decide(tx, &mut known, item)? {
                Verdict::Answered(answer) => done.answers.push((item, answer)),
                Verdict::Deferred => done.deferred.push((*at, *item)),
                Verdict::Decided(one) => decided.push(*one),
            }
        }
        self.write(tx, decided, &mut done.answers)?;
        Ok(done)
    }

    fn read(&self, tx: &mut Tx<'_>, items: &Numbered<'_>) -> FlowResult<Known> {
        let links = links(tx, items)?;
        let sharing = self.sharing(tx, items)?;
        let mut keys: BTreeSet<ClaimKey> = BTreeSet::new();
        for (_, item) in items {
            keys.extend(Names::of(self.scene, item).all());
            keys.extend(&item.declared_keys);
        }
        let keys: Vec<ClaimKey> = keys.into_iter().collect();
        let claims: HashMap<ClaimKey, ReductionId> = claims_of(tx, &keys)?
            .into_iter()
            .map(|claim| (claim.key, claim.holder()))
            .collect();
        let revised = items.iter().filter_map(|(_, item)| {
            let names = Names::of(self.scene, item);
            claims.get(&names.revised.or(names.source)?).copied()
        });
        let revised: BTreeSet<ReductionId> = revised.collect();
        let revised: Vec<ReductionId> = revised.into_iter().collect();
        let chains = chains(tx, &revised)?;
        let ends: BTreeSet<ReductionId> = chains
            .values()
            .filter_map(|chain| chain.last().copied())
            .collect();
        let ends: Vec<ReductionId> = ends.into_iter().collect();
        Ok(Known {
            links,
            sharing,
            claims,
            chains,
            stored: behaviours_at(tx, &ends)?,
            touched: HashSet::new(),
            keys: HashSet::new(),
        })
    }

    /// Whether what an item comes to at once may be shared.
    pub(super) fn shareable(&self, item: &Item) -> bool {
        item.reading.is_none() && !item.cancels && self.scene.pinned[item.pinned].is_shareable()
    }

    fn sharing(&self, tx: &mut Tx<'_>, items: &Numbered<'_>) -> FlowResult<Sharing> {
        let shareable = items.iter().filter(|(_, item)| self.shareable(item));
        let subjects: BTreeSet<SubjectHash> = shareable.map(|(_, item)| item.subject).collect();
        let subjects: Vec<SubjectHash> = subjects.into_iter().collect();
        match subjects.is_empty() {
            true => Ok(Sharing::default()),
            false => Ok(sharing_of(tx, &subjects)?),
        }
    }

    /// Where a stored record stands, if its scene gathers periods.
    pub(super) fn days(&self, stored: &BehaviourRow) -> Option<Reading> {
        let (_, compiled) = self.scene.in_force(stored.from_at.0)?;
        if !compiled.gathers() {
            return None;
        }
        let record = super::record_of(stored)?;
        crate::flow::ingest::prepare::reading(self.scene, compiled, &record).ok()
    }
}

/// Whose the subjects are. Those that are nobody's on an item's day are kept so until the
/// transaction ends.
fn links(tx: &mut Tx<'_>, items: &Numbered<'_>) -> FlowResult<Links> {
    let subjects: BTreeSet<SubjectHash> = items.iter().map(|(_, item)| item.subject).collect();
    let subjects: Vec<SubjectHash> = subjects.into_iter().collect();
    let mut links = links_of(tx, &subjects)?;
    let lacking = items
        .iter()
        .filter(|(_, item)| links.on(&item.subject, item.day).is_none());
    let lacking: BTreeSet<SubjectHash> = lacking.map(|(_, item)| item.subject).collect();
    let lacking: Vec<SubjectHash> = lacking.into_iter().collect();
    if !lacking.is_empty() {
        keep_unlinked(tx, &lacking)?;
        links.extend(links_of(tx, &lacking)?);
    }
    Ok(links)
}

/// Whether the item is counted when its period closes, or was.
pub(super) fn of_period(item: &Item, old: Option<&Reading>) -> bool {
    old.is_some() || item.reading.is_some()
}
