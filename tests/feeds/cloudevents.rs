//! Real documents in envelopes of our own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{check_json, feed_check, shared};

fn event(id: usize) -> Value {
    json!({"specversion": "1.0", "id": id.to_string(), "source": "/stations/7", "type": "org.example.feed"})
}

#[test]
fn what_is_in_envelopes_is_what_is_in_the_files() {
    let files = [
        "epcis/JSON/Example_9.6.2-ObjectEvent.jsonld",
        "epcis/JSON/WithErrorDeclaration/ErrorDeclarationAndCorrectiveEvent.jsonld",
    ];
    let mut events = Vec::new();
    for (id, file) in files.iter().enumerate() {
        let Some(file) = shared(file) else { return };
        let text = std::fs::read_to_string(&file).expect("readable");
        let mut event = event(id);
        match id {
            0 => event["data"] = serde_json::from_str(&text).expect("JSON"),
            _ => event["data_base64"] = json!(STANDARD.encode(&text)),
        }
        events.push(event);
    }
    let bare = files.map(|file| shared(file).expect("shared data"));
    let bare = [bare[0].as_path(), bare[1].as_path()];
    let args = ["--adapter", "epcis", "--set", "subject=readPoint"];
    let wrapped = [&args[..], &["--envelope", "cloudevents"]].concat();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("events");
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    for text in [json!(events).to_string(), lines] {
        std::fs::write(&file, text).expect("written");
        assert_eq!(check_json(&wrapped, &[&file]), check_json(&args, &bare));
    }
    events.push(events[0].clone());
    events.push(event(9));
    std::fs::write(&file, json!(events).to_string()).expect("written");
    let said = check_json(&wrapped, &[&file]);
    assert_eq!(
        said["refused"],
        json!({"duplicate_reading": 1, "missing_field": 1})
    );
    std::fs::write(&file, "hello").expect("written");
    assert_eq!(feed_check(&wrapped, &[&file]).status.code(), Some(1));
}
