//! When a row happened.

use super::*;

#[test]
fn an_interval_may_be_labelled_by_its_end_and_midnight_by_the_day_it_ends() {
    let time = "format = 'local'\nlength = 'PT30M'\nmidnight = 'ends_day'";
    assert_eq!(
        starts(
            &meter("to = 'label'", time),
            &["2026-01-01 23:30", "2026-01-01 00:00", "2026-01-02 00:30"]
        ),
        [
            "01-02T04:00 01-02T04:30",
            "01-02T04:30 01-02T05:00",
            "01-02T05:00 01-02T05:30"
        ]
    );
}

#[test]
fn days_and_months_are_the_calendars() {
    let day = meter("from = 'label'", "format = '%F'\nlength = 'P1D'");
    assert_eq!(
        starts(&day, &["2026-03-08", "2026-11-01"]),
        ["03-08T05:00 03-09T04:00", "11-01T04:00 11-02T05:00"],
        "23 and 25 hours"
    );
    let month = meter(
        "to = 'label'",
        "format = '%Y / %m'\nlength = 'P1M'\nlast = 'included'",
    );
    assert_eq!(starts(&month, &["2026 / 02"]), ["02-01T05:00 03-01T05:00"]);
    let both = "format = 'csv'\nzone = 'Asia/Shanghai'\n[columns]\nid = 'a'\nsubject = 'a'\nfrom = 'a'\nto = 'b'\n\
                [time]\nformat = '%F'\nlast = 'included'\n[quantities.gas]\ncolumn = 'm3'\nunit = 'm3'\n";
    let bill = records(both, "a,b,m3\n2026-01-05,2026-02-04,9\n");
    assert_eq!((bill[0].to - bill[0].from).num_days(), 31);
    let wrong = outcomes(both, "a,b,m3\n2026-01-05,2026-01-03,9\n");
    assert_eq!(
        refusals(&wrong),
        [("line 2".into(), "time_invalid".into(), "b".into())]
    );
}

#[test]
fn a_time_that_no_record_can_state_is_refused() {
    let far = meter(
        "from = 'label'",
        "format = ['unix', 'local']\nlength = 'PT1H'",
    );
    let last = "9999-12-31 19:00";
    let long = "2".repeat(20_000);
    let labels = ["-901000000000", "999999999999", last, "253402297199", &long];
    let text: String = labels.iter().map(|label| format!("{label},1\n")).collect();
    let found = outcomes(&far, &format!("label,kwh\n{text}"));
    assert_eq!(refusals(&found).len(), labels.len() - 1, "{found:?}");
    assert!(
        refusals(&found)
            .iter()
            .all(|(_, code, _)| code == "time_invalid")
    );
}

#[test]
fn the_hour_that_is_lived_twice_is_told_apart_as_declared() {
    let labels = [
        "2026-11-01 00:30",
        "2026-11-01 01:30",
        "2026-11-01 01:30",
        "2026-11-01 02:30",
    ];
    let time = "format = 'local'\nlength = 'PT1H'\nrepeated = 'in_order'";
    assert_eq!(
        starts(&meter("from = 'label'", time), &labels),
        [
            "11-01T04:30 11-01T05:30",
            "11-01T05:30 11-01T06:30",
            "11-01T06:30 11-01T07:30",
            "11-01T07:30 11-01T08:30"
        ]
    );
    for (policy, from) in [("earlier", "11-01T05:30"), ("later", "11-01T06:30")] {
        let time = time.replace("in_order", policy);
        let found = starts(&meter("from = 'label'", &time), &labels[1..2]);
        assert!(found[0].starts_with(from), "{policy} {found:?}");
    }
    let trips = "format = 'csv'\nzone = 'America/New_York'\n[columns]\nid = 'a'\nsubject = 'a'\nfrom = 'a'\nto = 'b'\n\
                 [time]\nformat = 'local'\n[quantities.distance]\ncolumn = 'km'\nunit = 'km'\n";
    // From 00:50 both are possible; from 03:10 neither.
    let both = outcomes(
        trips,
        "a,b,km\n2026-11-01 00:50,2026-11-01 01:10,1\n2026-11-01 03:10,2026-11-01 01:10,1\n",
    );
    assert_eq!(
        refusals(&both),
        [
            ("line 2".into(), "time_invalid".into(), "b".into()),
            ("line 3".into(), "time_invalid".into(), "b".into())
        ]
    );
}

#[test]
fn a_row_may_last_until_the_next() {
    let mapping = meter("from = 'label'", "format = 'rfc3339'\nuntil = 'next_row'")
        .replace("zone =", "blank = 'skip'\nblank_words = ['nan']\nzone =");
    let bills = "label,kwh\n2026-01-01T00:00:00-06:00,5\n2026-02-03T00:00:00-06:00,6\n2026-03-01T00:00:00-06:00,nan\n";
    let records = records(&mapping, bills);
    let days: Vec<_> = records.iter().map(|r| (r.to - r.from).num_days()).collect();
    assert_eq!(days, [33, 26]);
    assert_eq!(records[0].source_id, "m:2026-01-01T00:00:00-06:00");
    // Torn, out of order, unreadable: what it would have ended is refused.
    for (rows, lines) in [
        ("2026-01-01T00:00:00Z,5\n", vec!["line 2"]),
        (
            "2026-01-02T00:00:00Z,5\n2026-01-01T00:00:00Z,nan\n",
            vec!["line 2"],
        ),
        ("2026-01-02T00:00:00Z,5\nsoon,1\n", vec!["line 2", "line 3"]),
        ("2026-01-02T00:00:00Z,5\n1,2,3\n", vec!["line 2", "line 3"]),
    ] {
        let found = refusals(&outcomes(&mapping, &format!("label,kwh\n{rows}")));
        let found: Vec<_> = found.iter().map(|(place, _, _)| place.as_str()).collect();
        assert_eq!(found, lines, "{rows}");
    }
}
