//! The API's description is part of the promise to callers: a change of it is seen in review.
//! `INSTA_UPDATE=always cargo test --test openapi` accepts one.

#[test]
fn the_description_is_the_one_that_was_reviewed() {
    let document = serde_json::to_value(tanpuhui::api::openapi::document()).expect("it is JSON");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("openapi");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text = serde_json::to_vec_pretty(&document).expect("it is JSON");
    settings.bind(|| insta::assert_binary_snapshot!("api.json", text));
}

#[test]
fn every_route_says_who_may_call_it() {
    let document = serde_json::to_value(tanpuhui::api::openapi::document()).expect("it is JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("there are paths");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("there are operations") {
            let tags = operation["tags"].as_array().map_or(0, Vec::len);
            assert_eq!(tags, 1, "{method} {path} has one tag: its audience");
            let open = operation["tags"][0] == "open";
            let guarded = operation["security"].is_array();
            assert!(
                open != guarded,
                "{method} {path}: open routes, and only they, need no proof"
            );
        }
    }
}
