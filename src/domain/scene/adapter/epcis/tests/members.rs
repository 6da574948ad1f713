//! Members that make no part of a record, and still must be as the JSON Schema has them: among
//! them what the public sets of invalid documents hold.

use super::*;

fn refused(event: &Value) -> (String, String) {
    refusal(SETTINGS, event)
}

#[test]
fn a_misspelt_member_is_refused_and_not_passed_over() {
    for name in ["quantitylist", "errordeclaration", "action_", "weight"] {
        let event = with(&format!("/{name}"), json!([]));
        assert_eq!(
            refused(&event),
            ("unknown_field".to_owned(), name.to_owned())
        );
    }
    // A member of another type of event is none of this one's: its mass would be left out.
    let mut children = with("/childEPCs", json!(["urn:epc:id:grai:6900000.00002.1"]));
    assert_eq!(refused(&children).1, "childEPCs");
    put(&mut children, "/type", json!("AggregationEvent"));
    assert_eq!(refused(&children).1, "quantityList");
    for name in ["ex:user", "https://example.cn/user", "@context"] {
        let mut event = event();
        event[name] = json!("x");
        record_of(SETTINGS, &event);
    }
}

#[test]
fn members_that_are_not_read_are_of_the_schemas_shape() {
    let adding = |name: &str, value: Value| {
        let mut event = with("/action", json!("ADD"));
        event[name] = value;
        event
    };
    let place = json!([{"type": "place", "source": "urn:epc:id:sgln:952012.345678.0"}]);
    let mut kinds = event();
    kinds["sourceList"]
        .as_array_mut()
        .expect("a list")
        .push(place[0].clone());
    for (event, field) in [
        (adding("ilmd", json!({"materialType": "cotton"})), "ilmd"),
        (adding("certificationInfo", json!(42)), "certificationInfo"),
        (
            adding("certificationInfo", json!(["a b"])),
            "certificationInfo",
        ),
        (kinds, "sourceList/2.type"),
        (
            adding("destinationList", json!([{"type": "location"}])),
            "destinationList/0.destination",
        ),
        (
            adding(
                "bizTransactionList",
                json!([{"type": "order", "bizTransaction": "urn:x:1"}]),
            ),
            "bizTransactionList/0.type",
        ),
        (
            adding(
                "bizTransactionList",
                json!([{"bizTransaction": "urn:x:1", "to": "B"}]),
            ),
            "bizTransactionList/0",
        ),
        (
            adding("persistentDisposition", json!({})),
            "persistentDisposition",
        ),
        (
            adding("persistentDisposition", json!({"set": ["in_transport"]})),
            "persistentDisposition.set",
        ),
        (
            adding("sensorElementList", json!([{}])),
            "sensorElementList/0.sensorReport",
        ),
        (
            adding("sensorElementList", json!([{"report": 1}])),
            "sensorElementList/0",
        ),
    ] {
        assert_eq!(refused(&event).1, field, "{event}");
    }
    for event in [
        adding("ilmd", json!({"ex:materialType": "cotton"})),
        adding("certificationInfo", json!("https://example.cn/cert/1")),
        adding(
            "persistentDisposition",
            json!({"unset": ["completeness_inferred"]}),
        ),
        adding(
            "sensorElementList",
            json!([{"sensorReport": [{"type": "Temperature"}]}]),
        ),
        adding("sensorElementList", Value::Null),
    ] {
        record_of(SETTINGS, &event);
    }
}

#[test]
fn a_document_without_its_context_is_refused_whole() {
    let text = document(&[event()]).replace("\"@context\"", "\"ex:context\"");
    let problem = read_with("epcis", text.as_bytes(), &options(SETTINGS)).expect_err("refused");
    assert_eq!(problem.code, Code::FormatMismatch);
    assert_eq!(problem.param.as_deref(), Some("@context"));
    assert!(problem.detail.zh().starts_with("文档没有"));
}

#[test]
fn a_key_that_stands_twice_in_the_last_row_does_not_make_it_torn() {
    let one = event().to_string();
    let twice = one.replacen('{', "{\"action\":\"ADD\",", 1);
    assert_eq!(
        refusals_of(&outcomes(SETTINGS, &format!("{one}\n{twice}"))),
        [(
            "line 2".to_owned(),
            "row_malformed".to_owned(),
            String::new()
        )]
    );
    let torn = format!("{one}\n{}", one.get(..80).expect("longer"));
    let problem = read_with("epcis", torn.as_bytes(), &options(SETTINGS)).expect_err("torn");
    assert_eq!(problem.code, Code::FileTruncated);
}
