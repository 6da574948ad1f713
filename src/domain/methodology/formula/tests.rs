//! The grammar.

use proptest::prelude::*;

use super::*;

fn printed(source: &str) -> String {
    parse(source).unwrap().to_string()
}

#[test]
fn precedence_is_the_school_one() {
    for (source, same) in [
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("-a ^ 2", "-(a ^ 2)"),
        ("a ^ b ^ c", "a ^ (b ^ c)"),
        ("not a < b and c or d", "((not (a < b)) and c) or d"),
        ("a / b × c", "(a / b) * c"),
        ("a − -b ÷ c", "a - ((-b) / c)"),
    ] {
        assert_eq!(parse(source).unwrap(), parse(same).unwrap(), "{source}");
    }
    assert_eq!(
        printed("(a - (b - c)) * -(d + e)"),
        "(a - (b - c)) * -(d + e)"
    );
    assert_eq!(printed("((a*b))/c"), "a * b / c");
    assert_eq!(printed("-(-(-a))"), "---a");
    assert_eq!(printed("not (not (a < b))"), "not not a < b");
    let many = format!("{}a", "-".repeat(40));
    assert_eq!(printed(&many), many);
}

#[test]
fn a_unit_stands_behind_its_number() {
    assert_eq!(printed("0 kgCO2/kWh*x"), "0 kgCO2/kWh * x");
    assert_eq!(printed("44 kgCO2 / 12 kgC"), "44 kgCO2 / 12 kgC");
    assert_eq!(
        printed("if x<3km then 1 else 2 day"),
        "if x < 3 km then 1 else 2 day"
    );
    assert_eq!(
        printed("5 person-km-2 person-km"),
        "5 person-km - 2 person-km"
    );
    assert_eq!(printed("10 % * x"), "10 % * x");
}

#[test]
fn faults_name_their_place() {
    for (source, place, part) in [
        ("a +", 3, "ends"),
        ("a b", 2, "operator"),
        ("a = b", 2, "=="),
        ("a < b < c", 6, "chain"),
        ("f(a,)", 4, "value"),
        ("t[a", 3, "`]`"),
        ("\"abc", 0, "no end"),
        ("a # b", 2, "#"),
        ("1.2.3 + a", 0, "number"),
        ("if a then b", 11, "else"),
        ("case a else b", 13, "when"),
    ] {
        let fault = parse(source).unwrap_err();
        assert_eq!(fault.from, place, "{source}: {}", fault.message);
        assert!(
            fault.message.en().contains(part),
            "{source}: {}",
            fault.message
        );
        assert!(!fault.message.zh().is_ascii(), "{source}");
    }
}

#[test]
fn length_and_depth_are_bounded() {
    assert!(parse(&"(".repeat(4_000)).is_err());
    assert!(parse(&format!("{}a{}", "(".repeat(40), ")".repeat(40))).is_ok());
    assert!(
        parse(&format!("a{}", " + a".repeat(60)))
            .unwrap_err()
            .message
            .en()
            .contains("deep")
    );
    let chain = parse("a < b < c").unwrap_err();
    assert_eq!(chain.message.zh(), "比较不能连写；请用 `and` 连接两个比较");
    assert!(parse(&"-".repeat(4_000)).is_err());
    assert!(parse(&"a".repeat(MAX_SOURCE + 1)).is_err());
}

fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("12.50 km".to_owned()),
        Just("0 gCO2/person-km".to_owned()),
        Just("\"metro\"".to_owned()),
        Just("true".to_owned()),
    ];
    leaf.prop_recursive(4, 32, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        let operators = vec!["+", "-", "*", "/", "^", "and", "or", "<", ">=", "==", "!="];
        prop_oneof![
            (two.clone(), proptest::sample::select(operators))
                .prop_map(|((a, b), op)| format!("({a}) {op} ({b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            (two.clone(), inner.clone())
                .prop_map(|((a, b), c)| format!("if {a} then {b} else {c}")),
            (two.clone(), inner.clone()).prop_map(|((a, b), c)| format!(
                "case m when \"x\" then ({a}) when \"y\" then ({b}) else {c}"
            )),
            two.clone().prop_map(|(a, b)| format!("max({a}, {b})")),
            two.prop_map(|(a, b)| format!("t[{a}, {b}]")),
            inner.prop_map(|a| format!("sum(m in modes: {a})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_parses_back(source in any_expression()) {
        if let Ok(tree) = parse(&source) {
            let text = tree.to_string();
            let again = parse(&text);
            prop_assert_eq!(again.as_ref(), Ok(&tree), "{}", text);
        }
    }

    #[test]
    fn any_text_parses_or_is_refused_inside_its_bounds(source in "\\PC{0,60}") {
        if let Err(fault) = parse(&source) {
            prop_assert!(fault.from <= fault.to && fault.to <= source.len());
        }
    }

    #[test]
    fn any_soup_of_tokens_parses_or_is_refused(parts in proptest::collection::vec(proptest::sample::select(vec![
        "if", "then", "else", "case", "when", "sum", "in", ":", "(", ")", "[", "]", ",", "a", "1", "2 km",
        "\"x\"", "+", "-", "*", "/", "^", "not", "and", "or", "<", "==", "%", "度", ".",
    ]), 0..40)) {
        let source = parts.join(" ");
        if let Err(fault) = parse(&source) {
            prop_assert!(source.is_char_boundary(fault.from) && source.is_char_boundary(fault.to));
        }
    }
}
