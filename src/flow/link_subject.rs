//! Linking: a partner's name for a person becomes that person's account, and what was held for
//! them is credited.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::behaviour::{Canonical, Record, SubjectHash, subject_hash};
use crate::domain::context::Ctx;
use crate::domain::methodology::Scratch;
use crate::domain::problem::Code;
use crate::domain::reduction::ReductionId;
use crate::store::behaviour::{BehaviourRow, held_of};
use crate::store::link::open_link;
use crate::store::period::{QueuedRow, queue_periods, recorded_days};
use crate::store::{Conn, StoreError, Tx};

use super::catalogue::{Catalogue, Scene};
use super::ingest::{Item, Prepared, RECORDS_MAX, Receipt, commit};
use super::log_keys::LogKeys;
use super::{FlowError, FlowResult};

/// What linking brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Linked {
    /// Held records that are credited now.
    pub released: usize,
    pub reduction_mg: i64,
    pub points: i64,
}

/// Links a subject of `partner` to an account, and credits up to [`RECORDS_MAX`] held records;
/// call [`release_held`] for what is left.
///
/// # Errors
/// The subject is linked already.
pub fn link_subject(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    catalogue: &Catalogue,
    keys: &LogKeys,
    partner: Uuid,
    subject: &str,
    account: Uuid,
) -> FlowResult<Linked> {
    let subject = subject_hash(partner, subject);
    let linked = open_link(tx, &subject, account, Some(partner), ctx.now.into());
    linked.map_err(|error| match error {
        StoreError::Constraint(_) => FlowError::from(Code::SubjectLinked),
        other => other.into(),
    })?;
    queue_recorded(tx, catalogue, &subject)?;
    release_held(tx, ctx, catalogue, keys, &subject)
}

/// Periods that nobody could be credited for are computed now.
fn queue_recorded(tx: &mut Tx<'_>, catalogue: &Catalogue, subject: &SubjectHash) -> FlowResult<()> {
    let mut queued = Vec::new();
    for (scene_id, day, out) in recorded_days(tx, subject)? {
        let mut scenes = catalogue.scenes.values();
        let Some(scene) = scenes.find(|scene| scene.row.id == scene_id) else {
            continue;
        };
        let mut next = NaiveDate::from_epoch_days(day);
        while let Some(date) = next.filter(|date| date.to_epoch_days() < out) {
            let version = scene.view.in_force_on(date.to_epoch_days());
            let compiled = version.map(|(_, compiled)| compiled);
            let span = compiled.and_then(|compiled| compiled.period_of(date));
            queued.extend(span.map(|span| QueuedRow {
                scene_id,
                subject: subject.to_vec(),
                day: span.first.to_epoch_days(),
                until_day: span.first.to_epoch_days(),
                due_day: span.out.to_epoch_days().max(out),
            }));
            next = span.map(|span| span.out);
        }
    }
    Ok(queue_periods(tx, queued)?)
}

/// Credits held records of a linked subject, scene by scene.
///
/// # Errors
/// The store failed.
pub fn release_held(
    tx: &mut Tx<'_>,
    ctx: &mut Ctx,
    catalogue: &Catalogue,
    keys: &LogKeys,
    subject: &SubjectHash,
) -> FlowResult<Linked> {
    let mut linked = Linked::default();
    for (scene_id, rows) in by_scene(tx, subject)? {
        let scene = catalogue
            .scenes
            .values()
            .find(|scene| scene.row.id == scene_id);
        let Some(scene) = scene else { continue };
        let prepared = prepare_held(scene, subject, rows)?;
        let batch = ctx.id();
        let receipt: Receipt = commit(tx, ctx, batch, &scene.view, &keys.settings, &prepared)?;
        linked.released += receipt.accepted;
        linked.reduction_mg += receipt.reduction_mg;
        linked.points += receipt.points;
    }
    Ok(linked)
}

fn by_scene(
    conn: &mut Conn,
    subject: &SubjectHash,
) -> FlowResult<BTreeMap<i32, Vec<BehaviourRow>>> {
    let limit = i64::try_from(RECORDS_MAX).unwrap_or(i64::MAX);
    let mut scenes: BTreeMap<i32, Vec<BehaviourRow>> = BTreeMap::new();
    for row in held_of(conn, subject, limit)? {
        scenes.entry(row.scene_id).or_default().push(row);
    }
    Ok(scenes)
}

/// Held records were quantified once, when they came; they are again now, by the version that was
/// in force when the act happened. Their keys are taken already.
fn prepare_held(
    scene: &Scene,
    subject: &SubjectHash,
    rows: Vec<BehaviourRow>,
) -> FlowResult<Prepared> {
    let mut prepared = Prepared {
        body_digest: *subject,
        ..Prepared::default()
    };
    let mut scratch = Scratch::default();
    for (index, row) in rows.into_iter().enumerate() {
        let corrupt = || StoreError::Corrupt(format!("behaviour {}-{}", row.batch_id.0, row.pos));
        let record = Record::from_stored(&row.source_id, row.from_at.0, row.to_at.0, &row.content)
            .ok_or_else(corrupt)?;
        let (place, compiled) = scene.view.in_force(record.from).ok_or_else(corrupt)?;
        match compiled.quantify(&record, &mut scratch) {
            Err(refusal) => {
                prepared
                    .refused
                    .push((index, row.source_id, refusal.into_problem()));
            }
            Ok(quantified) => prepared.items.push(Item {
                index,
                subject: *subject,
                from: record.from,
                to: record.to,
                day: scene.view.day(record.from),
                canonical: Canonical {
                    digest: row.digest.as_slice().try_into().map_err(|_| corrupt())?,
                    content: row.content,
                },
                source_id: row.source_id,
                source_key: None,
                declared_keys: Vec::new(),
                mg: quantified.reduction_mg.0,
                pinned: place,
                origin: Some(ReductionId {
                    batch: row.batch_id.0,
                    pos: u32::try_from(row.pos).unwrap_or(0),
                }),
                reading: None,
                revises: None,
                cancels: false,
                stated_at: None,
            }),
        }
    }
    Ok(prepared)
}
