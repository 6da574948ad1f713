//! Several meters of one subject: each is claimed, none may be missing, and a register is not read
//! twice over the same time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::compiled::Compiled;
use super::gather::Combine;
use super::input::Input;
use crate::domain::behaviour::{READING, REGISTER, Record};
use crate::domain::problem::{Code, Problem, detail};

impl Compiled {
    /// Whether every meter that one of the periods looked back at had is in the period at `at` too.
    /// Of a household with two meters, a day with a reading of one is no saving.
    ///
    /// # Errors
    /// `period_incomplete`, naming what is missing.
    pub fn has_all(&self, periods: &[Record], at: usize) -> Result<(), Problem> {
        let Some(current) = periods.get(at) else {
            return Ok(());
        };
        let inputs = self.inputs.iter();
        let several: Vec<&Input> = inputs
            .filter(|input| input.gather.combine == Combine::Each)
            .collect();
        if several.is_empty() {
            return Ok(());
        }
        for place in self.looked_at(periods, at) {
            let period = &periods[place];
            for input in &several {
                let own = current.attribute(&input.name).unwrap_or_default();
                let had = period.attribute(&input.name).unwrap_or_default();
                let missing = |value: &&str| !each(own).any(|known| known == *value);
                if let Some(missing) = each(had).filter(|value| !value.is_empty()).find(missing) {
                    let detail = detail!("缺少 {missing} 的记录", "no record of {missing}");
                    return Err(Problem::at(Code::PeriodIncomplete, input.param(), detail));
                }
            }
        }
        Ok(())
    }

    /// The places of the earlier periods that the result of the one at `at` rests on.
    fn looked_at(&self, periods: &[Record], at: usize) -> BTreeSet<usize> {
        let own = periods.iter().take(at + 1);
        let days: Vec<NaiveDate> = own.map(|period| self.first_day(period)).collect();
        let mut places = BTreeSet::new();
        for look in &self.program.look_backs {
            if look.reach.of_period() {
                look.reach.members(&days, at, |place| {
                    places.extend((place < at).then_some(place));
                });
            }
        }
        places
    }
}

/// Two readings of one register from one reading to the next cannot overlap: the same energy
/// would count twice.
pub(crate) fn registers_apart<'r>(
    records: impl Iterator<Item = &'r Record>,
) -> Result<(), Problem> {
    let mut last: BTreeMap<Option<&str>, &Record> = BTreeMap::new();
    for record in records.filter(|record| record.attribute(READING) == Some(REGISTER)) {
        // They come by their starts.
        let before = last.insert(record.attribute("meter"), record);
        if let Some(other) = before.filter(|other| record.from < other.to) {
            let (one, two) = (&other.source_id, &record.source_id);
            let detail = detail!("{one} 与 {two} 的时间重叠", "{one} and {two} overlap");
            return Err(Problem::at(Code::PeriodMixed, "from", detail));
        }
    }
    Ok(())
}

/// Between the values of an input that takes each.
const BETWEEN: &str = ", ";

/// Every value that occurs, each once, in order.
pub(crate) fn all_of<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let values: BTreeSet<&str> = texts.flat_map(each).collect();
    let values: Vec<&str> = values.into_iter().collect();
    values.join(BETWEEN)
}

/// The values of such an input.
pub(crate) fn each(text: &str) -> impl Iterator<Item = &str> {
    text.split(BETWEEN)
}
