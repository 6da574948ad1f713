//! Mappings and tables that tests make; workbooks are built part by part, as none of a
//! spreadsheet's own would have these faults.

mod mappings;
mod moments;
mod next_rows;
mod rows;
mod workbooks;

use super::super::tests::{read_with, refusals};
use super::super::{Options, Outcome, Place, Seen, Settings, by_name};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem};

/// One column of each kind.
const MAPPING: &str = r#"
format = "csv"
zone = "America/New_York"
[columns]
id = "no"
subject = "card"
from = "start"
[time]
format = "%d/%m/%Y %H:%M"
length = "PT1H"
[quantities.electricity]
column = "used"
unit = "kWh"
[attributes]
mode = { column = "kind", values = { "公交" = "bus", "地铁" = "metro" } }
[constants]
evidence = "meter"
"#;

fn options(settings: &str) -> Options {
    Options {
        settings: Settings::parse(settings).expect("settings"),
        ..Options::default()
    }
}

fn checked(settings: &str) -> Result<(), Problem> {
    (by_name("table").expect("an adapter").check)(&options(settings))
}

fn read(settings: &str, bytes: &[u8]) -> Result<(Seen, Vec<Outcome>), Problem> {
    assert_eq!(checked(settings), Ok(()));
    read_with("table", bytes, &options(settings))
}

fn outcomes(settings: &str, text: &str) -> Vec<Outcome> {
    read(settings, text.as_bytes()).expect("readable").1
}

fn records(settings: &str, text: &str) -> Vec<Record> {
    let outcomes = outcomes(settings, text);
    let records = outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Record(_, record) => record,
        other => panic!("{other:?}"),
    });
    records.collect()
}

fn values(records: &[Record], name: &str) -> Vec<Option<String>> {
    let value = |record: &Record| record.quantity(name).map(|q| q.value.to_string());
    records.iter().map(value).collect()
}

fn spans(records: &[Record]) -> Vec<(String, String)> {
    let span = |record: &Record| (record.from.to_rfc3339(), record.to.to_rfc3339());
    records.iter().map(span).collect()
}

/// A mapping of one meter, with these lines about time.
fn meter(columns: &str, time: &str) -> String {
    format!(
        "format = 'csv'\nzone = 'America/New_York'\n[columns]\nid = 'label'\n{columns}\n[time]\n{time}\n\
         [quantities.electricity]\ncolumn = 'kwh'\nunit = 'kWh'\n[constants]\nsubject = 'm'\nid = 'm'\n"
    )
}

fn starts(settings: &str, labels: &[&str]) -> Vec<String> {
    let rows: String = labels.iter().map(|label| format!("{label},1\n")).collect();
    let records = records(settings, &format!("label,kwh\n{rows}"));
    spans(&records)
        .into_iter()
        .map(|(from, to)| format!("{} {}", &from[5..16], &to[5..16]))
        .collect()
}
