//! Electronic waybills, through the command, in documents of our own making.

use serde_json::{Value, json};

use crate::check_json;

fn leg(serial: &str, from: &str, to: &str) -> Value {
    json!({
        "shippingNoteNumber": "YD1", "serialNumber": serial, "vehicleAmount": 2, "transportTypeCode": 1,
        "vehicleInfo": {
            "vehicleNumber": "粤B00000D", "vehiclePlateColorCode": "94", "vehicleEnergyType": "C",
            "despatchActualDateTime": "20260201083000", "goodsReceiptDateTime": "20260201093000",
            "loadingCountrySubdivisionCode": from, "receiptCountrySubdivisionCode": to,
            "goodsInfo": {"goodsItemGrossWeight": "1500.250"},
        },
    })
}

#[test]
fn a_load_over_two_legs_is_shipped_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let table = dir.path().join("divisions.csv");
    std::fs::write(&table, "from,to,km\n440305,441900,72.5\n").expect("written");
    let waybills = dir.path().join("waybills.json");
    let all = json!([
        leg("0101", "440305", "441900"),
        leg("0102", "441900", "440305"),
        leg("0201", "440305", "430100"),
    ]);
    std::fs::write(&waybills, all.to_string()).expect("written");
    let distances = table.display().to_string();
    assert_eq!(
        check_json(
            &["--adapter", "freight-waybill", "--distances", &distances],
            &[&waybills]
        ),
        json!({"adapter": "freight-waybill", "records": 2, "refused": {},
            "held": {"distance_unknown": 1},
            "totals": [{"quantity": "distance", "unit": "km", "value": "145"},
                       {"quantity": "mass", "unit": "t", "value": "3.0005"},
                       {"quantity": "shipped", "unit": "t", "value": "1.50025"}],
            "seen": {"waybills": 3, "by_track": 0, "by_table": 2, "later_legs": 1}})
    );
}
