use chrono::DateTime;
use proptest::prelude::*;

use super::*;

fn listing(quantity: i64) -> Listing {
    let price = Price::parse("45.00").unwrap();
    let id = Uuid::from_u128(1);
    Listing::placed(
        id,
        Uuid::from_u128(2),
        Uuid::from_u128(3),
        Tonnes(quantity),
        price,
    )
}

fn trade(seq: i64, quantity: i64, price: &str) -> Trade {
    Trade {
        id: format!("T-{seq}"),
        seq,
        order_id: "O-1".to_owned(),
        listing: Some(Uuid::from_u128(1)),
        buyer: "b".to_owned(),
        quantity: Tonnes(quantity),
        price: Price::parse(price).unwrap(),
        at: DateTime::default(),
    }
}

fn moves(listing: &Listing, trade: &Trade) -> Listing {
    match listing.settle(trade) {
        Settled::Moves(listing) => listing,
        Settled::Incident(reason, _) => panic!("{reason}"),
    }
}

#[test]
fn partial_fills_add_up_and_end_filled() {
    let open = listing(10).accepted("O-1").unwrap();
    let part = moves(&open, &trade(1, 4, "45.00"));
    assert_eq!((part.state, part.frozen()), (ListingState::Open, Tonnes(6)));
    let full = moves(&part, &trade(2, 6, "46.00"));
    assert_eq!(full.state, ListingState::Filled);
    assert_eq!(full.proceeds, Fen(4 * 4_500 + 6 * 4_600));
    assert!(full.unlist().is_err());
}

#[test]
fn a_trade_that_does_not_fit_moves_nothing() {
    let open = listing(10).accepted("O-1").unwrap();
    let other_order = Trade {
        order_id: "O-2".to_owned(),
        ..trade(1, 1, "45.00")
    };
    for bad in [
        trade(1, 11, "45.00"),
        trade(1, 0, "45.00"),
        trade(1, -1, "45.00"),
        trade(1, 1, "44.99"),
        other_order,
    ] {
        let Settled::Incident(_, after) = open.settle(&bad) else {
            panic!("{bad:?} fits")
        };
        assert_eq!(
            (after.state, after.frozen()),
            (ListingState::Incident, Tonnes(10))
        );
        assert!(matches!(
            after.settle(&trade(2, 1, "45.00")),
            Settled::Incident(..)
        ));
        assert_eq!(after.resolved().unwrap().state, ListingState::Open);
    }
    let refused = listing(10).refused("outside the band").unwrap();
    assert!(matches!(
        refused.settle(&trade(1, 1, "45.00")),
        Settled::Incident(..)
    ));
}

#[test]
fn a_trade_may_arrive_before_the_order_is_answered() {
    let part = moves(&listing(10), &trade(1, 4, "45.00"));
    assert_eq!(part.state, ListingState::Open);
    assert_eq!(part.accepted("O-1").unwrap(), part);
    assert!(part.accepted("O-9").is_err());
    assert!(part.refused("late").is_err());
}

#[test]
fn only_what_the_exchange_never_sold_goes_back() {
    let closing = listing(10).accepted("O-1").unwrap().unlist().unwrap();
    // The exchange sold 7 before it took the order out; the report has told of 3 so far.
    let three = moves(&closing, &trade(1, 3, "45.00"));
    assert!(three.withdrawn(Tonnes(2)).is_err());
    assert!(three.withdrawn(Tonnes(11)).is_err());
    let (rest, after) = three.withdrawn(Tonnes(7)).unwrap();
    assert_eq!(
        (rest, after.frozen(), after.state),
        (Tonnes(3), Tonnes(4), ListingState::Closing)
    );
    assert!(after.withdrawn(Tonnes(7)).is_err(), "an answer counts once");
    let end = moves(&after, &trade(2, 4, "45.00"));
    assert_eq!(end.state, ListingState::Closed);
}

proptest! {
    #[test]
    fn filled_returned_and_frozen_are_the_quantity(quantity in 1i64..50, steps in prop::collection::vec((0u8..5, 0i64..60), 0..40)) {
        let mut now = listing(quantity);
        for (seq, (step, n)) in steps.into_iter().enumerate() {
            let next = match step {
                0 => now.accepted("O-1").ok(),
                1 => now.unlist().ok(),
                2 => now.withdrawn(Tonnes(n)).ok().map(|(_, after)| after),
                3 => now.refused("no").ok(),
                _ => match now.settle(&trade(seq as i64, n, "45.00")) {
                    Settled::Moves(after) => Some(after),
                    Settled::Incident(..) => None,
                },
            };
            if let Some(next) = next {
                prop_assert!(next.filled >= now.filled && next.returned >= now.returned);
                now = next;
            }
            prop_assert!(now.frozen() >= Tonnes::ZERO);
            prop_assert_eq!(now.filled.0 + now.returned.0 + now.frozen().0, quantity);
            prop_assert_eq!(now.proceeds.0, now.filled.0 * 4_500);
            let ended = matches!(now.state, ListingState::Filled | ListingState::Closed | ListingState::Refused);
            prop_assert_eq!(ended, now.frozen() == Tonnes::ZERO);
        }
    }
}
