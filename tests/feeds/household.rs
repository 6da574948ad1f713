//! A household's reads and bills, through the command, in documents of our own making.

use serde_json::json;

use crate::{check_json, feed_check};

const ASKED: &str = r#""eleCustNumber":"0900000000000017","meteringPointId":"MP-17""#;

#[test]
fn days_and_bills_are_summed_and_what_is_late_is_held() {
    let dir = tempfile::tempdir().expect("a directory");
    let daily = dir.path().join("daily.json");
    let text = format!(
        r#"{{{ASKED},"yearMonth":"202602","sta":"00","data":{{
            "totalPower":"11.30","ladderEle":"2",
            "result":[{{"date":"2026-02-01","power":"5.20"}},{{"date":"2026-02-02","power":"6.1"}},
                      {{"date":"2026-02-03","power":null}}]}}}}"#
    );
    std::fs::write(&daily, text).expect("written");
    let args = ["--adapter", "csg-household"];
    assert_eq!(
        check_json(&args, &[&daily]),
        json!({"adapter": "csg-household", "records": 2, "refused": {},
            "held": {"reading_incomplete": 1},
            "totals": [{"quantity": "electricity", "unit": "kWh", "value": "11.3"}],
            "seen": {"documents": 1, "days": 3, "bills": 0}})
    );
    let bills = dir.path().join("bills.json");
    let list = r#"{"yearMonth":"202601","billingElectricity":"210"},{"yearMonth":"202602","billingElectricity":"190.5"}"#;
    let text = format!(
        r#"{{{ASKED},"data":{{"totalBillingElectricity":"400.5","electricAndChargeList":[{list}]}}}}"#
    );
    std::fs::write(&bills, &text).expect("written");
    let said = check_json(&args, &[&bills]);
    assert_eq!(said["held"], json!({"period_unknown": 2}));
    let said = check_json(
        &[&args[..], &["--set", "billing_day=15"]].concat(),
        &[&bills],
    );
    assert_eq!(said["totals"][0]["value"], json!("400.5"));
    std::fs::write(&bills, text.replace("400.5", "400")).expect("written");
    let said = check_json(
        &[&args[..], &["--set", "billing_day=15"]].concat(),
        &[&bills],
    );
    assert_eq!(
        (&said["records"], &said["refused"]),
        (&json!(0), &json!({"total_mismatch": 1}))
    );
    let wrong = feed_check(
        &[&args[..], &["--set", "billing_day=32"]].concat(),
        &[&bills],
    );
    assert_ne!(wrong.status.code(), Some(0));
}
