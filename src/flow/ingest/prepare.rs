//! The first half of ingestion: what each record is worth. Pure, and so done before any
//! transaction is open.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::domain::behaviour::{Record, Writer, declared_key, source_key, subject_hash};
use crate::domain::methodology::{Compiled, Scratch, Span};
use crate::domain::problem::{Code, Problem, detail};

use crate::store::period::LONGEST_DAYS;

use super::batch::{Item, Prepared, Reading};
use super::scene::SceneView;

/// A source's clock may be this far ahead of ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);
/// The longest act that excludes others of the same person in time.
const EXCLUSIVE_ACT_MAX: TimeDelta = TimeDelta::hours(24);

/// The attribute by which a source says when it stated a record.
pub(super) const STATED_AT: &str = "stated_at";

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
                    Ok(item) => {
                        let item = Item {
                            source_id: record.source_id,
                            ..item
                        };
                        match item.revises {
                            Some(_) => prepared.revisions.push(item),
                            None => prepared.items.push(item),
                        }
                    }
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
            detail!("行为的结束时间在未来", "the act ends in the future"),
        ));
    }
    let (place, compiled) = scene.in_force(record.from).ok_or_else(|| {
        Problem::at(
            Code::MethodologyNotInForce,
            "from",
            detail!("该时间没有已上线的版本", "no live version covers this time"),
        )
    })?;
    if compiled.overlap().is_some() && record.to - record.from > EXCLUSIVE_ACT_MAX {
        return Err(Problem::on(Code::ActTooLong, "to"));
    }
    let gathers = compiled.gathers();
    // A statement may be words alone.
    let says = gathers && compiled.states(record);
    let cancels = record.revises.is_some() && record.quantities.is_empty() && !says;
    let reading = match gathers && !cancels {
        true => Some(begun(scene, compiled, reading(scene, compiled, record)?)?),
        false => None,
    };
    let (mut mg, mut declared) = (0, Vec::new());
    if !gathers && !cancels {
        let quantified = compiled
            .quantify(record, scratch)
            .map_err(|refusal| refusal.into_problem())?;
        mg = quantified.reduction_mg.0;
        if mg < 0 {
            return Err(Problem::new(Code::NegativeReduction));
        }
        declared = compiled.claim_texts(record)?;
    }
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
        mg,
        pinned: place,
        origin: None,
        reading,
        revises: record.revises.clone(),
        cancels,
        stated_at: record.attribute(STATED_AT).map(str::to_owned),
    })
}

/// Where a record of a scene with periods stands. It is quantified when its periods close; what
/// can be said against it by itself is said now.
pub(super) fn reading(
    scene: &SceneView,
    compiled: &Compiled,
    record: &Record,
) -> Result<Reading, Problem> {
    compiled.accept(record)?;
    let days = compiled.days_of(record);
    let span = |span: Span| (span.first.to_epoch_days(), span.out.to_epoch_days());
    let acts = compiled.acts(record);
    let (first, out) = span(days);
    if out - first > LONGEST_DAYS {
        return Err(Problem::at(
            Code::ActTooLong,
            "to",
            detail!(
                "一条读数最多覆盖 {LONGEST_DAYS} 天",
                "a reading covers at most {LONGEST_DAYS} days"
            ),
        ));
    }
    Ok(Reading {
        days: (first, out),
        periods: match acts {
            true => compiled.periods_of(record)?.into_iter().map(span).collect(),
            false => Vec::new(),
        },
        // A later version may look further back than the one that takes the record.
        reach: scene.reach_days(),
        acts,
        told: compiled
            .states(record)
            .then(|| compiled.first_told(record).to_epoch_days()),
    })
}

/// Refuses a reading of a period that nobody will compute.
fn begun(scene: &SceneView, compiled: &Compiled, reading: Reading) -> Result<Reading, Problem> {
    let first = reading.periods.first().map(|(first, _)| *first);
    let lost = first.filter(|first| !compiled.bills() && !scene.begins_under(compiled, *first));
    match lost.and_then(NaiveDate::from_epoch_days) {
        None => Ok(reading),
        Some(first) => {
            let detail = detail!(
                "{first} 开始的核算周期不属于已上线的版本",
                "no live version has the period that begins on {first}"
            );
            Err(Problem::at(Code::MethodologyNotInForce, "from", detail))
        }
    }
}
