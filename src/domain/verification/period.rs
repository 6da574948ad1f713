//! Monitoring periods: their window, their states, and how milligrams become tonnes.

use uuid::Uuid;

use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::unit::{MgCo2e, OutOfRange, Tonnes};

/// How often a verifier may send a period back with findings (CCER practice).
pub const FINDING_ROUNDS_MAX: i32 = 3;

/// Where a monitoring period (监测期) stands.
///
/// ```text
/// Open ──close──▶ Closed ──accept(q > 0)──▶ Verified ──issue──▶ Issued
///                 │  ▲  └──accept(q = 0)──▶ Carried
///            find │  │ answer
///                 ▼  │
///                Findings
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodState {
    /// Members are not yet counted.
    Open,
    /// Summed; waits for the verifier.
    Closed,
    /// The verifier asked; the bureau's operator answers.
    Findings,
    /// A verifier accepted whole tonnes.
    Verified,
    /// The tonnes have serials; final.
    Issued,
    /// Not one tonne was accepted: all of it goes to the next period; final.
    Carried,
}

impl PeriodState {
    pub const ALL: [PeriodState; 6] = [
        PeriodState::Open,
        PeriodState::Closed,
        PeriodState::Findings,
        PeriodState::Verified,
        PeriodState::Issued,
        PeriodState::Carried,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            PeriodState::Open => "open",
            PeriodState::Closed => "closed",
            PeriodState::Findings => "findings",
            PeriodState::Verified => "verified",
            PeriodState::Issued => "issued",
            PeriodState::Carried => "carried",
        }
    }

    pub fn parse(text: &str) -> Option<PeriodState> {
        PeriodState::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Whether what this period carries out can no longer change.
    pub fn is_settled(self) -> bool {
        matches!(
            self,
            PeriodState::Verified | PeriodState::Issued | PeriodState::Carried
        )
    }

    /// # Errors
    /// `period_state` unless the period is open.
    pub fn close(self) -> Result<PeriodState, Problem> {
        self.step(PeriodState::Open, PeriodState::Closed)
    }

    /// # Errors
    /// `period_state` unless the period is closed.
    pub fn find(self) -> Result<PeriodState, Problem> {
        self.step(PeriodState::Closed, PeriodState::Findings)
    }

    /// # Errors
    /// `period_state` unless findings wait for an answer.
    pub fn answer(self) -> Result<PeriodState, Problem> {
        self.step(PeriodState::Findings, PeriodState::Closed)
    }

    /// # Errors
    /// `period_state` unless the period is closed.
    pub fn accept(self, quantity: Tonnes) -> Result<PeriodState, Problem> {
        let to = if quantity == Tonnes::ZERO {
            PeriodState::Carried
        } else {
            PeriodState::Verified
        };
        self.step(PeriodState::Closed, to)
    }

    /// # Errors
    /// `period_state` unless the period is verified.
    pub fn issue(self) -> Result<PeriodState, Problem> {
        self.step(PeriodState::Verified, PeriodState::Issued)
    }

    fn step(self, from: PeriodState, to: PeriodState) -> Result<PeriodState, Problem> {
        if self == from {
            return Ok(to);
        }
        let detail = detail!(
            "监测期当前为 {}，须为 {}",
            "It is {}, and must be {}.",
            self.as_str(),
            from.as_str()
        );
        Err(Problem::at(Code::PeriodState, "period", detail))
    }
}

/// Nobody approves what they submitted (四眼原则).
///
/// # Errors
/// `same_actor` if the two are one.
pub fn four_eyes(submitted: Option<Uuid>, approves: Uuid, step: &str) -> Result<(), Problem> {
    if submitted == Some(approves) {
        return Err(Problem::at(Code::SameActor, "actor", Detail::value(step)));
    }
    Ok(())
}

/// The days of a monitoring period, both included, in days since 1970-01-01 in the scene's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: i32,
    to: i32,
}

impl Window {
    /// Five centuries: beyond it a day number is a slip of the pen.
    const DAY_MAX: i32 = 200_000;

    /// # Errors
    /// `invalid_field` if the days are out of order or absurd.
    pub fn new(from: i32, to: i32) -> Result<Window, Problem> {
        if from < 0 || to < from || to > Self::DAY_MAX {
            let detail = detail!(
                "第 {from} 日至第 {to} 日不构成监测期",
                "Days {from} to {to} are no period."
            );
            return Err(Problem::at(Code::InvalidField, "to_day", detail));
        }
        Ok(Window { from, to })
    }

    pub fn from_day(self) -> i32 {
        self.from
    }

    pub fn to_day(self) -> i32 {
        self.to
    }

    /// A scene's periods follow one another: late data belongs to the next one, so an earlier
    /// window cannot be opened afterwards.
    ///
    /// # Errors
    /// `period_overlaps` unless this window begins after `last_day`.
    pub fn follows(self, last_day: Option<i32>) -> Result<(), Problem> {
        match last_day {
            Some(last) if self.from <= last => {
                let detail = detail!(
                    "该场景的监测期已到第 {last} 日",
                    "The scene's periods already reach day {last}."
                );
                Err(Problem::at(Code::PeriodOverlaps, "from_day", detail))
            }
            _ => Ok(()),
        }
    }

    /// # Errors
    /// `period_not_over` while `today` is not after the last day.
    pub fn is_over(self, today: i32) -> Result<(), Problem> {
        if today > self.to {
            return Ok(());
        }
        let detail = detail!(
            "今天是第 {today} 日，监测期最后一天是第 {} 日",
            "Today is day {today}, the last day is {}.",
            self.to
        );
        Err(Problem::at(Code::PeriodNotOver, "period", detail))
    }
}

/// The books of one period, in milligrams: `carried_in + sum = tonnes + carried_out`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub carried_in: MgCo2e,
    /// Sum over the members; corrections are counter-entries, so it may be negative.
    pub sum: MgCo2e,
    pub whole: Tonnes,
    pub carried_out: MgCo2e,
}

impl Totals {
    /// Rounds down to whole tonnes and carries the rest; a negative total issues nothing and is
    /// carried as it stands.
    ///
    /// # Errors
    /// The sum leaves `i64`.
    pub fn settle(carried_in: MgCo2e, sum: MgCo2e) -> Result<Totals, OutOfRange> {
        let total = carried_in.plus(sum)?;
        let (whole, carried_out) = if total < MgCo2e::ZERO {
            (Tonnes::ZERO, total)
        } else {
            total.whole_tonnes()
        };
        Ok(Totals {
            carried_in,
            sum,
            whole,
            carried_out,
        })
    }

    /// What is carried on when a verifier accepts `quantity` of the whole tonnes.
    ///
    /// # Errors
    /// `quantity_out_of_range` if more is accepted than there is, or less than nothing.
    pub fn accept(self, quantity: Tonnes) -> Result<MgCo2e, Problem> {
        if quantity < Tonnes::ZERO || quantity > self.whole {
            let detail = detail!(
                "可核定 0 至 {} 吨",
                "0 to {} t can be accepted.",
                self.whole.0
            );
            return Err(Problem::at(Code::QuantityOutOfRange, "accepted_t", detail));
        }
        let left = (self.whole.0 - quantity.0).checked_mul(MgCo2e::PER_TONNE);
        left.and_then(|left| left.checked_add(self.carried_out.0))
            .map(MgCo2e)
            .ok_or_else(|| Problem::new(Code::Internal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_milligram_is_lost(carried in 0i64..MgCo2e::PER_TONNE, sum in -9_000_000_000_000i64..9_000_000_000_000, q in 0i64..9_000) {
            let totals = Totals::settle(MgCo2e(carried), MgCo2e(sum)).unwrap();
            prop_assert!(totals.whole.0 >= 0);
            prop_assert_eq!(carried + sum, totals.whole.0 * MgCo2e::PER_TONNE + totals.carried_out.0);
            prop_assert!(totals.carried_out.0 < MgCo2e::PER_TONNE);
            match totals.accept(Tonnes(q)) {
                Ok(out) => prop_assert_eq!(carried + sum, q * MgCo2e::PER_TONNE + out.0),
                Err(problem) => {
                    prop_assert!(q > totals.whole.0);
                    prop_assert_eq!(problem.code, Code::QuantityOutOfRange);
                }
            }
        }
    }

    #[test]
    fn a_total_below_zero_is_carried_whole() {
        let totals = Totals::settle(MgCo2e(5), MgCo2e(-2_000_000_000)).unwrap();
        assert_eq!(totals.whole, Tonnes(0));
        assert_eq!(totals.carried_out, MgCo2e(-1_999_999_995));
        assert!(Totals::settle(MgCo2e(i64::MAX), MgCo2e(1)).is_err());
    }

    #[test]
    fn each_state_is_reached_from_open_and_final_ones_do_not_move() {
        let closed = PeriodState::Open.close().unwrap();
        assert_eq!(closed.find().unwrap().answer().unwrap(), closed);
        let issued = closed.accept(Tonnes(1)).unwrap().issue().unwrap();
        let carried = closed.accept(Tonnes(0)).unwrap();
        for end in [issued, carried] {
            assert!(end.close().is_err() && end.find().is_err() && end.answer().is_err());
            assert!(end.issue().is_err() && end.accept(Tonnes(1)).is_err());
        }
        assert!(PeriodState::Open.accept(Tonnes(1)).is_err());
        let refused = closed.issue().unwrap_err();
        assert_eq!(refused.detail.zh(), "监测期当前为 closed，须为 verified");
    }
}
