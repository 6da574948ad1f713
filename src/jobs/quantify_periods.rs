//! Quantifies periods that have closed, and judges years that have ended, scene by scene.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::behaviour::SubjectHash;
use crate::domain::wallet::Day;
use crate::flow::FlowResult;
use crate::flow::catalogue::Scene;
use crate::flow::quantify_periods::{Quantified, judge_year, quantify_periods};
use crate::store::period::{due_subjects, due_years};

use super::{Ground, system_ctx};

/// How often closed periods are looked for.
const PERIOD: Duration = Duration::from_secs(5);
/// Subjects in one transaction.
const SUBJECTS: i64 = 100;

pub(super) async fn run(ground: Ground, mut stop: watch::Receiver<bool>) {
    loop {
        match reconcile(&ground, &stop).await {
            Ok(Quantified { changed: 0, .. }) => {}
            Ok(done) => tracing::info!(
                periods = done.periods,
                changed = done.changed,
                taken_back = done.taken_back,
                reduction_mg = done.reduction_mg,
                points = done.points,
                "periods quantified"
            ),
            Err(error) => tracing::warn!(%error, "periods could not be quantified"),
        }
        let stopped = stop.wait_for(|stop| *stop);
        if tokio::time::timeout(PERIOD, stopped).await.is_ok() {
            return;
        }
    }
}

/// Does everything that is due now.
///
/// # Errors
/// The store failed.
pub async fn reconcile(ground: &Ground, stop: &watch::Receiver<bool>) -> FlowResult<Quantified> {
    let mut done = Quantified::default();
    let catalogue = ground.catalogue.get();
    for scene in catalogue.scenes.values() {
        let gathers = scene.view.pinned.iter().any(|pinned| {
            pinned
                .compiled
                .as_ref()
                .is_some_and(|compiled| compiled.gathers())
        });
        if gathers {
            // A verdict makes periods due, and nothing else makes a verdict: two rounds suffice.
            for _ in 0..2 {
                periods(ground, scene, stop, &mut done).await?;
                if !years(ground, scene, stop).await? {
                    break;
                }
            }
        }
    }
    Ok(done)
}

async fn periods(
    ground: &Ground,
    scene: &Arc<Scene>,
    stop: &watch::Receiver<bool>,
    done: &mut Quantified,
) -> FlowResult<()> {
    let today: Day = scene.view.day(ground.clock.now());
    let mut after: Vec<u8> = Vec::new();
    while !*stop.borrow() {
        let (id, from) = (scene.view.id, after.clone());
        let subjects: Vec<SubjectHash> = ground
            .pool
            .read(move |conn| due_subjects(conn, id, today, &from, SUBJECTS))
            .await?;
        let Some(last) = subjects.last() else { break };
        after = last.to_vec();
        let (ctx, scene, keys) = (
            system_ctx(&ground.clock),
            scene.clone(),
            ground.keys.clone(),
        );
        let run: Quantified = ground
            .pool
            .write(move |tx| {
                quantify_periods(
                    tx,
                    &mut ctx.clone(),
                    &scene.view,
                    &keys.settings,
                    &subjects,
                    today,
                )
            })
            .await?;
        done.periods += run.periods;
        done.changed += run.changed;
        done.taken_back += run.taken_back;
        done.reduction_mg += run.reduction_mg;
        done.points += run.points;
    }
    Ok(())
}

/// Judges years; true if any verdict changed.
async fn years(
    ground: &Ground,
    scene: &Arc<Scene>,
    stop: &watch::Receiver<bool>,
) -> FlowResult<bool> {
    use chrono::Datelike;
    let this_year = ground.clock.now().with_timezone(&scene.view.zone).year();
    let mut changed = false;
    while !*stop.borrow() {
        let id = scene.view.id;
        let due = ground
            .pool
            .read(move |conn| due_years(conn, id, this_year, SUBJECTS))
            .await?;
        if due.is_empty() {
            break;
        }
        for (subject, year) in due {
            let (ctx, scene) = (system_ctx(&ground.clock), scene.clone());
            changed |= ground
                .pool
                .write(move |tx| judge_year(tx, &ctx, &scene.view, &subject, year))
                .await?;
        }
    }
    Ok(changed)
}
