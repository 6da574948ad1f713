//! Turning an account's reductions into points, one after the other.

use super::{Day, ExchangeRule};

/// One account while its reductions are credited: what it carries, and what it earned per day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earner {
    /// Milligrams carried from earlier credits, less than one point's worth.
    pub remainder_mg: i64,
    day: Day,
    earned_on_day: i64,
}

/// What one reduction gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    pub points: i64,
    /// The day's cap cut something off.
    pub capped: bool,
    /// How many milligrams the cap kept from becoming points.
    pub cut_mg: i64,
}

impl Earner {
    pub fn new(remainder_mg: i64) -> Earner {
        Earner {
            remainder_mg,
            day: Day::MIN,
            earned_on_day: 0,
        }
    }

    /// Moves on to the acts of `day`, for which `earned` points were credited before.
    pub fn turn_to(&mut self, day: Day, earned: i64) {
        if self.day != day {
            self.day = day;
            self.earned_on_day = earned;
        }
    }

    /// Credits one reduction of the day turned to: whole points, rounded down, the rest carried.
    /// Grams above the day's cap give no points and are not carried.
    pub fn credit(&mut self, rule: &ExchangeRule, mg: i64) -> Credit {
        assert!(mg >= 0, "a counter-entry is not a credit");
        let total = i128::from(self.remainder_mg) + i128::from(mg);
        let whole = i64::try_from(total / i128::from(rule.mg_per_point)).unwrap_or(i64::MAX);
        self.remainder_mg = i64::try_from(total % i128::from(rule.mg_per_point))
            .expect("a remainder is smaller than mg_per_point");
        let points = whole.min((rule.daily_cap_points - self.earned_on_day).max(0));
        self.earned_on_day += points;
        Credit {
            points,
            capped: points < whole,
            cut_mg: (whole - points).saturating_mul(rule.mg_per_point),
        }
    }

    /// Takes one reduction back that was credited under the same rule: `mg` less what a cap cut
    /// from it, which is below zero where the cap cut carried milligrams too. Exactly undoes [`Earner::credit`]. Returns the points to take.
    pub fn take_back(&mut self, rule: &ExchangeRule, mg: i64) -> i64 {
        let total = i128::from(self.remainder_mg) - i128::from(mg);
        let per_point = i128::from(rule.mg_per_point);
        self.remainder_mg = i64::try_from(total.rem_euclid(per_point))
            .expect("a remainder is smaller than mg_per_point");
        let points = i64::try_from(-total.div_euclid(per_point)).unwrap_or(i64::MAX);
        self.earned_on_day -= points;
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(mg_per_point: i64, daily_cap_points: i64) -> ExchangeRule {
        ExchangeRule::parse(&format!(
            "code = 'r'\nversion = '1'\ntitle_zh = '规则'\ntitle_en = 'rule'\n\
             effective_from = 2026-01-01T00:00:00+08:00\nmg_per_point = {mg_per_point}\n\
             daily_cap_points = {daily_cap_points}\nvalid_months = 24\nsource = 'test'\n"
        ))
        .unwrap()
    }

    #[test]
    fn points_live_to_the_end_of_a_month() {
        let date = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
        let bucket = rule(1_000, 500).bucket(date("2026-11-20"));
        assert_eq!(bucket, date("2028-11-30").to_epoch_days());
    }

    #[test]
    fn an_unknown_key_or_an_absurd_amount_is_refused() {
        assert!(ExchangeRule::parse("code = 'r'").is_err());
        let text = "code='r'\nversion='1'\ntitle_zh='x'\ntitle_en='x'\neffective_from=2026-01-01T00:00:00+08:00\nmg_per_point=0\ndaily_cap_points=1\nvalid_months=1\nsource='x'";
        assert!(
            ExchangeRule::parse(text)
                .unwrap_err()
                .to_string()
                .contains("mg_per_point")
        );
    }

    proptest! {
        #[test]
        fn without_a_cap_no_milligram_is_lost(
            amounts in prop::collection::vec(0_i64..5_000_000, 1..50),
            mg_per_point in 1_i64..100_000,
        ) {
            let rule = rule(mg_per_point, 1_000_000);
            let mut earner = Earner::new(0);
            earner.turn_to(1, 0);
            let mut points = 0;
            for mg in &amounts {
                let credit = earner.credit(&rule, *mg);
                prop_assume!(!credit.capped);
                points += credit.points;
            }
            prop_assert_eq!(points * mg_per_point + earner.remainder_mg, amounts.iter().sum::<i64>());
            prop_assert!(earner.remainder_mg < mg_per_point);
        }

        #[test]
        fn taking_back_undoes_the_credit(
            before in 0_i64..1_000,
            mg in 0_i64..5_000_000,
            earned in 0_i64..40,
            cap in 1_i64..3_000,
        ) {
            let rule = rule(1_000, cap);
            let mut earner = Earner::new(before);
            earner.turn_to(1, earned);
            let start = earner.clone();
            let credit = earner.credit(&rule, mg);
            let taken = earner.take_back(&rule, mg - credit.cut_mg);
            prop_assert_eq!(taken, credit.points);
            prop_assert_eq!(earner, start);
        }

        #[test]
        fn a_day_never_earns_more_than_its_cap(
            amounts in prop::collection::vec(0_i64..5_000_000, 1..50),
            before in 0_i64..40,
            cap in 1_i64..30,
        ) {
            let rule = rule(1_000, cap);
            let mut earner = Earner::new(999);
            earner.turn_to(1, before);
            let points: i64 = amounts.iter().map(|mg| earner.credit(&rule, *mg).points).sum();
            prop_assert!(points <= (cap - before).max(0));
        }
    }
}
