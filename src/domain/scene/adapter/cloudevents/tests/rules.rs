//! Which events are sound: in JSON, and in header fields.

use super::*;

#[test]
fn sound_events_are_taken() {
    let mut all = with("time", json!("2018-04-05T17:31:00Z"));
    for (name, value) in [
        ("datacontenttype", json!("text/plain; charset=utf-8")),
        ("dataschema", json!("https://example.org/schema")),
        ("subject", json!("tests")),
        ("data", json!("Simple text")),
        ("extinteger", json!(-2_147_483_648)),
        ("extboolean", json!(true)),
        ("exturiref", json!("//authority/path")),
        ("extbinary", json!("TWE=")),
    ] {
        all[name] = value;
    }
    let mut unset = event();
    for name in [
        "datacontenttype",
        "dataschema",
        "subject",
        "time",
        "ext",
        "data_base64",
    ] {
        unset[name] = Json::Null;
    }
    let mut sound = vec![event(), all, unset, with("data", Json::Null)];
    for time in [
        "2018-04-05T17:31:00.000000000Z",
        "2018-04-05T18:31:00+01:00",
    ] {
        sound.push(with("time", json!(time)));
    }
    for source in [
        "#fragment",
        "urn:uuid:6e8bc430",
        "mailto:a@b.c",
        "1-555",
        "/a?b=%20",
        "a/b:c",
    ] {
        sound.push(with("source", json!(source)));
    }
    for event in sound {
        let text = event.to_string();
        let read = Event::parse(&text);
        assert!(read.is_ok(), "{text} {read:?}");
    }
}

#[test]
fn unsound_events_are_refused_by_attribute() {
    let missing = |name: &str| {
        let mut event = event();
        event.as_object_mut().expect("an object").remove(name);
        (event, "missing_field", name.to_owned())
    };
    let mut cases: Vec<(Json, &str, String)> = ["specversion", "id", "type", "source"]
        .into_iter()
        .map(missing)
        .collect();
    for (name, value, code) in [
        ("time", json!("lunchtime"), "time_invalid"),
        ("time", json!("2018-04-05T18:31Z"), "time_invalid"),
        ("time", json!("2018-04-05T18:31:00X"), "time_invalid"),
        ("time", json!("2018-04-05T18:31:00+25:00"), "time_invalid"),
        ("time", json!("2018-04-05T18:31:00+xx:00"), "time_invalid"),
        ("time", json!("2018-04-05T18:31:00+05"), "time_invalid"),
        ("time", json!("2018-04-05T18:31:00"), "time_invalid"),
        ("time", json!(1_522_949_460), "invalid_field"),
        ("time", json!(""), "invalid_field"),
        ("id", json!(""), "invalid_field"),
        ("id", json!(25), "invalid_field"),
        ("id", json!({"xyz": "abc"}), "invalid_field"),
        ("id", Json::Null, "missing_field"),
        ("id", json!("a\u{7}b"), "invalid_field"),
        ("id", json!("a\u{85}b"), "invalid_field"),
        ("id", json!("a\u{fffe}b"), "invalid_field"),
        ("type", json!(""), "invalid_field"),
        ("source", json!(""), "invalid_field"),
        ("source", json!("a b"), "invalid_field"),
        ("source", json!("/a%2"), "invalid_field"),
        ("source", json!("a#b#c"), "invalid_field"),
        ("source", json!(":a"), "invalid_field"),
        ("specversion", json!(""), "invalid_field"),
        ("specversion", json!("0.9"), "invalid_field"),
        ("specversion", json!("1.0.2"), "invalid_field"),
        ("specversion", json!(1.0), "invalid_field"),
        ("datacontenttype", json!("xyz"), "invalid_field"),
        ("datacontenttype", json!(""), "invalid_field"),
        ("datacontenttype", json!("text/"), "invalid_field"),
        (
            "datacontenttype",
            json!("text/plain; charset"),
            "invalid_field",
        ),
        ("dataschema", json!(""), "invalid_field"),
        ("dataschema", json!("/relative"), "invalid_field"),
        ("subject", json!(""), "invalid_field"),
        ("MyExtension", json!("bad"), "unknown_field"),
        ("my.extension", json!("bad"), "unknown_field"),
        ("my_extension", json!("bad"), "unknown_field"),
        ("", json!("bad"), "unknown_field"),
        ("ext", json!(1.5), "invalid_field"),
        ("ext", json!(2_147_483_648_u32), "invalid_field"),
        ("ext", json!(["a"]), "invalid_field"),
        ("data_base64", json!("e30"), "invalid_field"),
        ("data_base64", json!(7), "invalid_field"),
    ] {
        cases.push((with(name, value), code, name.to_owned()));
    }
    let mut both = with("data", json!("text"));
    both["data_base64"] = json!("e30=");
    cases.push((both, "invalid_field", "data_base64".to_owned()));
    let mut xml = with("datacontenttype", json!("application/xml"));
    xml["data"] = json!({});
    cases.push((xml, "invalid_field", "data".to_owned()));
    for (event, code, field) in cases {
        let text = event.to_string();
        let problem = Event::parse(&text).expect_err(&text);
        assert_eq!(
            (problem.code.as_str(), problem.param),
            (code, Some(field)),
            "{text}"
        );
    }
    let surrogate = event().to_string().replace("e-1", "\\udead");
    assert!(Event::parse(&surrogate).is_err());
    let twice = event().to_string().replacen('{', "{\"id\":\"e-2\",", 1);
    let twice = Event::parse(&twice).expect_err("twice");
    assert_eq!(twice.param.as_deref(), Some("id"));
    assert_eq!(twice.detail.zh(), "重复出现");
    for text in ["17", "\"not an object\"", "[]", "null", "{"] {
        assert_eq!(
            Event::parse(text).expect_err(text).code,
            Code::RowMalformed,
            "{text}"
        );
    }
}

fn header(fields: &[(&str, &str)]) -> Result<Option<Attributes>, Problem> {
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    Attributes::of_header(fields, Some("text/csv"))
}

#[test]
fn binary_mode_has_its_attributes_in_header_fields() {
    let sound = [
        ("host", "example.org"),
        ("ce-specversion", "1.0"),
        ("ce-type", "org.example.drop"),
        ("ce-source", "/bins/7"),
        ("ce-id", "Euro%20%E2%82%AC%20%f0%9f%98%80"),
        ("ce-time", "2026-05-01T08:00:00Z"),
        ("ce-number", "7"),
    ];
    let attributes = header(&sound).expect("sound").expect("an event");
    assert_eq!(attributes.id, "Euro € 😀");
    assert_eq!(
        (attributes.source.as_str(), attributes.kind.as_str()),
        ("/bins/7", "org.example.drop")
    );
    assert_eq!(attributes.datacontenttype.as_deref(), Some("text/csv"));
    assert_eq!(header(&sound[..1]), Ok(None));
    let changed = |at: usize, value: &'static str| {
        let mut fields = sound;
        fields[at].1 = value;
        header(&fields)
    };
    assert_eq!(
        changed(4, "\"a \\\"b\\\" %41\"")
            .expect("quoted")
            .expect("an event")
            .id,
        "a \"b\" A"
    );
    for (at, value, field) in [
        (1, "0.9", "ce-specversion"),
        (2, "", "ce-type"),
        (3, "a b", "ce-source"),
        (4, "%C0%A0", "ce-id"),
        (4, "%4", "ce-id"),
        (4, "%00", "ce-id"),
        (4, "\"open", "ce-id"),
        (5, "lunchtime", "ce-time"),
    ] {
        let problem = changed(at, value).expect_err(value);
        assert_eq!(problem.param.as_deref(), Some(field), "{value}");
    }
    for (extra, field) in [
        (("ce-datacontenttype", "text/csv"), "ce-datacontenttype"),
        (("ce-id", "twice"), "ce-id"),
        (("ce-my-extension", "x"), "ce-my-extension"),
        (("ce-", "x"), "ce-"),
        (("ce-data", "x"), "ce-data"),
    ] {
        let fields = [&sound[..], &[extra]].concat();
        assert_eq!(
            header(&fields).expect_err(field).param.as_deref(),
            Some(field)
        );
    }
    let problem = header(&sound[..4]).expect_err("no id");
    assert_eq!(
        (problem.code, problem.param.as_deref()),
        (Code::MissingField, Some("ce-id"))
    );
    let fields = sound.iter().map(|(name, value)| (*name, value.as_bytes()));
    let problem = Attributes::of_header(fields, Some("csv")).expect_err("no media type");
    assert_eq!(problem.param.as_deref(), Some("Content-Type"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_header_makes_it_panic(value in prop::collection::vec(any::<u8>(), 0..40)) {
        let fields = [("ce-id", value.as_slice()), ("ce-source", value.as_slice())];
        let _ = Attributes::of_header(fields.into_iter(), None);
    }
}
