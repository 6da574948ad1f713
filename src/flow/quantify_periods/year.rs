//! The end of a year (事后门槛): only then is known who used too much to have earned anything.
//! Whoever is excluded has all of the year taken back; whoever no longer is gets it again.

use chrono::{Datelike, NaiveDate};

use crate::domain::behaviour::SubjectHash;
use crate::domain::context::Ctx;
use crate::domain::methodology::Series;
use crate::domain::wallet::Day;
use crate::flow::FlowResult;
use crate::flow::ingest::SceneView;
use crate::store::Tx;
use crate::store::period::{
    QueuedRow, VerdictRow, append_verdict, hold_subject, queue_periods, take_year, verdict,
};

use super::outcome::gathered;

/// The calendar year of a day.
pub(super) fn year_of(day: Day) -> i32 {
    NaiveDate::from_epoch_days(day).map_or(0, |day| day.year())
}

/// Judges one ended year of one subject. True if the verdict is not what it was: then the year's
/// periods are due again.
///
/// # Errors
/// The store failed, or the threshold cannot be evaluated.
pub fn judge_year(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    scene: &SceneView,
    subject: &SubjectHash,
    year: i32,
) -> FlowResult<bool> {
    hold_subject(tx, scene.id, subject)?;
    if !take_year(tx, scene.id, subject, year)? {
        return Ok(false);
    }
    let first = NaiveDate::from_ymd_opt(year, 1, 1);
    let last = NaiveDate::from_ymd_opt(year, 12, 31);
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(false);
    };
    let Some((_, compiled)) = scene.in_force_on(last.to_epoch_days()) else {
        return Ok(false);
    };
    let (from, out) = (first.to_epoch_days(), last.to_epoch_days() + 1);
    let gathered = gathered(tx, scene, compiled, subject, from, out)?;
    let of_year = gathered.spans.iter().zip(gathered.periods);
    let periods: Vec<_> = of_year
        .filter(|((first, _), _)| (from..out).contains(first))
        .filter_map(|(_, period)| period.ok())
        .collect();
    let judged = compiled.year_verdict(&periods, &mut Series::default());
    let excluded = judged
        .as_ref()
        .err()
        .map(|refusal| refusal.reason().to_owned());
    let before = verdict(tx, scene.id, subject, year)?;
    let was = before
        .as_ref()
        .filter(|row| row.excluded == 1)
        .map(|row| row.reason.clone());
    if was == excluded {
        return Ok(false);
    }
    append_verdict(
        tx,
        &VerdictRow {
            scene_id: scene.id,
            subject: subject.to_vec(),
            year,
            seq: before.map_or(0, |row| row.seq) + 1,
            excluded: i32::from(excluded.is_some()),
            reason: excluded.unwrap_or_default(),
            at: ctx.now.into(),
        },
    )?;
    queue_periods(
        tx,
        vec![QueuedRow {
            scene_id: scene.id,
            subject: subject.to_vec(),
            day: from,
            until_day: out - 1,
            due_day: out,
        }],
    )?;
    Ok(true)
}
