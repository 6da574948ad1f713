//! How a voucher's points stand in the books: three movements, each balanced by itself.

use crate::domain::wallet::{Day, Entry, Lot, REDEEMED, Spend};
use uuid::Uuid;

/// A lot holds less than a voucher says it gave: the books contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("lot {account}/{bucket} does not hold {points} points")]
pub struct HoldLost {
    account: Uuid,
    bucket: Day,
    points: i64,
}

/// The entries of a hold (冻结): from available to held, lot by lot.
pub fn held_entries(account: Uuid, day: Day, spends: &[Spend]) -> Vec<Entry> {
    spends
        .iter()
        .map(|spend| Entry::points(account, day, spend.bucket, -spend.points, spend.points))
        .collect()
}

/// Gives held points back to the lots that they came from (解冻). A lot that is past its last day
/// takes them too; they lapse with it at the next run.
///
/// # Errors
/// [`HoldLost`]; the lots may then be half changed and must not be saved.
pub fn give_back(
    lots: &mut [Lot],
    account: Uuid,
    day: Day,
    spends: &[Spend],
) -> Result<Vec<Entry>, HoldLost> {
    let mut entries = Vec::with_capacity(spends.len());
    for spend in spends {
        let lot = holding(lots, account, spend)?;
        lot.held -= spend.points;
        lot.available += spend.points;
        let (back, held) = (spend.points, -spend.points);
        entries.push(Entry::points(account, day, spend.bucket, back, held));
    }
    Ok(entries)
}

/// Takes held points out of the wallet to the system's account of redeemed points (核销).
///
/// # Errors
/// As [`give_back`].
pub fn take_out(
    lots: &mut [Lot],
    account: Uuid,
    day: Day,
    spends: &[Spend],
) -> Result<Vec<Entry>, HoldLost> {
    let mut entries = Vec::with_capacity(spends.len() + 1);
    let mut sum = 0;
    for spend in spends {
        holding(lots, account, spend)?.held -= spend.points;
        sum += spend.points;
        entries.push(Entry::points(account, day, spend.bucket, 0, -spend.points));
    }
    entries.push(Entry::points(REDEEMED, day, 0, sum, 0));
    Ok(entries)
}

fn holding<'l>(lots: &'l mut [Lot], account: Uuid, spend: &Spend) -> Result<&'l mut Lot, HoldLost> {
    lots.iter_mut()
        .find(|lot| lot.account == account && lot.bucket == spend.bucket)
        .filter(|lot| lot.held >= spend.points)
        .ok_or(HoldLost {
            account,
            bucket: spend.bucket,
            points: spend.points,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::wallet::{Transfer, TransferKind};
    use proptest::prelude::*;

    /// What happens to the oldest open voucher, or a new redemption.
    #[derive(Debug, Clone)]
    enum Step {
        Redeem(i64),
        GiveBack,
        WriteOff,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1_i64..120).prop_map(Step::Redeem),
            Just(Step::GiveBack),
            Just(Step::WriteOff),
        ]
    }

    proptest! {
        #[test]
        fn points_are_conserved_and_every_movement_balances(
            amounts in prop::collection::vec(0_i64..60, 1..6),
            steps in prop::collection::vec(step(), 1..40),
            today in 0_i32..4,
        ) {
            let account = Uuid::from_u128(9);
            let mut lots: Vec<Lot> = amounts.iter().zip(0..)
                .map(|(available, bucket)| Lot { available: *available, ..Lot::empty(account, bucket) })
                .collect();
            let first = lots.clone();
            let granted: i64 = amounts.iter().sum();
            let mut open: Vec<Vec<Spend>> = Vec::new();
            let mut redeemed = 0;
            let mut posted: Vec<Entry> = Vec::new();
            for step in steps {
                let (kind, entries) = match step {
                    Step::Redeem(points) => match Lot::hold_first_expiring(&mut lots, points, today) {
                        None => continue,
                        Some(spends) => {
                            let entries = held_entries(account, today, &spends);
                            open.push(spends);
                            (TransferKind::Hold, entries)
                        }
                    },
                    _ if open.is_empty() => continue,
                    Step::GiveBack => {
                        let spends = open.remove(0);
                        (TransferKind::Release, give_back(&mut lots, account, today, &spends).unwrap())
                    }
                    Step::WriteOff => {
                        let spends = open.remove(0);
                        redeemed += spends.iter().map(|spend| spend.points).sum::<i64>();
                        (TransferKind::WriteOff, take_out(&mut lots, account, today, &spends).unwrap())
                    }
                };
                prop_assert!(Transfer::of(Uuid::nil(), kind, chrono::DateTime::UNIX_EPOCH, &entries).is_ok());
                posted.extend(entries);
                // Every lot is what it was plus its entries; what is held is in open vouchers.
                for (now, then) in lots.iter().zip(&first) {
                    let sum = |pick: fn(&Entry) -> i64| posted.iter()
                        .filter(|entry| entry.account == account && entry.bucket == now.bucket)
                        .map(pick).sum::<i64>();
                    prop_assert_eq!(now.available, then.available + sum(|entry| entry.available));
                    prop_assert_eq!(now.held, sum(|entry| entry.held));
                    prop_assert!(now.available >= 0 && now.held >= 0);
                }
                let held: i64 = open.iter().flatten().map(|spend| spend.points).sum();
                prop_assert_eq!(lots.iter().map(|lot| lot.held).sum::<i64>(), held);
                let left: i64 = lots.iter().map(|lot| lot.available + lot.held).sum();
                prop_assert_eq!(left + redeemed, granted);
            }
        }

        #[test]
        fn a_lot_that_holds_too_little_is_a_defect(held in 0_i64..10, more in 1_i64..10) {
            let account = Uuid::from_u128(9);
            let mut lots = [Lot { held, ..Lot::empty(account, 3) }];
            let spend = [Spend { bucket: 3, points: held + more }];
            prop_assert!(take_out(&mut lots, account, 1, &spend).is_err());
            prop_assert!(give_back(&mut lots, account, 1, &spend).is_err());
        }
    }
}
