//! Refusals are stored, so none repeats a long value of the row, nor a long name.

use super::*;

const LONG: usize = 50_000;
/// Bytes of a field and its sentences: what the longest list of allowed words needs.
const SAID_MAX: usize = 600;

fn said(problem: &Problem) -> usize {
    let param = problem.param.as_deref().unwrap_or_default();
    param.len() + problem.detail.zh().len() + problem.detail.en().len()
}

#[test]
fn no_refusal_repeats_a_long_value_of_the_row() {
    let long = "Z".repeat(LONG);
    let event = r#"{"type":"ObjectEvent","eventID":"urn:uuid:1","eventTime":"2026-05-01T10:00:00+08:00","eventTimeZoneOffset":"+08:00","action":"OBSERVE","readPoint":{"id":"urn:x:1"},"quantityList":[{"epcClass":"urn:x:2","quantity":1,"uom":"KGM"}]}"#;
    let charge = r#"{"country_code":"CN","party_id":"SZX","id":"c","start_date_time":"2026-05-01T01:00:00Z","end_date_time":"2026-05-01T03:00:00Z","cdr_token":{"contract_id":"x"},"cdr_location":{"id":"L1","connector_power_type":"DC"},"total_energy":1,"total_time":1,"last_updated":"2026-05-01T03:00:00Z"}"#;
    let household =
        r#"{"eleCustNumber":"1","meteringPointId":"M","sta":"00","data":{"result":[]}}"#;
    let drop = "id,user,bin,type,weight,time\n1,u,b,TYPE,1,2026-05-01 08:00:00\n";
    let weigh = "unit = 'kg'\nmass = 'drop'\ndrop_max_kg = 30";
    for (name, settings, text) in [
        (
            "epcis",
            "subject = 'readPoint'",
            event.replace("KGM", &long),
        ),
        (
            "epcis",
            "subject = 'readPoint'",
            event.replace("\"action\"", &format!("\"{long}\":1,\"action\"")),
        ),
        (
            "ocpi-cdr",
            "",
            charge.replace("\"DC\"", &format!("\"{long}\"")),
        ),
        (
            "csg-household",
            "",
            household.replace("\"00\"", &format!("\"{long}\"")),
        ),
        ("recycling-weigh", weigh, drop.replace("TYPE", &long)),
        (
            "gpx",
            "subject = 'u'",
            format!("<gpx version=\"{long}\"></gpx>"),
        ),
        ("native", "", format!("[{{\"{long}\":1}}]")),
    ] {
        let problems = match read_with(name, text.as_bytes(), &told(settings)) {
            Err(problem) => vec![problem],
            Ok((_, outcomes)) => outcomes
                .into_iter()
                .filter_map(|outcome| match outcome {
                    Outcome::Refused(refused) => Some(refused.problem),
                    _ => None,
                })
                .collect(),
        };
        assert!(!problems.is_empty(), "{name}");
        for problem in problems {
            assert!(said(&problem) < SAID_MAX, "{name}: {}", said(&problem));
        }
    }
}

#[test]
fn no_refusal_of_an_event_repeats_a_long_name() {
    let long = "属".repeat(LONG / 3);
    for value in ["\"x\"", "1.5", "[]"] {
        let text = format!(
            r#"{{"specversion":"1.0","id":"e","source":"/p","type":"t","{long}":{value},"data":[]}}"#
        );
        let mut said_of = Vec::new();
        let native = by_name("native").expect("an adapter");
        let mut source = BufReader::new(text.as_bytes());
        Envelope::Events
            .read(&native, &mut source, &Options::default(), &mut |outcome| {
                if let Outcome::Refused(refused) = outcome {
                    said_of.push(said(&refused.problem));
                }
            })
            .expect("readable");
        assert!(
            matches!(said_of.as_slice(), [length] if *length < SAID_MAX),
            "{said_of:?}"
        );
    }
}
