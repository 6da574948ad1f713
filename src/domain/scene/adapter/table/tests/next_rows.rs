//! Rows that last until the next one begins, and times that two formats read.

use super::*;

const METERS: &str = r#"
format = "csv"
zone = "Asia/Shanghai"
[columns]
id = "no"
subject = "meter"
from = "start"
[time]
format = "local"
until = "next_row"
[quantities.electricity]
column = "kwh"
unit = "kWh"
"#;

#[test]
fn another_subjects_row_does_not_end_a_row() {
    // Two meters, one after the other: the first one's last reading has no end in the file.
    let text = "no,meter,start,kwh\n\
                1,A,2026-05-01 08:00,1\n\
                2,A,2026-05-01 09:00,2\n\
                3,B,2026-07-01 08:00,3\n\
                4,B,2026-07-01 09:00,4\n";
    let all = outcomes(METERS, text);
    let places: Vec<_> = refusals(&all)
        .into_iter()
        .map(|(place, code, param)| format!("{place} {code} {param}"))
        .collect();
    assert_eq!(
        places,
        ["line 3 missing_field to", "line 5 missing_field to"]
    );
    let ids: Vec<_> = all
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Record(_, record) => Some((record.source_id.as_str(), record.to.to_rfc3339())),
            _ => None,
        })
        .collect();
    assert_eq!(
        ids,
        [
            ("1", "2026-05-01T01:00:00+00:00".to_owned()),
            ("3", "2026-07-01T01:00:00+00:00".to_owned())
        ]
    );
    let said = all.iter().find_map(|outcome| match outcome {
        Outcome::Refused(refused) => Some(refused.problem.detail.zh().to_owned()),
        _ => None,
    });
    assert!(said.is_some_and(|said| said.contains("另一主体")));
}

#[test]
fn an_end_marker_may_name_nobody() {
    let text = "no,meter,start,kwh\n1,A,2026-05-01 08:00,1\n,,2026-05-01 09:00,\n";
    let all = outcomes(METERS, text);
    assert!(matches!(&all[0], Outcome::Record(_, record) if record.subject == "A"));
}

#[test]
fn a_time_that_two_formats_read_differently_is_refused() {
    let mapping = METERS
        .replace("until = \"next_row\"", "length = \"PT1H\"")
        .replace(
            "\"local\"",
            "[\"%d/%m/%Y %H:%M\", \"%m/%d/%Y %H:%M\", \"%Y-%m-%d %H:%M\", \"local\"]",
        );
    let text = "no,meter,start,kwh\n\
                1,A,05/06/2026 08:00,1\n\
                2,A,13/06/2026 08:00,1\n\
                3,A,06/13/2026 09:00,1\n\
                4,A,06/06/2026 09:00,1\n\
                5,A,2026-06-05 09:00,1\n";
    let all = outcomes(&mapping, text);
    let places: Vec<_> = refusals(&all)
        .into_iter()
        .map(|(place, code, param)| format!("{place} {code} {param}"))
        .collect();
    assert_eq!(places, ["line 2 time_invalid start"]);
    match &all[0] {
        Outcome::Refused(refused) => assert!(refused.problem.detail.zh().starts_with("声明的两种")),
        other => panic!("{other:?}"),
    }
}
