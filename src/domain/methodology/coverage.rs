//! Whether a period is whole (完整性): what nobody read must not look like what nobody used.

use chrono::{DateTime, Utc};

use super::compiled::Compiled;
use super::factor_table::start_of_day;
use super::gather::{Complete, Part, Span, carries};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

impl Compiled {
    /// Every required quantity for itself: a month's gas bill does not stand in for days without
    /// electricity. A quantity that no record carries is left to be missed by name.
    ///
    /// # Errors
    /// `period_incomplete` with the first day or instant that is not covered.
    pub(super) fn covered(
        &self,
        complete: Complete,
        span: Span,
        parts: &[Part<'_>],
    ) -> Result<(), Problem> {
        if complete == Complete::Any {
            return Ok(());
        }
        let zone = self.window.zone;
        let begin = start_of_day(span.first, zone);
        let (begin, end) = begin
            .zip(start_of_day(span.out, zone))
            .ok_or_else(|| Problem::new(Code::TimeInvalid))?;
        let needed = self
            .inputs
            .iter()
            .filter(|input| input.required && input.is_quantity() && input.gather.as_of.is_none());
        for input in needed {
            let own = parts.iter().filter(|part| carries(input, part.record));
            let own = own.map(|part| self.stretch(complete, part.record));
            let mut stretches: Vec<(DateTime<Utc>, DateTime<Utc>)> = own.collect();
            stretches.sort_unstable();
            let mut next = begin;
            for (from, to) in &stretches {
                if *from > next {
                    break;
                }
                next = next.max(*to);
            }
            if next < end && !stretches.is_empty() {
                let local = next.with_timezone(&zone).naive_local();
                let name = input.base();
                let detail = detail!(
                    "{local} 起没有 `{name}` 的记录",
                    "no record of `{name}` covers {local}"
                );
                return Err(Problem::at(Code::PeriodIncomplete, "from", detail));
            }
        }
        Ok(())
    }

    /// What a record covers: its whole days, or just itself.
    fn stretch(&self, complete: Complete, record: &Record) -> (DateTime<Utc>, DateTime<Utc>) {
        let days = self.days_of(record);
        let zone = self.window.zone;
        let whole = start_of_day(days.first, zone).zip(start_of_day(days.out, zone));
        match complete {
            Complete::EveryDay => whole.unwrap_or((record.from, record.to)),
            _ => (record.from, record.to),
        }
    }
}
