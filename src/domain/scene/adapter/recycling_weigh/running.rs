//! Running totals of a day: what a row adds is its total less that of the row before, of the same
//! bin, user and type.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::columns::Column;
use super::declared::{DayStart, Declared, Mass};
use super::row::Row;
use crate::domain::problem::{Code, Problem, detail};

/// Bins times users times types of two days: about 60 MB at usual names, 200 MB at the longest.
pub(super) const TOTALS_MAX: usize = 500_000;

struct Total {
    day: NaiveDate,
    at: DateTime<Utc>,
    kilograms: Decimal,
}

pub(super) struct Running {
    /// By bin, user and material, with a NUL between: none of them has one.
    totals: HashMap<String, Total>,
    key: String,
    /// A day's first total is measured from itself, and earns nothing.
    first_is_base: bool,
    /// The latest day seen: totals of earlier days can be forgotten.
    latest: NaiveDate,
}

impl Running {
    pub(super) fn new(mass: Mass) -> Running {
        Running {
            totals: HashMap::new(),
            key: String::new(),
            first_is_base: mass == Mass::CumulativeDay(DayStart::FirstRow),
            latest: NaiveDate::MIN,
        }
    }

    /// What came in since the row before, kg. A row that is refused leaves the total as it was.
    ///
    /// # Errors
    /// `quantity_out_of_range`: the total fell, or rose by more than a drop can be;
    /// `duplicate_reading`: it did not rise; `time_invalid`: the rows are not in the order of time;
    /// `body_too_large`: more totals in one day than are kept.
    pub(super) fn rise(&mut self, row: &Row<'_>, declared: &Declared) -> Result<Decimal, Problem> {
        self.latest = self.latest.max(row.day);
        self.key.clear();
        for part in [row.bin, "\0", row.user, "\0", row.material] {
            self.key.push_str(part);
        }
        let before = match self.totals.get_mut(&self.key) {
            Some(total) if row.at < total.at => {
                let detail = detail!(
                    "早于同一桶、同一用户、同一类别的上一行",
                    "before the previous row of this bin, user and type"
                );
                return Err(Problem::at(
                    Code::TimeInvalid,
                    declared.column(Column::Time),
                    detail,
                ));
            }
            Some(total) if total.day == row.day => total,
            _ => {
                self.make_room()?;
                let fresh = Total {
                    day: row.day,
                    at: row.at,
                    kilograms: Decimal::ZERO,
                };
                let total = self
                    .totals
                    .entry(self.key.clone())
                    .insert_entry(fresh)
                    .into_mut();
                if self.first_is_base {
                    total.kilograms = row.weight;
                    let detail = detail!(
                        "当日首个累计值，作为下一行的起点",
                        "the day's first total: the next is measured from it"
                    );
                    return Err(Problem::at(
                        Code::DuplicateReading,
                        declared.column(Column::Weight),
                        detail,
                    ));
                }
                total
            }
        };
        let rise = row.weight - before.kilograms;
        if rise.is_zero() {
            return Err(Problem::at(
                Code::DuplicateReading,
                declared.column(Column::Weight),
                detail!("累计值没有增加", "the total did not rise"),
            ));
        }
        if rise < Decimal::ZERO {
            let before = before.kilograms.normalize();
            let detail = detail!(
                "累计值低于先前的 {before} kg",
                "the total fell from {before} kg"
            );
            return Err(declared.weight_refused(detail));
        }
        let rise = declared.believed(rise)?;
        before.at = row.at;
        before.kilograms = row.weight;
        Ok(rise)
    }

    /// Forgets earlier days where there is no room for another total.
    fn make_room(&mut self) -> Result<(), Problem> {
        if self.totals.len() < TOTALS_MAX {
            return Ok(());
        }
        // Yesterday stays: its last rows may follow the first of today.
        let yesterday = self.latest.pred_opt().unwrap_or(self.latest);
        self.totals.retain(|_, total| total.day >= yesterday);
        if self.totals.len() < TOTALS_MAX {
            return Ok(());
        }
        let detail = detail!(
            "两天内的累计值超过 {TOTALS_MAX} 个，请拆分文件",
            "more than {TOTALS_MAX} running totals of two days: split the file"
        );
        Err(Problem::at(Code::BodyTooLarge, "file", detail))
    }
}
