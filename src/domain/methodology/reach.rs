//! How far a look-back reaches, and which periods lie within.

use chrono::{Datelike, Days, Months, NaiveDate};

/// Which periods a look-back takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The mean of the periods that began within this many before.
    Days {
        days: u32,
        current: bool,
    },
    Months {
        months: u32,
        current: bool,
    },
    /// The mean of the unbroken run of months before, at most this many.
    Run {
        most: u32,
    },
    SameMonthLastYear,
    /// The sum over the calendar year; known when the year has ended.
    Year,
}

impl Reach {
    /// How far before a period's first day it can reach, in days. A bill may begin on the last day
    /// of its month, and one that it looks back at on the first of an earlier one.
    pub fn days(self) -> u32 {
        match self {
            Reach::Days { days, .. } => days,
            Reach::Months { months, .. } => months * 31 + 30,
            Reach::Run { most } => most * 31 + 30,
            Reach::SameMonthLastYear => 397,
            // It decides nothing before the year is judged.
            Reach::Year => 0,
        }
    }

    /// Whether a period's own result rests on it, and not only the verdict on its year.
    pub fn of_period(self) -> bool {
        self != Reach::Year
    }

    /// Calls `take` with the place of every period that counts, the latest first. `days` are the
    /// first days of the periods, rising; `at` is the place of the current one.
    pub fn members(self, days: &[NaiveDate], at: usize, mut take: impl FnMut(usize)) {
        let Some(&today) = days.get(at) else { return };
        let month = |day: NaiveDate| day.year() * 12 + day.month0() as i32;
        let before = (0..at).rev();
        match self {
            Reach::Days {
                days: span,
                current,
            } => {
                let back = if current {
                    span.saturating_sub(1)
                } else {
                    span
                };
                let Some(first) = today.checked_sub_days(Days::new(u64::from(back))) else {
                    return;
                };
                let own = current.then_some(at);
                own.into_iter()
                    .chain(before)
                    .take_while(|place| days[*place] >= first)
                    .for_each(take);
            }
            Reach::Months { months, current } => {
                let back = if current {
                    months.saturating_sub(1)
                } else {
                    months
                };
                let first = today
                    .with_day(1)
                    .and_then(|day| day.checked_sub_months(Months::new(back)));
                let Some(first) = first else { return };
                let own = current.then_some(at);
                own.into_iter()
                    .chain(before)
                    .take_while(|place| days[*place] >= first)
                    .for_each(take);
            }
            Reach::Run { most } => {
                let (mut expected, mut taken) = (month(today) - 1, 0);
                for place in before {
                    if taken == most || month(days[place]) != expected {
                        break;
                    }
                    take(place);
                    (expected, taken) = (expected - 1, taken + 1);
                }
            }
            Reach::SameMonthLastYear => {
                let wanted = month(today) - 12;
                let mut before = before;
                let found = before.find(|place| month(days[*place]) <= wanted);
                found
                    .filter(|place| month(days[*place]) == wanted)
                    .into_iter()
                    .for_each(take);
            }
            Reach::Year => (0..days.len())
                .filter(|place| days[*place].year() == today.year())
                .for_each(take),
        }
    }
}
