use super::*;

fn rows(text: &str) -> Result<Vec<(String, String)>, Code> {
    // A buffer of 64 bytes, as long as the first row fits: chunks split rows anywhere.
    let source = std::io::BufReader::with_capacity(64, text.as_bytes());
    let mut rows = JsonRows::new(source, DATA).map_err(|p| p.code)?;
    let mut found = Vec::new();
    while let Some((place, text)) = rows.next().map_err(|p| p.code)? {
        found.push((place.to_string(), text.to_owned()));
    }
    Ok(found)
}

#[test]
fn a_broken_frame_is_told_in_both_languages() {
    let told = |text: &str| {
        let mut rows = JsonRows::document(text.as_bytes(), DATA).expect("not empty");
        loop {
            match rows.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{text} is sound"),
                Err(problem) => return problem.detail,
            }
        }
    };
    for (text, zh, en) in [
        ("7", "此处应为 '{'，却是 '7'", "'7' where '{' belongs"),
        (
            "{\"a\":{}1",
            "成员之后既不是逗号也不是 }",
            "neither a comma nor } after a member",
        ),
        ("{}", "没有数组 \"data\"", "no array \"data\""),
        (
            "[1 2]",
            "此处应为逗号，却是 '2'",
            "'2' where a comma belongs",
        ),
    ] {
        let detail = told(text);
        assert_eq!((detail.zh(), detail.en()), (zh, en), "{text}");
    }
}

fn owned(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn pages_arrays_and_lines_are_framed() {
    let two = owned(&[("/data/0", r#"{"a":"]}\""}"#), ("/data/1", "17")]);
    assert_eq!(
        rows(r#"{"total": 9, "x":{"data":[1]}, "data" : [ {"a":"]}\""} , 17 ], "page":1} "#),
        Ok(two)
    );
    assert_eq!(rows("[]"), Ok(vec![]));
    assert_eq!(
        rows(r#"[{"a":1},"x"]"#),
        Ok(owned(&[("/0", r#"{"a":1}"#), ("/1", "\"x\"")]))
    );
    assert_eq!(
        rows("{\"a\":1}\n\n{\"a\":2}\n"),
        Ok(owned(&[("line 1", "{\"a\":1}"), ("line 3", "{\"a\":2}")]))
    );
    assert_eq!(rows("{\"a\" 1}\n{\"a\":2}").map(|rows| rows.len()), Ok(2));
}

#[test]
fn a_page_may_follow_a_page_where_that_is_allowed() {
    let text = "{\"data\":[1,2],\"page\":1}\n{\"data\":[]}\n{\"page\":3,\"data\":[3]}\n";
    let pages = |text: &str| {
        let mut rows = JsonRows::new(text.as_bytes(), DATA)
            .expect("a page")
            .pages();
        let mut found = Vec::new();
        while let Some((place, text)) = rows.next().map_err(|p| p.code)? {
            found.push(format!("{place}={text}"));
        }
        Ok(found)
    };
    assert_eq!(
        pages(text),
        Ok(["/data/0=1", "/data/1=2", "/data/2=3"]
            .map(String::from)
            .to_vec())
    );
    assert_eq!(rows(text), Err(Code::FormatMismatch));
    assert_eq!(pages(&text[..text.len() - 3]), Err(Code::FileTruncated));
    assert_eq!(
        pages("{\"data\":[1]} {\"page\":2}"),
        Err(Code::FormatMismatch)
    );
}

/// What these rows say: place, and text.
fn said(rows: Result<JsonRows<&[u8]>, Problem>) -> Result<Vec<(String, String)>, Code> {
    let mut rows = rows.map_err(|p| p.code)?;
    let mut found = Vec::new();
    while let Some((place, text)) = rows.next().map_err(|p| p.code)? {
        found.push((place.to_string(), text.to_owned()));
    }
    Ok(found)
}

#[test]
fn objects_may_be_spread_over_lines() {
    let spread = |text: &str| said(JsonRows::spread(text.as_bytes(), DATA));
    let (a, b) = ("{\n \"a\": \"}\"\n}", "{\"b\":\n2}");
    assert_eq!(spread(&format!("\n{a} \n")), Ok(owned(&[("line 2", a)])));
    assert_eq!(
        spread(&format!("\n{a}\n\n{b} {a}")),
        Ok(owned(&[("line 2", a), ("line 6", b), ("line 7", a)]))
    );
    assert_eq!(
        spread("{\"a\":1}\n{\"b\":2}"),
        Ok(owned(&[("line 1", r#"{"a":1}"#), ("line 2", r#"{"b":2}"#)]))
    );
    assert_eq!(spread("{\"data\":\n[1]}"), Ok(owned(&[("/data/0", "1")])));
    assert_eq!(spread("[1,\n2]"), Ok(owned(&[("/0", "1"), ("/1", "2")])));
    assert_eq!(spread("{\"a\":\n1"), Err(Code::FileTruncated));
    assert_eq!(spread(&format!("{a}\n]")), Err(Code::FormatMismatch));
    assert_eq!(spread(&format!("{a} 1")), Err(Code::FormatMismatch));
}

#[test]
fn one_document_is_one_row() {
    let one = |text: &str| said(Ok(JsonRows::one(text.as_bytes())));
    let object = "{\n \"data\": [1]\n}";
    assert_eq!(
        one(&format!("\n{object} \n")),
        Ok(owned(&[("line 2", object)]))
    );
    assert_eq!(one(&format!("{object}{object}")), Err(Code::FormatMismatch));
    assert_eq!(one("{\"a\":1"), Err(Code::FileTruncated));
}

#[test]
fn torn_and_foreign_documents_are_refused() {
    for text in [
        "[",
        "[{",
        "[{\"a\":1}",
        "[{\"a\":1},",
        "{\"data\":[{\"a\":1}]",
        "{\"data\":[1,2",
        "{\"data\"",
    ] {
        assert_eq!(rows(text), Err(Code::FileTruncated), "{text}");
    }
    for text in [
        "",
        " ",
        "x",
        "<a/>",
        "[1 2]",
        "[1,]",
        "[] x",
        "{\"data\":[],\"data\":[]}",
    ] {
        assert_eq!(rows(text), Err(Code::FormatMismatch), "{text}");
    }
}

#[test]
fn what_stands_behind_the_document_is_told_with_its_place() {
    let mut rows = JsonRows::new("[] x".as_bytes(), DATA).expect("begins well");
    let refused = rows.next().expect_err("more");
    assert_eq!(refused.param.as_deref(), Some("end of document"));
}

#[test]
fn an_endless_row_is_refused_before_it_is_buffered() {
    use std::io::Read;
    for start in ["[\"", "{\"data\":[{\"a\":\"", "{\"x\":\""] {
        let endless = start.as_bytes().chain(std::io::repeat(b'x'));
        let source = std::io::BufReader::with_capacity(64 * 1024, endless);
        let mut rows = JsonRows::new(source, DATA).expect("begins well");
        assert_eq!(
            rows.next().expect_err("long").code,
            Code::LineTooLong,
            "{start}"
        );
    }
}

#[test]
fn what_stands_beside_rows_may_be_passed_over_where_it_is_long() {
    let long = format!("\"{}\" 7", "x".repeat(3 * super::super::ROW_MAX));
    let mut cursor = Cursor::new(long.as_bytes());
    assert_eq!(cursor.pass(), Ok(()));
    assert_eq!(cursor.token(), Ok(b'7'));
    let code = Cursor::new(long.as_bytes()).skip().expect_err("long").code;
    assert_eq!(code, Code::LineTooLong);
}
