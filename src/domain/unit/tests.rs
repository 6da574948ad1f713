//! Unit algebra.

use proptest::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::dec;

use super::*;

fn convert(value: Decimal, from: &str, to: &str) -> Decimal {
    let from = Unit::parse(from).unwrap();
    let to = Unit::parse(to).unwrap();
    from.conversion_to(&to).unwrap().apply(value).unwrap()
}

#[test]
fn scales_and_aliases_are_exact() {
    assert_eq!(convert(dec!(1), "度", "kWh"), dec!(1));
    assert_eq!(convert(dec!(3), "斤", "kg"), dec!(1.5));
    assert_eq!(convert(dec!(2), "亩", "m2"), dec!(1333.34));
    assert_eq!(convert(dec!(462000), "kgCO2", "tCO2"), dec!(462));
    assert_eq!(convert(dec!(1), "kWh", "MJ"), dec!(3.6));
    assert_eq!(convert(dec!(1), "MW", "kW"), dec!(1000));
    assert_eq!(convert(dec!(2), "h", "min"), dec!(120));
    assert_eq!(
        convert(dec!(46.8), "gCO2/person-km", "kgCO2/km-person"),
        dec!(0.0468)
    );
    assert_eq!(convert(dec!(7.2), "MJ", "kWh"), dec!(2));
    assert_eq!(convert(dec!(1), "therm", "MJ"), dec!(105.4804));
    assert_eq!(convert(dec!(1), "ft3", "m3"), dec!(0.028316846592));
    assert_eq!(convert(dec!(1), "gal_us", "L"), dec!(3.785411784));
}

#[test]
fn unlike_kinds_do_not_convert() {
    for (left, right) in [
        ("kgCO2", "kgCO2e"),
        ("kgCO2e", "kgCO2e_footprint"),
        ("kgCO2", "kg"),
        ("kgC", "kgCO2"),
        ("m3", "Nm3"),
        ("kgce", "kWh"),
        ("person-km", "vehicle-km"),
        ("person-km", "km"),
        ("t-km", "km"),
        ("month", "day"),
        ("trip", "item"),
    ] {
        let left = Unit::parse(left).unwrap();
        let right = Unit::parse(right).unwrap();
        assert!(left.conversion_to(&right).is_err(), "{left} became {right}");
    }
}

#[test]
fn text_forms_round_trip_and_unknown_symbols_are_named() {
    for text in [
        "gCO2/person-km",
        "kgCO2/person-day",
        "tC/TJ",
        "m^2/s^2",
        "1",
        "1/kWh",
        "%",
        "t-km",
    ] {
        let unit = Unit::parse(text).unwrap();
        assert_eq!(unit.to_string(), text);
    }
    assert_eq!(
        Unit::parse("kgCO2/person/day").unwrap(),
        Unit::parse("kgCO2/person-day").unwrap()
    );
    let error = Unit::parse("kgCO2/parsec").unwrap_err();
    assert!(error.to_string().contains("parsec"), "{error}");
    for text in ["", "/", "-", "km^0", "km^99", "km^", "kg//m", "^2"] {
        assert!(Unit::parse(text).is_err(), "{text:?} was read as a unit");
    }
}

#[test]
fn quantities_are_read_with_and_without_a_space() {
    let (value, unit) = parse_quantity("12.5km").unwrap();
    assert_eq!((value, unit.to_string().as_str()), (dec!(12.5), "km"));
    let (value, unit) = parse_quantity("-3 kgCO2/kWh").unwrap();
    assert_eq!((value, unit.to_string().as_str()), (dec!(-3), "kgCO2/kWh"));
    for text in ["", "km", "1.2.3 km", "--1", "1e5 km", "12.5 leagues"] {
        assert!(parse_quantity(text).is_err(), "{text:?} was read");
    }
    assert_eq!(display_decimal(dec!(585.00)), "585.0");
    assert_eq!(display_decimal(dec!(196.370)), "196.37");
}

fn any_unit() -> impl Strategy<Value = Unit> {
    let symbols = vec![
        "g", "kg", "t", "斤", "m", "km", "kWh", "MJ", "person", "kgCO2", "tCO2e", "L", "m3", "day",
        "%",
    ];
    proptest::collection::vec((proptest::sample::select(symbols), -2i8..=2), 1..3).prop_map(
        |parts| {
            parts.iter().fold(Unit::one(), |unit, (symbol, exponent)| {
                unit.times(&Unit::parse(symbol).unwrap().power(*exponent).unwrap())
                    .unwrap()
            })
        },
    )
}

proptest! {
    #[test]
    fn product_over_factor_is_the_other_factor(a in any_unit(), b in any_unit()) {
        // Some products leave the range of a scale, and say so.
        let Some(back) = a.times(&b).and_then(|product| product.per(&b)) else {
            return Ok(());
        };
        prop_assert_eq!(&back, &a);
        prop_assert_eq!(back.dimension(), a.dimension());
        prop_assert!(a.per(&a).unwrap().is_number());
    }

    #[test]
    fn exact_conversions_come_back_exactly(
        mantissa in -1_000_000_000i64..1_000_000_000,
        places in 0u32..6,
        pair in proptest::sample::select(vec![
            ("g", "t"), ("mg", "kg"), ("m", "km"), ("L", "m3"), ("斤", "kg"), ("kWh", "MWh"),
            ("gCO2/person-km", "tCO2/person-km"), ("yuan", "fen"), ("W", "MW"), ("mL", "L"),
        ]),
    ) {
        let value = Decimal::new(mantissa, places);
        let there = convert(value, pair.0, pair.1);
        prop_assert_eq!(convert(there, pair.1, pair.0), value);
    }

    #[test]
    fn unit_text_never_panics(text in "\\PC{0,24}") {
        let _ = Unit::parse(&text);
        let _ = parse_quantity(&text);
    }

    #[test]
    fn printed_units_parse_back(unit in any_unit()) {
        if !unit.to_string().contains('%') {
            prop_assert_eq!(Unit::parse(&unit.to_string()).unwrap(), unit);
        }
    }

    #[test]
    fn rounding_never_moves_a_step_or_more(mantissa in any::<i32>(), mode in proptest::sample::select(Rounding::ALL.to_vec())) {
        let value = Decimal::new(i64::from(mantissa), 4);
        let step = dec!(0.05);
        let rounded = mode.multiple(value, step).unwrap();
        prop_assert!((rounded - value).abs() < step);
        prop_assert!(mode != Rounding::Down || rounded.abs() <= value.abs());
    }
}
