//! Cards whose numbers are partly covered.

use super::*;

#[test]
fn a_masked_card_names_nobody_and_pairs_nothing() {
    // Two people whose cards look alike once they are masked: the entry of one, the exit of the other.
    let taps = [
        tap("36****51", "08:05:30", "地铁入站", "罗湖", "0"),
        tap("36****51", "08:20:00", "地铁出站", "老街", "190"),
        tap("****", "08:30:00", "巴士", "x", "200"),
    ];
    let (seen, outcomes) =
        read_with("shenzhen-tong", page(&taps).as_bytes(), &table()).expect("read");
    let found: Vec<_> = refusals(&outcomes)
        .into_iter()
        .map(|(place, code, param)| format!("{place} {code} {param}"))
        .collect();
    let expected = [0, 1, 2].map(|at| format!("/data/{at} invalid_field card_no"));
    assert_eq!(found, expected);
    // The fare is a sum over all taps read.
    assert_eq!(seen.totals[0].value, Decimal::from(390));
    match &outcomes[0] {
        Outcome::Refused(refused) => assert!(refused.problem.detail.zh().contains("打码")),
        other => panic!("{other:?}"),
    }
}
