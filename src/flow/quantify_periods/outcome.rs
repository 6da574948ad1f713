//! What periods come to, before anything is compared or written.

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use crate::domain::behaviour::{Canonical, Record, SubjectHash, Writer};
use crate::domain::methodology::{Compiled, Series};
use crate::domain::problem::{Code, Problem};
use crate::domain::wallet::Day;
use crate::flow::FlowResult;
use crate::flow::ingest::SceneView;
use crate::store::behaviour::BehaviourRow;
use crate::store::period::{readings_between, statements_before};
use crate::store::{StoreError, Tx};

/// What one period came to.
pub(super) struct Outcome {
    /// Place of the methodology version in the scene's list.
    pub pinned: usize,
    pub mg: i64,
    /// Why it gives nothing: a problem's code, or the document's reason.
    pub refusal: Option<String>,
    /// Tells a change from a repetition.
    pub digest: Vec<u8>,
    pub canonical: Option<Canonical>,
    pub span: (DateTime<Utc>, DateTime<Utc>),
    record: Option<Record>,
}

impl Outcome {
    fn given(pinned: usize, mg: i64, record: Record, writer: &mut Writer) -> Outcome {
        let canonical = writer.write(&record);
        Outcome {
            pinned,
            mg,
            refusal: None,
            digest: canonical.digest.to_vec(),
            canonical: Some(canonical),
            span: (record.from, record.to),
            record: Some(record),
        }
    }

    fn nothing(pinned: usize, reason: &str) -> Outcome {
        Outcome {
            pinned,
            mg: 0,
            refusal: Some(reason.to_owned()),
            digest: Sha256::digest(reason.as_bytes()).to_vec(),
            canonical: None,
            span: (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH),
            record: None,
        }
    }

    /// The same period, excluded for a reason.
    pub fn refused(self, reason: String) -> Outcome {
        Outcome::nothing(self.pinned, &reason)
    }

    /// The computed record, where the period gives something.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    pub fn canonical_digest(&self) -> [u8; 32] {
        self.canonical
            .as_ref()
            .map_or([0; 32], |canonical| canonical.digest)
    }

    /// Nothing was recorded of the period, or all of it was cancelled.
    pub fn is_nothing(&self) -> bool {
        self.refusal.as_deref() == Some(EMPTY)
    }
}

/// The reason of a period without any record that still stands.
const EMPTY: &str = "no_record";

/// One digest over several outcomes, for the batch that writes them.
pub(super) fn digest_of<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for outcome in outcomes {
        hasher.update(&outcome.digest);
    }
    hasher.finalize().into()
}

/// One subject's periods, with the records behind them and before them.
pub(super) struct Gathered {
    /// First day and first day that is out of each.
    pub spans: Vec<(Day, Day)>,
    /// The period's record, or why there is none.
    pub periods: Vec<Result<Record, Problem>>,
}

/// Everything recorded from `from` to before `out`, as periods.
pub(super) fn gathered(
    tx: &mut Tx<'_>,
    scene: &SceneView,
    compiled: &Compiled,
    subject: &SubjectHash,
    from: Day,
    out: Day,
) -> FlowResult<Gathered> {
    let readings = records(readings_between(tx, scene.id, subject, from, out)?)?;
    let statements = records(statements_before(tx, scene.id, subject, out)?)?;
    let name = hex::encode(subject);
    let (mut spans, mut periods) = (Vec::new(), Vec::new());
    for (span, period) in compiled.gather(&readings, &statements) {
        spans.push((span.first.to_epoch_days(), span.out.to_epoch_days()));
        periods.push(period.map(|record| Record {
            source_id: format!("{}:{}", scene.code, span.first),
            subject: name.clone(),
            ..record
        }));
    }
    Ok(Gathered { spans, periods })
}

fn records(rows: Vec<BehaviourRow>) -> FlowResult<Vec<Record>> {
    let read = |row: BehaviourRow| {
        Record::from_stored(&row.source_id, row.from_at.0, row.to_at.0, &row.content).ok_or_else(
            || StoreError::Corrupt(format!("behaviour {}-{}", row.batch_id.0, row.pos)).into(),
        )
    };
    rows.into_iter().map(read).collect()
}

/// What the periods that begin on these days come to.
pub(super) fn compute(
    tx: &mut Tx<'_>,
    scene: &SceneView,
    compiled: &Compiled,
    pinned: usize,
    subject: &SubjectHash,
    days: &[Day],
) -> FlowResult<Vec<((Day, Day), Outcome)>> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Ok(Vec::new());
    };
    let reach = i32::try_from(compiled.reach_days()).unwrap_or(i32::MAX);
    let end = NaiveDate::from_epoch_days(*last).and_then(|day| compiled.period_of(day));
    let end = end
        .map_or(*last, |span| span.out.to_epoch_days())
        .saturating_add(crate::store::period::LONGEST_DAYS);
    let from = first.saturating_sub(reach);
    let gathered = gathered(tx, scene, compiled, subject, from, end)?;
    // A period that cannot be gathered is no history either.
    let sound: Vec<usize> = (0..gathered.periods.len())
        .filter(|at| gathered.periods[*at].is_ok())
        .collect();
    let series: Vec<Record> = gathered
        .periods
        .iter()
        .filter_map(|period| period.clone().ok())
        .collect();
    let mut memory = Series::default();
    let mut writer = Writer::default();
    compiled.open_series(&series, &mut memory);
    let mut outcomes = Vec::with_capacity(days.len());
    for day in days {
        let Some(at) = gathered.spans.iter().position(|(first, _)| first == day) else {
            let date = NaiveDate::from_epoch_days(*day);
            let out = date
                .and_then(|date| compiled.period_of(date))
                .map_or(day + 1, |span| span.out.to_epoch_days());
            outcomes.push(((*day, out), Outcome::nothing(pinned, EMPTY)));
            continue;
        };
        let outcome = match &gathered.periods[at] {
            Err(problem) => Outcome::nothing(pinned, problem.code.as_str()),
            Ok(_) => {
                let place = sound.binary_search(&at).unwrap_or(0);
                if let Err(problem) = compiled.has_all(&series, place) {
                    let nothing = Outcome::nothing(pinned, problem.code.as_str());
                    outcomes.push((gathered.spans[at], nothing));
                    continue;
                }
                match compiled.quantify_in(&series, place, &mut memory) {
                    Err(refusal) => Outcome::nothing(pinned, refusal.reason()),
                    Ok(quantified) if quantified.reduction_mg.0 < 0 => {
                        Outcome::nothing(pinned, Code::NegativeReduction.as_str())
                    }
                    Ok(quantified) => {
                        let record = compiled
                            .remember(&series, place, &memory)
                            .ok_or(Code::Internal)?;
                        // What cannot be claimed could be counted twice.
                        if let Err(problem) = compiled.claim_texts(&record) {
                            let nothing = Outcome::nothing(pinned, problem.code.as_str());
                            outcomes.push((gathered.spans[at], nothing));
                            continue;
                        }
                        Outcome::given(pinned, quantified.reduction_mg.0, record, &mut writer)
                    }
                }
            }
        };
        outcomes.push((gathered.spans[at], outcome));
    }
    Ok(outcomes)
}
