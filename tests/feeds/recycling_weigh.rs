//! Weigh records, of our own: no openly licensed file of single drops is known.

use serde_json::json;

use super::{check_json, feed_check};

const ROWS: &str = "\u{feff}用户,箱,类型,重量,时间
u1,B1,3,1500,2026-05-01 08:00:00
u1,B1,3,1500,2026-05-01 08:00:00
u1,B1,可回收物,2250,2026-05-01 18:00:00
u2,B1,1,90000,2026-05-01 19:00:00
u1,B1,3,250,2026-05-02 08:00:00
";
const SETTINGS: &str = "unit = 'g'\ndrop_max_kg = 30\n[columns]\nuser = '用户'\nbin = '箱'\ntype = '类型'\nweight = '重量'\ntime = '时间'\n";

#[test]
fn the_same_rows_are_worth_what_the_scene_says_they_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, settings) = (dir.path().join("rows.csv"), dir.path().join("scales.toml"));
    std::fs::write(&file, ROWS).expect("written");
    for (mass, total) in [
        ("mass = 'drop'", "4"),
        ("mass = 'cumulative_day'\nday_start = 'zero'", "2.5"),
    ] {
        std::fs::write(&settings, format!("{mass}\n{SETTINGS}")).expect("written");
        let settings = settings.to_str().expect("UTF-8");
        let args = ["--adapter", "recycling-weigh", "--settings", settings];
        assert_eq!(
            check_json(&args, &[&file]),
            json!({"adapter": "recycling-weigh", "records": 3, "held": {},
                "refused": {"duplicate_reading": 1, "quantity_out_of_range": 1},
                "totals": [{"quantity": "mass", "unit": "kg", "value": total}]})
        );
    }
}

#[test]
fn without_a_unit_nothing_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("rows.csv");
    std::fs::write(&file, ROWS).expect("written");
    let output = feed_check(
        &["--adapter", "recycling-weigh", "--set", "mass=drop"],
        &[&file],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("settings.unit"));
}
