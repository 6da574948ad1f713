//! What the totals say of credits.

use super::*;

#[test]
fn the_totals_say_what_credits_take_back() {
    let credit = CDR
        .replace("\"id\":\"c-1\"", "\"id\":\"c-1-credit\"")
        .replace(
            "\"currency\"",
            "\"credit\":true,\"credit_reference_id\":\"c-1\",\"currency\"",
        )
        .replace("12.30", "-12.30");
    let again = CDR
        .replace("\"id\":\"c-1\"", "\"id\":\"c-2\"")
        .replace("20.5", "18");
    let text = format!("{CDR}\n{credit}\n{again}\n");
    let (seen, outcomes) = read_all("ocpi-cdr", text.as_bytes()).expect("readable");
    assert_eq!(outcomes.len(), 3);
    let totals: Vec<_> = seen
        .totals
        .iter()
        .map(|q| format!("{} {} {}", q.name, q.value, q.unit))
        .collect();
    assert_eq!(totals, ["credited_electricity 20.5 kWh"]);
    // A credit that writes its energy below zero means the same.
    let negative = credit.replace("20.5", "-20.5");
    let (seen, _) = read_all("ocpi-cdr", negative.as_bytes()).expect("readable");
    assert_eq!(seen.totals[0].value.to_string(), "20.5");
    let (seen, _) = read_all("ocpi-cdr", CDR.as_bytes()).expect("readable");
    assert!(seen.totals.is_empty());
}
