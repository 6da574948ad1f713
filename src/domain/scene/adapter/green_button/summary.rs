//! UsageSummary (账期汇总): what was used in a billing period. Never added to the intervals that
//! make it up, and counted at all only where the scene says that it pays by billing periods.

use super::super::settings::Settings;
use super::coverage::Coverage;
use super::entry::{Number, Summary};
use super::meter::Measure;
use super::reading::{Context, bounded, instant, stamp, whole};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

/// The setting that says what becomes of summaries.
pub(super) const SETTING: &str = "summaries";

/// What becomes of a summary that no interval reading of the file tells again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Summaries {
    /// It is sound and not counted: the intervals may still come.
    #[default]
    Held,
    /// It is the record of its billing period.
    Counted,
}

impl Summaries {
    /// # Errors
    /// `invalid_field` at `settings.summaries`.
    pub(super) fn declared(settings: &Settings) -> Result<Summaries, Problem> {
        let words = [
            ("held", Summaries::Held),
            ("billing_periods", Summaries::Counted),
        ];
        Ok(settings.choice(SETTING, &words)?.unwrap_or_default())
    }
}

impl Summary {
    /// Whether it says anything beside money.
    pub(super) fn has_consumption(&self) -> bool {
        self.value != Number::Absent
    }

    /// # Errors
    /// `unit_missing` or `unit_unsupported`, as for readings.
    pub(super) fn measure(&self, service: Option<i64>) -> Result<Measure, Problem> {
        self.kind.measure(service).map_err(renamed)
    }

    /// Start and end of the billing period, in Unix seconds.
    ///
    /// # Errors
    /// The field and the rule it breaks.
    pub(super) fn period(&self) -> Result<(i64, i64), Problem> {
        let start = whole(self.start, "billingPeriod.start", Code::TimeInvalid)?;
        let seconds = whole(self.duration, "billingPeriod.duration", Code::InvalidField)?;
        let seconds = bounded(seconds, "billingPeriod.duration")?;
        instant(start, "billingPeriod.start")?;
        Ok((start, start.saturating_add(seconds)))
    }

    /// The record of the billing period.
    ///
    /// # Errors
    /// `reading_incomplete` for a period that was still running when the summary was made,
    /// `duplicate_reading` for one that another summary covers, else the field.
    pub(super) fn record(
        &self,
        context: &Context,
        (start, end): (i64, i64),
        covered: &mut Coverage,
    ) -> Result<Record, Problem> {
        if let Ok(status) = whole(self.status, "statusTimeStamp", Code::TimeInvalid)
            && status < end
        {
            let detail = detail!(
                "生成汇总时，账期尚未结束",
                "the billing period was not over when the summary was made"
            );
            return Err(Problem::at(
                Code::ReadingIncomplete,
                "statusTimeStamp",
                detail,
            ));
        }
        let field = "overallConsumptionLastPeriod.value";
        let whole = whole(self.value, field, Code::InvalidField)?;
        let value = context.measure.value(whole).map_err(renamed)?;
        let (from, to) = (
            instant(start, "billingPeriod.start")?,
            instant(end, "billingPeriod.duration")?,
        );
        if !covered.add(start, end) {
            let detail = detail!(
                "这段时间已有同一计量点的另一份汇总，其陈述较晚或排在前面",
                "another summary of this meter, stated later or first, covers the time"
            );
            return Err(Problem::at(
                Code::DuplicateReading,
                "billingPeriod.start",
                detail,
            ));
        }
        let name = context.measure.name;
        let source_id = format!("{}/{name}/billing@{}", context.key, stamp(from));
        let mut record = context.write(source_id, (from, to), value, self.quality);
        record
            .attributes
            .push(("reading".into(), "billing_period".to_owned()));
        Ok(record)
    }
}

/// The rules are those of readings; the fields are called otherwise.
fn renamed(mut problem: Problem) -> Problem {
    if let Some((_, field)) = problem
        .param
        .as_deref()
        .and_then(|name| name.split_once('.'))
    {
        problem.param = Some(format!("overallConsumptionLastPeriod.{field}"));
    }
    problem
}
