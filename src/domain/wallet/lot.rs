//! Points of one account that expire on the same day.

use uuid::Uuid;

use super::Day;

/// One lot (积分批次). Amounts are never negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    pub account: Uuid,
    /// The last day on which its points can be spent.
    pub bucket: Day,
    pub available: i64,
    /// Set aside for vouchers that are not written off yet.
    pub held: i64,
    /// Milligrams not yet turned into a whole point.
    pub remainder_mg: i64,
}

/// What one lot gives to a spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    pub bucket: Day,
    pub points: i64,
}

impl Lot {
    pub fn empty(account: Uuid, bucket: Day) -> Lot {
        Lot {
            account,
            bucket,
            available: 0,
            held: 0,
            remainder_mg: 0,
        }
    }

    /// Takes `points` from the lots of one account that are not past `today`, first to expire
    /// first, and moves them from available to held. `None` if they do not suffice; nothing is
    /// then changed. `lots` are in order of bucket.
    pub fn hold_first_expiring(lots: &mut [Lot], points: i64, today: Day) -> Option<Vec<Spend>> {
        debug_assert!(lots.windows(2).all(|pair| pair[0].bucket < pair[1].bucket));
        let live = || lots.iter().filter(|lot| lot.bucket >= today);
        let sum: i128 = live().map(|lot| i128::from(lot.available)).sum();
        if points <= 0 || sum < i128::from(points) {
            return None;
        }
        let mut wanted = points;
        let mut spends = Vec::new();
        for lot in lots.iter_mut().filter(|lot| lot.bucket >= today) {
            let taken = wanted.min(lot.available);
            if taken > 0 {
                lot.available -= taken;
                lot.held += taken;
                wanted -= taken;
                spends.push(Spend {
                    bucket: lot.bucket,
                    points: taken,
                });
            }
        }
        assert_eq!(wanted, 0, "the sum was checked before anything moved");
        Some(spends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_hold_takes_exactly_what_was_asked_in_order_of_expiry(
            amounts in prop::collection::vec(0_i64..50, 1..6),
            points in -5_i64..200,
            today in 0_i32..6,
        ) {
            let account = Uuid::nil();
            let mut lots: Vec<Lot> = amounts
                .iter()
                .zip(0..)
                .map(|(available, bucket)| Lot { available: *available, ..Lot::empty(account, bucket) })
                .collect();
            let before = lots.clone();
            let live: i64 = lots.iter().filter(|lot| lot.bucket >= today).map(|lot| lot.available).sum();
            match Lot::hold_first_expiring(&mut lots, points, today) {
                None => {
                    prop_assert!(points <= 0 || live < points);
                    prop_assert_eq!(lots, before);
                }
                Some(spends) => {
                    prop_assert_eq!(spends.iter().map(|spend| spend.points).sum::<i64>(), points);
                    prop_assert!(spends.iter().all(|spend| spend.bucket >= today && spend.points > 0));
                    for (now, then) in lots.iter().zip(&before) {
                        prop_assert!(now.available >= 0);
                        prop_assert_eq!(now.available + now.held, then.available + then.held);
                    }
                    // Every lot before the last one touched is empty.
                    let last = spends.last().map_or(today, |spend| spend.bucket);
                    prop_assert!(lots.iter().filter(|lot| lot.bucket >= today && lot.bucket < last).all(|lot| lot.available == 0));
                }
            }
        }
    }
}
