//! The first half of ingestion: what each record is worth. Pure, and so done before any
//! transaction is open.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::behaviour::{Record, Writer, declared_key, source_key, subject_hash};
use crate::domain::methodology::Scratch;
use crate::domain::problem::{Code, Problem};

use super::batch::{Item, Prepared};
use super::scene::SceneView;

/// A source's clock may be this far ahead of ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);
/// The longest act that excludes others of the same person in time.
const EXCLUSIVE_ACT_MAX: TimeDelta = TimeDelta::hours(24);

/// One row of a feed as an adapter left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    Record(Record),
    /// The source id where it could be read, and what is wrong.
    Refused(String, Problem),
    Held(Code),
}

/// Quantifies, canonicalises and hashes every record of one batch.
pub fn prepare(
    scene: &SceneView,
    rows: impl IntoIterator<Item = Row>,
    body_digest: [u8; 32],
    now: DateTime<Utc>,
) -> Prepared {
    let mut prepared = Prepared {
        body_digest,
        ..Prepared::default()
    };
    let mut writer = Writer::default();
    let mut scratch = Scratch::default();
    for (index, row) in rows.into_iter().enumerate() {
        match row {
            Row::Record(record) => {
                match item(scene, &record, index, now, &mut writer, &mut scratch) {
                    Ok(item) => prepared.items.push(Item {
                        source_id: record.source_id,
                        ..item
                    }),
                    Err(problem) => prepared.refused.push((index, record.source_id, problem)),
                }
            }
            Row::Refused(source_id, problem) => prepared.refused.push((index, source_id, problem)),
            Row::Held(code) => prepared.held.push((index, code)),
        }
    }
    prepared
}

fn item(
    scene: &SceneView,
    record: &Record,
    index: usize,
    now: DateTime<Utc>,
    writer: &mut Writer,
    scratch: &mut Scratch,
) -> Result<Item, Problem> {
    if record.to > now + CLOCK_SKEW {
        return Err(Problem::at(
            Code::EventInFuture,
            "to",
            "the act ends in the future",
        ));
    }
    let (place, compiled) = scene.in_force(record.from).ok_or_else(|| {
        Problem::at(
            Code::MethodologyNotInForce,
            "from",
            "no live version covers this time",
        )
    })?;
    if compiled.overlap().is_some() && record.to - record.from > EXCLUSIVE_ACT_MAX {
        return Err(Problem::at(Code::ActTooLong, "to", ""));
    }
    let quantified = compiled
        .quantify(record, scratch)
        .map_err(|refusal| refusal.into_problem())?;
    let declared = compiled.claim_texts(record)?;
    Ok(Item {
        index,
        source_id: String::new(),
        subject: subject_hash(scene.partner, &record.subject),
        from: record.from,
        to: record.to,
        day: record
            .from
            .with_timezone(&scene.zone)
            .date_naive()
            .to_epoch_days(),
        canonical: writer.write(record),
        source_key: Some(source_key(scene.partner, &record.source_id)),
        declared_keys: declared.iter().map(|text| declared_key(text)).collect(),
        mg: quantified.reduction_mg.0,
        pinned: place,
        origin: None,
    })
}
