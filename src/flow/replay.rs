//! Two methodologies tried on the same stored behaviour: who would get more, and who less. Nothing
//! is written. What ingestion refused is not stored, so it is not tried; daily caps, exclusivity
//! and shares are the ledger's and are left aside.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::behaviour::{Record, SubjectHash};
use crate::domain::methodology::{Compiled, Span, Trial, Tried, start_of_day};
use crate::domain::problem::{Code, Problem, detail};
use crate::domain::reduction::ReductionId;
use crate::store::behaviour::BehaviourRow;
use crate::store::link::links_of;
use crate::store::period::{readings_between, statements_before};
use crate::store::replay::{events_after, has_readings, reading_subjects};
use crate::store::{Conn, StoreError};

use super::FlowResult;
use super::ingest::SceneView;

/// How many rows are read at once.
const ROWS: i64 = 5_000;

/// Who behaved: an account, or a subject that nobody has linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Person {
    Account(Uuid),
    Subject(SubjectHash),
}

/// What one person gets under one methodology.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Earned {
    pub reduction_mg: i64,
    /// Acts or periods that count, and that do not.
    pub counted: usize,
    pub refused: usize,
}

/// One person under both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stand {
    pub before: Earned,
    pub after: Earned,
}

/// What a replay found.
#[derive(Debug, Default)]
pub struct Replay {
    /// Stored records that were read; a reading that only serves as history counts.
    pub records: usize,
    pub people: BTreeMap<Person, Stand>,
    /// Why something earned nothing, under the first and under the second.
    pub reasons: [BTreeMap<String, usize>; 2],
}

/// Two methodologies and the days on which they are compared.
#[derive(Debug)]
pub struct Question<'q> {
    pub scene: &'q SceneView,
    pub before: &'q Compiled,
    pub after: &'q Compiled,
    pub days: Span,
}

/// Tries both on what the scene stored for these days; `told` hears how many records were read.
///
/// # Errors
/// The store failed.
pub fn replay(
    conn: &mut Conn,
    question: &Question<'_>,
    told: impl FnMut(usize),
) -> FlowResult<Replay> {
    let mut run = Run {
        question,
        trials: [Trial::of(question.before), Trial::of(question.after)],
        replay: Replay::default(),
        told,
    };
    match has_readings(conn, question.scene.id)? {
        true => run.readings(conn)?,
        false => run.events(conn)?,
    }
    Ok(run.replay)
}

struct Run<'q, T> {
    question: &'q Question<'q>,
    trials: [Trial<'q>; 2],
    replay: Replay,
    told: T,
}

impl<T: FnMut(usize)> Run<'_, T> {
    fn readings(&mut self, conn: &mut Conn) -> FlowResult<()> {
        let Question { scene, days, .. } = self.question;
        let (first, out) = (days.first.to_epoch_days(), days.out.to_epoch_days());
        let from = first.saturating_sub(self.reach());
        let mut after: Vec<u8> = Vec::new();
        loop {
            let subjects = reading_subjects(conn, scene.id, (first, out), &after, ROWS)?;
            let Some(last) = subjects.last() else {
                return Ok(());
            };
            after = last.to_vec();
            let links = links_of(conn, &subjects)?;
            for subject in &subjects {
                let records = records_of(readings_between(conn, scene.id, subject, from, out)?)?;
                let statements = records_of(statements_before(conn, scene.id, subject, out)?)?;
                // A subject that passed to another account in between counts for the last.
                let link = links.on(subject, out - 1);
                let account = link.map(|link| link.account);
                let person = account.map_or(Person::Subject(*subject), Person::Account);
                self.count(records.len());
                self.try_on(person, &records, &statements);
            }
        }
    }

    /// One record at a time, unless one of the two gathers records into periods: then a person's
    /// records are kept until all are read.
    fn events(&mut self, conn: &mut Conn) -> FlowResult<()> {
        let Question {
            scene,
            before,
            after,
            days,
        } = self.question;
        let gathers = before.gathers() || after.gathers();
        let reach = if gathers { self.reach() } else { 0 };
        let bounds = (
            midnight(days.first, -reach, scene)?.into(),
            midnight(days.out, 0, scene)?.into(),
        );
        let mut kept: BTreeMap<Person, Vec<Record>> = BTreeMap::new();
        let mut last: Option<ReductionId> = None;
        loop {
            let rows = events_after(conn, scene.id, bounds, last, ROWS)?;
            let Some((row, _)) = rows.last() else { break };
            last = Some(ReductionId {
                batch: row.batch_id.0,
                pos: u32::try_from(row.pos).unwrap_or(0),
            });
            self.count(rows.len());
            let people = people(conn, scene, &rows)?;
            for ((row, _), person) in rows.into_iter().zip(people) {
                let record = record(row)?;
                match gathers {
                    true => kept.entry(person).or_default().push(record),
                    false => self.try_on(person, &[record], &[]),
                }
            }
        }
        for (person, mut records) in kept {
            records.sort_by_key(|record| record.from);
            self.try_on(person, &records, &records);
        }
        Ok(())
    }

    /// Days before the window that one of the two may look back at, with a month to spare for a
    /// period that is under way when they begin.
    fn reach(&self) -> i32 {
        let Question { before, after, .. } = self.question;
        let reach = before.reach_days().max(after.reach_days());
        i32::try_from(reach).map_or(i32::MAX, |reach| reach.saturating_add(31))
    }

    fn count(&mut self, records: usize) {
        self.replay.records += records;
        (self.told)(self.replay.records);
    }

    fn try_on(&mut self, person: Person, records: &[Record], statements: &[Record]) {
        let [before, after] = [0, 1].map(|side: usize| {
            let Question { scene, days, .. } = *self.question;
            let tried = self.trials[side].run(records, statements, days, scene.zone);
            earned(tried, &mut self.replay.reasons[side])
        });
        let stand = self.replay.people.entry(person).or_default();
        stand.before.add(before);
        stand.after.add(after);
    }
}

impl Earned {
    fn add(&mut self, more: Earned) {
        self.reduction_mg = self.reduction_mg.saturating_add(more.reduction_mg);
        self.counted += more.counted;
        self.refused += more.refused;
    }
}

fn earned(tried: Vec<Tried>, reasons: &mut BTreeMap<String, usize>) -> Earned {
    let mut earned = Earned::default();
    for one in tried {
        match one {
            Ok(mg) => earned.add(Earned {
                reduction_mg: mg,
                counted: 1,
                refused: 0,
            }),
            Err(reason) => {
                earned.refused += 1;
                *reasons.entry(reason).or_default() += 1;
            }
        }
    }
    earned
}

/// Whose each record is.
fn people(
    conn: &mut Conn,
    scene: &SceneView,
    rows: &[(BehaviourRow, Option<Vec<u8>>)],
) -> FlowResult<Vec<Person>> {
    let held =
        |subject: &Option<Vec<u8>>| -> Option<SubjectHash> { subject.as_deref()?.try_into().ok() };
    let mut subjects: Vec<SubjectHash> = rows.iter().filter_map(|(_, it)| held(it)).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let links = links_of(conn, &subjects)?;
    rows.iter()
        .map(|(row, subject)| {
            if let Some(account) = &row.account_id {
                return Ok(Person::Account(account.0));
            }
            let subject = held(subject).ok_or_else(|| {
                StoreError::Corrupt(format!("behaviour {}-{}", row.batch_id.0, row.pos))
            })?;
            let link = links.on(&subject, scene.day(row.from_at.0));
            let account = link.map(|link| link.account);
            Ok(account.map_or(Person::Subject(subject), Person::Account))
        })
        .collect()
}

fn midnight(day: NaiveDate, plus: i32, scene: &SceneView) -> FlowResult<DateTime<Utc>> {
    let day = day.checked_add_signed(chrono::Duration::days(i64::from(plus)));
    let at = day.and_then(|day| start_of_day(day, scene.zone));
    let none = || {
        Problem::at(
            Code::InvalidField,
            "from",
            detail!("没有这一天", "no such day"),
        )
    };
    Ok(at.ok_or_else(none)?)
}

fn records_of(rows: Vec<BehaviourRow>) -> FlowResult<Vec<Record>> {
    rows.into_iter().map(record).collect()
}

fn record(row: BehaviourRow) -> FlowResult<Record> {
    let corrupt = || StoreError::Corrupt(format!("behaviour {}-{}", row.batch_id.0, row.pos));
    let stored = Record::from_stored(&row.source_id, row.from_at.0, row.to_at.0, &row.content);
    Ok(stored.ok_or_else(corrupt)?)
}
