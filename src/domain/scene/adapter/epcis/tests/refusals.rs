//! What is refused: by field for an event, whole for a document, before any file for a scene.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::tests::read_all;
use super::*;

/// What the standard forbids and its JSON Schema lets through, and what the schema forbids.
#[test]
fn events_that_break_a_rule_are_refused_by_field() {
    let out_of_range = "quantity_out_of_range";
    let amount = "/quantityList/0/quantity";
    let cases = [
        ("/eventTime", Value::Null, "missing_field", "eventTime"),
        (
            "/eventTime",
            json!("2026-05-01T09:30:00"),
            "time_invalid",
            "eventTime",
        ),
        (
            "/eventTime",
            json!("2026-02-30T09:30:00Z"),
            "time_invalid",
            "eventTime",
        ),
        (
            "/eventTime",
            json!("2026-06-30T23:59:60Z"),
            "time_invalid",
            "eventTime",
        ),
        (
            "/eventTime",
            json!(1_777_000_000),
            "invalid_field",
            "eventTime",
        ),
        (
            "/eventTimeZoneOffset",
            Value::Null,
            "missing_field",
            "eventTimeZoneOffset",
        ),
        (
            "/eventTimeZoneOffset",
            json!("+8:00"),
            "invalid_field",
            "eventTimeZoneOffset",
        ),
        (
            "/eventTimeZoneOffset",
            json!("+14:30"),
            "invalid_field",
            "eventTimeZoneOffset",
        ),
        (
            "/eventTimeZoneOffset",
            json!("+0八00"),
            "invalid_field",
            "eventTimeZoneOffset",
        ),
        (
            "/recordTime",
            json!("2026-05-01T09:29:59+08:00"),
            "time_invalid",
            "recordTime",
        ),
        ("/type", Value::Null, "missing_field", "type"),
        ("/type", json!("QuantityEvent"), "invalid_field", "type"),
        ("/eventID", json!("17"), "invalid_field", "eventID"),
        ("/action", Value::Null, "missing_field", "action"),
        ("/action", json!("observe"), "invalid_field", "action"),
        (
            "/disposition",
            json!("recycled"),
            "invalid_field",
            "disposition",
        ),
        (
            "/readPoint",
            json!("urn:epc:id:sgln:6900000.00001.7"),
            "invalid_field",
            "readPoint",
        ),
        ("/readPoint", json!({}), "missing_field", "readPoint.id"),
        (
            "/bizLocation",
            json!({"id": "gate 7"}),
            "invalid_field",
            "bizLocation.id",
        ),
        ("/quantityList", json!([]), "missing_field", "quantityList"),
        ("/quantityList", json!({}), "invalid_field", "quantityList"),
        (amount, json!(-2.5), out_of_range, "quantityList/0.quantity"),
        (amount, json!(0), out_of_range, "quantityList/0.quantity"),
        (amount, json!(1e10), out_of_range, "quantityList/0"),
        (
            amount,
            json!("2.5"),
            "invalid_field",
            "quantityList/0.quantity",
        ),
        (
            amount,
            Value::Null,
            "missing_field",
            "quantityList/0.quantity",
        ),
        (
            "/quantityList/0/uom",
            Value::Null,
            "invalid_field",
            "quantityList/0.quantity",
        ),
        (
            "/quantityList/0/uom",
            json!("kg"),
            "unit_unsupported",
            "quantityList/0.uom",
        ),
        (
            "/quantityList/0/uom",
            json!("MTR"),
            "unit_unsupported",
            "quantityList/0.uom",
        ),
        (
            "/quantityList/0/epcClass",
            Value::Null,
            "missing_field",
            "quantityList/0.epcClass",
        ),
        (
            "/quantityList/0/weight",
            json!(3),
            "invalid_field",
            "quantityList/0",
        ),
        ("/epcList", json!(["cup 7"]), "invalid_field", "epcList/0"),
        (
            "/epcList",
            json!(["urn:x:7", "urn:x:7"]),
            "duplicate_reading",
            "epcList",
        ),
        ("/ilmd", json!({}), "invalid_field", "ilmd"),
        (
            "/sourceList",
            Value::Null,
            "missing_field",
            "sourceList of type possessing_party",
        ),
        (
            "/sourceList/1/type",
            json!("possessing_party"),
            "invalid_field",
            "sourceList",
        ),
        (
            "/sourceList/0/source",
            json!(7),
            "invalid_field",
            "sourceList/0.source",
        ),
        (
            "/bizTransactionList",
            json!([{}]),
            "invalid_field",
            "bizTransactionList/0",
        ),
        (
            "/errorDeclaration",
            json!({}),
            "missing_field",
            "errorDeclaration.declarationTime",
        ),
        (
            "/errorDeclaration",
            json!({"declarationTime": "2026-04-30T00:00:00Z"}),
            "time_invalid",
            "errorDeclaration.declarationTime",
        ),
        (
            "/errorDeclaration",
            json!({"declarationTime": "2026-06-01T00:00:00Z", "reason": "oops"}),
            "invalid_field",
            "errorDeclaration.reason",
        ),
        (
            "/errorDeclaration",
            json!({"declarationTime": "2026-06-01T00:00:00Z", "correctiveEventIDs":
            ["urn:uuid:00000000-0000-4000-8000-000000000001"]}),
            "invalid_field",
            "errorDeclaration.correctiveEventIDs",
        ),
    ];
    for (pointer, value, code, field) in cases {
        let event = with(pointer, value);
        let found = refusal(SETTINGS, &event);
        assert_eq!(found, (code.to_owned(), field.to_owned()), "{event}");
    }
    let twice = event()
        .to_string()
        .replacen('{', "{\"eventID\":\"urn:uuid:9\",", 1);
    assert_eq!(
        refusals_of(&outcomes(SETTINGS, &format!("{twice}\n")))
            .pop()
            .map(|r| r.1)
            .as_deref(),
        Some("row_malformed")
    );
}

#[test]
fn each_type_has_its_own_rules() {
    let as_type = |kind: &str, changes: &[(&str, Value)]| {
        let mut event = with("/type", json!(kind));
        changes
            .iter()
            .for_each(|(at, value)| put(&mut event, at, value.clone()));
        event
    };
    let uncounted = ("/quantityList", Value::Null);
    let children = ("/childEPCs", json!(["urn:epc:id:grai:6900000.00002.1"]));
    let parent = ("/parentID", json!("urn:epc:id:sscc:6900000.1234567890"));
    let settings = SETTINGS;
    for kind in ["AggregationEvent", "AssociationEvent"] {
        let sound = as_type(kind, &[children.clone(), parent.clone(), uncounted.clone()]);
        assert_eq!(amounts(&record_of(settings, &sound)), ["count 1 1"]);
        let orphan = as_type(kind, &[children.clone(), ("/action", json!("ADD"))]);
        assert_eq!(
            refusal(settings, &orphan),
            ("missing_field".into(), "parentID".into())
        );
        let childless = as_type(kind, &[parent.clone(), ("/action", json!("ADD"))]);
        assert_eq!(
            refusal(settings, &childless),
            ("missing_field".into(), "childQuantityList".into())
        );
        let with_ilmd = as_type(
            kind,
            &[children.clone(), parent.clone(), ("/ilmd", json!({}))],
        );
        assert_eq!(
            refusal(settings, &with_ilmd),
            ("invalid_field".into(), "ilmd".into())
        );
    }
    // Only observed, an aggregation may have no known parent.
    record_of(
        settings,
        &as_type("AggregationEvent", &[children.clone(), uncounted.clone()]),
    );
    let unlinked = as_type("TransactionEvent", &[("/bizTransactionList", Value::Null)]);
    assert_eq!(
        refusal(settings, &unlinked),
        ("missing_field".into(), "bizTransactionList".into())
    );
    let acting = as_type("TransformationEvent", &[]);
    assert_eq!(
        refusal(settings, &acting),
        ("invalid_field".into(), "action".into())
    );
    let from_nothing = as_type(
        "TransformationEvent",
        &[
            ("/action", Value::Null),
            ("/outputEPCList", json!(["urn:x:1"])),
        ],
    );
    assert_eq!(
        refusal(settings, &from_nothing),
        ("missing_field".into(), "inputEPCList".into())
    );
    let all_leave = as_type(
        "AssociationEvent",
        &[parent, uncounted, ("/action", json!("DELETE"))],
    );
    assert_eq!(
        refusal(settings, &all_leave),
        ("missing_field".into(), "childQuantityList".into())
    );
}

#[test]
fn a_scene_says_who_what_and_which_steps() {
    for (subject, expected) in [
        ("readPoint", "urn:epc:id:sgln:6900000.00001.7"),
        ("source:location", "urn:epc:id:sgln:6900000.00001.0"),
        ("bizTransaction:po", "urn:example:order:9"),
        ("extension:app:user", "u-7"),
        ("extension:app:number", "17"),
        ("ilmd:app:member", "m-1"),
    ] {
        let mut event = with("/app:user", json!("u-7"));
        put(&mut event, "/app:number", json!(17));
        put(&mut event, "/action", json!("ADD"));
        put(&mut event, "/ilmd", json!({"app:member": "m-1"}));
        let record = record_of(&format!("subject = '{subject}'"), &event);
        assert_eq!(record.subject, expected, "{subject}");
    }
    let cup = with("/epcList", json!(["urn:epc:id:grai:6900000.00002.1"]));
    assert_eq!(
        record_of("subject = 'epc'", &cup).subject,
        "urn:epc:id:grai:6900000.00002.1"
    );
    let absent = refusal("subject = 'extension:app:user'", &event());
    assert_eq!(absent, ("missing_field".into(), "app:user".into()));

    let steps = format!("{SETTINGS}\nbiz_steps = 'dispensing, retail_selling'");
    assert_eq!(
        refusal(&steps, &event()),
        ("ineligible".into(), "bizStep".into())
    );

    let weighed = format!("{SETTINGS}\nweighed = ['urn:epc:class:lgtin:6900000.012345.*']");
    let unweighed = with(
        "/quantityList/0",
        json!({"epcClass": "urn:epc:class:lgtin:6900000.012345.PET", "quantity": 2}),
    );
    assert_eq!(
        refusal(&weighed, &unweighed),
        ("unit_missing".into(), "quantityList/0.uom".into())
    );

    let materials = format!(
        "{SETTINGS}\n[materials]\n'urn:epc:class:*' = 'mixed'\n'urn:epc:class:lgtin:6900000.012345.*' = 'PET'"
    );
    assert_eq!(
        record_of(&materials, &event()).attribute("material"),
        Some("PET")
    );
    let mut two = event();
    two["quantityList"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"epcClass": "urn:epc:class:lgtin:1.2.3", "quantity": 1, "uom": "KGM"}));
    assert_eq!(
        refusal(&materials, &two),
        ("invalid_field".into(), "epcClass".into())
    );
    let foreign = with(
        "/quantityList/0/epcClass",
        json!("https://id.gs1.org/01/06900000123458"),
    );
    assert_eq!(
        refusal(&materials, &foreign),
        ("invalid_field".into(), "epcClass".into())
    );
}

#[test]
fn settings_are_checked_before_any_file_is_read() {
    for (settings, param) in [
        ("", "settings.subject"),
        ("subject = 'me'", "settings.subject"),
        ("subject = 'source:owner'", "settings.subject"),
        ("subject = 'extension:user'", "settings.subject"),
        (
            "subject = 'epc'\nbiz_steps = ['recycled']",
            "settings.biz_steps",
        ),
        ("subject = 'epc'\nbiz_steps = []", "settings.biz_steps"),
        ("subject = 'epc'\nweighed = 3", "settings.weighed"),
        ("subject = 'epc'\nmaterials = 'PET'", "settings.materials"),
        ("subject = 'epc'\n[materials]\nx = 1", "settings.materials"),
        ("subject = 'epc'\nunit = 'kg'", "settings.unit"),
    ] {
        let problem = (ADAPTER.check)(&options(settings)).expect_err(settings);
        assert_eq!(problem.param.as_deref(), Some(param), "{settings}");
    }
    (ADAPTER.check)(&options("subject = 'epc'\nbiz_steps = ['collecting']")).expect("sound");
    let problem = read_all("epcis", document(&[]).as_bytes()).expect_err("undeclared");
    assert_eq!(problem.param.as_deref(), Some("settings.subject"));
}

#[test]
fn documents_of_another_kind_or_torn_are_refused_whole() {
    let sound = document(&[event()]);
    for (from, to, field) in [
        ("EPCISDocument", "EPCISQueryDocument", Some("type")),
        (
            "\"schemaVersion\":\"2.0\"",
            "\"schemaVersion\":\"1.2\"",
            Some("schemaVersion"),
        ),
        (
            "\"schemaVersion\":\"2.0\"",
            "\"x\":1",
            Some("schemaVersion"),
        ),
        ("2026-05-02T00:00:00Z", "yesterday", Some("creationDate")),
        ("eventList", "vocabularyList", None),
        ("epcisBody", "body", None),
    ] {
        let text = sound.replacen(from, to, 1);
        let problem = read_with("epcis", text.as_bytes(), &options(SETTINGS)).expect_err(to);
        assert_eq!(problem.code, Code::FormatMismatch, "{to}");
        assert_eq!(problem.param.as_deref(), field, "{to}");
    }
    for cut in [10, sound.len() / 2, sound.len() - 1] {
        let torn = sound.get(..cut).expect("ASCII");
        let problem = read_with("epcis", torn.as_bytes(), &options(SETTINGS)).expect_err("torn");
        assert_eq!(problem.code, Code::FileTruncated, "{cut}");
    }
    let lines = format!("{0}\n{0}", event());
    let torn = lines.get(..lines.len() - 5).expect("ASCII");
    let problem = read_with("epcis", torn.as_bytes(), &options(SETTINGS)).expect_err("torn");
    assert_eq!(problem.code, Code::FileTruncated);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_damage_makes_it_panic(at in 0usize..1_400, byte in any::<u8>(), cut in 0usize..1_500) {
        let mut bytes = document(&[event(), in_error()]).into_bytes();
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        let _ = read_with("epcis", &bytes, &options(SETTINGS));
        let _ = read_with("epcis", &bytes, &options("subject = 'extension:app:user'"));
    }
}

#[test]
fn a_quantity_finer_than_our_own_form_is_refused() {
    let fine = with("/quantityList/0/quantity", json!(1e-13));
    assert_eq!(refusal(SETTINGS, &fine).0, "quantity_out_of_range");
    let late = with("/eventTime", json!("9999-12-31T23:59:59-01:00"));
    assert_eq!(refusal(SETTINGS, &late).0, "time_invalid");
}
