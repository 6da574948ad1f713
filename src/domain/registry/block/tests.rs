use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Transfer,
    Retire,
    Cancel,
    List,
    Unlist,
    Sell,
}

fn steps() -> impl Strategy<Value = Vec<(Step, usize, i64)>> {
    let step = prop_oneof![
        Just(Step::Transfer),
        Just(Step::Retire),
        Just(Step::Cancel),
        Just(Step::List),
        Just(Step::Unlist),
        Just(Step::Sell),
    ];
    prop::collection::vec((step, any::<usize>(), 1i64..40), 0..60)
}

fn apply(step: Step, block: &Block, other: Uuid) -> Result<Block, Problem> {
    let listing = Uuid::from_u128(77);
    match step {
        Step::Transfer => block.transfer(other),
        Step::Retire => block.retire(),
        Step::Cancel => block.cancel(),
        Step::List => block.list(listing),
        Step::Unlist => block.unlist(listing),
        Step::Sell => block.sell(listing, other),
    }
}

proptest! {
    /// Whatever is done to whichever block, live blocks partition 1..=n, final ones stay as they
    /// are, and no serial comes back under another id of the same generation.
    #[test]
    fn live_blocks_always_partition_the_issuance(n in 1i64..200, steps in steps()) {
        let mut next = 100u128;
        let mut id = || { next += 1; Uuid::from_u128(next) };
        let range = SerialRange::new(1, n).unwrap();
        let mut live = vec![Block::issued(id(), Uuid::from_u128(1), range, Uuid::from_u128(2))];
        let mut gone: Vec<Block> = Vec::new();
        for (step, pick, quantity) in steps {
            let at = pick % live.len();
            let block = live[at].clone();
            let Ok(carved) = block.carve(Tonnes(quantity), [id(), id()]) else { continue };
            let Ok(after) = apply(step, &carved.part, Uuid::from_u128(3 + pick as u128 % 3)) else { continue };
            prop_assert!(!matches!(block.status, Status::Retired | Status::Cancelled));
            prop_assert_eq!(after.range.tonnes(), Tonnes(quantity));
            live[at] = after;
            if let Some((parent, rest)) = carved.split {
                prop_assert_eq!(parent.status, Status::Split);
                prop_assert!(!rest.range.overlaps(live[at].range));
                live.push(rest);
                gone.push(parent);
            }
            let mut ranges: Vec<_> = live.iter().map(|b| (b.range.first(), b.range.last())).collect();
            ranges.sort_unstable();
            let mut expected = 1;
            for (first, last) in ranges {
                prop_assert_eq!(first, expected);
                expected = last + 1;
            }
            prop_assert_eq!(expected, n + 1);
        }
        for parent in gone {
            let children: i64 = live.iter().map(|b| b.range)
                .filter(|r| r.first() >= parent.range.first() && r.last() <= parent.range.last())
                .map(|r| r.tonnes().0).sum();
            prop_assert_eq!(children, parent.range.tonnes().0);
        }
    }
}

fn held() -> Block {
    let range = SerialRange::new(11, 20).unwrap();
    Block::issued(
        Uuid::from_u128(1),
        Uuid::from_u128(2),
        range,
        Uuid::from_u128(3),
    )
}

#[test]
fn final_and_frozen_blocks_refuse() {
    let other = Uuid::from_u128(9);
    let listing = Uuid::from_u128(5);
    let retired = held().retire().unwrap();
    let cancelled = held().cancel().unwrap();
    for end in [&retired, &cancelled] {
        assert!(end.transfer(other).is_err() && end.retire().is_err() && end.cancel().is_err());
        assert!(end.list(listing).is_err() && end.unlist(listing).is_err());
        assert!(end.carve(Tonnes(1), [listing, other]).is_err());
    }
    let listed = held().list(listing).unwrap();
    assert!(
        listed.retire().is_err() && listed.transfer(other).is_err() && listed.cancel().is_err()
    );
    let refused = listed.sell(other, other).unwrap_err();
    let told = (refused.detail.zh(), refused.detail.en());
    let wanted = (
        "区块当前为 listed，须由此订单挂牌",
        "It is listed, and must be listed by this order.",
    );
    assert_eq!(told, wanted, "another order's units");
    assert_eq!(listed.sell(listing, other).unwrap().holder, other);
}

#[test]
fn quantities_out_of_range_are_refused() {
    let ids = [Uuid::from_u128(5), Uuid::from_u128(6)];
    for quantity in [i64::MIN, -1, 0, 11, i64::MAX] {
        let problem = held().carve(Tonnes(quantity), ids).unwrap_err();
        assert_eq!(problem.code, Code::QuantityOutOfRange, "{quantity}");
    }
    assert!(held().carve(Tonnes(10), ids).unwrap().split.is_none());
    assert_eq!(
        held().transfer(held().holder).unwrap_err().code,
        Code::InvalidField
    );
}

#[test]
fn a_digest_tells_states_apart() {
    let block = held();
    assert_ne!(block.digest(), block.retire().unwrap().digest());
    assert_ne!(
        block.digest(),
        block.list(Uuid::from_u128(1)).unwrap().digest()
    );
}
