//! Feeds of JSON rows, one at a time: a page, an array, JSON lines or objects spread over lines.

use std::io::BufRead;

use super::json_rows::JsonRows;
use super::{Outcome, Place, malformed, refused, torn};
use crate::domain::behaviour::Record;
use crate::domain::problem::{Code, Problem, detail};

/// Why a row is no record.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is no sound JSON, or not of the row's shape.
    Shape(serde_json::Error),
    Rule(Problem),
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Fault {
        Fault::Shape(error)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        Fault::Rule(problem)
    }
}

/// Reads rows that each make a record by themselves; keeps one of them at a time.
///
/// # Errors
/// As [`each`].
pub(super) fn read<R: BufRead>(
    rows: JsonRows<R>,
    mut record: impl FnMut(&str) -> Result<Record, Fault>,
    sink: &mut dyn FnMut(Outcome),
) -> Result<(), Problem> {
    let row = |place: &Place, text: &str, sink: &mut dyn FnMut(Outcome)| {
        sink(Outcome::Record(place.clone(), record(text)?));
        Ok(())
    };
    each(rows, row, sink)
}

/// Reads rows that each say any number of outcomes; a fault is the refusal of its row.
///
/// # Errors
/// What [`JsonRows::next`] refuses; `file_truncated` for a last line that is torn.
pub(super) fn each<R: BufRead>(
    mut rows: JsonRows<R>,
    mut row: impl FnMut(&Place, &str, &mut dyn FnMut(Outcome)) -> Result<(), Fault>,
    sink: &mut dyn FnMut(Outcome),
) -> Result<(), Problem> {
    loop {
        let Some((place, text)) = rows.next()? else {
            return Ok(());
        };
        let length = text.len();
        let error = match row(&place, text, sink) {
            Ok(()) => continue,
            Err(Fault::Rule(problem)) => {
                sink(refused(place, problem));
                continue;
            }
            Err(Fault::Shape(error)) => error,
        };
        // A number cut off after its point is wrong at its end, and not for want of more.
        let at_its_end = error.is_eof() || (error.is_syntax() && error.column() >= length);
        if rows.torn() && at_its_end {
            return Err(torn(&place));
        }
        sink(refused(place, misread(&error)));
    }
}

/// What is wrong with a row's shape, without any value of it: refusals are stored, and a value may
/// be somebody's number.
pub(super) fn misread(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let named = |lead: &str| Some(text.strip_prefix(lead)?.split_once('`')?.0);
    if let Some(field) = named("missing field `") {
        return Problem::on(Code::MissingField, field);
    }
    // The library's own words for these quote what they found.
    let quotes = ["invalid ", "unknown "]
        .iter()
        .any(|lead| text.starts_with(lead));
    malformed(match quotes {
        true => detail!(
            "值的类型与要求不符，位于第 {} 行第 {} 列",
            "a value of another kind than is expected, at line {} column {}",
            error.line(),
            error.column()
        ),
        false => detail!("无法解析：{text}", "{text}"),
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::IgnoredAny;

    use super::super::json_rows::DATA;
    use super::super::json_text::Text;
    use super::*;
    use crate::domain::problem::Detail;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row<'a> {
        #[serde(borrow)]
        #[expect(dead_code, reason = "only refusals are looked at")]
        card: Text<'a>,
    }

    fn problem(text: &str) -> (Code, Option<String>, Detail) {
        let error = serde_json::from_str::<Row<'_>>(text).expect_err(text);
        let problem = misread(&error);
        (problem.code, problem.param, problem.detail)
    }

    #[test]
    fn a_refusal_names_no_value() {
        for text in [
            r#"{"card":13800138000}"#,
            r#"{"card":["13800138000"]}"#,
            r#""13800138000""#,
            r#"{"13800138000":1}"#,
            r#"{"card":13800138000,"#,
        ] {
            let (code, _, detail) = problem(text);
            assert_eq!(code, Code::RowMalformed);
            assert!(!detail.both().contains("138"), "{detail:?}");
            assert!(detail.en().contains("column"), "{detail:?}");
        }
        assert_eq!(
            problem("{}"),
            (
                Code::MissingField,
                Some("card".to_owned()),
                Detail::default()
            )
        );
        let (_, _, detail) = problem(r#"{"card":"1","card":"2"}"#);
        let (zh, en) = (detail.zh(), detail.en());
        assert!(en.starts_with("duplicate field `card`"), "{detail:?}");
        assert_eq!(zh, format!("无法解析：{en}"));
        let (_, _, detail) = problem(r#"{"card":7}"#);
        assert_eq!(detail.zh(), "值的类型与要求不符，位于第 1 行第 9 列");
    }

    #[test]
    fn a_torn_line_refuses_the_file_and_a_bad_one_itself() {
        let read = |text: &str| {
            let rows = JsonRows::new(text.as_bytes(), DATA).expect("rows");
            let row = |text: &str| match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => Err(Problem::new(Code::Ineligible).into()),
                Err(error) => Err(error.into()),
            };
            let mut refusals = 0;
            read(rows, row, &mut |_| refusals += 1).map(|()| refusals)
        };
        for torn in ["{", "{\"x\":\"1", "{\"x\":199.", "{\"x\":-"] {
            let text = format!("{{}}\n{torn}");
            assert_eq!(read(&text).expect_err(torn).code, Code::FileTruncated);
            assert_eq!(read(&format!("{text}\n")), Ok(2), "{torn}");
        }
        assert_eq!(read("{}\n{\"x\":1.,}"), Ok(2));
    }
}
