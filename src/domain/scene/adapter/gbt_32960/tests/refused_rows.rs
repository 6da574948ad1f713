//! Rows that are refused, and what is driven over them.

use super::*;

#[test]
fn what_is_driven_over_a_refused_row_is_electric_only_if_the_row_says_so() {
    // Between two electric readings: a mode that nobody knows, an engine whose odometer is
    // invalid, and a battery whose odometer is invalid.
    for (mode, mileage, electric, fuel) in [
        ("混合动力", "100050", "0 km", Some("10 km")),
        ("9", "100050", "0 km", Some("10 km")),
        ("2", "4294967295", "0 km", Some("10 km")),
        ("255", "4294967295", "0 km", Some("10 km")),
        ("1", "4294967295", "10 km", None),
    ] {
        let rows = [
            format!("{VIN},2026-05-01 08:00:00,1,3,1,300,100000,80"),
            format!("{VIN},2026-05-01 08:10:00,1,3,{mode},300,{mileage},80"),
            format!("{VIN},2026-05-01 08:20:00,1,3,1,300,100100,80"),
        ];
        let text = format!("{HEADER}{}\n", rows.join("\n"));
        let all = outcomes(&text);
        assert_eq!(refusals(&all).len(), 1, "{mode}");
        let records = records(&text);
        let [day] = records.as_slice() else {
            panic!("{mode}: {records:?}");
        };
        assert_eq!(amount(day, "distance").as_deref(), Some(electric), "{mode}");
        assert_eq!(amount(day, "distance_fuel").as_deref(), fuel, "{mode}");
        assert_eq!(day.attribute("readings"), Some("2"), "{mode}");
    }
}

#[test]
fn a_refused_row_of_another_day_changes_nothing() {
    let rows = [
        format!("{VIN},2026-05-01 08:00:00,1,3,9,300,99000,80"),
        format!("{VIN},2026-05-02 08:00:00,1,3,1,300,100000,80"),
        format!("{VIN},2026-05-02 08:10:00,1,3,1,300,100050,80"),
        format!("{VIN},2026-05-03 08:10:00,1,3,9,300,100050,80"),
    ];
    let records = records(&format!("{HEADER}{}\n", rows.join("\n")));
    let [day] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(amount(day, "distance").as_deref(), Some("5 km"));
    assert_eq!(amount(day, "distance_fuel"), None);
}

#[test]
fn two_columns_of_one_kind_refuse_the_file() {
    for header in [
        "vin,time,mileage,totalMileage,runMode",
        "vin,time,terminal_time,mileage,runMode",
        "vin,time,mileage,mode,运行模式",
    ] {
        let text = format!("{header}\n{VIN},2026-05-01 08:00:00,1,1,1\n");
        let problem = read_all("gbt-32960", text.as_bytes()).expect_err(header);
        assert_eq!(problem.code, Code::FormatMismatch, "{header}");
        assert!(problem.detail.zh().ends_with("有两列"), "{header}");
    }
}

#[test]
fn of_two_rows_at_one_time_the_one_that_is_not_electric_counts_in_either_order() {
    let row = |time: &str, mode: &str, mileage: u32| {
        format!("{VIN},2026-05-01 {time},1,3,{mode},300,{mileage},80")
    };
    let (electric, hybrid) = (row("08:10:00", "1", 100_050), row("08:10:00", "2", 100_050));
    for middle in [[&electric, &hybrid], [&hybrid, &electric]] {
        let rows = [
            &row("08:00:00", "1", 100_000),
            middle[0],
            middle[1],
            &row("08:20:00", "1", 100_100),
        ];
        let text = format!("{HEADER}{}\n", rows.map(String::as_str).join("\n"));
        let records = records(&text);
        assert_eq!(amount(&records[0], "distance").as_deref(), Some("0 km"));
        let fuel = amount(&records[0], "distance_fuel");
        assert_eq!(fuel.as_deref(), Some("10 km"));
    }
}
